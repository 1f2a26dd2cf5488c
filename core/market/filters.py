"""Makes an order fit the filters of its instrument, rounding to the side that can only cost its owner a trade.

|                     | buy                                  | sell                      | either, padding `up`    |
|---------------------|--------------------------------------|---------------------------|-------------------------|
| price off the tick  | down                                 | up                        | up                      |
| price beyond bounds | down to the maximum; below: misfit   | up to the minimum; above: misfit | to the bound     |
| quantity off the step | down                               | down                      | up                      |
| below a minimum     | up to it if padding allows, or misfit | misfit                   | up to it                |
| above a maximum     | down to it                           | down to it                | down to it              |

So the limit that goes out is never worse than the one that was wanted, and more is bought than was wanted only where
padding allows it and a minimum demands it. A sale is never padded: nobody may have what it would add. A minimum raises
a quantity and never lowers one. What comes out passes every filter, and going through again changes nothing.

Padding `up` is how the reference does it, which may pay more than was wanted and sells above: 2238.063784 x
0.0022340739 on a tick of 0.01, a step of 0.0001 and a notional of at least 5 goes out as 2238.07 x 0.0023, where
`minimum` has 2238.06 x 0.0023.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Context, Decimal, DivisionByZero, FloatOperation, InvalidOperation, Overflow
from enum import StrEnum
from typing import Final, NamedTuple

from core.market.exchange import Instrument
from core.market.orders import Side
from core.units import EXACT, whole_steps

_ZERO: Final = Decimal(0)
_CEILING: Final = Context(
    prec=28, rounding=ROUND_CEILING, traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation]
)


class Padding(StrEnum):
    """When an order may become larger than it was."""

    NEVER = "never"
    MINIMUM = "minimum"
    """A buy that is below a minimum, up to it."""
    UP = "up"
    """As the reference does it: price and quantity are rounded up whichever the side, and raised to every minimum."""


class Misfit(StrEnum):
    """Why no order of that price and quantity passes the filters."""

    NO_PRICE = "no_price"
    """Nothing is left of the price on the tick."""
    PRICE_TOO_LOW = "price_too_low"
    PRICE_TOO_HIGH = "price_too_high"
    NO_QUANTITY = "no_quantity"
    """Nothing is left of the quantity on the step."""
    QUANTITY_TOO_LOW = "quantity_too_low"
    NOTIONAL_TOO_LOW = "notional_too_low"
    NO_ROOM = "no_room"
    """The maxima are below the minima at that price."""


class Fitted(NamedTuple):
    """What passes the filters."""

    price: Decimal
    quantity: Decimal


def fit(instrument: Instrument, side: Side, wanted: Fitted, padding: Padding) -> Fitted | Misfit:
    """`wanted` as the instrument allows it, by the table above, or why it cannot be."""
    price = _price(instrument, side, wanted.price, padding)
    if isinstance(price, Misfit):
        return price
    quantity = _quantity(instrument, price, wanted.quantity, padding if side == "buy" else _unpadded(padding))
    return quantity if isinstance(quantity, Misfit) else Fitted(price, quantity)


def least(instrument: Instrument, side: Side, price: Decimal) -> Decimal:
    """The smallest quantity that passes at what `fit` makes of `price`; zero if any does, or none."""
    at = _price(instrument, side, price, Padding.NEVER)
    return _ZERO if isinstance(at, Misfit) else max(_least(instrument, at), instrument.step)


def passes(instrument: Instrument, order: Fitted) -> bool:
    """Whether every filter lets the order through as it is: what an exchange checks."""
    price, quantity = order
    notional = EXACT.multiply(price, quantity)
    return (
        price > 0
        and quantity > 0
        and price == _down(price, instrument.tick)
        and quantity == _down(quantity, instrument.step)
        and _within(price, instrument.price_min, instrument.price_max)
        and _within(quantity, instrument.quantity_min, instrument.quantity_max)
        and _within(notional, instrument.notional_min, instrument.notional_max)
    )


def _price(instrument: Instrument, side: Side, wanted: Decimal, padding: Padding) -> Decimal | Misfit:
    upward = padding is Padding.UP
    price = _up(wanted, instrument.tick) if upward or side == "sell" else _down(wanted, instrument.tick)
    if price <= 0:
        return Misfit.NO_PRICE
    if price < instrument.price_min:
        return _up(instrument.price_min, instrument.tick) if upward or side == "sell" else Misfit.PRICE_TOO_LOW
    if instrument.price_max and price > instrument.price_max:
        return _down(instrument.price_max, instrument.tick) if upward or side == "buy" else Misfit.PRICE_TOO_HIGH
    return price


def _unpadded(padding: Padding) -> Padding:
    return padding if padding is Padding.UP else Padding.NEVER


def _quantity(instrument: Instrument, price: Decimal, wanted: Decimal, padding: Padding) -> Decimal | Misfit:
    step = instrument.step
    if wanted <= 0:
        return Misfit.NO_QUANTITY
    quantity = _up(wanted, step) if padding is Padding.UP else _down(wanted, step)
    low, most = _least(instrument, price), _most(instrument, price)
    if most is not None and most < max(low, step):
        return Misfit.NO_ROOM
    if quantity < low:
        if padding is Padding.NEVER:
            return Misfit.QUANTITY_TOO_LOW if quantity < instrument.quantity_min else Misfit.NOTIONAL_TOO_LOW
        quantity = low
    if most is not None:
        quantity = min(quantity, most)
    return quantity if quantity > 0 else Misfit.NO_QUANTITY


def _least(instrument: Instrument, price: Decimal) -> Decimal:
    return _up(max(instrument.quantity_min, _CEILING.divide(instrument.notional_min, price)), instrument.step)


def _most(instrument: Instrument, price: Decimal) -> Decimal | None:
    maxima = [instrument.quantity_max] if instrument.quantity_max else []
    if instrument.notional_max:
        maxima.append(-_CEILING.divide(-instrument.notional_max, price))
    return _down(min(maxima), instrument.step) if maxima else None


def _within(amount: Decimal, low: Decimal, high: Decimal) -> bool:
    return amount >= low and (not high or amount <= high)


def _down(amount: Decimal, step: Decimal) -> Decimal:
    return whole_steps(amount, step) if step else amount


def _up(amount: Decimal, step: Decimal) -> Decimal:
    down = _down(amount, step)
    return down if down == amount else EXACT.add(down, step)
