"""What a demonstration market maker wants, in one line: `sell 0.5 ETHUSDC at 1995 every 100ms`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

from core.market.orders import Side
from core.market.world import OrderWanted, PriceMoved
from core.units import SECOND, Nanos, parse_duration

_WANT: Final = re.compile(
    r"(?P<side>buy|sell) (?P<quantity>[0-9.]+) (?P<symbol>\S+) at (?P<price>[0-9.]+)(?: every (?P<every>\S+))?"
)
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,12})?")
_EVERY_MIN: Final = SECOND // 1000


class Demand(NamedTuple):
    """An order that is wanted again and again."""

    order: OrderWanted
    every: Nanos


def parse_demand(text: str) -> Demand:
    """Read `buy|sell QUANTITY SYMBOL at PRICE [every DURATION]`. Raises ValueError saying what was expected."""
    match = _WANT.fullmatch(" ".join(text.split()))
    if match is None:
        raise ValueError(f'expected an order such as "sell 0.5 ETHUSDC at 1995 every 100ms", got "{text}"')
    side: Side = "buy" if match["side"] == "buy" else "sell"
    every = parse_duration(match["every"]) if match["every"] else SECOND
    if every < _EVERY_MIN:
        raise ValueError(f'an order every {match["every"]} is too often; "1ms" is the shortest')
    return Demand(OrderWanted(match["symbol"], side, _amount(match["quantity"]), _amount(match["price"])), every)


def parse_price(text: str) -> PriceMoved:
    """Read `SYMBOL=PRICE`. Raises ValueError saying what was expected."""
    symbol, equals, price = text.partition("=")
    if not (symbol and equals):
        raise ValueError(f'expected a price such as "ETHUSDC=2000", got "{text}"')
    return PriceMoved(symbol, _amount(price))


def _amount(text: str) -> Decimal:
    amount = Decimal(text) if _AMOUNT.fullmatch(text) else Decimal(0)
    if not amount:
        raise ValueError(f'expected an amount above zero such as "100.25", got "{text}"')
    return amount
