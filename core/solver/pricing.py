"""What every strategy needs: the fair rate of an offer, a rate on the wire's grid, and a size that is affordable."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.solver.protocol import Offer
from core.units import round_down

RATE_DECIMALS: Final = 12
"""Rates are rounded down to this, in the solver's favour."""

_BPS: Final = Decimal(10_000)
_ZERO: Final = Decimal(0)


def rate_at(offer: Offer, price: Decimal, worse_bps: Decimal) -> Decimal:
    """Output per input at a reference price (quote per base), less `worse_bps` for the order's owner."""
    fair = price if offer.side == "sell" else 1 / price
    return round_down(fair * (1 - worse_bps / _BPS), RATE_DECIMALS)


def meets_limit(offer: Offer, rate: Decimal) -> bool:
    """True when the owner would get at least its limit for the whole of the offer."""
    return rate * offer.input_amount >= offer.min_output


def affordable_input(offer: Offer, rate: Decimal, capital: dict[str, Decimal]) -> Decimal:
    """The most input that `capital` can answer at `rate`, which is then deducted from it; 0 for none.

    A part is a whole number of the last decimal that the offer's own input shows.
    """
    free = capital.get(offer.buy_token, _ZERO)
    need = offer.min_output if offer.side == "buy" else offer.input_amount * rate
    taken = offer.input_amount
    if need > free:
        if not offer.partially_fillable:
            return _ZERO
        taken = round_down(min(free / rate, taken), -int(offer.input_amount.as_tuple().exponent))
        need = taken * rate
    capital[offer.buy_token] = free - need
    return taken
