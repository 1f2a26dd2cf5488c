"""What bids trade, to the last unit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.auction.terms import Trade, fills_lots, quantity_and_price, rest_of, trade
from core.market.orders import Side
from tests.helpers.auction import PAIR, order


@pytest.mark.parametrize(
    ("side", "max_input", "rate", "given", "taken"),
    [
        ("sell", "2", "2000.009", "2", "4000.01"),
        ("sell", "0.333", "2000.04", "0.333", "666.01"),
        ("buy", "4000", "0.0005", "4000", "2"),
        ("buy", "4000", "0.0006", "3333.34", "2"),
        ("buy", "1000", "0.00051", "1000", "0.51"),
        ("buy", "999.99", "0.00051", "998.04", "0.509"),
        ("buy", "1.95", "0.00051", "0.00", "0.000"),
    ],
)
def test_amounts_round_to_the_tokens_and_never_beyond_the_bid(
    side: Side, max_input: str, rate: str, given: str, taken: str
) -> None:
    done = trade(order(side=side), PAIR, Decimal(max_input), Decimal(rate))
    assert done == Trade(Decimal(given), Decimal(taken))


@pytest.mark.parametrize(("side", "rate"), [("sell", "1999.999999"), ("buy", "0.000499999999")])
def test_a_rate_under_the_limit_trades_nothing(side: Side, rate: str) -> None:
    worst = order(side=side)
    assert trade(worst, PAIR, worst.input_amount, Decimal(rate)) is None


def test_a_part_that_rounding_would_push_under_the_limit_trades_nothing() -> None:
    assert trade(order(price="2000.01"), PAIR, Decimal("0.333333"), Decimal("2000.01")) is None


@pytest.mark.parametrize(
    ("quantity", "of", "whole"),
    [("0.001", "2", True), ("2", "2", True), ("0.0015", "2", False), ("0", "2", False), ("0.0005", "0.0005", True)],
)
@pytest.mark.parametrize("side", ["sell", "buy"])
def test_a_trade_is_of_whole_lots_or_of_all_that_is_left(side: Side, quantity: str, of: str, whole: bool) -> None:
    rest, traded = order(side=side, quantity=of), Decimal(quantity)
    offered = Trade(traded, Decimal(1)) if side == "sell" else Trade(Decimal(1), traded)
    assert fills_lots(rest, PAIR, offered) is whole


def test_a_trade_in_the_pairs_terms_is_base_quantity_at_quote_per_base() -> None:
    assert quantity_and_price(order(side="sell"), Trade(Decimal(2), Decimal(4001))) == (Decimal(2), Decimal("2000.5"))
    assert quantity_and_price(order(side="buy"), Trade(Decimal(4001), Decimal(2))) == (Decimal(2), Decimal("2000.5"))


def test_the_rest_of_a_sell_keeps_its_limit_rounded_in_the_owners_favour() -> None:
    rest = rest_of(order(price="2000.01"), PAIR, Decimal("0.333333"))
    assert (rest.quantity, rest.input_amount, rest.min_output) == (
        Decimal("0.333333"),
        Decimal("0.333333"),
        Decimal("666.67"),
    )


def test_the_rest_of_a_buy_keeps_its_limit_rounded_in_the_owners_favour() -> None:
    rest = rest_of(order(side="buy", price="2000.01"), PAIR, Decimal("0.333333"))
    assert (rest.quantity, rest.input_amount, rest.min_output) == (
        Decimal("0.333333"),
        Decimal("666.66"),
        Decimal("0.333333"),
    )


def test_zeros_behind_a_bids_input_do_not_outlive_it() -> None:
    done = trade(order(), PAIR, Decimal("0.50000000000000000000"), Decimal(2000))
    assert done is not None
    assert str(done.given) == "0.500000"
    assert str(rest_of(order(), PAIR, order().quantity - done.given).input_amount) == "1.500000"
