"""Runs a node's kernel on the SimPy clock. The only place where core meets SimPy.

One bare SimPy event for each distinct instant of a node wakes its kernel, which then delivers everything due: SimPy
orders the instants, the agenda orders what happens within one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from simpy import Environment, Event
from simpy.events import NORMAL

from core.errors import DefectError
from core.kernel.kernel import Kernel
from core.kernel.record import Call, Close, Compute, Computed, Connect, Message, Note, Record, Reply, Transmit
from core.kernel.record import Event as KernelEvent
from core.kernel.record import Outward as OutwardEffect
from core.units import Nanos
from sim.network import Network


class Solve(Protocol):
    """Runs a pure problem and says how long the node needed for it."""

    def __call__(self, problem: Any, /) -> tuple[Record, Nanos]: ...


NoteSink = Callable[[str, Nanos, str, Record], None]
Answering = Callable[[Any], tuple[Record, Nanos]]
"""Answers what it is asked, and says how long that took."""


class Caller(NamedTuple):
    """The component of a node that called a service, and the way back to it."""

    node: SimNode
    component: str
    service: str

    def reply(self, span: Nanos, call_id: str, answer: Record) -> None:
        """Answer a call, `span` from now."""
        self._post(span, Reply(call_id, answer))

    def tell(self, span: Nanos, body: Record) -> None:
        """Say something that was not asked for, `span` from now."""
        self._post(span, Message(self.service, body))

    def _post(self, span: Nanos, event: KernelEvent) -> None:
        self.node.post(self.node.now + span, self.service, self.component, event)


class Counterparty(Protocol):
    """A service with a life of its own: it answers when it likes, if at all, and may speak unasked."""

    def ask(self, caller: Caller, call: Call[Any]) -> None:
        """Take a call, which is to be answered, if it is, by `caller.reply` with its id."""
        ...


Service = Answering | Counterparty
NO_SERVICES: Final[Mapping[str, Service]] = {}
Outward = Callable[[bytes], tuple[bytes, Nanos]]
"""The last thing that happens to bytes before they leave a node, and how long it takes."""


def no_compute(problem: Any) -> tuple[Record, Nanos]:
    """For nodes without `Compute`."""
    raise DefectError(f"this node computes nothing, asked for {problem!r}")


class SimNode:
    """One node in virtual time."""

    def __init__(
        self,
        env: Environment,
        kernel: Kernel,
        network: Network,
        *,
        on_note: NoteSink,
        solve: Solve = no_compute,
        outward: Outward | None = None,
        services: Mapping[str, Service] = NO_SERVICES,
    ) -> None:
        self.name = kernel.node
        self.kernel = kernel
        self._outward, self._services = outward, services
        self._env, self._network, self._on_note, self._solve = env, network, on_note, solve
        self._armed: Nanos | None = None
        self._scheduled: set[Nanos] = set()
        self._callbacks: list[Callable[[Event], None]] = [self._wake]
        self._bell = Event(env)
        self._bell._ok, self._bell._value = True, None  # noqa: SLF001  # already triggered: SimPy's cheapest event
        self._bell.callbacks = self._callbacks

    @property
    def now(self) -> Nanos:
        """The virtual clock."""
        now = self._env.now
        assert isinstance(now, int), "a float timeout has made SimPy's clock inexact"
        return now

    def boot(self) -> None:
        """Start every component at the current instant."""
        self.kernel.boot(self.now)
        self._arm(self.now)

    def stop(self) -> None:
        """Ask every component to wind down."""
        self.kernel.stop(self.now)
        self._arm(self.now)

    def post(self, at: Nanos, src: str, dst: str, event: KernelEvent) -> None:
        """Queue what arrives from outside."""
        self.kernel.agenda.post(at, src, dst, event)
        if self._armed is None or at < self._armed:
            self._wake_at(self.now, at)

    def tell(self, dst: str, body: Record) -> None:
        """The world says something to a component, now."""
        self.post(self.now, "world", dst, Message("world", body))

    def _wake(self, bell: Event) -> None:
        bell.callbacks = self._callbacks  # SimPy has taken them; the one bell of this node rings again and again
        now = self.now
        self._scheduled.discard(now)
        if self._armed != now:  # what was due now has been hung up, or moved
            return
        self._armed = None
        for src, effect in self.kernel.pump(now):
            self._perform(now, src, effect)
        self._arm(now)

    def _arm(self, now: Nanos) -> None:
        at = self.kernel.agenda.next_at()
        if at is not None and (self._armed is None or at < self._armed):
            self._wake_at(now, at)

    def _wake_at(self, now: Nanos, at: Nanos) -> None:
        self._armed = at
        if at not in self._scheduled:
            self._scheduled.add(at)
            self._env.schedule(self._bell, NORMAL, at - now)

    def _perform(self, now: Nanos, src: str, effect: OutwardEffect) -> None:
        if isinstance(effect, Note):
            self._on_note(self.name, now, src, effect.fact)
        elif isinstance(effect, Transmit):
            data, span = self._outward(effect.data) if self._outward is not None else (effect.data, 0)
            self._network.transmit(now + span, self, effect.conn, data)
        elif isinstance(effect, Compute):
            result, span = self._solve(effect.problem)
            self.post(now + span, "compute", src, Computed(effect.job_id, result))
        elif isinstance(effect, Connect):
            self._network.connect(now, self, src, effect.conn, effect.address)
        elif isinstance(effect, Close):
            self._network.close(now, self, effect.conn, effect.reason)
        elif isinstance(effect, Call):
            if effect.service not in self._services:
                raise DefectError(f"{self.name}/{src} calls `{effect.service}`, which this simulation does not have")
            self._ask(self._services[effect.service], src, effect)

    def _ask(self, service: Service, src: str, call: Call[Any]) -> None:
        caller = Caller(self, src, call.service)
        if callable(service):
            answer, span = service(call.body)
            caller.reply(span, call.call_id, answer)
        else:
            service.ask(caller, call)
