"""What the house may hold in all binds what it keeps, too: it sells what it has beyond, and orders find room again."""

from __future__ import annotations

from decimal import Decimal

from msgspec import structs

from core.index.facts import HouseTaskSet, IndexOrderDeferred
from core.index.planning import PlanReason
from core.index.records import CuratorWeightsSet, IndexOrderEnded, Outcome
from core.index.stock import house_quantities
from core.units import SECOND
from tests.helpers.index_desk import BOB, DeskRig, golden_settings, levels, ready_rig

D = Decimal
ASSETS = ("A1", "A2")


def limited(most: int, *, smallest: int = 50, nav_interval_ns: int = 0) -> DeskRig:
    """A desk of two indexes of one asset each, whose house may hold so much."""
    settings = golden_settings()
    limits = structs.replace(
        settings.limits,
        house_exposure_max=D(most),
        min_asset_volley_size=D(smallest),
        quantity_tolerance=D("1e-18"),
        collateral_tolerance=D("1e-6"),
    )
    rig = ready_rig(structs.replace(settings, limits=limits, nav_interval_ns=nav_interval_ns))
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


def test_what_prices_alone_have_made_too_much_is_sold_when_it_is_next_valued() -> None:
    rig = limited(100, nav_interval_ns=10 * SECOND)
    small_order(rig, "C-1", "A1")
    price(rig, 1000)
    rig.run(12)
    assert [(fact.asset, fact.side, fact.priority) for fact in rig.facts(HouseTaskSet)] == [("A1", "sell", "surplus")]
    assert holds(rig, "A1") == 0


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
