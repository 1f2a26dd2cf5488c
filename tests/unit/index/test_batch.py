"""A batch from plan to end: whole baskets out of lots, and nothing lost on the way."""

from __future__ import annotations

from decimal import Decimal, localcontext
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from core.errors import DefectError, IllegalTransition
from core.index.allocation import BatchRules, BatchState, Engaged, OrderFill, Position, allocate, consume
from core.index.basket import Basket, BasketAsset
from core.index.batch import (
    Opened,
    Trade,
    adjust,
    complete,
    cut_short,
    filled_fraction,
    is_over,
    left_over,
    on_end,
    on_fill,
    open_batch,
    outstanding,
    reserved,
    stop,
)
from core.index.planning import Mode, Part, Plan
from core.index.states import IndexBatchState
from core.index.stock import Lot, Stock, add_house, held, house_quantities, total_of
from core.index.validate import batch_violations
from core.market.orders import Side
from core.units import EXACT, MONEY
from tests.unit.index.scripted import view
from tests.unit.index.test_fitting import LIMITS, basket, buy, planned, problem, sell

D = Decimal
RULES = BatchRules()


def lot(name: str, quantity: str, price: str, fee: str, side: Side = "buy", *, asset: str = "AX") -> Lot:
    """A whole lot."""
    return Lot(
        lot_id=name,
        asset=asset,
        side=side,
        price=D(price),
        original=D(quantity),
        remaining=D(quantity),
        fee=D(fee),
        batch_id="B-0",
        created_at=0,
    )


def begin(plan: Plan, stock: Stock | None = None, rules: BatchRules = RULES) -> Opened:
    """The plan's batch, with exchange orders O-1, O-2, ..."""
    ids = count(1)
    opened = open_batch(
        plan, Stock() if stock is None else stock, rules, batch_id="B-1", now=0, next_order_id=lambda: f"O-{next(ids)}"
    )
    sound(opened.batch)
    return opened


def trade(name: str, quantity: str, price: str, fee: str = "0", at: int = 1) -> Trade:
    """A trade of an exchange order."""
    return Trade(name, D(price), D(quantity), D(fee), at)


def sound(batch: BatchState) -> None:
    """Every invariant of a batch holds."""
    assert batch_violations(batch) == []


def fill(opened: Opened, order_id: str, one: Trade) -> tuple[OrderFill, ...]:
    """One trade, after which everything still adds up."""
    fills = on_fill(opened.batch, order_id, one)
    sound(opened.batch)
    return fills


def end_all(opened: Opened) -> None:
    """The exchange is done with all orders."""
    for placed in opened.placements:
        on_end(opened.batch, placed.order_id, "expired")


# --- consuming lots: the reference's vectors ---------------------------------------------------------


def taken(need: str, *lots: Lot) -> tuple[list[tuple[Decimal, Decimal]], Decimal, list[Decimal]]:
    """(quantity, fee) of each slice, their cost, and what is left of each lot."""
    left = list(lots)
    slices = consume(left, D(need), D("0.001"), 0)
    return (
        [(one.quantity, one.fee) for one in slices],
        sum((one.cost for one in slices), D(0)),
        [one.remaining for one in left],
    )


def test_no_lots_give_nothing() -> None:
    assert consume([], D(0), D("0.001"), 0) == ()
    with pytest.raises(DefectError, match="short by 5"):
        consume([], D(5), D("0.001"), 0)


def test_a_part_of_a_lot_carries_its_part_of_the_fee() -> None:
    assert taken("5", lot("L", "8", "100", "0.8")) == ([(D(5), D("0.5"))], D("500.5"), [D(3)])


def test_a_lot_that_is_used_up_is_gone() -> None:
    assert taken("5", lot("L", "5", "100", "0.5")) == ([(D(5), D("0.5"))], D("500.5"), [])


def test_lots_are_used_first_in_first_out() -> None:
    slices, cost, left = taken("8", lot("L", "5", "100", "0.5"), lot("M", "4", "110", "0.44"))
    assert slices == [(D(5), D("0.5")), (D(3), D("0.33"))]
    assert (cost, left) == (D("830.83"), [D(1)])


def test_a_lot_of_which_next_to_nothing_would_be_left_is_taken_whole() -> None:
    assert taken("4.9995", lot("L", "5", "100", "0.5"))[0] == [(D(5), D("0.5"))]
    assert taken("5.0005", lot("L", "5", "100", "0.5"))[0] == [(D(5), D("0.5"))]


# --- a batch -----------------------------------------------------------------------------------------


def test_the_batch_flow_of_the_reference() -> None:
    views = (view("AX", (), ((D(120), D(100)),)),)
    limits = structs.replace(LIMITS, max_order_volley_size=D(1200))
    of = structs.replace(problem(buy(1, "ONE", 3200), views=views, limits=limits), baskets=(basket("ONE", AX=10),))
    plan = planned(of)
    (one,) = plan.engagements
    assert (one.collateral, one.quantity) == (D(1200), D(1))
    opened = begin(plan)
    (filled,) = fill(opened, "O-1", trade("L", "5", "100", "0.5"))
    assert (filled.quantity, filled.cost) == (D("0.5"), D("500.5"))
    on_end(opened.batch, "O-1", "expired")
    assert complete(opened.batch, Stock()).carried == (("I-1", D("699.5")),)


def test_only_whole_baskets_count() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))))
    assert fill(opened, "O-1", trade("L-1", "8", "100")) == ()
    (half,) = fill(opened, "O-2", trade("L-2", "0.5", "200"))
    assert (half.quantity, half.cost) == (D("0.5"), D(500))
    assert [(piece.asset, piece.lot_id, piece.quantity) for piece in half.slices] == [
        ("AX", "L-1", D(4)),
        ("AZ", "L-2", D("0.5")),
    ]
    (rest,) = fill(opened, "O-2", trade("L-3", "0.5", "200"))
    assert rest.quantity == D("0.5")
    assert opened.batch.engaged["I-1"].collateral == 0


def test_orders_share_by_their_fractions_whatever_order_trades_come_in() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000), buy(2, "IX", 3000))))
    fill(opened, "O-2", trade("L-1", "2", "200"))
    fills = fill(opened, "O-1", trade("L-2", "16", "100"))
    assert [(one.order_id, one.quantity) for one in fills] == [("I-1", D("0.5")), ("I-2", D("1.5"))]


def test_what_is_left_and_still_wanted_is_carried_and_the_rest_is_the_houses() -> None:
    stock = Stock()
    opened = begin(planned(problem(buy(1, "IX", "10.1"))), stock)
    fill(opened, "O-1", trade("L-1", "0.082", "100"))
    fill(opened, "O-2", trade("L-2", "0.005", "200"))
    end_all(opened)
    done = complete(opened.batch, stock)
    # Half a basket: of 0.082 AX 0.04 are used, 0.0408 wanted by the half that is still engaged
    assert [(one.asset, one.carried, one.house) for one in done.leftovers] == [("AX", D("0.0408"), D("0.0012"))]
    assert (total_of(stock.carried["buy:AX"]), house_quantities(stock)) == (D("0.0408"), {"AX": D("0.0012")})


def test_the_next_batch_takes_what_was_carried_and_orders_only_the_shortfall() -> None:
    stock = Stock(carried={"buy:AX": [lot("L-0", "8", "100", "0")]})
    opened = begin(planned(problem(buy(1, "IX", 1000), held=held(stock))), stock)
    assert [one.asset for one in opened.placements] == ["AZ"]
    assert stock.carried == {}
    (filled,) = fill(opened, "O-2", trade("L-1", "1", "200"))
    assert filled.slices[0].lot_id == "L-0"


def test_a_batch_that_stock_covers_needs_no_exchange() -> None:
    stock = Stock(house={"buy:AX": [lot("L-0", "8", "100", "0")], "buy:AZ": [lot("M-0", "2", "200", "0", asset="AZ")]})
    opened = begin(planned(problem(buy(1, "IX", 1000), held=held(stock))), stock)
    (filled,) = opened.fills
    assert (filled.quantity, opened.placements, is_over(opened.batch)) == (D(1), (), True)
    assert filled_fraction(opened.batch) == 1
    assert complete(opened.batch, stock).leftovers == ()
    assert house_quantities(stock) == {"AZ": D(1)}


def test_carried_lots_suppress_buying_in_reference_mode_and_all_come_along() -> None:
    rules = structs.replace(RULES, mode=Mode.REFERENCE)
    limits = structs.replace(LIMITS, mode=Mode.REFERENCE)
    stock = Stock(carried={"buy:AX": [lot("L-0", "1", "100", "0")]})
    opened = begin(planned(problem(buy(1, "IX", 1000), limits=limits, held=held(stock))), stock, rules)
    assert [one.asset for one in opened.placements] == ["AZ"]
    (filled,) = fill(opened, "O-2", trade("L-1", "1", "200"))
    assert filled.quantity == D("0.125")
    end_all(opened)
    assert [one.carried for one in complete(opened.batch, stock).leftovers] == [D("0.875")]


def test_an_order_that_is_stopped_takes_no_more_and_its_lots_are_the_houses() -> None:
    stock = Stock()
    opened = begin(planned(problem(buy(1, "IX", 1000), buy(2, "IX", 1000))), stock)
    fill(opened, "O-1", trade("L-1", "16", "100"))
    stop(opened.batch, "I-1")
    (filled,) = fill(opened, "O-2", trade("L-2", "1", "200"))
    assert (filled.order_id, filled.quantity) == ("I-2", D("0.5"))
    end_all(opened)
    done = complete(opened.batch, stock)
    assert dict(done.carried) == {"I-1": D(1000), "I-2": D(500)}
    assert [(one.asset, one.carried, one.house) for one in done.leftovers] == [
        ("AX", D(4), D(8)),
        ("AZ", D("0.5"), D(0)),
    ]
    stop(opened.batch, "I-9")


def test_rejected_orders_end_the_batch_and_nothing_else() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000), buy(2, "IZ", 1000))))
    batch = opened.batch
    assert outstanding([batch]) == D(2000)
    fill(opened, "O-2", trade("L-1", "13", "100"))
    on_end(batch, "O-3", "refused:-2010")
    on_end(batch, "O-3", "expired")
    assert batch.orders["O-3"].reason == "refused:-2010"
    assert not is_over(batch)
    fill(opened, "O-1", trade("L-2", "50", "10"))
    on_end(batch, "O-1", "filled")
    on_end(batch, "O-2", "filled")
    assert is_over(batch)
    # AW was bought whole, AZ was refused: the orders that need no AZ are filled
    assert {order_id: one.filled for order_id, one in batch.engaged.items()} == {"I-1": D(0), "I-2": D(1)}
    assert outstanding([]) == 0


def test_a_trade_after_the_end_of_its_order_counts_while_the_batch_runs() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))))
    on_end(opened.batch, "O-1", "lost")
    fill(opened, "O-1", trade("L-1", "8", "100"))
    assert fill(opened, "O-2", trade("L-2", "1", "200"))[0].quantity == 1


def test_more_than_was_ordered_is_surplus() -> None:
    stock = Stock()
    opened = begin(planned(problem(buy(1, "IX", 1000))), stock)
    fill(opened, "O-1", trade("L-1", "9", "100"))
    fill(opened, "O-2", trade("L-2", "1", "200"))
    end_all(opened)
    complete(opened.batch, stock)
    assert house_quantities(stock) == {"AX": D(1)}
    assert filled_fraction(opened.batch) == D("1.1")


def test_what_the_exchange_made_of_an_order_counts() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))))
    adjust(opened.batch, "O-1", D("100.5"), D(9))
    assert outstanding([opened.batch]) == D("1104.5")
    fill(opened, "O-1", trade("L-1", "4", "100"))
    assert reserved([opened.batch], "buy") == (("AX", D(5)), ("AZ", D(1)))
    on_end(opened.batch, "O-1", "expired")
    assert reserved([opened.batch], "buy") == (("AZ", D(1)),)
    assert reserved([opened.batch], "sell") == ()


def test_a_sell_brings_money_less_fees_and_locks_tokens() -> None:
    opened = begin(planned(problem(sell(1, "IX", 2))))
    fill(opened, "O-1", trade("L-1", "8", "100", "0.8"))
    (filled,) = fill(opened, "O-2", trade("L-2", "2", "200", "0.4"))
    # 8 AX for 799.2 and half of 2 AZ for 199.8
    assert (filled.quantity, filled.cost) == (D(1), D("999.0"))
    end_all(opened)
    stock = Stock()
    done = complete(opened.batch, stock)
    assert done.carried == (("I-1", D(1)),)
    # The AZ that was sold without AX is a sale whose money nobody has yet: the next batch of sells starts with it
    assert total_of(stock.carried["sell:AZ"]) == 1
    again = begin(planned(problem(sell(1, "IX", 1), held=held(stock))), stock)
    assert [one.asset for one in again.placements] == ["AX"]


def test_what_a_running_batch_will_leave_is_what_nobody_of_it_wants() -> None:
    limits = structs.replace(LIMITS, min_asset_volley_size=D(500))
    opened = begin(planned(problem(buy(1, "IX", 1000), limits=limits)))
    batch = opened.batch

    def coming() -> list[tuple[str, Decimal, Decimal]]:
        return [(one.asset, one.quantity, one.unit_cost) for one in left_over((batch,)) if one.house]

    # 8 AX for 800 need no padding; of AZ, 2.5 are bought for 1 at 200
    assert coming() == [("AZ", D("1.5"), D(200))]
    fill(opened, "O-1", trade("L-1", "8", "100"))
    fill(opened, "O-2", trade("L-2", "2", "200"))
    assert coming() == [("AZ", D("1.5"), D(200))]
    on_end(batch, "O-2", "expired")
    assert coming() == [("AZ", D(1), D(200))]


def test_what_an_order_takes_no_more_of_a_running_batch_leaves_as_well() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))))
    fill(opened, "O-1", trade("L-1", "4", "100"))
    fill(opened, "O-2", trade("L-2", "0.5", "200"))
    assert left_over((opened.batch,)) == ()
    stop(opened.batch, "I-1")
    assert [(one.asset, one.quantity) for one in left_over((opened.batch,))] == [("AX", D(4)), ("AZ", D("0.5"))]


def test_a_batch_of_sells_leaves_the_house_nothing() -> None:
    assert left_over((begin(planned(problem(sell(1, "IX", 2)))).batch,)) == ()


def test_crossing_fills_both_sides_at_one_price_without_fees() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000), sell(2, "IX", 1))))
    assert (opened.placements, is_over(opened.batch)) == ((), True)
    bought, sold = opened.fills
    assert (bought.quantity, sold.quantity, bought.cost) == (D(1), D(1), sold.cost)
    assert bought.cost == D("99.5") * 8 + 199


def test_the_house_takes_what_is_too_small_to_sell_and_pays_the_bid() -> None:
    stock = Stock()
    add_house(stock, lot("S", "0.004", "210", "0", side="sell", asset="AZ"))
    opened = begin(planned(problem(sell(1, "IX", "0.01"))), stock)
    (bought,) = opened.house
    assert (bought.asset, bought.quantity, bought.price, bought.closed) == ("AZ", D("0.01"), D(198), D("0.004"))
    assert house_quantities(stock) == {"AZ": D("0.006")}
    (filled,) = fill(opened, "O-1", trade("L", "0.08", "99"))
    assert (filled.quantity, filled.cost) == (D("0.01"), D("7.92") + D("1.98"))


def test_costs_beyond_the_limit_stop_where_the_collateral_ends() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))))
    fill(opened, "O-1", trade("L-1", "4", "100"))
    fill(opened, "O-1", trade("L-2", "4", "200"))
    (filled,) = fill(opened, "O-2", trade("L-3", "1", "200"))
    # Half a basket at 1000 is 500; the other half costs 1800 a basket, of which 500 pay for 0.2777...
    assert filled.quantity == D("0.777777777777777777")
    assert D("999.999999999999998") <= filled.cost <= 1000
    assert opened.batch.engaged["I-1"].collateral >= 0


def test_nobody_pays_for_more_than_he_gets_whatever_a_unit_costs() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))), rules=structs.replace(RULES, quantity_tolerance=D("0.001")))
    fill(opened, "O-1", trade("L-1", "7.9995", "100"))
    (last,) = fill(opened, "O-2", trade("L-2", "1", "200"))
    assert last.quantity == D("0.9999375")
    (one,) = opened.batch.engaged.values()
    assert one.assigned == {"AX": D("7.9995"), "AZ": D("0.9999375")}
    assert [lot.remaining for lot in opened.batch.positions["buy:AZ"].lots] == [D("0.0000625")]


def test_progress_that_is_worth_nothing_waits_for_more() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))))
    fill(opened, "O-1", trade("L-1", "8", "100"))
    assert fill(opened, "O-2", trade("L-2", "0.0000000009", "200")) == ()
    (filled,) = fill(opened, "O-2", trade("L-3", "0.0000000002", "200"))
    assert filled.quantity == D("0.0000000011")


def test_an_asset_that_is_dear_is_bought_however_little_of_it_is_wanted() -> None:
    dear = structs.replace(LIMITS, quantity_tolerance=D("0.001"), min_asset_volley_size=D(5))
    views = (view("AX", (), ((D(100_000), D(1)),)), view("AZ", (), ((D(200), D(10)),)))
    quantities = Basket("IX", (BasketAsset("AX", D(1), D("0.00008")), BasketAsset("AZ", D(1), D(1))))
    asked = structs.replace(problem(buy(1, "IX", 1000), limits=dear), views=views, baskets=(quantities,))
    made = planned(asked)
    assert {row.asset: row.demand for row in made.assets}["AX"] > 0
    assert [one.asset for one in begin(made).placements] == ["AX", "AZ"]


def test_strangers_are_refused() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))))
    with pytest.raises(DefectError, match="O-9 is not of this batch"):
        on_end(opened.batch, "O-9", "x")
    with pytest.raises(DefectError, match="O-9 is not of this batch"):
        adjust(opened.batch, "O-9", D(1), D(1))
    with pytest.raises(DefectError, match="trade L of 0 AX"):
        on_fill(opened.batch, "O-1", trade("L", "0", "100"))


# --- states ------------------------------------------------------------------------------------------


def state_of(batch: BatchState) -> IndexBatchState:
    """Where it stands now."""
    return batch.state


def test_a_batch_trades_until_its_last_exchange_order_has_ended_and_completes_once() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))))
    batch = opened.batch
    with pytest.raises(IllegalTransition, match=r"index batch B-1: no `completed` in state `trading`"):
        complete(batch, Stock())
    on_end(batch, "O-1", "expired")
    assert state_of(batch) is IndexBatchState.TRADING
    fill(opened, "O-1", trade("L-1", "8", "100"))
    on_end(batch, "O-2", "expired")
    assert state_of(batch) is IndexBatchState.SETTLING
    with pytest.raises(IllegalTransition, match=r"no `traded` in state `settling` \(allowed: completed\)"):
        on_fill(batch, "O-2", trade("L-2", "1", "200"))
    with pytest.raises(IllegalTransition, match="no `cancelled` in state `settling`"):
        cut_short(batch)
    complete(batch, Stock())
    assert state_of(batch) is IndexBatchState.COMPLETED
    with pytest.raises(IllegalTransition, match="terminal"):
        complete(batch, Stock())


def test_what_is_being_cancelled_may_still_trade() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))))
    cut_short(opened.batch)
    cut_short(opened.batch)
    assert state_of(opened.batch) is IndexBatchState.CANCELLING
    fill(opened, "O-1", trade("L-1", "8", "100"))
    end_all(opened)
    assert state_of(opened.batch) is IndexBatchState.SETTLING


# --- planted violations ------------------------------------------------------------------------------


def test_a_lot_that_vanishes_from_a_batch_is_seen() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))))
    fill(opened, "O-1", trade("L-1", "8", "100"))
    opened.batch.positions["buy:AX"].lots.clear()
    (found,) = batch_violations(opened.batch)
    assert found == "I5 B-1 buy:AX: 8 came in, 0 assigned, 0 left"


def test_slices_that_go_to_nobody_are_seen() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))))
    fill(opened, "O-1", trade("L-1", "8", "100"))
    fill(opened, "O-2", trade("L-2", "1", "200"))
    opened.batch.engaged["I-1"].assigned["AX"] = D(7)
    found = batch_violations(opened.batch)
    assert [one[:2] for one in found] == ["I5", "I7"]
    assert found[1] == "I7 B-1 I-1: 8.000000000000000000 AX make its fill, it was given 7"


def test_a_volley_that_is_not_that_of_the_orders_is_seen() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))))
    opened.batch.orders["O-1"].quantity = D(9)
    (found,) = batch_violations(opened.batch)
    assert found.startswith("I9 B-1: volley is 1000")


def test_fractions_that_do_not_sum_to_one_are_seen() -> None:
    opened = begin(planned(problem(buy(1, "IX", 1000))))
    one = opened.batch.engaged["I-1"]
    one.parts = (structs.replace(one.parts[0], fraction=D("0.9")), *one.parts[1:])
    assert batch_violations(opened.batch) == ["I8 B-1 buy:AX: fractions sum to 0.9"]


@given(st.integers(10**27, 10**31), st.lists(st.sampled_from(["0.001", "0.3", "0.7", "1.2"]), min_size=1, max_size=4))
def test_no_order_gets_more_than_it_wants_however_many_digits_that_has(units: int, parts: list[str]) -> None:
    wanted, each = EXACT.scaleb(D(units), -18), D("0.000123456789")
    with localcontext(MONEY):
        part = Part("AX", each, each * wanted, D(1))
        one = Engaged(
            order_id="I-1",
            symbol="IX",
            side="sell",
            quantity=wanted,
            price=D(1),
            collateral=wanted,
            parts=(part,),
        )
        batch = BatchState("B-1", RULES, 0, {"I-1": one})
        position = batch.positions["sell:AX"] = Position(asset="AX", side="sell", quantity=D(0), lots=[])
        for number, share in enumerate(parts):
            sold = part.contribution * D(share)
            position.quantity = EXACT.add(position.quantity, sold)
            position.lots.append(lot(f"L-{number}", str(sold), "1", "0", "sell"))
            allocate(batch, number)
            assert one.filled <= wanted
            assert EXACT.add(one.filled, one.collateral) == wanted
