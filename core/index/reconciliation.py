"""What is owned against what the venue says, and an order's slices as one line a lot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec
from msgspec import structs

from core.index.allocation import Slice
from core.kernel.record import Record
from core.units import EXACT

_ZERO: Final = Decimal(0)


class Difference(Record, frozen=True):
    """The venue holds `at_venue` of an asset, free and locked; it should be `owned`."""

    asset: str
    owned: Decimal
    at_venue: Decimal

    @property
    def missing(self) -> Decimal:
        """How much less there is than there should be; below zero, how much more."""
        return EXACT.subtract(self.owned, self.at_venue)


class Reconciliation(msgspec.Struct):
    """How far comparing has come. Part of the desk's state."""

    differing: dict[str, Decimal] = {}
    """By asset that differs, how much is missing, as it was stated last."""
    left: dict[str, None] = {}
    """Assets that were not compared yet in the round at hand."""
    attempts: int = 0
    """Looks at the balances in that round so far."""


def reconcile(
    owned: Mapping[str, Decimal], balances: Mapping[str, Decimal], tolerance: Decimal = _ZERO
) -> tuple[Difference, ...]:
    """Where what is owned and what the venue holds differ by more than `tolerance`, by asset name.

    `balances` are free and locked together. An asset that is missing on a side is 0 there.
    """
    found = (
        Difference(asset, owned.get(asset, _ZERO), balances.get(asset, _ZERO))
        for asset in sorted(owned.keys() | balances.keys())
    )
    return tuple(one for one in found if abs(one.missing) > tolerance)


def compress(slices: Iterable[Slice]) -> tuple[Slice, ...]:
    """One slice per asset and lot: quantities and fees summed, the least remaining, the latest assignment.

    Sorted by when they were assigned, then by asset and lot.
    """
    by_lot: dict[tuple[str, str], Slice] = {}
    for piece in slices:
        at = (piece.asset, piece.lot_id)
        by_lot[at] = _joined(by_lot[at], piece) if at in by_lot else piece
    return tuple(sorted(by_lot.values(), key=lambda one: (one.assigned_at, one.asset, one.lot_id)))


def _joined(one: Slice, other: Slice) -> Slice:
    return structs.replace(
        one,
        quantity=EXACT.add(one.quantity, other.quantity),
        fee=one.fee + other.fee,
        remaining_quantity=min(one.remaining_quantity, other.remaining_quantity),
        assigned_at=max(one.assigned_at, other.assigned_at),
    )
