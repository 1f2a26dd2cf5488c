"""However much an index desk has kept, a violation is found: at once where an event speaks of it, soon in any case."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext

import pytest

from core.errors import FactViolated
from core.index.inventory import InventoryFill, book
from core.index.records import IndexOrderAmended
from core.kernel.record import Note
from core.units import MONEY, SECOND
from sim.checkers.desk import PAID_PER_LOOK, DeskChecker
from tests.helpers.index_desk import ALICE, golden_settings
from tests.helpers.index_node import IndexNode, still_exchange

D = Decimal
LOTS = 15 * PAID_PER_LOOK


def lot(trade_id: str) -> InventoryFill:
    """A trade that nobody needed."""
    return InventoryFill(
        asset="AW",
        side="buy",
        trade_id=trade_id,
        order_id="A-0",
        batch_id="B-0",
        price=D(1),
        quantity=D(1),
        fee=D(0),
        at=0,
    )


@pytest.fixture
def node() -> IndexNode:
    """A desk that has minted one order, whose house holds many lots besides, and that another order waits at."""
    node = IndexNode(golden_settings(), still_exchange())
    node.weigh(SECOND)
    node.deposit(SECOND, "2000")
    node.order(2 * SECOND, "C-1", "900")
    node.run(60)
    node.order(60 * SECOND, "C-2", "50000")
    node.run(75)
    with localcontext(MONEY):
        for number in range(LOTS):
            book(node.desk.state.inventory, lot(f"W-{number}"))
    node.desk.state.indexes.live["IX"].hold("AW", D(LOTS))
    return node


def looks_until_found(watch: DeskChecker, order_id: str = "") -> int:
    """How many deliveries it takes, each of which speaks of that order."""
    said = [Note(IndexOrderAmended(order_id, ALICE, "C", D(1), D(0)))]
    for count in range(1, LOTS):
        try:
            watch.look("desk", said)
        except FactViolated:
            return count
    raise AssertionError("never found")


def lose_money(node: IndexNode) -> None:
    node.desk.state.orders.live["I-2"].remaining -= 1


def rob_the_dead(node: IndexNode) -> None:
    node.desk.state.orders.ended["I-1"].spent -= 1


def shrink_a_lot(node: IndexNode) -> None:
    node.desk.state.inventory.holdings["AW"].lots["buy:W-7"].remaining -= 1


@pytest.mark.parametrize("plant", [lose_money, rob_the_dead, shrink_a_lot])
def test_a_violation_that_no_event_speaks_of_is_found_within_the_pace_and_at_the_end(
    node: IndexNode, plant: Callable[[IndexNode], None]
) -> None:
    with localcontext(MONEY):
        watch, other = (DeskChecker(node.node.kernel, node.settings) for _ in range(2))
        for each in (watch, other):
            each.look("desk")
        plant(node)
        assert 2 < looks_until_found(watch) <= LOTS // PAID_PER_LOOK + 2
        with pytest.raises(FactViolated):
            other.finish()


def test_a_violation_that_an_event_speaks_of_is_found_at_once(node: IndexNode) -> None:
    with localcontext(MONEY):
        watch = DeskChecker(node.node.kernel, node.settings)
        watch.look("desk")
        lose_money(node)
        assert looks_until_found(watch, "I-2") == 1


def test_money_of_a_user_is_looked_at_whenever_he_is_spoken_of(node: IndexNode) -> None:
    with localcontext(MONEY):
        watch = DeskChecker(node.node.kernel, node.settings)
        watch.look("collateral")
        next(iter(node.collateral.state.books.positions[ALICE].credits.lots.values())).amount += 1
        with pytest.raises(FactViolated, match="I2 1:0xa1"):
            watch.look("collateral", [Note(IndexOrderAmended("I-2", ALICE, "C-2", D(1), D(0)))])
