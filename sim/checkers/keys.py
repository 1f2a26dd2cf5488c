"""Nobody trades with a key that is not accepted: the registry kept a second time, from what was said to it alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from core.fix.records import SessionClosed, SessionOpened
from core.identity.records import (
    ActivateKey,
    ActivateMaker,
    ChangePermissions,
    LogonProven,
    MakerAdmitted,
    RegisterMaker,
    RegistryChanged,
    ResumeMaker,
    RevokeMaker,
    StageKey,
    SuspendMaker,
)
from core.identity.scheme import key_id
from core.kernel.record import Event, Record
from core.sequencer.facts import OrderSequenced
from core.units import Nanos
from sim.checkers import Checker


class OnlyAcceptedKeys(Checker):
    """Each session is logged on with an active or staged key of an active market maker, and ends when it no longer is
    one, within `logout_timeout`. No order is taken from a market maker that may not trade.
    """

    name = "only accepted keys"

    def __init__(self, logout_timeout: Nanos) -> None:
        self._patience = logout_timeout
        self._now: Nanos = 0
        self._trading: set[str] = set()
        self._active: dict[str, bytes] = {}
        self._staged: dict[str, bytes] = {}
        self._admitted: dict[str, tuple[str, bytes]] = {}
        self._open: dict[str, tuple[str, bytes]] = {}
        """By session: the market maker and the key id that it is logged on with."""
        self._leave_by: dict[str, Nanos] = {}

    def receives(self, now: Nanos, _dst: str, _event: Event) -> None:
        """Time passes for those who should leave."""
        self._now = now
        for session, deadline in self._leave_by.items():
            if now > deadline:
                self.violated(f"{session} is still logged on with a key that is not accepted, at {now}")

    def finish(self) -> None:
        """Whoever should have left has."""
        for session in self._leave_by:
            self.violated(f"{session} ends the run logged on with a key that is not accepted")

    def _on_changed(self, fact: RegistryChanged) -> None:
        command = fact.entry.command
        maker = command.maker
        if isinstance(command, RegisterMaker):
            self._active[maker] = key_id(command.public_key)
        elif isinstance(command, StageKey):
            self._staged[maker] = key_id(command.public_key)
        elif isinstance(command, ActivateKey):
            self._active[maker] = self._staged.pop(maker)
        elif isinstance(command, ActivateMaker | ResumeMaker):
            self._trading.add(maker)
        elif not isinstance(command, ChangePermissions):
            assert isinstance(command, SuspendMaker | RevokeMaker)
            self._trading.discard(maker)
        for session, (who, key) in self._open.items():
            if not self._is_accepted(who, key):
                self._leave_by.setdefault(session, self._now + self._patience)

    def _on_proven(self, fact: LogonProven) -> None:
        if not self._is_accepted(fact.maker, fact.key_id):
            self.violated(f"{fact.maker} is let in with key {fact.key_id.hex()}, which is not accepted")

    def _on_sequenced(self, fact: OrderSequenced) -> None:
        maker, _ = self._open.get(fact.order.owner, ("", b""))
        if maker and maker not in self._trading:
            self.violated(f"{fact.order.order_id} of {maker} is taken, who may not trade")

    def _is_accepted(self, maker: str, key: bytes) -> bool:
        return maker in self._trading and key in (self._active.get(maker), self._staged.get(maker))

    def _on_admitted(self, body: MakerAdmitted) -> None:
        self._admitted[body.session] = body.maker, key_id(body.public_key)

    def _on_opened(self, body: SessionOpened) -> None:
        if body.session in self._admitted:
            self._open[body.session] = self._admitted[body.session]

    def _on_closed(self, body: SessionClosed) -> None:
        self._open.pop(body.session, None)
        self._leave_by.pop(body.session, None)

    FACTS: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {
        RegistryChanged: _on_changed,
        LogonProven: _on_proven,
        OrderSequenced: _on_sequenced,
    }
    SENT: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {
        MakerAdmitted: _on_admitted,
        SessionOpened: _on_opened,
        SessionClosed: _on_closed,
    }
