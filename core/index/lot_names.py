"""What lots are called: the exchange's own names of trades, and those that the desk makes, which are never the same.

The desk's begin with one of a few words, each of its own. What an exchange calls a trade is anybody's guess, so a trade
whose id begins with one of these words has another in front of it.
"""

from __future__ import annotations

from typing import Final

from core.market.orders import Side

_CROSSING: Final = "X-"
_COMMISSION: Final = "commission-"
_FORGONE: Final = "forgone-"
_MERGED: Final = "merged-"
_TRADE: Final = "trade-"
_WORDS: Final = (_CROSSING, _COMMISSION, _FORGONE, _MERGED, _TRADE)


def of_trade(trade_id: str) -> str:
    """The lot of a trade: the exchange's id, with `trade-` in front of one that begins like another kind of lot."""
    return _TRADE + trade_id if trade_id.startswith(_WORDS) else trade_id


def of_commission(symbol: str, side: Side, trade_id: str) -> str:
    """What the exchange has taken as its commission of a trade. Exchanges number trades within a symbol, and an account
    may be on both sides of one, so it takes all three; no symbol has a colon in it."""
    return f"{_COMMISSION}{symbol}:{side}:{trade_id}"


def of_crossing(batch_id: str, asset: str, *, to_house: bool) -> str:
    """What passes within a batch, on both sides."""
    return f"{_CROSSING}{batch_id}-{asset}{'-house' if to_house else ''}"


def of_forgone(order_id: str) -> str:
    """An order's share of what is held for an index."""
    return f"{_FORGONE}{order_id}"


def of_merged(number: int) -> str:
    """Several lots in one. It is numbered, for what is merged once more is another lot, of another price."""
    return f"{_MERGED}{number}"
