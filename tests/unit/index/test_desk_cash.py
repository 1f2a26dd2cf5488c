"""An index's cash: what rebalances bring and cost is the house's in the end, and holders' tokens are worth the same."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index import minting
from core.index.allocation import Slice
from core.index.base import DeskBase, DeskState
from core.index.facts import CashSettled
from core.index.invariants import Watches, living_violations, violations
from core.index.nav import NavPoint
from core.index.order import IndexOrder
from core.index.records import IndexOrderEnded, Outcome
from core.index.rounding import cut, rounded
from core.units import SECOND
from tests.helpers.index_desk import ALICE, DeskRig, golden_settings, ready_rig

D = Decimal
OTHERS = (("AX", D("0.4")), ("AZ", D("0.6")))


@pytest.fixture
def rig() -> DeskRig:
    """A desk with tokens whose index was rebalanced, which has cost something. It values every five seconds."""
    one = ready_rig(structs.replace(golden_settings(), nav_interval_ns=5 * SECOND, rebalance_interval_ns=0))
    one.order("C-1", "2000")
    one.run(60)
    one.weigh("IX", OTHERS)
    one.run(60)
    assert cash(one) < 0
    return one


def cash(rig: DeskRig) -> Decimal:
    return rig.desk.state.indexes.live["IX"].cash


def sell(rig: DeskRig, tokens: str, client_id: str = "S-1") -> None:
    rig.give_tokens(D(tokens))
    rig.order(client_id, tokens, "sell")


def sold(state: DeskState) -> IndexOrder:
    """A sell that has ended."""
    return next(one for one in state.orders.ended.values() if one.side == "sell")


def test_a_redemption_settles_its_share_of_the_cash_so_the_difference_of_the_rest_stays(rig: DeskRig) -> None:
    before, had, backed = rig.facts(NavPoint)[-1], cash(rig), rig.desk.state.indexes.live["IX"].backed
    house = rig.desk.state.house_cash
    sell(rig, "0.5")
    rig.run(60)
    after = rig.facts(NavPoint)[-1]
    assert before.tracking_difference is not None
    assert after.tracking_difference is not None
    assert abs(after.tracking_difference - before.tracking_difference) < D("1e-6")
    settled = sum((fact.amount for fact in rig.facts(CashSettled)), D(0))
    assert settled == pytest.approx(had * D("0.5") / backed)
    assert cash(rig) + settled == had
    assert rig.desk.state.house_cash - house < 0


def test_a_mint_pays_for_its_basket_alone_and_has_a_part_in_the_cash_from_then_on(rig: DeskRig) -> None:
    had = cash(rig)
    rig.order("C-2", "1000")
    rig.run(60)
    assert cash(rig) == had
    assert rig.facts(CashSettled) == []


def test_tokens_that_are_not_burned_after_all_have_the_cash_of_their_index_again(rig: DeskRig) -> None:
    had = cash(rig)
    rig.chain_declines = {"burn"}
    sell(rig, "0.5")
    rig.run(15)
    amounts = [fact.amount for fact in rig.facts(CashSettled)]
    assert len(amounts) > 1
    assert sum(amounts) == 0
    assert rig.facts(IndexOrderEnded)[-1].outcome is Outcome.REJECTED
    rig.run(60)
    assert cash(rig) != had
    assert sold(rig.desk.state).cash_settled == 0


def test_of_a_sell_what_is_held_and_what_is_paid_out_is_what_its_lots_brought(rig: DeskRig) -> None:
    sell(rig, "0.5")
    rig.run(60)
    state = rig.desk.state
    assert violations(state, rig.settings) == []
    one = sold(state)
    for name, change in (("held", D(1)), ("paid_out", D(1)), ("proceeds", one.proceeds)):
        was = getattr(one, name)
        setattr(one, name, was + change)
        found = violations(state, rig.settings)
        assert any(line.startswith(f"I15 {one.order_id}: ") for line in found), name
        setattr(one, name, was)


def test_money_is_looked_at_though_orders_that_have_ended_are_forgotten() -> None:
    rig = ready_rig(structs.replace(golden_settings(), ended_orders_max=1))
    watches, seen = Watches(), set[str]()

    def look() -> list[str]:
        ended = [one for order_id, one in rig.desk.state.orders.ended.items() if order_id not in seen]
        seen.update(one.order_id for one in ended)
        return living_violations(rig.desk.state, rig.settings, None, watches, ended=ended)

    def check() -> None:
        assert look() == []

    rig.after = check
    for number in range(3):
        rig.order(f"C-{number}", "300")
        rig.run(60)
    assert rig.desk.state.orders.ended_count == len(seen) == 3
    rig.desk.state.house_cash += 1
    assert [line.partition(" ")[0] for line in look()] == ["I15:"]
    assert rig.chain.balance("IX", ALICE) > 0


def charge_one_less(desk: DeskBase, order: IndexOrder) -> Decimal:
    return order.spent - order.fees - 1


def half(amount: Decimal, decimals: int) -> Decimal:
    return cut(amount / 2, decimals)


def without_fee(piece: Slice) -> Decimal:
    return rounded(piece.quantity * piece.price)


@pytest.mark.parametrize(
    ("where", "name", "defect", "found"),
    [
        (minting, "_charge", charge_one_less, "charged, it should be"),
        (minting, "cut", half, "held for it, it should be"),
        (Slice, "cost", property(without_fee), "for its lots, which cost"),
    ],
)
def test_a_desk_that_charges_or_pays_what_it_should_not_is_found_out(
    monkeypatch: pytest.MonkeyPatch, where: object, name: str, defect: object, found: str
) -> None:
    rig = ready_rig()
    said: list[str] = []
    rig.after = lambda: said.extend(violations(rig.desk.state, rig.settings))
    monkeypatch.setattr(where, name, defect)
    rig.order("C-1", "2000")
    rig.run(60)
    sell(rig, "1")
    rig.run(60)
    assert any(line.startswith("I15 I-") and found in line for line in said)
