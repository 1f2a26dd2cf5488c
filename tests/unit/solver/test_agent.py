"""The agent's side of the conversation: connect, greet, bid, pay, and shrug off what it cannot use."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

import msgspec
import pytest

from core.kernel.component import Component
from core.kernel.record import (
    Bytes,
    CancelTimer,
    Close,
    Compute,
    Computed,
    Connect,
    Connected,
    Disconnected,
    Effect,
    Event,
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
from core.solver import agent
from core.solver.agent import JOBS_MAX, Phase, SolverAgent
from core.solver.facts import AwardDecided, BatchSkipped, BidsSent, VenueLineIgnored, VenueRefused
from core.solver.lines import encode_line
from core.solver.problem import CostPlus, Params, Problem, Solution, Unreliable
from core.solver.protocol import (
    Awarded,
    BatchOpened,
    Bid,
    BidRefused,
    Defaulted,
    Deposit,
    DepositRefused,
    Door,
    FromVenue,
    Hello,
    Offer,
    PlaceBids,
    Refused,
    Settled,
    Welcome,
)
from core.solver.settings import SolverSettings

CONN = "venue-1"
CAPITAL = (("USDC", Decimal(10_000)), ("ETH", Decimal(5)))
OFFER = Offer("O-1", "ETHUSDC", "sell", "ETH", "USDC", Decimal("0.001"), Decimal(2), Decimal(4000), True)
BATCH = BatchOpened(3, 100, 300, (OFFER,))
BID = Bid("3.1", "O-1", Decimal(2), Decimal(2000), 500)
AWARD = Awarded("C-1", 3, "O-1", "3.1", "ETH", "USDC", Decimal(2), Decimal(4000), 400)

R = TypeVar("R", bound=Record)


def new_agent(params: Params | None = None) -> SolverAgent:
    settings = SolverSettings(
        solver="s1",
        token="secret",
        addresses={Door.ALL: "venue:9000"},
        params=params or CostPlus(),
        seed=7,
        reconnect_interval=1000,
    )
    return SolverAgent("solver", settings)


def active(params: Params | None = None) -> SolverAgent:
    solver = new_agent(params)
    solver.handle(0, Start())
    solver.handle(1, Connected(CONN, "venue"))
    say(solver, Welcome(1, "venue", CAPITAL))
    return solver


def say(solver: SolverAgent, *said: FromVenue, now: int = 100, conn: str = CONN) -> list[Effect]:
    return solver.handle(now, Bytes(conn, b"".join(encode_line(one) for one in said)))


def lines(effects: list[Effect], kind: type[R]) -> list[R]:
    """What the agent says to the venue."""
    sent = b"".join(effect.data for effect in effects if isinstance(effect, Transmit))
    return [msgspec.json.decode(line, type=kind) for line in sent.splitlines()]


def notes(effects: list[Effect]) -> list[Record]:
    return [effect.fact for effect in effects if isinstance(effect, Note)]


def free(solver: SolverAgent) -> dict[str, Decimal]:
    assert solver.state.capital is not None
    return solver.state.capital


def test_it_connects_greets_and_learns_its_capital() -> None:
    solver = new_agent()
    assert solver.handle(0, Start()) == [Connect(CONN, "venue:9000")]
    assert lines(solver.handle(1, Connected(CONN, "venue")), Hello) == [Hello(1, "s1", "secret")]
    assert say(solver, Welcome(1, "venue", CAPITAL)) == []
    assert solver.state.links[Door.ALL].phase is Phase.ACTIVE
    assert free(solver) == dict(CAPITAL)


def test_a_batch_becomes_a_problem_with_the_prices_and_capital_of_that_moment() -> None:
    solver = active()
    solver.handle(50, Message("world", PriceMoved("ETHUSDC", Decimal(1900))))
    solver.handle(60, Message("world", PriceMoved("ETHUSDC", Decimal(2000))))
    prices = (("ETHUSDC", Decimal(2000)),)
    problem = Problem("s1", 7, 3, 100, 300, (OFFER,), prices, CAPITAL, CostPlus())
    assert say(solver, BATCH) == [Compute("J-1", problem)]


def test_a_solution_in_time_is_sent_as_one_line() -> None:
    solver = active()
    say(solver, BATCH)
    effects = solver.handle(299, Computed("J-1", Solution(3, (BID,))))
    assert lines(effects, PlaceBids) == [PlaceBids(3, (BID,))]
    assert notes(effects) == [BidsSent("s1", 3, 1, 299)]


def test_a_solution_at_the_deadline_by_its_own_clock_is_not_sent() -> None:
    solver = active()
    say(solver, BATCH)
    assert solver.handle(300, Computed("J-1", Solution(3, (BID,)))) == [Note(BatchSkipped("s1", 3, "late"))]


def test_an_empty_solution_is_not_sent() -> None:
    solver = active()
    say(solver, BATCH)
    assert solver.handle(200, Computed("J-1", Solution(3, ()))) == []


def test_a_solution_after_the_connection_broke_is_not_sent() -> None:
    solver = active()
    say(solver, BATCH)
    solver.handle(150, Disconnected(CONN, "reset"))
    assert notes(solver.handle(200, Computed("J-1", Solution(3, (BID,))))) == [BatchSkipped("s1", 3, "offline")]


def test_it_thinks_about_a_bounded_number_of_batches_at_once() -> None:
    solver = active()
    effects = say(solver, *[BATCH] * (JOBS_MAX + 1))
    assert [type(effect) for effect in effects] == [Compute] * JOBS_MAX + [Note]
    assert notes(effects) == [BatchSkipped("s1", 3, "busy")]
    solver.handle(200, Computed("J-1", Solution(3, ())))
    assert isinstance(say(solver, BATCH)[0], Compute)


def test_it_pays_for_an_award_and_sets_the_output_aside() -> None:
    solver = active()
    effects = say(solver, AWARD)
    assert lines(effects, Deposit) == [Deposit("C-1", Decimal(4000))]
    assert notes(effects) == [AwardDecided("s1", "C-1", True)]
    assert free(solver) == {"USDC": 6000, "ETH": 5}


def test_an_unreliable_solver_may_not_pay_but_the_output_stays_set_aside_until_the_default() -> None:
    solver = active(Unreliable(default_per_mille=1000))
    effects = say(solver, AWARD)
    assert lines(effects, Deposit) == []
    assert notes(effects) == [AwardDecided("s1", "C-1", False)]
    assert free(solver)["USDC"] == 6000
    say(solver, Defaulted("C-1", Decimal(10)))
    assert free(solver)["USDC"] == 10_000


def test_a_settlement_brings_the_input() -> None:
    solver = active()
    say(solver, AWARD, Settled("C-1", Decimal(2), Decimal(4000)))
    assert free(solver) == {"USDC": 6000, "ETH": 7}


def test_a_refused_deposit_frees_the_capital_once() -> None:
    solver = active()
    effects = say(solver, AWARD, DepositRefused("C-1", Decimal(4000), "late"), Defaulted("C-1", Decimal(10)))
    assert free(solver) == dict(CAPITAL)
    assert VenueRefused("s1", "C-1", "late") in notes(effects)


def test_a_repeated_award_or_settlement_counts_once_and_a_repeated_award_is_paid_again() -> None:
    solver = active()
    effects = say(solver, AWARD, AWARD)
    assert len(notes(effects)) == 1
    assert len(lines(effects, Deposit)) == 2
    settled = Settled("C-1", Decimal(2), Decimal(4000))
    say(solver, settled, settled)
    assert free(solver) == {"USDC": 6000, "ETH": 7}


def test_it_holds_a_bounded_number_of_unsettled_awards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "AWARDS_MAX", 1)
    solver = active()
    effects = say(solver, AWARD, msgspec.structs.replace(AWARD, commitment_id="C-2"))
    assert notes(effects)[1:] == [VenueLineIgnored("s1", "too_many_awards")]


def test_refusals_are_noted() -> None:
    effects = say(active(), BidRefused(3, "3.1", "O-1", "late"), Refused("malformed", ""))
    assert notes(effects) == [VenueRefused("s1", "3.1", "late"), VenueRefused("s1", "line", "malformed")]


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello?\n",
        b"\xff\n",
        b'{"type":"Deposit","commitment_id":"C-1","amount":"1"}\n',
        encode_line(AWARD).replace(b'"4000"', b'"NaN"'),
    ],
)
def test_garbage_from_the_venue_is_noted_and_the_conversation_goes_on(garbage: bytes) -> None:
    solver = active()
    effects = solver.handle(100, Bytes(CONN, garbage + encode_line(BATCH)))
    assert effects[0] == Note(VenueLineIgnored("s1", "malformed"))
    assert isinstance(effects[1], Compute)


def test_an_overlong_line_is_noted_and_the_conversation_goes_on() -> None:
    solver = active()
    effects = solver.handle(100, Bytes(CONN, b"x" * (1 << 20) + b"x\n" + encode_line(BATCH)))
    assert effects[0] == Note(VenueLineIgnored("s1", "line_too_long"))
    assert isinstance(effects[1], Compute)


def test_before_the_welcome_only_a_welcome_or_a_refusal_is_heard() -> None:
    solver = new_agent()
    solver.handle(0, Start())
    assert notes(say(solver, Welcome(1, "venue", CAPITAL))) == [VenueLineIgnored("s1", "unexpected")]
    solver.handle(1, Connected(CONN, "venue"))
    assert notes(say(solver, BATCH, AWARD)) == [VenueLineIgnored("s1", "unexpected")] * 2
    assert notes(say(solver, Refused("unauthorised", ""))) == [VenueRefused("s1", "line", "unauthorised")]


def test_a_second_welcome_does_not_reset_the_capital() -> None:
    solver = active()
    say(solver, AWARD)
    assert notes(say(solver, Welcome(1, "venue", CAPITAL))) == [VenueLineIgnored("s1", "unexpected")]
    assert free(solver)["USDC"] == 6000


def test_after_a_break_it_reconnects_as_a_new_connection_and_keeps_its_own_account() -> None:
    solver = active()
    say(solver, AWARD)
    assert solver.handle(500, Disconnected(CONN, "reset")) == [SetTimer("reconnect", 1500)]
    assert solver.handle(1500, TimerFired("reconnect", 1500)) == [Connect("venue-2", "venue:9000")]
    solver.handle(1501, Connected("venue-2", "venue"))
    say(solver, Welcome(1, "venue", CAPITAL), conn="venue-2")
    assert free(solver)["USDC"] == 6000
    assert say(solver, BATCH) == []
    assert isinstance(say(solver, BATCH, conn="venue-2")[0], Compute)


def test_a_connection_that_could_not_be_opened_is_tried_again() -> None:
    solver = new_agent()
    solver.handle(0, Start())
    assert solver.handle(5, Disconnected(CONN, "refused")) == [SetTimer("reconnect", 1005)]


def test_half_a_line_of_a_broken_connection_does_not_spoil_the_next() -> None:
    solver = active()
    solver.handle(100, Bytes(CONN, b'{"type":"Set'))
    solver.handle(500, Disconnected(CONN, "reset"))
    solver.handle(1500, TimerFired("reconnect", 1500))
    solver.handle(1501, Connected("venue-2", "venue"))
    assert say(solver, Welcome(1, "venue", CAPITAL), conn="venue-2") == []


def test_on_stop_it_closes_and_does_not_come_back() -> None:
    solver = active()
    assert solver.handle(200, Stop()) == [CancelTimer("reconnect"), Close(CONN, "stopped")]
    assert solver.handle(201, Disconnected(CONN, "closed")) == []
    assert say(solver, BATCH) == []


def test_on_stop_between_connections_it_only_drops_its_timer() -> None:
    solver = active()
    solver.handle(150, Disconnected(CONN, "reset"))
    assert solver.handle(200, Stop()) == [CancelTimer("reconnect")]


def test_a_restored_agent_goes_on_as_if_it_had_not_been_put_down() -> None:
    solver = active()
    solver.handle(60, Message("world", PriceMoved("ETHUSDC", Decimal(2000))))
    solver.handle(100, Bytes(CONN, encode_line(BATCH) + encode_line(AWARD) + b'{"type":"Settled","commit'))
    twin: Component[agent.AgentState] = new_agent()
    twin.restore(solver.snapshot())
    assert twin.state == solver.state
    rest: list[Event] = [
        Computed("J-1", Solution(3, (BID,))),
        Bytes(CONN, b'ment_id":"C-1","input_amount":"2","output_amount":"4000"}\n'),
        Bytes(CONN, encode_line(BATCH)),
    ]
    assert [twin.handle(200, event) for event in rest] == [solver.handle(200, event) for event in rest]
