"""An order that is open between two auctions can get another quantity and limit; what it reserves follows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.market.ledger import Transferred
from core.market.orders import CancelOrder, OrderCancelled, OrderFilled, OrderReplaced, ReplaceOrder, ReplaceRefused
from tests.helpers.auction import BID_WINDOW, FULFIL_WINDOW, GRACE, Rig, bid, order, reported

DUE = BID_WINDOW + FULFIL_WINDOW + GRACE


def wanted(quantity: str, price: str, *, owner: str = "MM1") -> ReplaceOrder:
    return ReplaceOrder("O-1", owner, "r1", Decimal(quantity), Decimal(price))


def waiting(**terms: str) -> Rig:
    """A rig with one order that nobody bid for and that is open again."""
    rig = Rig()
    rig.batch(1, order(side="buy" if terms.get("side") == "buy" else "sell"))
    rig.advance(BID_WINDOW)
    return rig


def half_filled() -> Rig:
    """A rig with one order of 2 ETH of which 1 is sold, and which is open again."""
    rig = Rig()
    rig.batch(1, order())
    rig.place("s1", bid("b1", "2000", max_input="1"))
    rig.advance(BID_WINDOW)
    rig.deposit("s1", "C-1", "2000")
    rig.advance(DUE)
    assert rig.facts(OrderFilled)[0].leaves_quantity == 1
    return rig


@pytest.mark.parametrize(("quantity", "reserved"), [("3", "3"), ("1.5", "1.5"), ("2", "2")])
def test_what_is_reserved_follows_the_new_quantity(quantity: str, reserved: str) -> None:
    rig = waiting()
    effects = rig.batch(2, wanted(quantity, "2100"))
    amount = Decimal(quantity)
    told = OrderReplaced("O-1", "r1", amount, Decimal(2100), amount, amount, amount * 2100)
    assert reported(effects) == [told]
    assert rig.balance("order:O-1", "ETH") == Decimal(reserved)
    assert rig.balance("user:MM1", "ETH") == 1000 - Decimal(reserved)


def test_a_buy_reserves_quote_for_its_new_terms() -> None:
    rig = waiting(side="buy")
    rig.batch(2, wanted("3", "1900"))
    assert rig.balance("order:O-1", "USDC") == 5_700


def test_the_next_auction_offers_the_new_terms() -> None:
    rig = waiting()
    rig.batch(2, wanted("3", "2100"))
    live = rig.auction.state.orders["O-1"].order
    assert (live.quantity, live.min_output, live.cl_ord_id) == (Decimal(3), Decimal(6_300), "r1")
    assert rig.auction.state.books[2].orders["O-1"] == live


def test_the_quantity_is_that_of_the_whole_order() -> None:
    rig = half_filled()
    (told,) = reported(rig.batch(2, wanted("3", "2000")))
    assert isinstance(told, OrderReplaced)
    assert (told.quantity, told.leaves_quantity, told.input_amount) == (Decimal(3), Decimal(2), Decimal(2))
    assert rig.balance("order:O-1", "ETH") == 2


def test_an_order_replaced_in_its_own_block_has_its_new_terms_in_its_first_auction() -> None:
    rig = Rig()
    rig.batch(1, order(), wanted("1", "2500"))
    assert rig.auction.state.books[1].orders["O-1"].min_output == 2_500


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (wanted("1", "2000"), "filled"),
        (wanted("0.5", "2000"), "filled"),
        (wanted("2000", "2000"), "unfunded"),
        (wanted("3", "2000", owner="MM2"), "unknown_order"),
    ],
)
def test_a_replace_that_cannot_be_changes_nothing(terms: ReplaceOrder, reason: str) -> None:
    rig = half_filled()
    before, held = rig.auction.state.orders["O-1"].order, rig.balance("order:O-1", "ETH")
    effects = rig.batch(2, terms)
    assert reported(effects) == [ReplaceRefused("O-1", "r1", reason)]
    assert (rig.auction.state.orders["O-1"].order, rig.balance("order:O-1", "ETH")) == (before, held)


def test_what_would_be_left_must_be_worth_something() -> None:
    rig = waiting(side="buy")
    assert reported(rig.batch(2, wanted("0.001", "0.01"))) == [ReplaceRefused("O-1", "r1", "amount_too_small")]


def test_an_order_in_an_auction_or_promised_is_not_replaced() -> None:
    rig = Rig()
    rig.batch(1, order())
    rig.place("s1", bid("b1", "2000"))
    assert reported(rig.batch(2, wanted("3", "2000"))) == [ReplaceRefused("O-1", "r1", "too_late")]
    rig.advance(BID_WINDOW)
    assert reported(rig.batch(3, wanted("3", "2000"))) == [ReplaceRefused("O-1", "r1", "too_late")]


def test_nobody_replaces_an_order_that_is_not_there() -> None:
    assert reported(Rig().batch(1, wanted("3", "2000"))) == [ReplaceRefused("O-1", "r1", "unknown_order")]


# --- the venue's own cancel ------------------------------------------------------------------------

STANDING = CancelOrder("O-1", "MM1", "", standing=True)


def test_a_standing_cancel_is_obeyed_at_once_where_nobody_has_a_claim() -> None:
    rig = waiting()
    assert reported(rig.batch(2, STANDING)) == [OrderCancelled("O-1", "")]
    assert rig.balance("user:MM1", "ETH") == 1000


def test_a_standing_cancel_waits_for_an_auction_in_vain() -> None:
    rig = Rig()
    rig.batch(1, order())
    assert reported(rig.batch(2, STANDING)) == []
    rig.effects.clear()
    rig.advance(BID_WINDOW)
    assert reported(rig.effects) == [OrderCancelled("O-1", "")]
    assert [moved.reason for moved in rig.facts(Transferred)] == ["release"]


def test_a_standing_cancel_takes_what_a_solver_leaves() -> None:
    rig = Rig()
    rig.batch(1, order())
    rig.place("s1", bid("b1", "2000", max_input="1"))
    rig.advance(BID_WINDOW)
    rig.batch(2, STANDING)
    rig.deposit("s1", "C-1", "2000")
    rig.effects.clear()
    rig.advance(DUE)
    filled, cancelled = reported(rig.effects)
    assert isinstance(filled, OrderFilled)
    assert cancelled == OrderCancelled("O-1", "")
    assert rig.balance("user:MM1", "ETH") == 999
