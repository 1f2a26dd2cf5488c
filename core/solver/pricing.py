"""What every strategy needs: the fair rate of an offer, a rate on the wire's grid, and a size that is affordable."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.solver.protocol import Offer
from core.units import EXACT, round_down, round_up, whole_steps

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

    It is for all of the offer, or for a part in whole lots.
    """
    free = capital.get(offer.buy_token, _ZERO)
    taken, need = offer.input_amount, offer.min_output if offer.side == "buy" else offer.input_amount * rate
    if need > free:
        if not offer.partially_fillable:
            return _ZERO
        taken, need = _part_of_buy(offer, rate, free) if offer.side == "buy" else _part_of_sell(offer, rate, free)
    if need <= 0:
        return _ZERO
    capital[offer.buy_token] = free - need
    return taken


def _part_of_sell(offer: Offer, rate: Decimal, free: Decimal) -> tuple[Decimal, Decimal]:
    """As many lots as `free` pays for, and what it pays."""
    taken = whole_steps(min(free / rate, offer.input_amount), offer.lot)
    return taken, taken * rate


def _part_of_buy(offer: Offer, rate: Decimal, free: Decimal) -> tuple[Decimal, Decimal]:
    """What as many lots as `free` holds cost, in the decimals that the offer's own input shows, and those lots.

    An input rounded up may pay for more than that when its decimals are coarse; then it is rounded down.
    """

    def bought(taken: Decimal) -> Decimal:
        return whole_steps(min(EXACT.multiply(taken, rate), offer.min_output), offer.lot)

    decimals = -int(offer.input_amount.as_tuple().exponent)
    cost = min(whole_steps(free, offer.lot) / rate, offer.input_amount)
    taken = round_up(cost, decimals)
    if bought(taken) > free:
        taken = round_down(cost, decimals)
    return taken, bought(taken)
