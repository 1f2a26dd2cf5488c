"""What the exchange allows binds plans: its filters count against the caps, and a batch begins when it can leave."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.execution.records import ExchangeRulesReported
from core.index.facts import AssetOrderPlanned, IndexBatchOpened, IndexPlanPutOff
from core.index.fitting import plan
from core.index.planning import Mode, Plan, PlanLimits, PlanReason
from core.index.reasons import PutOff
from core.index.records import IndexOrderEnded, Outcome
from core.index.room import Room, Turn
from core.index.validate import violations
from core.market.exchange import Instrument, RateLimit
from core.units import SECOND
from tests.helpers.index_desk import DeskRig, golden_settings
from tests.unit.index.test_fitting import LIMITS, buy, problem, sell

D = Decimal
COARSE = Instrument("AX", "AX", "USDC", step=D(50), notional_min=D(1))


def planned(limits: PlanLimits, *, coarse: Instrument = COARSE, sells: bool = False) -> Plan:
    """Orders that need 1 AX each, and one that needs none."""
    demand = sell(1, "IX", "0.125") if sells else buy(1, "IX", 125)
    posed = structs.replace(problem(demand, limits=limits), instruments=(coarse,))
    found = plan(posed)
    assert isinstance(found, Plan)
    assert limits.mode is Mode.REFERENCE or violations(posed, found) == []
    return found


def ordered(found: Plan) -> dict[str, Decimal]:
    """What goes to the exchange."""
    return {row.asset: row.quantity for row in found.assets}


def test_what_the_exchange_takes_at_least_is_planned_for() -> None:
    found = planned(LIMITS)
    assert ordered(found) == {"AX": D(50), "AZ": D("0.125")}
    assert found.volley == 5025
    assert found.assets[0].surplus == 49


def test_filters_cannot_have_the_house_hold_more_than_it_may() -> None:
    """A $20 order could buy a whole step of $10,000."""
    found = planned(structs.replace(LIMITS, house_exposure_max=D(4899)))
    assert [(one.reason, one.asset) for one in found.deferred] == [(PlanReason.HOUSE_EXPOSURE, "AX")]
    assert found.volley == 0


def test_filters_cannot_make_a_batch_worth_more_than_it_may_be() -> None:
    found = planned(structs.replace(LIMITS, max_volley_size=D(5024)))
    assert [(one.reason, one.asset) for one in found.deferred] == [(PlanReason.NO_VOLLEY, "AX")]
    assert planned(structs.replace(LIMITS, max_volley_size=D(5025))).volley == 5025


def test_an_asset_that_its_market_has_less_of_than_the_exchange_takes_offers_nothing() -> None:
    found = planned(LIMITS, coarse=structs.replace(COARSE, quantity_min=D(101)))
    assert [(one.reason, one.asset) for one in found.deferred] == [(PlanReason.NO_LIQUIDITY, "AX")]


def test_a_sell_that_is_too_little_for_the_exchange_goes_to_the_house() -> None:
    found = planned(LIMITS, sells=True)
    assert ordered(found) == {"AX": D(0), "AZ": D("0.125")}
    assert [(one.asset, one.quantity, one.to_house) for one in found.crossings] == [("AX", D(1), True)]


def test_the_reference_knows_no_filters_when_it_plans() -> None:
    limits = structs.replace(LIMITS, mode=Mode.REFERENCE)
    assert planned(limits).assets == planned(limits, coarse=Instrument("AX", "AX", "USDC")).assets


def test_the_desk_plans_by_what_it_is_told_and_says_how_far_an_order_may_be_raised() -> None:
    rig = DeskRig(golden_settings())
    rig.weigh()
    rig.tell(ExchangeRulesReported((structs.replace(COARSE, step=D(15)),)), "execution")
    rig.order("C-1", "1000")
    rig.run(11)
    first = rig.facts(AssetOrderPlanned)[0]
    assert (first.symbol, first.quantity) == ("AX", D(15))
    assert [each.quantity_max for each in rig.exchange.orders] == [each.quantity for each in rig.exchange.orders]


def test_the_reference_lets_orders_be_raised_as_the_exchange_wants() -> None:
    rig = DeskRig(golden_settings(Mode.REFERENCE))
    rig.weigh()
    rig.order("C-1", "1000")
    rig.run(11)
    assert {each.quantity_max for each in rig.exchange.orders} == {None}


def test_a_batch_waits_until_its_orders_can_leave_and_nothing_is_engaged_meanwhile() -> None:
    rig = DeskRig(golden_settings())
    rig.weigh()
    rig.tell(ExchangeRulesReported((), (RateLimit(3, 20 * SECOND),)), "execution")
    rig.order("C-1", "1000")
    rig.run(5)
    rig.order("C-2", "1000", user="1:0xb0")
    rig.run(15)
    assert len(rig.facts(IndexBatchOpened)) == 1
    assert [each.reason for each in rig.facts(IndexPlanPutOff)] == [PutOff.RATE_LIMITED]
    rig.run(20)
    assert len(rig.facts(IndexBatchOpened)) == 2
    assert [each.outcome for each in rig.facts(IndexOrderEnded)] == [Outcome.MINTED] * 2
    assert len(rig.facts(IndexPlanPutOff)) == 1


def test_new_limits_let_go_what_old_ones_have_held_back() -> None:
    rig = DeskRig(golden_settings())
    rig.weigh()
    rig.tell(ExchangeRulesReported((), (RateLimit(2, 3600 * SECOND),)), "execution")
    for number, user in enumerate(("1:0xa1", "1:0xb0")):
        rig.order("C-1", "1000", user=user)
        rig.run(11 + number)
    assert len(rig.facts(IndexBatchOpened)) == 1
    rig.tell(ExchangeRulesReported((), (RateLimit(100, SECOND),)), "execution")
    rig.run(1)
    assert len(rig.facts(IndexBatchOpened)) == 2


@pytest.mark.parametrize(("count", "wait"), [(100, 0), (101, 0), (1, 10 * SECOND)])
def test_a_batch_that_is_larger_than_a_limit_begins_when_the_limit_is_unused(count: int, wait: int) -> None:
    room, found = Room(), planned(LIMITS)
    if wait:
        room.sent(0, 100)
    many = structs.replace(found, assets=found.assets[:1] * count)
    assert room.admits(0, many, LIMITS, Turn.USERS) is not bool(wait)
    assert (room.is_held(0), room.open_at(0)) == (bool(wait), wait)


def test_the_next_batch_waits_for_the_end_of_a_line_that_is_longer_than_a_limit() -> None:
    room, found = Room(), planned(LIMITS)
    room.sent(0, 250)
    many = structs.replace(found, assets=found.assets[:1] * 51)
    assert not room.admits(SECOND, many, LIMITS, Turn.USERS)
    assert (room.queued_until, room.open_at(SECOND)) == (20 * SECOND, 30 * SECOND)
    covered = structs.replace(found, assets=())
    assert room.admits(SECOND, covered, LIMITS, Turn.USERS), "nothing goes to the exchange"
    assert not room.is_held(SECOND)


def test_a_problem_has_the_filters_of_its_own_assets_alone() -> None:
    room = Room()
    room.adopt(0, ExchangeRulesReported((COARSE, structs.replace(COARSE, symbol="QQ"))))
    assert room.of(("AX", "AZ")) == (COARSE,)


def test_little_of_an_asset_is_an_exchange_order_all_the_same() -> None:
    limits = structs.replace(LIMITS, quantity_tolerance=D("1e-4"))
    room, found = Room(), planned(limits)
    room.sent(0, 100)
    little = structs.replace(found, assets=(structs.replace(found.assets[0], quantity=D("5e-5")),))
    assert not room.admits(0, little, limits, Turn.USERS)
    assert room.admits(0, little, structs.replace(limits, mode=Mode.REFERENCE), Turn.USERS)


def many_and_few() -> tuple[Room, Plan, Plan]:
    """Half of a limit of 100 in 10 s is used; what needs more than the rest, and what needs little."""
    room, found = Room(), planned(LIMITS)
    room.sent(0, 50)
    many, few = (structs.replace(found, assets=found.assets[:1] * count) for count in (60, 1))
    return room, many, few


@pytest.mark.parametrize(("mine", "theirs"), [(Turn.USERS, Turn.HOUSE), (Turn.HOUSE, Turn.USERS)])
def test_who_has_to_wait_has_the_turn_and_others_leave_it_its_room(mine: Turn, theirs: Turn) -> None:
    room, many, few = many_and_few()
    assert not room.admits(0, many, LIMITS, mine)
    assert not room.admits(0, few, LIMITS, theirs)
    assert not room.admits(10 * SECOND, few, LIMITS, theirs), "it is open, and still the turn of the first"
    assert room.admits(10 * SECOND, many, LIMITS, mine)
    room.sent(10 * SECOND, 60)
    assert not room.admits(10 * SECOND, many, LIMITS, theirs)
    assert not room.admits(10 * SECOND, few, LIMITS, mine)


def test_who_needs_its_turn_no_more_passes_it_on() -> None:
    room, many, few = many_and_few()
    assert not room.admits(0, many, LIMITS, Turn.USERS)
    room.pass_on(Turn.HOUSE)
    assert room.is_held(0), "it is not the house's"
    room.pass_on(Turn.USERS)
    assert not room.is_held(0)
    assert room.admits(0, few, LIMITS, Turn.HOUSE)


def test_what_is_urgent_waits_for_no_turn_and_takes_nobodys() -> None:
    room, many, few = many_and_few()
    assert not room.admits(0, many, LIMITS, Turn.USERS)
    assert room.admits(0, few, LIMITS, Turn.HOUSE, is_urgent=True)
    assert not room.admits(0, many, LIMITS, Turn.HOUSE, is_urgent=True), "the exchange would not take it"
    assert room.turn is Turn.USERS


def test_what_needs_no_exchange_order_waits_for_no_turn() -> None:
    room, many, few = many_and_few()
    assert not room.admits(0, many, LIMITS, Turn.USERS)
    assert room.admits(0, structs.replace(few, assets=()), LIMITS, Turn.HOUSE)
    assert room.turn is Turn.USERS
