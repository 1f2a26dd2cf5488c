"""Delivers events to the components of one node, one at a time, and routes what they return.

Knows no clock and no socket. A driver posts what arrives, pumps at the current time, lets the
journal reach its disk, and then performs the outward effects that the pump returned.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import getcontext, setcontext
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from core.errors import ComponentFailed, UnknownComponent
from core.kernel.agenda import Agenda, AgendaEntry
from core.kernel.codec import Codec
from core.kernel.component import Component
from core.kernel.journal import Chain, Journal
from core.kernel.outside import EFFECTS, EVENTS, Outside, OutsideState
from core.kernel.record import (
    CancelTimer,
    Close,
    Disconnected,
    Effect,
    Event,
    Message,
    Outward,
    Restarted,
    Resume,
    Send,
    SetTimer,
    Start,
    Stop,
    TimerFired,
)
from core.units import MONEY, Nanos

RESTARTED: Final = "restarted"
"""Why connections are gone that a node had when it went down."""
Outgoing: TypeAlias = tuple[str, Outward]
"""The component that asked, and the effect that leaves the node."""


class Observer(Protocol):
    """Sees every delivery after it was handled: checkers, metrics, a debugger. Must not change anything."""

    def __call__(self, node: str, now: Nanos, dst: str, event: Event, effects: list[Effect], /) -> None: ...


class Snapshot(msgspec.Struct, frozen=True):
    """A node between two pumps: enough to go on as if nothing had happened, and `at` the time of the last delivery."""

    node: str
    chain: Chain
    agenda_seq: int
    agenda: tuple[AgendaEntry, ...]
    components: dict[str, bytes]
    outside: OutsideState
    at: Nanos


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
        self.outside = Outside()
        self.at: Nanos = 0
        """The time of the last delivery."""
        self.booted = False
        """Whether its components have had their `Start`, or will have it next."""
        self._observer = observer

    def boot(self, now: Nanos) -> None:
        """Queue `Start` for every component, in the order of the wiring."""
        self.booted = True
        for name in self.components:
            self.agenda.lead(now, name, Start())

    def resume(self) -> None:
        """Queue, ahead of all that is pending, what a recovered node has to hear of the time when it was down."""
        for conn, name in self.outside.connections.items():
            self.agenda.lead(0, name, Disconnected(conn, RESTARTED))
        for name in self.outside.stopped:
            self.agenda.lead(0, name, Resume())
        for name in dict.fromkeys(name for name, _ in self.outside.unanswered()):
            if Restarted in self.components[name].HANDLERS:
                self.agenda.lead(0, name, Restarted())

    def stop(self, now: Nanos) -> None:
        """Queue `Stop` for every component."""
        for name in self.components:
            self.agenda.post(now, name, name, Stop())

    def pump(self, now: Nanos) -> list[Outgoing]:
        """Deliver everything due at or before `now`, and what that makes due; return what leaves, in order.

        Raises ComponentFailed when a handler raises; the journal then ends with the event at fault. What the
        journal's sink raises comes as it is, and is nobody's fault here.
        """
        outgoing: list[Outgoing] = []
        ambient = getcontext()
        setcontext(MONEY)
        try:
            while (due := self.agenda.pop_due(now)) is not None:
                self._deliver(now, *due, outgoing)
        finally:
            setcontext(ambient)
        return outgoing

    def snapshot(self) -> Snapshot:
        """The node's whole state. Call right after a pump: what arrived since is not in any journal, and stays pending.

        Needs a journal, which it flushes and whose digest it carries.
        """
        assert self.journal is not None
        self.journal.flush()
        seq, entries = self.agenda.snapshot()
        states = {name: component.snapshot() for name, component in self.components.items()}
        return Snapshot(self.node, self.journal.chain(), seq, entries, states, self.outside.snapshot(), self.at)

    def restore(self, snapshot: Snapshot, codec: Codec) -> None:
        """Become the node that `snapshot` describes; wiring and configuration must be the same.

        Raises msgspec.DecodeError for a snapshot of other components; the kernel is then of no use.
        """
        assert self.journal is not None
        if snapshot.components.keys() != self.components.keys():
            raise msgspec.DecodeError(f"components {', '.join(snapshot.components)}, not {', '.join(self.components)}")
        self.journal.resume(snapshot.chain)
        self.agenda.restore(snapshot.agenda_seq, snapshot.agenda, codec.events)
        self.outside.restore(snapshot.outside, codec)
        self.at = snapshot.at
        self.booted = True
        for name, state in snapshot.components.items():
            self.components[name].restore(state)

    def adopt(self, now: Nanos, dst: str, event: Event, effects: list[Effect]) -> bool:
        """Take in a delivery that a journal holds and whose `effects` its component has just given again.

        Nothing leaves, nothing is written, and no observer hears of it. False when the event should have been
        pending here and was not the next one due, so that this cannot be the node that wrote the journal.
        """
        if not self.pass_over(now, dst, event) and self.is_own(event):
            return False
        self._route(now, dst, event, effects, [])
        return True

    def pass_over(self, now: Nanos, dst: str, event: Event) -> bool:
        """Let the next delivery that is due be forgotten, if it is this one; say whether it was."""
        return self.agenda.take(now, dst, event)

    def is_own(self, event: Event) -> bool:
        """Whether an event arises within the node: a start, a timer, a message between its components."""
        return isinstance(event, Start | TimerFired) or (isinstance(event, Message) and event.src in self.components)

    def _deliver(self, now: Nanos, dst: str, event: Event, outgoing: list[Outgoing]) -> None:
        try:
            effects = self.components[dst].handle(now, event)
            self._route(now, dst, event, effects, outgoing)
            if self.journal is not None:
                self.journal.append(now, dst, event, effects)
        except Exception as error:
            if self.journal is not None:
                if error is self.journal.failure:
                    raise
                self.journal.crash(now, dst, event, repr(error))
            raise ComponentFailed(f"{self.node}/{dst} failed on {event!r} at {now}: {error!r}") from error
        if self._observer is not None:
            self._observer(self.node, now, dst, event, effects)

    def _route(self, now: Nanos, src: str, event: Event, effects: list[Effect], outgoing: list[Outgoing]) -> None:
        self.at = now
        if type(event) in EVENTS:
            self.outside.given(src, event)
        for effect in effects:
            if type(effect) is Send:
                if effect.dst not in self.components:
                    raise sent_to_nobody(self.node, src, effect)
                self.agenda.post(now, src, effect.dst, Message(src, effect.body))
            elif type(effect) is SetTimer:
                self.agenda.set_timer(src, effect.key, max(now, effect.at))
            elif type(effect) is CancelTimer:
                self.agenda.cancel_timer(src, effect.key)
            else:
                if type(effect) in EFFECTS:
                    if type(effect) is Close:
                        self.agenda.hang_up(effect.conn)
                    self.outside.asked(src, effect)
                outgoing.append((src, effect))


def sent_to_nobody(node: str, src: str, effect: Send[Any]) -> UnknownComponent:
    """The error for a `Send` to a component that the node does not have."""
    return UnknownComponent(f"{node}/{src} sends {effect.body!r} to `{effect.dst}`")
