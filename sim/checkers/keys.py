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
from core.kernel.kernel import RESTARTED
from core.kernel.record import Disconnected, Event, Record
from core.sequencer.facts import OrderSequenced
from core.units import Nanos
from sim.checkers import Checker


class OnlyAcceptedKeys(Checker):
    """Each session is logged on with an active or staged key of an active market maker, and ends when it no longer is
    one, within `logout_timeout`. No order is taken from a market maker that may not trade.

    A live node is late, or down, and is held to what it could do. What is due is handled in turns, each at one time:
    a session should be gone when the turn in which its time came is over, and what was on its way in the turn in which
    a market maker lost its right may still be taken. A turn that the node was killed in goes on when it starts again.
    """

    name = "only accepted keys"

    def __init__(self, logout_timeout: Nanos) -> None:
        self._patience = logout_timeout
        self._now: Nanos = 0
        self._turn = 0
        self._trading: set[str] = set()
        self._barred: dict[str, int] = {}
        """By market maker: the turn in which it lost its right to trade."""
        self._active: dict[str, bytes] = {}
        self._staged: dict[str, bytes] = {}
        self._admitted: dict[str, tuple[str, bytes]] = {}
        self._open: dict[str, tuple[str, bytes]] = {}
        """By session: the market maker and the key id that it is logged on with."""
        self._leave_by: dict[str, Nanos] = {}

    def receives(self, now: Nanos, _dst: str, event: Event) -> None:
        """Time passes for those who should leave."""
        if now > self._now and not (isinstance(event, Disconnected) and event.reason == RESTARTED):
            self._look()
            self._turn += 1
        self._now = now

    def finish(self) -> None:
        """Whoever should have left by now has."""
        self._look()

    def _look(self) -> None:
        """A turn is over."""
        for session, deadline in self._leave_by.items():
            if self._now >= deadline:
                self.violated(f"{session} is still logged on with a key that is not accepted, at {self._now}")

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
            self._barred[maker] = self._turn
        for session in self._open:
            self._see(session)

    def _see(self, session: str) -> None:
        """It has to end if it is of a key that is not accepted."""
        if not self._is_accepted(*self._open[session]):
            self._leave_by.setdefault(session, self._now + self._patience)

    def _on_proven(self, fact: LogonProven) -> None:
        if not self._is_accepted(fact.maker, fact.key_id):
            self.violated(f"{fact.maker} is let in with key {fact.key_id.hex()}, which is not accepted")

    def _on_sequenced(self, fact: OrderSequenced) -> None:
        maker, _ = self._open.get(fact.order.owner, ("", b""))
        if maker and maker not in self._trading and self._turn > self._barred.get(maker, 0):
            self.violated(f"{fact.order.order_id} of {maker} is taken, who may not trade")

    def _is_accepted(self, maker: str, key: bytes) -> bool:
        return maker in self._trading and key in (self._active.get(maker), self._staged.get(maker))

    def _on_admitted(self, body: MakerAdmitted) -> None:
        self._admitted[body.session] = body.maker, key_id(body.public_key)

    def _on_opened(self, body: SessionOpened) -> None:
        if body.session in self._admitted:
            self._open[body.session] = self._admitted[body.session]
            self._see(body.session)

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
