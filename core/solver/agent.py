"""A solver: keeps a connection to its venue, bids on each batch, and pays for what it wins, or not.

It goes by its own clock. What the venue says and it cannot use is noted and passed over; an award is
taken at the venue's word, which holds the capital anyway. Capital is learned at the first welcome. From
then on an award sets the output aside, and a settlement brings the input; a default or a refused deposit
frees what was set aside. What a broken connection swallowed stays set aside, which errs on the safe side.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Final

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
    FromVenue,
    Hello,
    PlaceBids,
    Refused,
    Settled,
    Welcome,
)
from core.solver.settings import SolverSettings
from core.solver.strategies.registry import pays
from core.units import Nanos

JOBS_MAX: Final = 8
AWARDS_MAX: Final = 10_000
RECONNECT: Final = "reconnect"

_said: Final[msgspec.json.Decoder[FromVenue]] = msgspec.json.Decoder(FromVenue)


class Phase(StrEnum):
    """Where the conversation stands."""

    IDLE = "idle"
    """Not connected: waiting to try again, or stopped."""
    CONNECTING = "connecting"
    GREETING = "greeting"
    """The hello is out, the welcome not yet in."""
    ACTIVE = "active"


class AgentState(msgspec.Struct):
    """All that changes."""

    ids: Ids = msgspec.field(default_factory=Ids)
    phase: Phase = Phase.IDLE
    conn: str = ""
    lines: LineBuffer = msgspec.field(default_factory=LineBuffer)
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
        super().__init__(name, AgentState())
        self._settings = settings

    # --- the connection --------------------------------------------------------------------------

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        self._connect()

    def _on_stop(self, _now: Nanos, _event: Stop) -> None:
        state = self.state
        self.emit(CancelTimer(RECONNECT))
        if state.phase is not Phase.IDLE:
            state.phase = Phase.IDLE
            self.emit(Close(state.conn, "stopped"))

    def _on_timer(self, _now: Nanos, _event: TimerFired) -> None:
        self._connect()

    def _on_connected(self, _now: Nanos, event: Connected) -> None:
        if event.conn == self.state.conn and self.state.phase is Phase.CONNECTING:
            self.state.phase = Phase.GREETING
            self._say(Hello(VERSION, self._settings.solver, self._settings.token))

    def _on_disconnected(self, now: Nanos, event: Disconnected) -> None:
        if event.conn == self.state.conn and self.state.phase is not Phase.IDLE:
            self.state.phase = Phase.IDLE
            self.emit(SetTimer(RECONNECT, now + self._settings.reconnect_interval))

    def _connect(self) -> None:
        state = self.state
        state.phase, state.conn, state.lines = Phase.CONNECTING, state.ids.next("venue"), LineBuffer()
        self.emit(Connect(state.conn, self._settings.address))

    def _on_bytes(self, now: Nanos, event: Bytes) -> None:
        if event.conn != self.state.conn or self.state.phase is Phase.IDLE:
            return
        for line in self.state.lines.feed(event.data):
            said = None if line is None else decode_line(_said, line)
            if said is None:
                self._ignore("line_too_long" if line is None else "malformed")
            elif self.state.phase is Phase.ACTIVE or isinstance(said, Welcome | Refused):
                self.SAID[type(said)](self, now, said)
            else:
                self._ignore("unexpected")

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
        if self.state.phase is not Phase.ACTIVE:
            self._skip(solution.height, "offline")
        elif now >= deadline:
            self._skip(solution.height, "late")
        elif solution.bids:
            self._say(PlaceBids(solution.height, solution.bids))
            self._note(BidsSent(self._settings.solver, solution.height, len(solution.bids), now))

    # --- what the venue says ---------------------------------------------------------------------

    def _on_welcome(self, _now: Nanos, said: Welcome) -> None:
        if self.state.phase is not Phase.GREETING:
            self._ignore("unexpected")
            return
        self.state.phase = Phase.ACTIVE
        if self.state.capital is None:
            self.state.capital = dict(said.capital)

    def _on_refused(self, _now: Nanos, said: Refused) -> None:
        self._note(VenueRefused(self._settings.solver, "line", said.reason))

    def _on_bid_refused(self, _now: Nanos, said: BidRefused) -> None:
        self._note(VenueRefused(self._settings.solver, said.bid_id, said.reason))

    def _on_award(self, _now: Nanos, said: Awarded) -> None:
        settings, awards = self._settings, self.state.awards
        if said.commitment_id in awards:
            self._ignore("unexpected")
            return
        if len(awards) >= AWARDS_MAX:
            self._ignore("too_many_awards")
            return
        awards[said.commitment_id] = said
        self._earn(said.buy_token, -said.min_output)
        paying = pays(settings.params, settings.seed, settings.solver, said.commitment_id)
        self._note(AwardDecided(settings.solver, said.commitment_id, paying))
        if paying:
            self._say(Deposit(said.commitment_id, said.min_output))

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

    def _say(self, said: Record) -> None:
        self.emit(Transmit(self.state.conn, encode_line(said)))

    def _skip(self, height: int, reason: str) -> None:
        self._note(BatchSkipped(self._settings.solver, height, reason))

    def _ignore(self, reason: str) -> None:
        self._note(VenueLineIgnored(self._settings.solver, reason))

    def _note(self, fact: Record) -> None:
        self.emit(Note(fact))

    SAID: ClassVar[dict[type[Record], Callable[[Any, Nanos, Any], None]]] = {
        Welcome: _on_welcome,
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
        TimerFired: _on_timer,
        Connected: _on_connected,
        Bytes: _on_bytes,
        Disconnected: _on_disconnected,
        PriceMoved: _on_price,
        Solution: _on_solution,
    }
