"""What the house may hold in all binds what it keeps, too: it sells what it has beyond, and orders find room again."""

from __future__ import annotations

from decimal import Decimal

from msgspec import structs

from core.execution.records import ExchangeRulesReported
from core.index.facts import HouseTaskDone, HouseTaskSet, IndexOrderDeferred
from core.index.planning import PlanReason
from core.index.records import CuratorWeightsSet, IndexOrderEnded, Outcome
from core.index.stock import house_quantities
from core.market.exchange import Instrument
from core.units import SECOND
from tests.helpers.index_desk import ALICE, BOB, DeskRig, golden_settings, levels, ready_rig

D = Decimal
ASSETS = ("A1", "A2")


def limited(most: int, *, smallest: int = 50, nav_interval_ns: int = 0, kept: int = 1000) -> DeskRig:
    """A desk of two indexes of one asset each, whose house may hold so much in all, and keeps so much of an asset."""
    settings = golden_settings()
    limits = structs.replace(
        settings.limits,
        house_exposure_max=D(most),
        min_asset_volley_size=D(smallest),
        quantity_tolerance=D("1e-18"),
        collateral_tolerance=D("1e-6"),
    )
    rig = ready_rig(
        structs.replace(settings, limits=limits, nav_interval_ns=nav_interval_ns, house_surplus_max=D(kept))
    )
    for asset in ASSETS:
        rig.tell(CuratorWeightsSet(f"I{asset}", ((asset, D(1)),)))
    rig.run(1)
    price(rig, 100)
    rig.run(1)
    return rig


def price(rig: DeskRig, ask: int) -> None:
    """What A1 costs; A2 costs 100."""
    rig.books["A1"] = (levels((ask - 1, 1000)), levels((ask, 1000)))
    rig.books["A2"] = (levels((99, 1000)), levels((100, 1000)))
    for asset in ASSETS:
        rig.set_book(asset, *rig.books[asset])


def small_order(rig: DeskRig, name: str, asset: str, user: str = BOB) -> None:
    """One for 7, for which an exchange order of the smallest size is bought: the house gets the rest."""
    rig.order(name, "7", user=user, symbol=f"I{asset}")
    rig.run(15)


def holds(rig: DeskRig, asset: str) -> Decimal:
    """What the house holds of an asset, without what is finer than any token."""
    return round(house_quantities(rig.desk.state.stock).get(asset, D(0)), 9)


def minted(rig: DeskRig) -> list[str]:
    """Orders that have been minted."""
    return [fact.client_order_id for fact in rig.facts(IndexOrderEnded) if fact.outcome is Outcome.MINTED]


def test_an_order_does_not_wait_for_room_that_the_house_can_make() -> None:
    rig = limited(100)
    small_order(rig, "C-1", "A1")
    price(rig, 1000)
    assert holds(rig, "A1") > D("0.4")
    small_order(rig, "C-2", "A2")
    assert [fact.reason for fact in rig.facts(IndexOrderDeferred)] == [PlanReason.HOUSE_EXPOSURE]
    assert minted(rig) == ["C-1", "C-2"]
    assert holds(rig, "A1") == 0
    assert holds(rig, "A2") > 0


def test_a_house_that_is_nearly_full_makes_room_as_well() -> None:
    rig = limited(60, smallest=30)
    small_order(rig, "C-1", "A1")
    price(rig, 200)
    small_order(rig, "C-2", "A2")
    assert minted(rig) == ["C-1", "C-2"]
    assert holds(rig, "A1") == 0
    assert holds(rig, "A2") > 0


def test_18_what_prices_alone_have_made_too_much_is_sold_when_it_is_next_valued() -> None:
    rig = limited(100, nav_interval_ns=10 * SECOND)
    small_order(rig, "C-1", "A1")
    price(rig, 1000)
    rig.run(12)
    assert [(fact.asset, fact.side, fact.priority) for fact in rig.facts(HouseTaskSet)] == [("A1", "sell", "surplus")]
    assert holds(rig, "A1") == 0


def test_what_prices_alone_have_made_more_than_the_house_keeps_of_an_asset_is_sold_as_well() -> None:
    rig = limited(10_000, nav_interval_ns=10 * SECOND, kept=100)
    small_order(rig, "C-1", "A1")
    price(rig, 1000)
    rig.run(12)
    assert [(fact.asset, fact.side, fact.priority) for fact in rig.facts(HouseTaskSet)] == [("A1", "sell", "surplus")]
    assert 0 < holds(rig, "A1") * 1000 < 110


def test_18_what_running_batches_will_leave_counts_against_what_the_house_may_hold() -> None:
    """Each of the two orders would leave it 43."""
    rig = limited(60)
    rig.exchange.paused = True
    small_order(rig, "C-1", "A1")
    small_order(rig, "C-2", "A2", ALICE)
    assert [asked.orders[0].symbol for asked in rig.exchange.waiting] == ["A1"]
    assert [(fact.order_id, fact.reason) for fact in rig.facts(IndexOrderDeferred)] == [("I-2", "house_exposure")]
    rig.resume_exchange()
    rig.run(5)
    assert minted(rig) == ["C-1", "C-2"]
    assert holds(rig, "A1") * 101 + holds(rig, "A2") * 101 <= 60


def test_18_what_the_house_has_on_offer_counts_until_it_is_sold() -> None:
    rig = limited(100)
    small_order(rig, "C-1", "A1")
    price(rig, 1000)
    rig.exchange.paused = True
    small_order(rig, "C-2", "A2")
    assert [(one.symbol, one.side) for asked in rig.exchange.waiting for one in asked.orders] == [("A1", "sell")]
    small_order(rig, "C-3", "A2", ALICE)
    assert len(rig.exchange.waiting) == 1
    rig.resume_exchange()
    rig.run(5)
    assert sorted(minted(rig)) == ["C-1", "C-2", "C-3"]
    assert holds(rig, "A1") == 0


def test_room_that_no_order_needs_any_more_is_not_made() -> None:
    """What the second order has to wait for is what it takes; and then there is no reason to sell what is left."""
    rig = limited(60)
    rig.exchange.paused = True
    small_order(rig, "C-1", "A1")
    small_order(rig, "C-2", "A1", ALICE)
    assert [(fact.order_id, fact.reason) for fact in rig.facts(IndexOrderDeferred)] == [("I-2", "house_exposure")]
    rig.resume_exchange()
    rig.run(5)
    assert minted(rig) == ["C-1", "C-2"]
    rig.tell(CuratorWeightsSet("IA2", (("A1", D(1)), ("A2", D(1)))))
    rig.run(60)
    assert rig.facts(HouseTaskSet) == []
    assert len(rig.exchange.orders) == 1


def test_for_an_order_that_needs_room_the_house_sells_less_than_its_own_smallest_order() -> None:
    """It holds 43 of an asset, and sends no order of less than 50 otherwise."""
    rig = limited(60)
    small_order(rig, "C-1", "A1")
    rig.run(60)
    assert rig.facts(HouseTaskSet) == []
    small_order(rig, "C-2", "A2")
    assert minted(rig) == ["C-1", "C-2"]
    assert holds(rig, "A1") == 0
    assert holds(rig, "A2") > 0


def test_what_the_exchange_takes_no_order_for_the_house_keeps_whoever_needs_the_room() -> None:
    rig = limited(60)
    filters = (Instrument("A1", "A1", "USDC", notional_min=D(50)),)
    rig.tell(ExchangeRulesReported(filters), "execution")
    small_order(rig, "C-1", "A1")
    small_order(rig, "C-2", "A2")
    assert minted(rig) == ["C-1"]
    assert rig.facts(HouseTaskSet) == []
    assert holds(rig, "A1") > 0


def test_what_the_house_keeps_of_an_asset_is_no_task_if_the_exchange_takes_no_order_for_it() -> None:
    rig = limited(1000, smallest=20, kept=0)
    rig.tell(ExchangeRulesReported((Instrument("A1", "A1", "USDC", notional_min=D(50)),)), "execution")
    small_order(rig, "C-1", "A1")
    assert D(40) < holds(rig, "A1") * 101 < 50
    rig.run(60)
    assert rig.facts(HouseTaskSet) == []


def test_what_is_left_of_orders_that_were_cancelled_does_not_stay_beyond_the_limit() -> None:
    """Each holding is less than the house may keep of one asset."""
    rig = limited(100, smallest=5)
    for asset in ASSETS:
        rig.tell(CuratorWeightsSet(f"M{asset}", ((asset, D("0.5")), ("AZ", D("0.5")))))
    rig.run(1)
    rig.exchange.script = lambda _, order: [(order.quantity, order.price)] if order.symbol != "AZ" else []
    for asset in ASSETS:
        rig.order(f"C-{asset}", "600", user=f"1:0x{asset}", symbol=f"M{asset}")
        rig.run(11)
        assert any(one.symbol == asset and one.side == "buy" for one in rig.exchange.orders)
        rig.cancel(f"C-{asset}", f"1:0x{asset}")
        rig.run(5)
    assert sum((holds(rig, asset) * 101 for asset in ASSETS), D(0)) <= 100


def test_what_tokens_that_are_not_paid_for_leave_to_the_house_is_sold_without_another_order() -> None:
    rig = limited(1000, smallest=5)
    rig.collateral.refuse = {"spend": "not_enough_funds"}
    rig.order("C-1", "1500", symbol="IA1")
    rig.run(30)
    (over,) = rig.facts(IndexOrderEnded)
    assert over.outcome is Outcome.REJECTED
    assert [(fact.asset, fact.side) for fact in rig.facts(HouseTaskSet)] == [("A1", "sell")]
    assert holds(rig, "A1") == 0


def test_the_house_keeps_what_it_may_hold() -> None:
    rig = limited(100)
    small_order(rig, "C-1", "A1")
    small_order(rig, "C-2", "A2")
    rig.run(60)
    assert rig.facts(HouseTaskSet) == []
    assert min(holds(rig, asset) for asset in ASSETS) > D("0.4")


def too_full_to_keep(*, without_bids: bool = False) -> DeskRig:
    """A desk whose house has what was bought for 1500, may hold 100, and finds no buyer yet."""
    rig = limited(100, smallest=5, kept=0)
    rig.exchange.script = lambda _, order: [(order.quantity, order.price)] if order.side == "buy" else []
    rig.chain_refuses = 10**6
    rig.order("C-1", "1500", symbol="IA1")
    rig.run(12)
    if without_bids:
        rig.set_book("A1", (), levels((100, 1000)))
    rig.chain_refuses, rig.chain_declines = 0, {"mint"}
    rig.run(60)
    return rig


def test_a_bid_that_is_gone_for_a_while_does_not_make_the_house_forget_what_it_has_to_sell() -> None:
    rig = too_full_to_keep()
    (task,) = rig.desk.state.indexes.tasks.values()
    misses = task.misses
    rig.set_book("A1", (), levels((100, 1000)))
    rig.run(5)
    assert [(one.task_id, one.misses) for one in rig.desk.state.indexes.tasks.values()] == [(task.task_id, misses)]
    rig.exchange.script = lambda _, order: [(order.quantity, order.price)]
    rig.set_book("A1", levels((99, 1000)), levels((100, 1000)))
    rig.run(60)
    assert holds(rig, "A1") == 0
    assert len(rig.facts(HouseTaskSet)) == len(rig.facts(HouseTaskDone)) == 1


def test_what_the_house_gets_while_there_is_no_bid_it_sells_when_there_is_one() -> None:
    rig = too_full_to_keep(without_bids=True)
    assert rig.facts(IndexOrderEnded)[0].outcome is Outcome.REJECTED
    assert rig.facts(HouseTaskSet) == []
    rig.exchange.script = lambda _, order: [(order.quantity, order.price)]
    rig.set_book("A1", levels((99, 1000)), levels((100, 1000)))
    rig.run(60)
    assert holds(rig, "A1") == 0


def test_a_task_is_not_kept_for_what_the_house_does_not_hold_any_more() -> None:
    rig = too_full_to_keep()
    rig.set_book("A1", (), levels((100, 1000)))
    rig.run(5)
    rig.chain_declines = set()
    rig.order("C-2", "1500", symbol="IA1")
    rig.run(60)
    assert minted(rig) == ["C-2"]
    left = holds(rig, "A1")
    assert all(round(task.quantity, 9) <= left for task in rig.desk.state.indexes.tasks.values())
    assert left < 1
