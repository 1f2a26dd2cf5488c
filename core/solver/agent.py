"""A solver: keeps its connections to the venue, bids on each batch, and pays for what it wins, or not.

It has one connection for everything, or one to each of three doors (core/solver/protocol.py). They come and
go independently: a solution that finds no way to the venue is given up, a payment waits for one.

It goes by its own clock. What the venue says and it cannot use is noted and passed over; an award is
taken at the venue's word, which holds the capital anyway. Capital is learned at the first welcome. From
then on an award sets the output aside, and a settlement brings the input; a default or a refused deposit
frees what was set aside. What a broken connection swallowed stays set aside, which errs on the safe side.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Final, TypeAlias

import msgspec

from core.kernel.component import Component, Handler
from core.kernel.ids import Ids
from core.kernel.record import (
    Bytes,
    CancelTimer,
    Close,
    Compute,
    Computed,
    Connect,
    Connected,
    Disconnected,
    Message,
    Note,
    Record,
    Resume,
    SetTimer,
    Start,
    Stop,
    TimerFired,
    Transmit,
)
from core.market.world import PriceMoved
from core.solver.facts import AwardDecided, BatchSkipped, BidsSent, VenueLineIgnored, VenueRefused
from core.solver.lines import LineBuffer, decode_line, encode_line
from core.solver.problem import Problem, Solution
from core.solver.protocol import (
    VERSION,
    Awarded,
    BatchOpened,
    BidRefused,
    Defaulted,
    Deposit,
    DepositRefused,
    Door,
    FromVenue,
    Hello,
    Ping,
    PlaceBids,
    Pong,
    Refused,
    Settled,
    Welcome,
)
from core.solver.pulse import Pulse, Sign
from core.solver.settings import SolverSettings
from core.solver.strategies.registry import pays
from core.units import Nanos

JOBS_MAX: Final = 8
AWARDS_MAX: Final = 10_000
RECONNECT: Final = "reconnect"
_PING: Final = "ping"

_Said: TypeAlias = FromVenue | Ping | Pong
_said: Final[msgspec.json.Decoder[_Said]] = msgspec.json.Decoder(_Said)


class Phase(StrEnum):
    """Where the conversation on one connection stands."""

    IDLE = "idle"
    """Not connected: waiting to try again, or stopped."""
    CONNECTING = "connecting"
    GREETING = "greeting"
    """The hello is out, the welcome not yet in."""
    ACTIVE = "active"


class Link(msgspec.Struct):
    """The connection to one door, or the lack of it."""

    phase: Phase = Phase.IDLE
    conn: str = ""
    lines: LineBuffer = msgspec.field(default_factory=LineBuffer)
    pulse: Pulse = msgspec.field(default_factory=Pulse)


class AgentState(msgspec.Struct):
    """All that changes."""

    links: dict[Door, Link]
    ids: Ids = msgspec.field(default_factory=Ids)
    prices: dict[str, Decimal] = {}
    capital: dict[str, Decimal] | None = None
    """Free to commit, by token; None before the first welcome."""
    jobs: dict[str, Nanos] = {}
    """Bid deadlines of the batches that are being solved, by job."""
    awards: dict[str, Awarded] = {}
    """By commitment, what is set aside or paid and not yet settled."""


class SolverAgent(Component[AgentState]):
    """One solver on a node of its own."""

    __slots__ = ("_settings",)

    def __init__(self, name: str, settings: SolverSettings) -> None:
        super().__init__(name, AgentState({door: Link() for door in settings.addresses}))
        self._settings = settings

    # --- the connections -------------------------------------------------------------------------

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        for door in self.state.links:
            self._connect(door)

    def _on_stop(self, _now: Nanos, _event: Stop) -> None:
        for door, link in self.state.links.items():
            self.emit(CancelTimer(_timer(RECONNECT, door)))
            if link.phase is not Phase.IDLE:
                self.emit(Close(link.conn, "stopped"))
                self._leave(door, link)

    def _on_resume(self, _now: Nanos, _event: Resume) -> None:
        for door, link in self.state.links.items():
            if link.phase is Phase.IDLE:
                self._connect(door)

    def _on_timer(self, now: Nanos, event: TimerFired) -> None:
        kind, _, name = event.key.partition(":")
        door = Door(name)
        if kind == RECONNECT:
            self._connect(door)
        else:
            self._ask(now, door, self.state.links[door])

    def _on_connected(self, now: Nanos, event: Connected) -> None:
        door, link = self._link_of(event.conn)
        if link is not None and link.phase is Phase.CONNECTING:
            link.phase, link.pulse = Phase.GREETING, Pulse(now)
            if self._settings.pulse.interval:
                self.emit(SetTimer(_timer(_PING, door), link.pulse.next_at(now, self._settings.pulse)))
            self._write(link, Hello(VERSION, self._settings.solver, self._settings.token))

    def _on_disconnected(self, now: Nanos, event: Disconnected) -> None:
        door, link = self._link_of(event.conn)
        if link is not None:
            self._lose(now, door, link)

    def _connect(self, door: Door) -> None:
        link = self.state.links[door] = Link(Phase.CONNECTING, self.state.ids.next("venue"))
        self.emit(Connect(link.conn, self._settings.addresses[door]))

    def _ask(self, now: Nanos, door: Door, link: Link) -> None:
        """A silent venue is asked for a sign of life; one that gives none is dialled again."""
        sign = link.pulse.take(now, self._settings.pulse)
        if sign is Sign.DEAD:
            self.emit(Close(link.conn, "silent"))
            self._lose(now, door, link)
            return
        if sign is Sign.SILENT:
            self._write(link, Ping())
        self.emit(SetTimer(_timer(_PING, door), link.pulse.next_at(now, self._settings.pulse)))

    def _leave(self, door: Door, link: Link) -> None:
        link.phase = Phase.IDLE
        if self._settings.pulse.interval:
            self.emit(CancelTimer(_timer(_PING, door)))

    def _lose(self, now: Nanos, door: Door, link: Link) -> None:
        self._leave(door, link)
        self.emit(SetTimer(_timer(RECONNECT, door), now + self._settings.reconnect_interval))

    def _link_of(self, conn: str) -> tuple[Door, Link | None]:
        for door, link in self.state.links.items():
            if link.conn == conn and link.phase is not Phase.IDLE:
                return door, link
        return Door.ALL, None

    def _on_bytes(self, now: Nanos, event: Bytes) -> None:
        _, link = self._link_of(event.conn)
        if link is None:
            return
        link.pulse.heard(now)
        for line in link.lines.feed(event.data):
            said = None if line is None else decode_line(_said, line)
            if said is None:
                self._ignore("line_too_long" if line is None else "malformed")
            elif isinstance(said, Welcome):
                self._on_welcome(link, said)
            elif link.phase is Phase.ACTIVE or isinstance(said, Refused):
                self._on_said(now, link, said)
            else:
                self._ignore("unexpected")

    def _on_said(self, now: Nanos, link: Link, said: Record) -> None:
        if isinstance(said, Ping):
            self._write(link, Pong())
        elif not isinstance(said, Pong):
            self.SAID[type(said)](self, now, said)

    def _on_welcome(self, link: Link, said: Welcome) -> None:
        if link.phase is not Phase.GREETING:
            self._ignore("unexpected")
            return
        link.phase = Phase.ACTIVE
        if self.state.capital is None:
            self.state.capital = dict(said.capital)
        if self._way_to(Door.CLAIMS) is link:
            for award in self.state.awards.values():
                self._pay(award)

    # --- bidding ---------------------------------------------------------------------------------

    def _on_price(self, _now: Nanos, event: Message[PriceMoved]) -> None:
        self.state.prices[event.body.symbol] = event.body.price

    def _on_batch(self, _now: Nanos, said: BatchOpened) -> None:
        state, settings = self.state, self._settings
        if len(state.jobs) >= JOBS_MAX:
            self._skip(said.height, "busy")
            return
        job = state.ids.next("J")
        state.jobs[job] = said.bid_deadline
        problem = Problem(
            solver=settings.solver,
            seed=settings.seed,
            height=said.height,
            opened_at=said.opened_at,
            bid_deadline=said.bid_deadline,
            orders=said.orders,
            prices=tuple(state.prices.items()),
            capital=tuple((state.capital or {}).items()),
            params=settings.params,
        )
        self.emit(Compute(job, problem))

    def _on_solution(self, now: Nanos, event: Computed[Solution]) -> None:
        solution = event.result
        deadline = self.state.jobs.pop(event.job_id)
        link = self._way_to(Door.BIDS)
        if link is None:
            self._skip(solution.height, "offline")
        elif now >= deadline:
            self._skip(solution.height, "late")
        elif solution.bids:
            self._write(link, PlaceBids(solution.height, solution.bids))
            self._note(BidsSent(self._settings.solver, solution.height, len(solution.bids), now))

    # --- what the venue says ---------------------------------------------------------------------

    def _on_refused(self, _now: Nanos, said: Refused) -> None:
        self._note(VenueRefused(self._settings.solver, "line", said.reason))

    def _on_bid_refused(self, _now: Nanos, said: BidRefused) -> None:
        self._note(VenueRefused(self._settings.solver, said.bid_id, said.reason))

    def _on_award(self, _now: Nanos, said: Awarded) -> None:
        settings, awards = self._settings, self.state.awards
        if said.commitment_id in awards:
            self._pay(said)  # the venue has no deposit, and takes one only
            return
        if len(awards) >= AWARDS_MAX:
            self._ignore("too_many_awards")
            return
        awards[said.commitment_id] = said
        self._earn(said.buy_token, -said.min_output)
        self._note(AwardDecided(settings.solver, said.commitment_id, self._pays(said)))
        self._pay(said)

    def _pay(self, award: Awarded) -> None:
        """Deposit what is owed, unless it is not to be, or there is no way now: it is tried again with the next.

        A deposit that the venue has taken already moves nothing, and is answered as the first was.
        """
        link = self._way_to(Door.CLAIMS)
        if link is not None and self._pays(award):
            self._write(link, Deposit(award.commitment_id, award.min_output))

    def _pays(self, award: Awarded) -> bool:
        settings = self._settings
        return pays(settings.params, settings.seed, settings.solver, award.commitment_id)

    def _on_settled(self, _now: Nanos, said: Settled) -> None:
        award = self.state.awards.pop(said.commitment_id, None)
        if award is not None:
            self._earn(award.sell_token, award.input_amount)

    def _on_deposit_refused(self, _now: Nanos, said: DepositRefused) -> None:
        self._note(VenueRefused(self._settings.solver, said.commitment_id, said.reason))
        self._free(said.commitment_id)

    def _on_defaulted(self, _now: Nanos, said: Defaulted) -> None:
        self._free(said.commitment_id)

    def _free(self, commitment_id: str) -> None:
        award = self.state.awards.pop(commitment_id, None)
        if award is not None:
            self._earn(award.buy_token, award.min_output)

    def _earn(self, token: str, amount: Decimal) -> None:
        capital = self.state.capital
        assert capital is not None  # known since the welcome, without which nothing else is heard
        capital[token] = capital.get(token, Decimal(0)) + amount

    # --- saying and noting -----------------------------------------------------------------------

    def _way_to(self, door: Door) -> Link | None:
        """The connection by which the venue hears what goes by that door."""
        link = self.state.links.get(door) or self.state.links.get(Door.ALL)
        return link if link is not None and link.phase is Phase.ACTIVE else None

    def _write(self, link: Link, said: Record) -> None:
        self.emit(Transmit(link.conn, encode_line(said)))

    def _skip(self, height: int, reason: str) -> None:
        self._note(BatchSkipped(self._settings.solver, height, reason))

    def _ignore(self, reason: str) -> None:
        self._note(VenueLineIgnored(self._settings.solver, reason))

    def _note(self, fact: Record) -> None:
        self.emit(Note(fact))

    SAID: ClassVar[dict[type[Record], Callable[[Any, Nanos, Any], None]]] = {
        Refused: _on_refused,
        BatchOpened: _on_batch,
        BidRefused: _on_bid_refused,
        Awarded: _on_award,
        DepositRefused: _on_deposit_refused,
        Settled: _on_settled,
        Defaulted: _on_defaulted,
    }
    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _on_stop,
        Resume: _on_resume,
        TimerFired: _on_timer,
        Connected: _on_connected,
        Bytes: _on_bytes,
        Disconnected: _on_disconnected,
        PriceMoved: _on_price,
        Solution: _on_solution,
    }


def _timer(kind: str, door: Door) -> str:
    return f"{kind}:{door}" if door else kind
