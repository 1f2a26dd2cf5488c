"""An index order: its money is in one place at a time, to the last digit, and its lots are one line each."""

from __future__ import annotations

from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from core.index.allocation import OrderFill, Slice
from core.index.order import IndexOrder
from core.units import EXACT, MONEY

D = Decimal
AMOUNTS = st.decimals(min_value="0.000001", max_value=10**9, places=6)
PARTS = st.builds(MONEY.divide, AMOUNTS, st.integers(1, 999).map(D))
"""With all digits that MONEY has, as what a batch locks."""


def order(original: Decimal) -> IndexOrder:
    """A buy of Alice's."""
    return IndexOrder("I-1", 1, "1:0xa1", "C-1", "IX", "buy", original, original, 0, 0)


def piece(lot_id: str, quantity: str, at: int, remaining: str = "1") -> Slice:
    """A slice of AX at 100."""
    return Slice(
        lot_id=lot_id,
        asset="AX",
        side="buy",
        price=D(100),
        original_quantity=D(10),
        remaining_quantity=D(remaining),
        original_fee=D(1),
        quantity=D(quantity),
        fee=D(quantity) / 10,
        created_at=0,
        assigned_at=at,
    )


def test_slices_of_a_lot_are_one_line_of_the_invoice_in_the_order_of_the_last_of_each() -> None:
    one = order(D(1000))
    for slices in ((piece("b", "2", 3, "8"), piece("a", "1", 1)), (piece("b", "3", 5, "5"), piece("a", "1", 2))):
        one.take(0, OrderFill("I-1", "IX", "buy", D(1), D(1), slices))
    assert [
        (lot.lot_id, lot.assigned_quantity, lot.assigned_fee, lot.remaining_quantity, lot.assigned_at)
        for lot in one.invoice_lots()
    ] == [("a", D(2), D("0.2"), D(1), 2), ("b", D(5), D("0.5"), D(5), 5)]


@given(AMOUNTS, st.lists(st.tuples(PARTS, AMOUNTS), max_size=12))
def test_what_an_order_was_placed_for_is_all_accounted_for_however_many_digits_that_takes(
    original: Decimal, batches: list[tuple[Decimal, Decimal]]
) -> None:
    one = order(original)
    with localcontext(MONEY):
        for share, cost in batches:
            amount = min(one.idle, share)
            one.engage("B-1", amount, EXACT.subtract(amount, one.carried), D(1))
            one.pay(min(cost, one.engaged))
            one.disengage()
    with localcontext(EXACT):
        assert one.remaining + one.engaged + one.carried + one.spent + one.removed == original


def test_tokens_that_come_in_parts_are_counted_to_the_last_digit() -> None:
    one = order(D(1000))
    with localcontext(MONEY):
        for tokens in ("12345678901234.123456789012345678", "9876543210.987654321098765432"):
            one.take(0, OrderFill("I-1", "IX", "buy", D(tokens), D(1), ()))
    assert one.filled == D("12355555444445.111111110111111110")
