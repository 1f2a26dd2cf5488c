"""What an order gives and takes, rounded so that its owner never does worse than the limit."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.market.orders import Pair, Token, amounts

PAIR = Pair("ETHUSDC", Token("ETH", 6), Token("USDC", 2), Decimal("0.01"), Decimal("0.001"), Decimal(100))


def test_a_sell_gives_its_quantity_for_at_least_quantity_times_limit() -> None:
    assert amounts(PAIR, "sell", Decimal("1.5"), Decimal("2000.01")) == (Decimal("1.5"), Decimal("3000.02"))


def test_a_buy_gives_at_most_quantity_times_limit_for_its_quantity() -> None:
    assert amounts(PAIR, "buy", Decimal("1.5"), Decimal("2000.01")) == (Decimal("3000.01"), Decimal("1.5"))


@given(st.integers(1, 10**5), st.integers(1, 10**7))
def test_rounding_never_gives_the_owner_a_worse_price_than_the_limit(lots: int, ticks: int) -> None:
    quantity, price = Decimal(lots) / 1000, Decimal(ticks) / 100
    assert amounts(PAIR, "sell", quantity, price)[1] >= quantity * price
    assert amounts(PAIR, "buy", quantity, price)[0] <= quantity * price
