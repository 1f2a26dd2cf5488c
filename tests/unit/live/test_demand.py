"""What a market maker wants, and a price, are one line each."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.market.world import OrderWanted, PriceMoved
from core.units import MILLISECOND, SECOND
from live.demand import Demand, parse_demand, parse_price


def test_an_order_is_wanted_every_so_often() -> None:
    order = OrderWanted("ETHUSDC", "sell", Decimal("0.5"), Decimal(1995))
    assert parse_demand("sell 0.5 ETHUSDC at 1995 every 100ms") == Demand(order, 100 * MILLISECOND)
    assert parse_demand("  sell 0.5  ETHUSDC at 1995 ").every == SECOND


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected an order such as"),
        ("hold 1 A at 1", "expected an order such as"),
        ("buy 0 A at 1", "expected an amount above zero"),
        ("buy 1 A at 0.0", "expected an amount above zero"),
        ("buy 1.2.3 A at 1", "expected an amount above zero"),
        ("buy 1 A at 1 every soon", "expected a duration"),
        ("buy 1 A at 1 every 0s", "too often"),
    ],
)
def test_what_is_no_order_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_demand(text)


def test_a_price_names_its_pair() -> None:
    assert parse_price("ETHUSDC=2000.5") == PriceMoved("ETHUSDC", Decimal("2000.5"))


@pytest.mark.parametrize("text", ["", "=1", "A", "A=", "A=-1", "A=x", "A=0"])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a"):
        parse_price(text)
