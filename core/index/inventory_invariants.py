"""What must hold of an inventory between any two events (I6).

A lot is what remains of it, what closed others when it was booked, and what was closed since; no more of it is assigned
than there was; its closes and assignments add up to its sums, as far as they are kept; and the open lots of an asset
add up to its balance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext
from typing import Final

from msgspec import structs

from core.index.inventory import Holding, Inventory
from core.index.inventory_lots import InventoryLot
from core.units import EXACT

_ZERO: Final = Decimal(0)


def inventory_violations(inventory: Inventory) -> list[str]:
    """What does not hold, one line each with the evidence; empty when all is well."""
    return InventoryWatch().look(inventory)


class InventoryWatch:
    """Looks at an inventory again and again, and at each lot once.

    Lots cannot be changed: what happens to one puts another in its place. So each lot that was not there at the last
    look is looked at, and the sum of an asset whenever one of its lots or its balance is not what it was.
    """

    def __init__(self) -> None:
        self._seen: dict[str, Holding] = {}

    def look(self, inventory: Inventory) -> list[str]:
        """What does not hold, one line each with the evidence, of what is new since the last look."""
        found = []
        for asset, holding in inventory.holdings.items():
            seen = self._seen.get(asset)
            if seen is None or not _is_same(holding, seen):
                found += _violations(inventory, holding, seen or Holding(asset))
                self._seen[asset] = structs.replace(holding, lots=dict(holding.lots), closed=dict(holding.closed))
        return found


def _is_same(holding: Holding, seen: Holding) -> bool:
    """Whether the same lots are in the same places, and the balance is the same."""
    return (
        holding.balance == seen.balance
        and list(holding.lots.values()) == list(seen.lots.values())
        and list(holding.closed.values()) == list(seen.closed.values())
    )


def _violations(inventory: Inventory, holding: Holding, seen: Holding) -> list[str]:
    found: list[str] = []
    with localcontext(EXACT):
        for lots, known in ((holding.lots, seen.lots), (holding.closed, seen.closed)):
            for at, lot in lots.items():
                if known.get(at) is not lot:
                    found += _evidence(inventory, lot)
        held = sum([lot.remaining if lot.side == "buy" else -lot.remaining for lot in holding.lots.values()], _ZERO)
    if held != holding.balance:
        found.append(f"I6 {holding.asset}: lots hold {held}, the balance is {holding.balance}")
    return found


def _evidence(inventory: Inventory, lot: InventoryLot) -> Iterator[str]:
    parts = EXACT.add(EXACT.add(lot.remaining, lot.matched), lot.closed)
    if parts != lot.original:
        yield f"I6 {lot.asset} lot {lot.lot_id}: parts of it are {parts}, it was {lot.original}"
    if lot.assigned > lot.original:
        yield f"I6 {lot.asset} lot {lot.lot_id}: {lot.assigned} is assigned of {lot.original}"
    closed, assigned = (_total(step.quantity for step in steps) for steps in (lot.closes, lot.assignments))
    if closed > lot.closed or (closed < lot.closed and len(lot.closes) < inventory.steps_max):
        yield f"I6 {lot.asset} lot {lot.lot_id}: {lot.closed} of it is closed, by its closes {closed}"
    if assigned > lot.assigned or (assigned < lot.assigned and len(lot.assignments) < inventory.steps_max):
        yield f"I6 {lot.asset} lot {lot.lot_id}: {lot.assigned} of it is assigned, by its assignments {assigned}"


def _total(amounts: Iterable[Decimal]) -> Decimal:
    total = _ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
