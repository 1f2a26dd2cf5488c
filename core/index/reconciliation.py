"""What is owned against what the venue says."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

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
