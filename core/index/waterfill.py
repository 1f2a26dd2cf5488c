"""Max-min fair sharing by progressive filling.

Every claim is raised together, as a share of what it asks for, until a resource that it needs is used up; claims that
need that resource stop there and the others go on. So no claim can be raised without lowering one that has a smaller or
an equal share, and every claim has at least what proportional sharing would give it. Shares, not amounts, are made
equal: a claim for five times as much gets five times as much, and splitting a claim in two wins nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypeAlias

from core.index.rounding import DOWN

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)

Claims: TypeAlias = Mapping[str, Mapping[str, Decimal]]
"""By claim, what all of it would use of each resource."""


def water_fill(claims: Claims, supply: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The share of each claim, from 0 to 1, that keeps the use of every resource within its supply.

    A resource that is not in `supply` is unlimited. Shares are rounded down.
    """
    shares: dict[str, Decimal] = {}
    left = {name: max(amount, _ZERO) for name, amount in supply.items()}
    active = {name: _needed(uses) for name, uses in claims.items()}
    while active:
        ceilings = _ceilings(active, left)
        level = min(ceilings.values(), default=_ONE)
        if level >= _ONE:
            return _in_order(claims, shares | dict.fromkeys(active, _ONE))
        full = {key for key, ceiling in ceilings.items() if ceiling <= level}
        for name in [name for name, uses in active.items() if not full.isdisjoint(uses)]:
            shares[name] = level
            for key, used in active.pop(name).items():
                if key in left:
                    rest = left[key] - used * level
                    left[key] = rest if rest > 0 else _ZERO
    return _in_order(claims, shares)


def _needed(uses: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    return uses if all(uses.values()) else {key: used for key, used in uses.items() if used}


def _ceilings(active: Claims, left: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """How far the active claims can be raised together, by resource."""
    wanted: dict[str, Decimal] = {}
    for uses in active.values():
        for key, used in uses.items():
            if key in left:
                wanted[key] = wanted[key] + used if key in wanted else used
    return {key: DOWN.divide(left[key], amount) for key, amount in wanted.items()}


def _in_order(claims: Claims, shares: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {name: shares[name] for name in claims}
