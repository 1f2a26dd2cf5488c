"""What is planned as covered is filled wholly, however fine assets are and however coarse tokens."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index.allocation import BatchRules
from core.index.stock import Stock, held
from tests.unit.index.test_batch import begin, fill, lot, trade
from tests.unit.index.test_fitting import LIMITS, basket, buy, planned, problem, sell

D = Decimal
THIRDS = basket("IF", AX="3.333333333333333333333333333")


@pytest.mark.parametrize("decimals", [0, 2, 8, 18])
def test_a_sell_whose_assets_are_finer_than_tokens_is_crossed_to_the_last_unit(decimals: int) -> None:
    limits = structs.replace(LIMITS, index_decimals=decimals)
    of = structs.replace(problem(buy(1, "IF", 3334), sell(2, "IF", 7), limits=limits), baskets=(THIRDS,))
    opened = begin(planned(of), rules=BatchRules(index_decimals=decimals))
    assert {one.order_id: one.quantity for one in opened.fills}["I-2"] == 7


@pytest.mark.parametrize("decimals", [0, 2, 8, 18])
def test_an_order_that_lots_at_hand_cover_is_filled_to_the_last_unit(decimals: int) -> None:
    limits = structs.replace(LIMITS, index_decimals=decimals, max_order_volley_size=D(2333) + D(1) / 3)
    stock = Stock(house={"buy:AX": [lot("L-0", "23.333333333333333333", "100", "0")]})
    of = structs.replace(problem(buy(1, "IF", "2333.4"), held=held(stock), limits=limits), baskets=(THIRDS,))
    opened = begin(planned(of), stock, BatchRules(index_decimals=decimals))
    assert not opened.placements
    assert opened.fills[0].quantity == 7


def test_orders_whose_fractions_are_no_round_numbers_are_filled_to_the_last_unit() -> None:
    limits = structs.replace(LIMITS, index_decimals=0)
    orders = (sell(1, "IX", 1), sell(2, "IX", 1), sell(3, "IX", 1))
    opened = begin(planned(problem(*orders, limits=limits)), rules=BatchRules(index_decimals=0))
    fill(opened, "O-1", trade("L-1", "24", "100"))
    fills = fill(opened, "O-2", trade("L-2", "3", "200"))
    assert [one.quantity for one in fills] == [1, 1, 1]
