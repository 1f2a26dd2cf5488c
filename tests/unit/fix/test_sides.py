"""The market's two sides are FIX's first two, both ways; the others have no word in the market."""

from __future__ import annotations

from typing import get_args

from core.fix import tags
from core.fix.sides import FIX_SIDE, MARKET_SIDE
from core.market.orders import Side


def test_every_side_of_the_market_is_one_of_fix_and_back() -> None:
    assert {MARKET_SIDE[FIX_SIDE[side]] for side in get_args(Side)} == set(get_args(Side))
    assert FIX_SIDE == {"buy": "1", "sell": "2"}


def test_the_other_sides_of_fix_have_no_word_in_the_market() -> None:
    assert [side.name for side in tags.Side if side in MARKET_SIDE] == ["BUY", "SELL"]
