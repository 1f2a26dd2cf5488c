"""How fine amounts are.

Products have MONEY's 28 digits, however small they are, and sums of them are exact, so digits would grow without end.
What is handed over from one holder to another is therefore never finer than a token can be.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Context, Decimal
from typing import Final

from core.units import EXACT, MONEY

FINEST: Final = 18
"""Decimals: no token on a chain has more."""
LEAST: Final = Decimal(1).scaleb(-FINEST)
"""What is less is nothing of any token."""
_SPARE_DIGITS: Final = 4
"""An operation is off by at most half a unit of MONEY's last digit. Four digits bear 2,000 that all err one way, which
is more than the operations that an amount of a batch comes of: one for each of its orders and assets."""
ROUNDING: Final = Decimal(1).scaleb(_SPARE_DIGITS - MONEY.prec)
"""Relative: by so much may an amount be off that was computed with the digits of MONEY, and no more."""
DOWN: Final = Context(prec=MONEY.prec, rounding=ROUND_DOWN, traps=[kind for kind, on in MONEY.traps.items() if on])
"""MONEY, but for shares and steps that together may not be more than what there is."""
_WIDE: Final = Context(prec=EXACT.prec, traps=[kind for kind, on in MONEY.traps.items() if on])


def cut(amount: Decimal, decimals: int = FINEST) -> Decimal:
    """The amount without what is finer than that, towards zero. Large amounts have all their digits."""
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN, _WIDE)


def whole(amount: Decimal, decimals: int = FINEST) -> Decimal:
    """The same, but for an amount that is short of the next unit by rounding alone: that unit."""
    nearest = rounded(amount, decimals)
    return nearest if abs(nearest - amount) <= amount * ROUNDING else cut(amount, decimals)


def raised(amount: Decimal, decimals: int = FINEST) -> Decimal:
    """The smallest amount that is no finer than that and, of a positive one, not below it."""
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_UP, _WIDE)


def rounded(amount: Decimal, decimals: int = FINEST) -> Decimal:
    """The nearest amount that is no finer than that; of two, the even one."""
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN, _WIDE)
