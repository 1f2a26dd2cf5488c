"""However much an index desk has kept, a violation in anything that is alive is found by the next look."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext

import pytest
from msgspec import structs

from core.errors import FactViolated
from core.execution.orders import OpenOrder
from core.index.allocation import BatchState
from core.index.inventory import book
from core.index.inventory_lots import InventoryFill
from core.index.order import IndexOrder
from core.index.planning import key
from core.index.records import CuratorWeightsSet
from core.index.states import IndexOrderState
from core.index.stock import Lot, add_house
from core.kernel.record import Effect, Event
from core.market.orders import Side
from core.units import MONEY, SECOND, Nanos
from sim.checkers.desk import DeskChecker
from sim.exchange_models import ScriptedFill
from tests.helpers.index_desk import ALICE, golden_settings
from tests.helpers.index_node import IndexNode, still_exchange

D = Decimal
ORDERS, LOTS = 150, 500
COMPONENTS = ("desk", "execution", "collateral")


def spare(side: Side, number: int) -> InventoryFill:
    """A trade that nobody needed."""
    return InventoryFill(
        asset="AW",
        side=side,
        trade_id=f"{side}-{number}",
        order_id="A-0",
        batch_id="B-0",
        price=D(1),
        quantity=D(1),
        fee=D(0),
        at=0,
    )


def unsold() -> Lot:
    """What is left of all those trades, as one lot of the house."""
    left = D(LOTS)
    return Lot(
        lot_id="left",
        asset="AW",
        side="buy",
        price=D(1),
        original=left,
        remaining=left,
        fee=D(0),
        batch_id="B-0",
        created_at=0,
    )


def busy(kind: type[IndexNode] = IndexNode) -> IndexNode:
    """A node that nobody looks at, with a market that fills all that it is asked for, in batches of 200."""
    settings = golden_settings()
    wide = {name: D(10**7) for name in ("max_volley_size", "max_total_volley_size")}
    limits = structs.replace(settings.limits, quantity_tolerance=D("1e-18"), max_order_volley_size=D(200), **wide)
    settings = structs.replace(settings, limits=limits, client_order_wait_ns=SECOND)
    node = kind(settings, still_exchange(script=((ScriptedFill(D(1), D("0.99")),),)), watched=kind is not IndexNode)
    node.weigh(SECOND)
    return node


@pytest.fixture(scope="module")
def old() -> tuple[IndexNode, list[bytes]]:
    """One that has minted very many orders and closed as many lots as it has open; one more order is filled in part and
    in a batch, others wait and travel. With its components as they are saved then."""
    node = busy()
    for number in range(ORDERS):
        node.deposit((2 + number // 10) * SECOND, "100", f"1:0x{number % 7:02x}")
        node.order((2 + number // 10) * SECOND, f"C-{number}", "100", user=f"1:0x{number % 7:02x}")
    node.run(120)
    assert len(node.desk.state.orders.ended) == ORDERS
    for number in range(20):
        node.deposit(120 * SECOND + number * SECOND // 2, "1000")
        node.order(120 * SECOND + number * SECOND // 2, f"C-{number}", "1000")
    with localcontext(MONEY):
        while not (node.collateral.state.transfers and any(one.filled for one in engaged(node))):
            node.env.step()
        for number in range(2 * LOTS):
            book(node.desk.state.inventory, spare("buy", number))
        for number in range(LOTS):
            book(node.desk.state.inventory, spare("sell", number))
    add_house(node.desk.state.stock, unsold())
    node.desk.state.house_cash -= LOTS
    return node, [component.snapshot() for component in (node.desk, node.execution, node.collateral)]


@pytest.fixture
def node(old: tuple[IndexNode, list[bytes]]) -> IndexNode:
    node, saved = old
    node.desk.restore(saved[0])
    node.execution.restore(saved[1])
    node.collateral.restore(saved[2])
    return node


def engaged(node: IndexNode) -> list[IndexOrder]:
    """Orders in running batches that were filled in part before."""
    return [one for one in node.desk.state.orders.live.values() if one.batch_id and one.filled]


def batch(node: IndexNode) -> BatchState:
    return next(iter(node.desk.state.batches.running.values()))


def lose_money(node: IndexNode) -> None:
    next(iter(node.desk.state.orders.live.values())).remaining -= 1


def inflate_a_deposit(node: IndexNode) -> None:
    next(iter(node.collateral.state.books.positions[ALICE].credits.lots.values())).amount += 1


def rob_the_ledger(node: IndexNode) -> None:
    balances = node.collateral.state.books.ledger.balances
    name = next(name for name in balances if name.startswith("1:0x03/"))
    balances[name]["USDC"] -= 1


def lose_on_the_way(node: IndexNode) -> None:
    next(iter(node.collateral.state.transfers.values())).fee += 1


def lose_an_asset(node: IndexNode) -> None:
    next(iter(batch(node).positions.values())).quantity += 1


def forget_stock(node: IndexNode) -> None:
    lots = node.desk.state.stock.house[key("AW", "buy")]
    lots[0].remaining -= 1


def shrink_a_lot(node: IndexNode) -> None:
    lots = node.desk.state.inventory.holdings["AW"].lots
    lots["buy:buy-700"] = structs.replace(lots["buy:buy-700"], remaining=D("0.5"))


def assign_too_much_of_a_closed_lot(node: IndexNode) -> None:
    closed = node.desk.state.inventory.holdings["AW"].closed
    closed["buy:buy-7"] = structs.replace(closed["buy:buy-7"], assigned=D(2))


def fill_for_nothing(node: IndexNode) -> None:
    engaged(node)[0].filled += D("0.1")


def break_a_fraction(node: IndexNode) -> None:
    one = next(iter(batch(node).engaged.values()))
    one.parts = (structs.replace(one.parts[0], fraction=one.parts[0].fraction / 2), *one.parts[1:])


def forget_volume(node: IndexNode) -> None:
    batch(node).volley -= 10


def keep_a_stranger(node: IndexNode) -> None:
    node.execution.state.orders["A-99"] = OpenOrder("A-99", "B-99", "AX", "buy", D(1), D(1), 0)


def lose_an_order(node: IndexNode) -> None:
    del node.desk.state.orders.live[engaged(node)[0].order_id]


def mix_up_ids(node: IndexNode) -> None:
    next(reversed(node.desk.state.orders.live.values())).client_order_id = "C-x"


PLANTED = [
    ("I1 I-", "desk", lose_money),
    ("I2 1:0xa1", "collateral", inflate_a_deposit),
    ("I3 1:0x03", "collateral", rob_the_ledger),
    ("I4 transfer T-", "collateral", lose_on_the_way),
    ("I5 B-", "desk", lose_an_asset),
    ("I5 AW", "desk", forget_stock),
    ("I6 AW lot buy-700", "desk", shrink_a_lot),
    ("I6 AW lot buy-7:", "desk", assign_too_much_of_a_closed_lot),
    ("I7 I-", "desk", fill_for_nothing),
    ("I8 B-", "desk", break_a_fraction),
    ("I9 B-", "desk", forget_volume),
    ("I9 A-99", "execution", keep_a_stranger),
    ("I10: ", "desk", lose_an_order),
    ("I10 I-", "desk", mix_up_ids),
]


@pytest.mark.parametrize(("found", "dst", "plant"), PLANTED)
def test_a_violation_that_no_effect_speaks_of_is_found_after_the_very_next_delivery(
    node: IndexNode, found: str, dst: str, plant: Callable[[IndexNode], None]
) -> None:
    with localcontext(MONEY):
        watch = DeskChecker(node.node.kernel, node.settings)
        for component in (*COMPONENTS, *COMPONENTS):
            watch.look(component)
        plant(node)
        with pytest.raises(FactViolated) as caught:
            watch.look(dst)
        assert any(one.startswith(found) for one in caught.value.detail.split("; ")), caught.value.detail


def test_an_order_is_looked_at_when_it_has_ended(node: IndexNode) -> None:
    orders = node.desk.state.orders
    order = next(one for one in orders.live.values() if one.state is IndexOrderState.OPEN or not one.batch_id)
    with localcontext(MONEY):
        watch = DeskChecker(node.node.kernel, node.settings)
        watch.look("desk")
        order.state = IndexOrderState.CANCELLED
        order.remaining -= 1
        orders.end(order, 1000)
        with pytest.raises(FactViolated, match=f"I1 {order.order_id}: "):
            watch.look("desk")


def test_the_lots_of_an_order_are_looked_at_when_it_has_ended(node: IndexNode) -> None:
    orders = node.desk.state.orders
    order = next(one for one in orders.live.values() if one.lots)
    with localcontext(MONEY):
        watch = DeskChecker(node.node.kernel, node.settings)
        watch.look("desk")
        next(iter(order.lots.values())).quantity -= D("0.1")
        watch.look("desk")
        order.state = IndexOrderState.MINTED
        orders.end(order, 1000)
        with pytest.raises(FactViolated, match=f"I7 {order.order_id}: it was given .*, its lots are "):
            watch.look("desk")


def test_what_had_ended_before_is_looked_at_once_more_at_the_end(node: IndexNode) -> None:
    with localcontext(MONEY):
        watch = DeskChecker(node.node.kernel, node.settings)
        watch.look("desk")
        node.desk.state.orders.ended["I-1"].spent -= 1
        watch.look("desk")
        with pytest.raises(FactViolated, match="I1 I-1: "):
            watch.finish(node.chain)


class Lone(IndexNode):
    """A node that compares, after every delivery, the components that had no part in it with what they were."""

    def _observe(self, _node: str, _now: Nanos, dst: str, _event: Event, _effects: list[Effect]) -> None:
        states = {one.name: one.snapshot() for one in (self.desk, self.execution, self.collateral)}
        was: dict[str, bytes] = self.__dict__.setdefault("was", states)
        changed = [name for name, state in states.items() if state != was[name]]
        assert set(changed) <= {dst}
        self.__dict__["was"] = states
        self.__dict__.setdefault("seen", set()).update(changed)


def test_a_delivery_changes_nothing_but_the_component_that_it_is_for() -> None:
    node = busy(Lone)
    for number in range(6):
        node.deposit((2 + number) * SECOND, "1000")
        node.order((2 + number) * SECOND, f"C-{number}", "700")
    node.order(3 * SECOND, "C-s", "50", "sell")
    node.tell(30 * SECOND, "desk", CuratorWeightsSet("IX", (("AX", D(1)), ("AY", D(2)), ("AZ", D(3)))))
    node.run(90)
    assert len(node.desk.state.orders.ended) >= 6
    assert node.__dict__["seen"] == set(COMPONENTS)
