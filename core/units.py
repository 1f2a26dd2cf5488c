"""Integer time, exact money, the text forms that people write them in, and what of others' texts can be kept."""

from __future__ import annotations

import re
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import Final, TypeAlias

Nanos: TypeAlias = int
"""Nanoseconds: an instant since the Unix epoch, or a span. Always an int, so equal times are equal."""

MICROSECOND: Final = 1_000
MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000

_UNITS: Final = {
    "ns": 1,
    "us": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
    "d": 86_400 * SECOND,
}
_DURATION: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?\s*(ns|us|ms|s|m|h|d)")
_DURATION_CHARS_MAX: Final = 80

MONEY: Final = Context(
    prec=28,
    rounding=ROUND_HALF_EVEN,
    traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation],
)
"""The one context that all money arithmetic runs under; the kernel installs it for every pump."""


EXACT: Final = Context(
    prec=80,
    rounding=ROUND_HALF_EVEN,
    traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation, Inexact],
)
"""For sums of balances: wide enough for any that is made of MONEY's digits, and never rounds in silence."""


AMOUNT_LIMIT: Final = 10**18
"""What a money column of the results can hold, with room for sums."""
INTEGER_BITS_MAX: Final = 62
"""A journal holds 64, and sums need room."""
_INTEGER_BITS_HELD: Final = 63
"""By a journal, besides the sign."""
TEXT_CHARS_MAX: Final = 256
"""No name needs to be longer."""
_EXPONENT_MAX: Final = 24
_DECIMALS_MAX: Final = _EXPONENT_MAX + MONEY.prec
"""Of the finest number that is reckoned with."""
_SMALLEST: Final = 36
"""What may be left of a quantity that is counted in all of MONEY's digits is as small."""


def parse_duration(text: str) -> Nanos:
    """Read `250ms`, `1.5s`, `2h` as exact nanoseconds.

    Raises ValueError when the text is not a non-negative duration with a unit, or is finer than 1 ns.
    """
    expected = f'expected a duration such as "250ms" (units {", ".join(_UNITS)})'
    if len(text) > _DURATION_CHARS_MAX:
        raise ValueError(f"{expected}, got a text of {len(text)} characters")
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'{expected}, got "{text}"')
    sign, whole, fraction, unit = match.groups()
    if sign:
        raise ValueError(f'{expected}, never negative, got "{text}"')
    scale = _UNITS[unit]
    nanos = int(whole) * scale
    if fraction:
        numerator, denominator = int(fraction) * scale, 10 ** len(fraction)
        if numerator % denominator:
            raise ValueError(f'"{text}" is finer than one nanosecond')
        nanos += numerator // denominator
    return nanos


def format_duration(span: Nanos) -> str:
    """The shortest exact text that `parse_duration` reads back; negative spans keep their sign."""
    sign, span = ("-", -span) if span < 0 else ("", span)
    for unit in ("s", "ms", "us"):
        scale = _UNITS[unit]
        if span % (scale // 1000) == 0 and (span >= scale or span == 0):
            whole, rest = divmod(span, scale)
            fraction = f".{rest * 1000 // scale:03d}".rstrip("0").rstrip(".") if rest else ""
            return f"{sign}{whole}{fraction}{unit}"
    return f"{sign}{span}ns"


def decimals(amount: Decimal) -> int:
    """How many decimals of an amount mean something; zeros at its end do not. For exponents that money has."""
    return max(-int(amount.normalize().as_tuple().exponent), 0)


def fits_ledger(number: Decimal) -> bool:
    """Whether a finite number has digits and an exponent that MONEY can hold."""
    _, digits, exponent = number.as_tuple()
    return len(digits) <= MONEY.prec and max(number.adjusted(), abs(int(exponent))) <= _EXPONENT_MAX


def is_number(number: Decimal) -> bool:
    """Whether what somebody outside says can be reckoned with: finite, and of digits that exact sums have room for.

    It is zero, or from 1E-36 to below 1E+24 in size, and no finer than the 52nd decimal.
    """
    if not number.is_finite():
        return False
    size, exponent = number.adjusted(), int(number.as_tuple().exponent)
    return size < _EXPONENT_MAX and exponent >= -_DECIMALS_MAX and (size >= -_SMALLEST or not number)


def is_integer(number: int) -> bool:
    """Whether an integer that somebody outside says can be kept: below 2**63 in size."""
    return number.bit_length() <= _INTEGER_BITS_HELD


def as_integer(number: int) -> int:
    """An integer that somebody outside has said, as it can be stated: -1, if it `is_integer` not."""
    return number if is_integer(number) else -1


def is_text(text: str) -> bool:
    """Whether what somebody outside calls something can be kept: of no more than TEXT_CHARS_MAX characters, each of
    which UTF-8 can write. Half of a surrogate pair is none."""
    return len(text) <= TEXT_CHARS_MAX and as_text(text) == text


def as_text(text: str) -> str:
    """What somebody outside has said, as it can be stated: its first TEXT_CHARS_MAX characters, escaped where UTF-8
    cannot write them. What `is_text` is as it was."""
    return text[:TEXT_CHARS_MAX].encode("utf-8", "backslashreplace").decode()


def nearest(amount: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` nearest to `amount`; of two equally near, the even one."""
    return (amount / step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * step


def whole_steps(amount: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `amount`, which is not negative."""
    return EXACT.multiply(EXACT.divide_int(amount, step), step)


def round_down(amount: Decimal, decimals: int) -> Decimal:
    """The largest amount of a token with that many decimals which is not above `amount`."""
    return amount.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_DOWN)


def round_up(amount: Decimal, decimals: int) -> Decimal:
    """The smallest amount of a token with that many decimals which is not below `amount`."""
    return amount.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_UP)
