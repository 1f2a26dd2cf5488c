"""Price limits and what books hold up to them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index.basket import Unpriced
from core.index.limits import asset_order, limit_price, market, unit_price
from core.index.planning import AssetOrdering, AssetView, PlanLimits
from tests.unit.index.scripted import levels, view
from tests.unit.index.test_fitting import IX, IZ, LIMITS, problem

D = Decimal
ONE_PERCENT = PlanLimits(price_threshold=D("0.01"), max_levels=5)
BOOK = view("AX", levels((90, 50), (80, 60)), levels((100, 10), (101, 20), (120, 30)))


def test_a_buy_goes_up_and_a_sell_goes_down_by_the_threshold() -> None:
    assert limit_price(BOOK, "buy", ONE_PERCENT) == 101
    assert limit_price(BOOK, "sell", ONE_PERCENT) == D("89.1")


@pytest.mark.parametrize("gone", [{"fresh": False}, {"best_ask": None}, {"best_ask": D(0)}])
def test_without_a_fresh_price_there_is_no_market(gone: dict[str, object]) -> None:
    odd: AssetView = structs.replace(BOOK, **gone)
    assert limit_price(odd, "buy", ONE_PERCENT) is None
    assert market(odd, "buy", ONE_PERCENT) is None


def test_liquidity_counts_levels_up_to_the_limit_and_on_it() -> None:
    found = market(BOOK, "buy", ONE_PERCENT)
    assert found is not None
    assert (found.limit, found.liquidity, found.depth) == (D(101), D(30), D(3030))
    sold = market(BOOK, "sell", structs.replace(ONE_PERCENT, price_threshold=D("0.2")))
    assert sold is not None
    assert (sold.limit, sold.liquidity) == (D(72), D(110))


def test_what_is_reserved_is_not_there() -> None:
    for reserved, left in ((D(5), D(25)), (D(99), D(0))):
        found = market(BOOK, "buy", ONE_PERCENT, reserved)
        assert found is not None
        assert found.liquidity == left


def test_an_index_without_all_limits_names_what_is_missing() -> None:
    assert unit_price(IX, {"AX": D(100), "AZ": D(200)}) == 1000
    with pytest.raises(Unpriced, match="IX: no price for AZ"):
        unit_price(IX, {"AX": D(1)})


def test_assets_go_by_symbol_or_as_the_baskets_name_them() -> None:
    of = structs.replace(problem(), baskets=(IX, IZ))
    assert asset_order(of) == ["AW", "AX", "AZ"]
    named = structs.replace(of, limits=structs.replace(LIMITS, ordering=AssetOrdering.BASKET))
    assert asset_order(named) == ["AX", "AZ", "AW"]
