"""What an index holds for its tokens, and how many there are, is counted to the last digit."""

from __future__ import annotations

from decimal import Decimal, localcontext

from core.index.allocation import OrderFill
from core.index.basket import Basket
from core.index.indexes import Indexes, LiveIndex
from core.market.orders import Side
from core.units import MONEY

D = Decimal


def test_tokens_that_were_backed_are_not_once_as_many_are_sold_however_many_digits_they_have() -> None:
    indexes = Indexes({"IX": LiveIndex("IX", Basket("IX", ()))})
    parts = ("12345678901234.123456789012345678", "9876543210.987654321098765432")
    with localcontext(MONEY):
        for part in parts:
            indexes.fill(filled("buy", part))
        indexes.fill(filled("sell", "12355555444445.111111110111111110"))
        assert indexes.live["IX"].backed == 0


def filled(side: Side, tokens: str) -> OrderFill:
    """An order's tokens; what they are made of does not matter."""
    return OrderFill("I-1", "IX", side, D(tokens), D(1), ())
