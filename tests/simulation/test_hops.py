"""Simulated hops and bridges: they keep the contract whatever goes wrong, and a run with them is its seed's."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
import pytest
from simpy import Environment

from core.collateral.collateral import Collateral
from core.collateral.facts import BridgeStepped, HopDisputed, HopStepped
from core.collateral.hops import (
    BridgeExpired,
    BridgeFilled,
    BridgeRefunded,
    BridgeReorged,
    BridgeSeen,
    BridgeSuggested,
    DepositToBridge,
    FundsMoved,
    FundsPending,
    FundsRefused,
    FundsReturned,
    FundsUnknown,
    HopTrouble,
    MoveFunds,
    QueryFunds,
    SuggestFees,
)
from core.collateral.invariants import violations
from core.collateral.records import (
    CollateralAwaited,
    CollateralRefused,
    CollateralRouted,
    DepositSeen,
    RouteCollateral,
)
from core.collateral.settings import BridgeSettings, Confirmations, HopSettings
from core.kernel.component import Component, Handler
from core.kernel.kernel import Kernel
from core.kernel.record import Event, Message, Record, Start
from core.kernel.rng import stream
from core.units import EXACT, MILLISECOND, SECOND, Nanos
from sim.bridges import SimBridge
from sim.driver import SimNode
from sim.hop_models import BridgeModel, HopFaults, HopModel
from sim.hop_moves import Saying, SimHop
from sim.hops import sim_hop, sim_hops
from sim.latency import Constant, Uniform
from sim.network import Network
from tests.helpers.collateral import ALICE, T1, T2, T3, WALLET, hop, with_settings
from tests.helpers.effort import calls_of

HUNDRED = Decimal(100)
MOVE = MoveFunds("T-1", 1, T1, T2, HUNDRED)
BLOCKS = BridgeSettings(confirmations=(Confirmations(None, 3),), fill_time_min=0)


def plain(**faults: int) -> SimHop:
    settings = hop(T1, T2, fee_rate=Decimal("0.01"))
    return sim_hop(HopModel(settings=settings, answer=Constant(0), faults=HopFaults(**faults)), seed=1)


def bridge(**model: Any) -> SimHop:
    settings = hop(T1, T3, "across", fee_rate=Decimal("0.01"), bridge=BLOCKS)
    return sim_hop(HopModel(settings=settings, answer=Constant(0), bridge=BridgeModel(**model)), seed=1)


def only(sayings: list[Saying]) -> Record:
    [saying] = sayings
    return saying.body


def test_a_movement_arrives_after_its_latency_less_its_fee() -> None:
    assert plain().ask(0, MOVE) == [Saying(SECOND, FundsMoved(Decimal(99), Decimal(1)))]


def test_however_many_digits_an_amount_has_what_arrives_and_the_fee_are_all_of_it() -> None:
    amount = Decimal("228.579727512637687033629207071")
    for each in (plain(), sim_hop(HopModel(settings=hop(T1, T2), answer=Constant(0)), seed=1)):
        moved = only(each.ask(0, msgspec.structs.replace(MOVE, amount=amount)))
        assert isinstance(moved, FundsMoved)
        assert EXACT.add(moved.amount, moved.fee) == amount


def test_a_movement_is_executed_once_however_often_it_is_asked_for() -> None:
    there = plain()
    first = there.ask(0, MOVE)
    assert only(there.ask(1, MOVE)) == FundsPending()
    assert only(there.ask(SECOND, MOVE)) == first[0].body
    assert len(there.movements) == 1


def test_a_hop_says_what_it_knows() -> None:
    there = plain()
    assert only(there.ask(0, QueryFunds("T-1", 1))) == FundsUnknown()
    there.ask(0, MOVE)
    assert only(there.ask(SECOND - 1, QueryFunds("T-1", 1))) == FundsPending()
    assert only(there.ask(SECOND, QueryFunds("T-1", 1))) == FundsMoved(Decimal(99), Decimal(1))


def test_a_request_that_is_not_heard_moves_nothing_and_one_whose_answer_is_lost_does() -> None:
    deaf, dumb = plain(unheard_per_mille=1000), plain(lost_per_mille=1000)
    assert (deaf.ask(0, MOVE), dumb.ask(0, MOVE)) == ([], [])
    assert (len(deaf.movements), len(dumb.movements)) == (0, 1)


def test_a_request_that_is_heard_late_is_obeyed_then_and_not_twice() -> None:
    there = plain(delayed_per_mille=1000)
    assert there.ask(0, MOVE) == []
    there.heal(0)
    assert only(there.ask(19 * SECOND, QueryFunds("T-1", 1))) == FundsUnknown()
    there.ask(19 * SECOND, MOVE)
    there.catch_up(20 * SECOND)
    assert [each.ends_at for each in there.movements.values()] == [20 * SECOND]


def test_an_answer_may_come_twice() -> None:
    assert [saying.body for saying in plain(repeated_per_mille=1000).ask(0, MOVE)] == 2 * [
        FundsMoved(Decimal(99), Decimal(1))
    ]


def test_a_hop_may_say_that_more_has_arrived_than_there_was_whenever_it_is_asked() -> None:
    there = plain(impossible_per_mille=1000)
    assert only(there.ask(0, MOVE)) == FundsMoved(Decimal(101), Decimal(0))
    assert only(there.ask(SECOND - 1, QueryFunds("T-1", 1))) == FundsPending()
    assert only(there.ask(SECOND, QueryFunds("T-1", 1))) == FundsMoved(Decimal(101), Decimal(0))
    there.heal(SECOND)
    assert only(there.ask(SECOND, QueryFunds("T-1", 1))) == FundsMoved(Decimal(99), Decimal(1))


@pytest.mark.parametrize("kind", ["unavailable", "rate_limited", "no_capacity", "rejected"])
def test_a_refusal_is_final_for_its_leg_and_not_for_the_next(kind: str) -> None:
    there = plain(**{f"{kind}_per_mille": 1000})
    refused = only(there.ask(0, MOVE))
    assert isinstance(refused, FundsRefused)
    assert refused.kind == kind
    there.heal(0)
    assert only(there.ask(1, MOVE)) == refused
    assert isinstance(only(there.ask(1, msgspec.structs.replace(MOVE, leg=2))), FundsMoved)


def test_a_hop_refuses_what_is_not_within_its_limits() -> None:
    settings = hop(T1, T2, amount_min=Decimal(5), amount_max=Decimal(50))
    there = sim_hop(HopModel(settings=settings), seed=1)
    answers = [
        only(there.ask(0, msgspec.structs.replace(MOVE, leg=n, amount=Decimal(a)))) for n, a in [(1, 4), (2, 51)]
    ]
    assert [answer.kind for answer in answers if isinstance(answer, FundsRefused)] == ["too_low", "too_high"]


def test_money_may_be_returned_or_stuck_until_the_world_behaves() -> None:
    assert only(plain(returned_per_mille=1000).ask(0, MOVE)) == FundsReturned(Decimal(99), HopTrouble.REJECTED, "drawn")
    stuck = plain(stuck_per_mille=1000)
    [saying] = stuck.ask(0, MOVE)
    assert saying.after == 3601 * SECOND
    stuck.heal(5 * SECOND)
    assert isinstance(only(stuck.ask(5 * SECOND, QueryFunds("T-1", 1))), FundsMoved)


def at_bridge(there: SimHop, leg: int = 1, now: Nanos = 0) -> list[Saying]:
    """Ask for terms, and deposit by them."""
    terms = only(there.ask(now, SuggestFees(T1, T3, HUNDRED)))
    assert isinstance(terms, BridgeSuggested)
    return there.ask(
        now,
        DepositToBridge(
            "T-1",
            leg,
            T1,
            T3,
            HUNDRED,
            output_amount=terms.output_amount,
            fill_deadline=terms.fill_deadline,
            exclusive_relayer=terms.exclusive_relayer,
            exclusivity_deadline=terms.exclusivity_deadline,
        ),
    )


def story(sayings: list[Saying]) -> list[tuple[str, int]]:
    """The kind and the second of each piece of news."""
    ordered = sorted(sayings, key=lambda saying: saying.after)
    return [(type(saying.body).__name__, saying.after // SECOND) for saying in ordered if saying.is_news]


def test_a_bridge_tells_of_its_deposit_block_by_block() -> None:
    there = bridge()
    sayings = at_bridge(there)
    assert sayings[0].body == FundsPending()
    assert story(sayings) == [("BridgeSeen", 2), ("BridgeFilled", 3), ("BridgeSeen", 6), ("BridgeFilled", 7)]
    fills = [saying.body for saying in sayings if isinstance(saying.body, BridgeFilled)]
    assert [(fill.amount, fill.confirmations) for fill in fills] == [(Decimal(99), 1), (Decimal(99), 3)]
    assert only(there.ask(7 * SECOND, QueryFunds("T-1", 1))) == FundsMoved(Decimal(99), Decimal(1))


def test_what_nobody_fills_expires_and_is_refunded() -> None:
    there = bridge(unfilled_per_mille=1000)
    sayings = at_bridge(there)
    assert story(sayings)[-2:] == [("BridgeExpired", 600), ("BridgeRefunded", 660)]
    assert isinstance(sayings[-1].body, BridgeRefunded)
    assert sayings[-1].body.amount == HUNDRED
    assert isinstance(only(there.ask(660 * SECOND, QueryFunds("T-1", 1))), FundsReturned)


def test_the_bridge_itself_fills_slowly_what_no_relayer_takes() -> None:
    sayings = at_bridge(bridge(unfilled_per_mille=1000, slow_fill_per_mille=1000))
    [first, _] = [saying.body for saying in sayings if isinstance(saying.body, BridgeFilled)]
    assert (first.relayer, first.filled_at) == ("", 300 * SECOND)


def test_a_deposit_that_is_dropped_by_a_reorg_can_be_made_again() -> None:
    there = bridge(deposit_reorg_per_mille=1000, dropped_per_mille=1000)
    assert story(at_bridge(there)) == [("BridgeSeen", 2), ("BridgeReorged", 3)]
    assert only(there.ask(3 * SECOND, QueryFunds("T-1", 1))) == FundsUnknown()
    there.heal(3 * SECOND)
    assert story(at_bridge(there, now=3 * SECOND))[-1][0] == "BridgeFilled"


def test_a_deposit_that_is_in_another_block_after_a_reorg_goes_on() -> None:
    kinds = [kind for kind, _ in story(at_bridge(bridge(deposit_reorg_per_mille=1000, dropped_per_mille=0)))]
    assert kinds[:3] == [BridgeSeen.__name__, BridgeReorged.__name__, BridgeSeen.__name__]
    assert kinds[-1] == BridgeFilled.__name__


def test_a_fill_that_is_undone_comes_again() -> None:
    kinds = [kind for kind, _ in story(at_bridge(bridge(fill_reorg_per_mille=1000)))]
    assert kinds.count(BridgeFilled.__name__) == 3
    assert BridgeReorged.__name__ in kinds


def by_all(there: SimHop, now: Nanos) -> tuple[Decimal, Decimal]:
    """What all movements together have brought, and taken less what is back."""
    alive = [each for each in there.movements.values() if each.gone_at is None or now < each.gone_at]
    over = [each.outcome for each in alive if each.ends_at <= now]
    brought = sum((each.amount for each in over if isinstance(each, FundsMoved)), Decimal(0))
    taken = sum((each.amount for each in alive if not isinstance(each.outcome, FundsRefused)), Decimal(0))
    return brought, taken - sum((each.amount for each in over if isinstance(each, FundsReturned)), Decimal(0))


def test_what_has_been_brought_and_taken_is_what_all_movements_say_at_any_time() -> None:
    there = plain(returned_per_mille=300, rejected_per_mille=200, stuck_per_mille=200)
    across = bridge(deposit_reorg_per_mille=400, unfilled_per_mille=300)
    for step in range(200):
        now = step * SECOND // 2
        there.ask(now, MoveFunds(f"T-{step}", 1, T1, T2, Decimal(step + 1)))
        at_bridge(across, step, now)
        for each in (there, across):
            assert (each.arrived(now), each.taken(now)) == by_all(each, now)
    there.heal(100 * SECOND)
    for now in (100 * SECOND, 10_000 * SECOND):
        assert (there.arrived(now), there.taken(now)) == by_all(there, now)
        assert (across.arrived(now), across.taken(now)) == by_all(across, now)


@pytest.mark.parametrize("count", [10, 100])
def test_a_look_at_what_has_been_brought_does_not_walk_what_is_over(count: int) -> None:
    there = plain()
    for number in range(count):
        there.ask(0, MoveFunds(f"T-{number}", 1, T1, T2, HUNDRED))
    assert there.arrived(SECOND) == 99 * count
    assert calls_of(lambda: (there.arrived(SECOND), there.taken(SECOND))) < 20


def test_a_deposit_after_its_own_deadline_is_refused() -> None:
    late = DepositToBridge(
        "T-1",
        1,
        T1,
        T3,
        HUNDRED,
        output_amount=HUNDRED,
        fill_deadline=5,
        exclusive_relayer="",
        exclusivity_deadline=0,
    )
    assert isinstance(only(bridge().ask(6, late)), FundsRefused)


def test_each_hop_draws_from_streams_of_its_own() -> None:
    model = HopModel(settings=hop(T1, T2), latency=Uniform(SECOND, 9 * SECOND))
    other = HopModel(settings=hop(T2, T3), latency=Uniform(SECOND, 9 * SECOND))
    alone, beside = sim_hop(model, 7), sim_hop(model, 7)
    spans = []
    for number in range(5):
        move = msgspec.structs.replace(MOVE, leg=number)
        sim_hop(other, 7).ask(0, move)
        spans.append((alone.ask(0, move)[0].after, beside.ask(0, move)[0].after))
    assert len({a for a, _ in spans}) > 1
    assert all(a == b for a, b in spans)
    assert isinstance(sim_hop(HopModel(settings=hop(T1, T2, bridge=BLOCKS)), 7), SimBridge)
    assert stream(7, "hop.T1-T2").drawn == 0


class Answers(msgspec.Struct):
    """What the desk was told, in order."""

    heard: list[str] = []


class Listener(Component[Answers]):
    """A desk that writes down what it is told."""

    __slots__ = ()

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        pass

    def _on_answer(self, now: Nanos, event: Message[Record]) -> None:
        self.state.heard.append(f"{now} {event.body}")

    HANDLERS: ClassVar[Mapping[type[Record], Handler]] = {
        Start: _on_start,
        **dict.fromkeys((CollateralRouted, CollateralRefused, CollateralAwaited), _on_answer),
    }


HOPS: tuple[HopSettings, ...] = (
    hop(T1, T2, fee_rate=Decimal("0.01")),
    hop(T2, T3, "across", fee_rate=Decimal("0.01"), bridge=BLOCKS),
    hop(T3, T2),
    hop(T2, T1),
    hop(T1, WALLET),
)


def run(seed: int, *, answer: Nanos = 50 * MILLISECOND, **faults: int) -> tuple[list[str], list[Record]]:
    """Ten orders over a hop and a bridge under SimPy, the invariants checked after every event."""
    env, notes = Environment(0), list[Record]()
    collateral, desk = Collateral("collateral", with_settings(hops=HOPS)), Listener("desk", Answers())
    models = [
        HopModel(
            settings=each,
            latency=Uniform(100 * MILLISECOND, 8 * SECOND),
            answer=Constant(answer),
            decimals=6,
            faults=HopFaults(**faults),
        )
        for each in HOPS
    ]
    node = SimNode(
        env,
        Kernel("node", [collateral, desk], observer=_checking(collateral)),
        Network(lambda _a, _b: lambda: 0),
        on_note=lambda _node, _now, _src, fact: notes.append(fact),
        services=sim_hops(env, models, seed),
    )
    node.boot()
    for number in range(10):
        at = number * SECOND
        node.post(at, "chain", "collateral", Message("chain", DepositSeen(ALICE, number, HUNDRED)))
        asked = RouteCollateral(f"O-{number}", ALICE, "IX", HUNDRED)
        node.post(at, "desk", "collateral", Message("desk", asked))
    env.run(until=2 * 3600 * SECOND)
    return desk.state.heard, notes


def _checking(collateral: Collateral) -> Any:
    def observe(_node: str, _now: Nanos, _dst: str, _event: Event, _effects: Any) -> None:
        assert violations(collateral.state) == []

    return observe


def test_orders_get_through_a_hop_and_a_bridge_under_simpy() -> None:
    heard, notes = run(1)
    assert len(heard) == 10
    assert all("amount=Decimal('98.01" in said for said in heard)
    assert [fact.state for fact in notes if isinstance(fact, BridgeStepped)].count("final") == 10
    assert not [fact for fact in notes if isinstance(fact, HopDisputed)]


@pytest.mark.parametrize("answer_ms", [3_200, 8_000, 20_000])
@pytest.mark.parametrize("lost", [0, 200])
def test_orders_get_through_hops_that_answer_later_than_they_are_waited_for(answer_ms: int, lost: int) -> None:
    """Answers are waited for 3 s, and a bridge that took longer to suggest terms was never used."""
    heard, notes = run(1, answer=answer_ms * MILLISECOND, lost_per_mille=lost, unheard_per_mille=lost)
    assert len(heard) == 10
    assert all("amount=Decimal('98.01" in said for said in heard)
    assert not [fact for fact in notes if isinstance(fact, HopDisputed)]


def test_every_order_is_answered_once_however_bad_the_hops_are() -> None:
    chances = {"unheard_per_mille": 200, "lost_per_mille": 200, "unavailable_per_mille": 300, "stuck_per_mille": 50}
    heard, notes = run(2, **chances)
    assert len(heard) == 10
    steps = [fact.what for fact in notes if isinstance(fact, HopStepped)]
    assert {"sent", "overdue", "refused", "moved"} <= set(steps)


def test_a_run_with_hops_is_its_seeds() -> None:
    chances = {"lost_per_mille": 100, "unavailable_per_mille": 100}
    assert run(3, **chances) == run(3, **chances)
    assert run(3, **chances) != run(4, **chances)


def test_an_expired_deposit_is_a_story_of_its_own() -> None:
    kinds = {type(saying.body) for saying in at_bridge(bridge(unfilled_per_mille=1000))}
    assert {BridgeExpired, BridgeRefunded} <= kinds
