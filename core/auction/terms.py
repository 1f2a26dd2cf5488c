"""What a bid trades, in exact amounts: the one place where auction arithmetic rounds.

A sell gives the bid's `max_input` for the product with its rate, rounded down to the bought token. A
buy takes its quantity, or as many whole lots as `max_input` pays for, and gives what those cost at the
rate, rounded up to the sold token. The limit of an order is the ratio of its minimum output to its
input; it is compared by exact cross products, so rounding never lets a trade slip below it.

Every trade is a whole number of lots. The exception is what is left of an order that is none itself: it
trades as a whole. The sequencer accepts no such order.
"""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Context, Decimal
from typing import Final, NamedTuple

from msgspec.structs import replace

from core.market.orders import Order, Pair
from core.units import MONEY, whole_steps

_EXACT: Final = Context(prec=200, rounding=ROUND_HALF_EVEN, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Holds every product of two amounts whole, and a quotient beyond any token's last decimal."""


class Trade(NamedTuple):
    """`given` of the order's sell token for `taken` of its buy token."""

    given: Decimal
    taken: Decimal


def trade(order: Order, pair: Pair, max_input: Decimal, rate: Decimal) -> Trade | None:
    """What a bid trades, or None when the owner would do worse than the limit.

    Requires 0 < max_input <= order.input_amount, on the sold token's grid, and a positive rate.
    """
    if _EXACT.multiply(rate, order.input_amount) < order.min_output:
        return None
    output = _EXACT.multiply(max_input, rate)
    sold = pair.base if order.side == "sell" else pair.quote
    max_input = _on_grid(max_input, sold.decimals, ROUND_DOWN)
    if order.side == "sell":
        offered = Trade(max_input, _on_grid(output, pair.quote.decimals, ROUND_DOWN))
    else:
        taken = order.quantity if output >= order.quantity else whole_steps(output, pair.lot)
        offered = Trade(_on_grid(_EXACT.divide(taken, rate), pair.quote.decimals, ROUND_UP), taken)
    return offered if meets_limit(order, offered) else None


def meets_limit(order: Order, offered: Trade) -> bool:
    """True when the owner gets at least `min_output` per `input_amount`."""
    owed = _EXACT.multiply(order.min_output, offered.given)
    return _EXACT.multiply(offered.taken, order.input_amount) >= owed


def at_terms_of(order: Order, pair: Pair, own: Trade, rival: Trade | None, most: Decimal) -> Trade:
    """The quantity of `own` at the rate of `rival`, or at the order's limit when that is better for its owner.

    Rounded in the owner's favour, and no worse for either side than it agreed to: the owner gets its limit, the
    solver gives no more than in `own` for what it gets, and gets at most `most` of the sold token. Without a
    rival the terms are the limit's.
    """
    given, taken = own
    if order.side == "sell":
        outputs = [_prorated(order.min_output, given, order.input_amount, pair, ROUND_UP)]
        if rival is not None:
            outputs.append(_prorated(rival.taken, given, rival.given, pair, ROUND_UP))
        return Trade(given, min(taken, max(outputs)))
    inputs = [most, _prorated(order.input_amount, taken, order.min_output, pair, ROUND_DOWN)]
    if rival is not None:
        inputs.append(_prorated(rival.given, taken, rival.taken, pair, ROUND_DOWN))
    return Trade(max(given, min(inputs)), taken)


def quantity_and_price(order: Order, done: Trade) -> tuple[Decimal, Decimal]:
    """A trade in the pair's terms: base quantity, and quote per base to MONEY's precision."""
    base, quote = (done.given, done.taken) if order.side == "sell" else (done.taken, done.given)
    return base, MONEY.divide(quote, base)


def fills_lots(order: Order, pair: Pair, offered: Trade) -> bool:
    """True when the trade is all that is left of the order, or a part of at least one lot and of whole lots."""
    quantity = offered.given if order.side == "sell" else offered.taken
    return quantity == order.quantity or 0 < quantity == whole_steps(quantity, pair.lot)


def rest_of(order: Order, pair: Pair, quantity: Decimal) -> Order:
    """The same order with `quantity` base left to trade, at a limit that is at least as good.

    What the parts of an order give and take never adds up to more than the whole does.
    """
    if order.side == "sell":
        least = _EXACT.divide(_EXACT.multiply(quantity, order.min_output), order.input_amount)
        given, taken = quantity, _on_grid(least, pair.quote.decimals, ROUND_UP)
    else:
        most = _EXACT.divide(_EXACT.multiply(quantity, order.input_amount), order.min_output)
        given, taken = _on_grid(most, pair.quote.decimals, ROUND_DOWN), quantity
    return replace(order, quantity=quantity, input_amount=given, min_output=taken)


def is_countable(amount: Decimal, decimals: int) -> bool:
    """True when `amount` with that many decimals still has no more digits than money keeps."""
    return amount.adjusted() + 1 + decimals <= MONEY.prec


def is_on_grid(amount: Decimal, decimals: int) -> bool:
    """True when `amount` is a whole number of units of a token with that many decimals."""
    return amount == _on_grid(amount, decimals, ROUND_DOWN)


def _prorated(amount: Decimal, part: Decimal, whole: Decimal, pair: Pair, rounding: str) -> Decimal:
    """An `amount` of quote for `whole` base, as it is for `part` of it."""
    return _on_grid(_EXACT.divide(_EXACT.multiply(amount, part), whole), pair.quote.decimals, rounding)


def _on_grid(amount: Decimal, decimals: int, rounding: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-decimals), rounding=rounding, context=_EXACT)
