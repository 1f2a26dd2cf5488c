"""Lots have names that tell them apart, whatever an exchange calls its trades."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.index.lot_names import of_commission, of_crossing, of_forgone, of_merged, of_trade

names = st.text("X-:trademgdcomisnforgB1AX", max_size=24) | st.builds(
    lambda word, rest: word + rest,
    st.sampled_from(["X-", "trade-", "merged-", "commission-", "forgone-"]),
    st.text("X-:7AB", max_size=6),
)


@given(names, names)
def test_two_trades_have_lots_of_two_names(first: str, second: str) -> None:
    assert (of_trade(first) == of_trade(second)) == (first == second)


@given(names, names)
def test_no_trade_has_the_name_of_a_lot_that_the_desk_has_named(trade_id: str, other: str) -> None:
    named = {of_commission("AX", "buy", other), of_merged(7), of_forgone("I-1")}
    named |= {of_crossing("B-1", "AX", to_house=to_house) for to_house in (False, True)}
    assert len(named) == 5
    assert of_trade(trade_id) not in named


def test_an_ordinary_trade_is_what_its_lot_is_called_by() -> None:
    assert of_trade("28457") == "28457"
