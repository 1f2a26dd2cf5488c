"""Rounding never costs the owner of an order more than a trade, and what comes out passes every filter."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.market.exchange import Instrument
from core.market.filters import Fitted, Misfit, Padding, fit, least, passes
from core.market.orders import Side
from core.units import MONEY

D = Decimal
ETHEUR = Instrument("ETHEUR", "ETH", "EUR", tick=D("0.01"), step=D("0.0001"), notional_min=D(5))
BNBEUR = Instrument("BNBEUR", "BNB", "EUR", tick=D("0.01"), step=D("0.001"), notional_min=D(5))
LIVE = Fitted(D("2238.063784"), D("0.0022340739"))
LIVE_BNB = Fitted(D("564.326427"), D("0.0127585023"))


def wanted(price: str, quantity: str) -> Fitted:
    return Fitted(D(price), D(quantity))


@pytest.mark.parametrize(
    ("padding", "price", "quantity"),
    [(Padding.UP, "2238.07", "0.0023"), (Padding.MINIMUM, "2238.06", "0.0023")],
)
def test_the_live_order_of_the_reference(padding: Padding, price: str, quantity: str) -> None:
    assert fit(ETHEUR, "buy", LIVE, padding) == wanted(price, quantity)


def test_the_other_live_order_of_the_reference() -> None:
    assert fit(BNBEUR, "buy", LIVE_BNB, Padding.UP) == wanted("564.33", "0.013")


def test_without_padding_an_order_below_the_minimum_is_a_misfit() -> None:
    assert fit(ETHEUR, "buy", LIVE, Padding.NEVER) is Misfit.NOTIONAL_TOO_LOW


@pytest.mark.parametrize(
    ("instrument", "price", "smallest"),
    [
        (ETHEUR, "2238.063784", "0.0023"),
        (Instrument("X", "X", "USDC"), "10", "0"),
        (Instrument("X", "X", "USDC", step=D(1000)), "10", "1000"),
        (Instrument("X", "X", "USDC", step=D(1000), quantity_min=D(1001)), "10", "2000"),
        (Instrument("X", "X", "USDC", tick=D(1), notional_min=D(30)), "3.9", "10"),
        (Instrument("X", "X", "USDC", price_min=D(5)), "3", "0"),
    ],
)
def test_the_least_is_what_an_order_has_to_be_at_that_price(instrument: Instrument, price: str, smallest: str) -> None:
    found = least(instrument, "buy", D(price))
    assert found == D(smallest)
    if found:
        fitted = fit(instrument, "buy", Fitted(D(price), found), Padding.NEVER)
        assert not isinstance(fitted, Misfit)
        assert fitted.quantity == found


def test_a_minimum_never_lowers_a_larger_quantity() -> None:
    """Of the reference: padding to MIN_NOTIONAL overwrote a larger quantity."""
    for padding in Padding:
        assert fit(ETHEUR, "buy", wanted("2000", "3.5"), padding) == wanted("2000", "3.5")


def test_a_sale_is_rounded_up_in_price_and_down_in_quantity_and_never_padded() -> None:
    """Of the reference: the price was rounded up for buys as well."""
    assert fit(ETHEUR, "sell", wanted("2238.063", "1.00009"), Padding.MINIMUM) == wanted("2238.07", "1.0000")
    assert fit(ETHEUR, "buy", wanted("2238.069", "1.00009"), Padding.MINIMUM) == wanted("2238.06", "1.0000")
    assert fit(ETHEUR, "sell", LIVE, Padding.MINIMUM) is Misfit.NOTIONAL_TOO_LOW
    assert fit(ETHEUR, "sell", LIVE, Padding.UP) == wanted("2238.07", "0.0023")


BOUNDED = Instrument(
    "X",
    "X",
    "USDC",
    tick=D(1),
    price_min=D(10),
    price_max=D(20),
    step=D(2),
    quantity_min=D(3),
    quantity_max=D(9),
    notional_max=D(100),
)


@pytest.mark.parametrize(
    ("side", "price", "quantity", "padding", "expected"),
    [
        ("buy", "25.5", "4", Padding.MINIMUM, wanted("20", "4")),
        ("sell", "25.5", "4", Padding.MINIMUM, Misfit.PRICE_TOO_HIGH),
        ("buy", "9", "4", Padding.MINIMUM, Misfit.PRICE_TOO_LOW),
        ("sell", "9", "4", Padding.MINIMUM, wanted("10", "4")),
        ("buy", "9", "4", Padding.UP, wanted("10", "4")),
        ("sell", "25.5", "4", Padding.UP, wanted("20", "4")),
        ("buy", "0.5", "4", Padding.MINIMUM, Misfit.NO_PRICE),
        ("buy", "-3", "4", Padding.UP, Misfit.NO_PRICE),
        ("buy", "12", "1", Padding.NEVER, Misfit.QUANTITY_TOO_LOW),
        ("buy", "12", "1", Padding.MINIMUM, wanted("12", "4")),
        ("buy", "12", "5.9", Padding.MINIMUM, wanted("12", "4")),
        ("buy", "12", "5.9", Padding.UP, wanted("12", "6")),
        ("buy", "12", "50", Padding.NEVER, wanted("12", "8")),
        ("buy", "20", "8", Padding.NEVER, wanted("20", "4")),
        ("buy", "12", "0", Padding.MINIMUM, Misfit.NO_QUANTITY),
        ("sell", "12", "-1", Padding.UP, Misfit.NO_QUANTITY),
    ],
)
def test_the_table_of_rounding(
    side: Side, price: str, quantity: str, padding: Padding, expected: Fitted | Misfit
) -> None:
    assert fit(BOUNDED, side, wanted(price, quantity), padding) == expected


def test_maxima_below_minima_leave_no_room() -> None:
    narrow = Instrument("X", "X", "USDC", step=D(1), quantity_max=D(2), notional_min=D(50))
    assert fit(narrow, "buy", wanted("10", "2"), Padding.MINIMUM) is Misfit.NO_ROOM
    assert fit(narrow, "buy", wanted("25", "1"), Padding.MINIMUM) == wanted("25", "2")


def test_less_than_a_step_is_no_quantity_unless_it_is_rounded_up() -> None:
    coarse = Instrument("X", "X", "USDC", step=D(1))
    assert fit(coarse, "buy", wanted("10", "0.5"), Padding.MINIMUM) is Misfit.NO_QUANTITY
    assert fit(coarse, "buy", wanted("10", "0.5"), Padding.UP) == wanted("10", "1")


def test_an_instrument_without_filters_takes_any_order_as_it_is() -> None:
    free = Instrument("X", "X", "USDC")
    assert fit(free, "buy", LIVE, Padding.MINIMUM) == LIVE
    assert passes(free, LIVE)


def amounts(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(D(low), D(high), places=places)


instruments = st.builds(
    Instrument,
    st.just("X"),
    st.just("X"),
    st.just("USDC"),
    tick=st.sampled_from(["0", "0.01", "0.25", "3"]).map(D),
    price_min=st.sampled_from(["0", "0.25", "3", "12"]).map(D),
    price_max=st.sampled_from(["0", "60", "1000"]).map(D),
    step=st.sampled_from(["0", "0.001", "0.7"]).map(D),
    quantity_min=st.sampled_from(["0", "0.1", "5"]).map(D),
    quantity_max=st.sampled_from(["0", "49", "50.3"]).map(D),
    notional_min=st.sampled_from(["0", "1", "10.01"]).map(D),
    notional_max=st.sampled_from(["0", "5000"]).map(D),
)


@given(
    instruments,
    st.sampled_from(["buy", "sell"]),
    st.builds(Fitted, amounts("0.0001", "1500", 4), amounts("0.00001", "100", 5)),
    st.sampled_from([Padding.NEVER, Padding.MINIMUM]),
)
def test_what_comes_out_passes_is_no_worse_than_what_was_wanted_and_stays_as_it_is(
    instrument: Instrument, side: Side, order: Fitted, padding: Padding
) -> None:
    with localcontext(MONEY):
        fitted = fit(instrument, side, order, padding)
        if isinstance(fitted, Misfit):
            return
        assert passes(instrument, fitted)
        assert fitted.price <= order.price if side == "buy" else fitted.price >= order.price
        if padding is Padding.NEVER or side == "sell":
            assert fitted.quantity <= order.quantity
        elif fitted.quantity > order.quantity:
            less = fitted.quantity - (instrument.step or fitted.quantity)
            assert less < instrument.quantity_min or less * fitted.price < instrument.notional_min
        assert fit(instrument, side, fitted, padding) == fitted
