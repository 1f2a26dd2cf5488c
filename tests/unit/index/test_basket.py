"""Baskets from weights, and what they are worth."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import InputError
from core.index.basket import Unpriced, basket_from_quantities, basket_from_weights, index_price, normalised

D = Decimal
WIDE = (("BTC", D("0.25")), ("ETH", D("0.75")))


def quantities(weights: dict[str, str], prices: dict[str, str], target: str) -> dict[str, Decimal]:
    given = tuple((asset, D(weight)) for asset, weight in weights.items())
    priced = {asset: D(price) for asset, price in prices.items()}
    return basket_from_weights("IX", given, priced, D(target)).quantities()


def near(got: dict[str, Decimal], shown: dict[str, str]) -> None:
    assert list(got) == list(shown)
    for asset, printed in shown.items():
        step = D(1).scaleb(int(D(printed).as_tuple().exponent))
        assert abs(got[asset] - D(printed)) <= step * D("0.6"), asset


def test_a_basket_of_two() -> None:
    got = quantities({"BTC": "0.25", "ETH": "0.75"}, {"BTC": "50000", "ETH": "6000"}, "10000")
    assert got == {"BTC": D("0.05"), "ETH": D("1.25")}


def test_weights_that_do_not_sum_to_one_are_normalised() -> None:
    weights = {"BTC": ".25", "ETH": ".75", "SOL": ".15"}
    got = quantities(weights, {"BTC": "55000", "ETH": "6250", "SOL": "250"}, "10562.5")
    near(got, {"BTC": "0.0417490119", "ETH": "1.1021739130", "SOL": "5.5108695652"})
    assert sum(weight for _, weight in normalised((asset, D(one)) for asset, one in weights.items())) == 1


def test_the_example_composition() -> None:
    prices = {"BNB": "664.40", "BTC": "107165.85", "ETH": "2737.08", "LINK": "14.50"}
    got = quantities({"BNB": ".25", "BTC": ".35", "ETH": ".25", "LINK": ".15"}, prices, "1000")
    # The reference prints 0.3762793; 1000 / 664.40 * 0.25 = 0.37627935, which rounds up
    assert str(got["BNB"]).startswith("0.3762793")
    near(
        {asset: got[asset] for asset in ("BTC", "ETH", "LINK")},
        {"BTC": "0.0032660", "ETH": "0.0913382", "LINK": "10.3448276"},
    )


def test_a_unit_is_worth_the_target_at_the_prices_it_was_made_with() -> None:
    prices = {"BTC": D(50000), "ETH": D(6000)}
    basket = basket_from_weights("IX", WIDE, prices, D(10000))
    assert index_price(basket, prices) == 10000
    assert index_price(basket, {"BTC": D(55000), "ETH": D(6250)}) == D("10562.5")


def test_every_unpriced_asset_is_named() -> None:
    basket = basket_from_weights("IX", WIDE, {"BTC": D(1), "ETH": D(1)}, D(1))
    with pytest.raises(Unpriced, match="IX: no price for BTC, ETH") as caught:
        index_price(basket, {"ETH": D(0)})
    assert caught.value.assets == ("BTC", "ETH")
    with pytest.raises(Unpriced, match="no price for ETH"):
        basket_from_weights("IX", WIDE, {"BTC": D(1)}, D(1))


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ((), "without weights"),
        ((("BTC", D(1)), ("BTC", D(1))), "BTC more than once"),
        ((("BTC", D(0)), ("ETH", D(-1))), "BTC, ETH are not positive"),
        ((("BTC", D("NaN")),), "BTC are not positive"),
        ((("BTC", D("Infinity")),), "BTC are not positive"),
        ((("BTC", D("9E+999999")), ("ETH", D("9E+999999"))), "BTC, ETH are not positive"),
        ((("BTC", D("1E-90")),), "BTC are not positive"),
    ],
)
def test_unusable_weights_are_refused(weights: tuple[tuple[str, Decimal], ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        normalised(weights)


@pytest.mark.parametrize("target", ["0", "-1", "NaN", "9E+999999"])
def test_an_unusable_target_is_refused(target: str) -> None:
    with pytest.raises(InputError, match="target price"):
        basket_from_weights("IX", WIDE, {"BTC": D(1), "ETH": D(1)}, D(target))


def test_quantities_are_used_as_they_are() -> None:
    basket = basket_from_quantities("SO2", (("BNB", D("1.06318")), ("ETH", D("0.17878"))), {"BNB": D(60)})
    assert basket.quantities() == {"BNB": D("1.06318"), "ETH": D("0.17878")}
    assert index_price(basket, {"BNB": D(500), "ETH": D(2000)}) == D("889.15")
    with pytest.raises(InputError, match="not positive"):
        basket_from_quantities("SO2", (("BNB", D(0)),))
