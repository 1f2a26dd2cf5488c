"""What a request has to be, whatever the state of the desk: amounts that are money, ids and names that can be kept."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from core.index.reasons import OrderRefusal, TokenRefusal
from core.index.records import IndexTokensDeposited
from core.index.rounding import cut
from core.index.settings import DeskSettings
from core.market.orders import Name, Side
from core.units import is_text

ID_CHARS_MAX: Final = 64
_EXPONENT_MAX: Final = 40
_DIGITS_MAX: Final = 24
"""Before the point: exact sums of tokens have room for them."""
_NUMBER_MAX: Final = 2**63 - 1


def amount_flaw(amount: Decimal, side: Side, settings: DeskSettings) -> OrderRefusal | None:
    """What is wrong with the amount of an order or quote: collateral for a buy, index tokens for a sell."""
    if not amount.is_finite() or amount <= 0:
        return OrderRefusal.INVALID_AMOUNT
    if amount > settings.order_amount_max:
        return OrderRefusal.TOO_LARGE
    places = settings.collateral_decimals if side == "buy" else settings.token_decimals
    return OrderRefusal.TOO_MUCH_PRECISION if _is_too_precise(amount, places) else None


def token_flaw(said: IndexTokensDeposited, settings: DeskSettings) -> TokenRefusal | None:
    """What is wrong with tokens that came into custody, whatever index they are of."""
    amount = said.amount
    if not amount.is_finite() or amount <= 0:
        return TokenRefusal.INVALID_AMOUNT
    if not 0 <= said.seq_num <= _NUMBER_MAX:
        return TokenRefusal.INVALID_NUMBER
    if not (is_user(said.user) and is_text(said.symbol)):
        return TokenRefusal.INVALID_ID
    if amount.adjusted() >= _DIGITS_MAX:
        return TokenRefusal.TOO_LARGE
    return TokenRefusal.TOO_MUCH_PRECISION if _is_too_precise(amount, settings.token_decimals) else None


def is_id(text: str) -> bool:
    """Whether a client id can be kept: not empty, not endless, and text."""
    return 0 < len(text) <= ID_CHARS_MAX and is_text(text)


def is_user(text: str) -> bool:
    """Whether a user's name can be kept: not empty, not endless, and text."""
    return bool(text) and is_text(text)


def is_name(text: str) -> bool:
    """Whether an asset or an index can be called that."""
    try:
        msgspec.convert(text, Name)
    except msgspec.ValidationError:
        return False
    return True


def _is_too_precise(amount: Decimal, places: int) -> bool:
    """Whether an amount is finer than that many decimals, however many digits it is written with."""
    return abs(int(amount.as_tuple().exponent)) > _EXPONENT_MAX or cut(amount, places) != amount
