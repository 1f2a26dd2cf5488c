"""Side(54) and the market's own word for it, both ways. FIX has more sides; the market has no word for those."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.fix import tags
from core.market.orders import Side

FIX_SIDE: Final[Mapping[Side, tags.Side]] = {"buy": tags.Side.BUY, "sell": tags.Side.SELL}
MARKET_SIDE: Final[Mapping[str, Side]] = {fix: market for market, fix in FIX_SIDE.items()}
