"""What a request has to be, whatever the state of the desk: amounts that are money, ids that can be kept."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.index.reasons import OrderRefusal
from core.index.settings import DeskSettings
from core.market.orders import Side
from core.units import decimals

ID_CHARS_MAX: Final = 64
_EXPONENT_MAX: Final = 40


def amount_flaw(amount: Decimal, side: Side, settings: DeskSettings) -> OrderRefusal | None:
    """What is wrong with the amount of an order or quote: collateral for a buy, index tokens for a sell."""
    if not amount.is_finite() or amount <= 0:
        return OrderRefusal.INVALID_AMOUNT
    if amount > settings.order_amount_max:
        return OrderRefusal.TOO_LARGE
    places = settings.collateral_decimals if side == "buy" else settings.token_decimals
    if abs(int(amount.as_tuple().exponent)) > _EXPONENT_MAX or decimals(amount) > places:
        return OrderRefusal.TOO_MUCH_PRECISION
    return None


def is_id(text: str) -> bool:
    """Whether a client id can be kept: not empty, and not endless."""
    return 0 < len(text) <= ID_CHARS_MAX
