"""Delivers events to the components of one node, one at a time, and routes what they return.

Knows no clock and no socket. A driver posts what arrives, pumps at the current time, lets the
journal reach its disk, and then performs the outward effects that the pump returned.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import getcontext, setcontext
from typing import Any, Protocol, TypeAlias

import msgspec

from core.errors import ComponentFailed, UnknownComponent
from core.kernel.agenda import Agenda, AgendaEntry
from core.kernel.codec import Codec
from core.kernel.component import Component
from core.kernel.journal import Chain, Journal
from core.kernel.record import CancelTimer, Close, Effect, Event, Message, Outward, Send, SetTimer, Start, Stop
from core.units import MONEY, Nanos

Outgoing: TypeAlias = tuple[str, Outward]
"""The component that asked, and the effect that leaves the node."""


class Observer(Protocol):
    """Sees every delivery after it was handled: checkers, metrics, a debugger. Must not change anything."""

    def __call__(self, node: str, now: Nanos, dst: str, event: Event, effects: list[Effect], /) -> None: ...


class Snapshot(msgspec.Struct, frozen=True):
    """A node between two pumps: enough to go on as if nothing had happened."""

    node: str
    chain: Chain
    agenda_seq: int
    agenda: tuple[AgendaEntry, ...]
    components: dict[str, bytes]


class Kernel:
    """One node: components by name, an agenda, and a journal (None measures the kernel without one)."""

    def __init__(
        self,
        node: str,
        components: Iterable[Component[Any]],
        *,
        agenda: Agenda | None = None,
        journal: Journal | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.node = node
        self.components = {component.name: component for component in components}
        self.agenda = Agenda() if agenda is None else agenda
        self.journal = journal
        self._observer = observer

    def boot(self, now: Nanos) -> None:
        """Queue `Start` for every component, in the order of the wiring."""
        for name in self.components:
            self.agenda.lead(now, name, Start())

    def stop(self, now: Nanos) -> None:
        """Queue `Stop` for every component."""
        for name in self.components:
            self.agenda.post(now, name, name, Stop())

    def pump(self, now: Nanos) -> list[Outgoing]:
        """Deliver everything due at or before `now`, and what that makes due; return what leaves, in order.

        Raises ComponentFailed when a handler raises; the journal then ends with the event at fault.
        """
        outgoing: list[Outgoing] = []
        ambient = getcontext()
        setcontext(MONEY)
        try:
            while (due := self.agenda.pop_due(now)) is not None:
                dst, event = due
                effects = self._handle(now, dst, event)
                if effects:
                    self._route(now, dst, effects, outgoing)
        finally:
            setcontext(ambient)
        return outgoing

    def snapshot(self) -> Snapshot:
        """The node's whole state. Call between pumps. Needs a journal, which it flushes and whose digest it carries."""
        assert self.journal is not None
        self.journal.flush()
        seq, entries = self.agenda.snapshot()
        states = {name: component.snapshot() for name, component in self.components.items()}
        return Snapshot(self.node, self.journal.chain(), seq, entries, states)

    def restore(self, snapshot: Snapshot, codec: Codec) -> None:
        """Become the node that `snapshot` describes; wiring and configuration must be the same."""
        assert self.journal is not None
        assert snapshot.components.keys() == self.components.keys()
        self.journal.resume(snapshot.chain)
        self.agenda.restore(snapshot.agenda_seq, snapshot.agenda, codec.events)
        for name, state in snapshot.components.items():
            self.components[name].restore(state)

    def _handle(self, now: Nanos, dst: str, event: Event) -> list[Effect]:
        try:
            effects = self.components[dst].handle(now, event)
            if self.journal is not None:
                self.journal.append(now, dst, event, effects)
        except Exception as error:
            if self.journal is not None:
                self.journal.crash(now, dst, event, repr(error))
            raise ComponentFailed(f"{self.node}/{dst} failed on {event!r} at {now}: {error!r}") from error
        if self._observer is not None:
            self._observer(self.node, now, dst, event, effects)
        return effects

    def _route(self, now: Nanos, src: str, effects: list[Effect], outgoing: list[Outgoing]) -> None:
        for effect in effects:
            if type(effect) is Send:
                if effect.dst not in self.components:
                    raise UnknownComponent(f"{self.node}/{src} sends {effect.body!r} to `{effect.dst}`")
                self.agenda.post(now, src, effect.dst, Message(src, effect.body))
            elif type(effect) is SetTimer:
                self.agenda.set_timer(src, effect.key, max(now, effect.at))
            elif type(effect) is CancelTimer:
                self.agenda.cancel_timer(src, effect.key)
            else:
                if type(effect) is Close:
                    self.agenda.hang_up(effect.conn)
                outgoing.append((src, effect))
