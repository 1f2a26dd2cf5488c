"""Opposite wishes of one user meet before anything is traded: the newest of his waiting orders give way first."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

_ZERO: Final = Decimal(0)


class Netted(NamedTuple):
    """What an opposite order takes from those that wait, in the amounts that these are in."""

    removed: tuple[tuple[str, Decimal], ...]
    """By order, newest first; nothing of those that lose nothing."""
    left: Decimal
    """What met nothing, and is an order in its own right."""


def net(queue: Sequence[tuple[str, Decimal]], amount: Decimal) -> Netted:
    """Meet `amount` with what is not engaged of the orders in `queue`, which is oldest first.

    What is engaged stays so, whoever asks for the opposite: it is with an exchange.
    """
    removed, left = [], amount
    for order_id, remaining in reversed(queue):
        if left <= 0:
            break
        met = min(remaining, left)
        if met > 0:
            removed.append((order_id, met))
            left -= met
    return Netted(tuple(removed), max(left, _ZERO))
