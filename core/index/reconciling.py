"""Reconciliation: what the inventory owns against what the exchange says that the account holds.

Execution asks the exchange when there is a new session; from then on the desk has it asked at an interval. A round is
over when every asset was compared once. An asset of which an order was in the exchange's hands meanwhile cannot be
compared, because a trade may be in one of the two numbers and not yet in the other, so it is looked at again soon.

Nothing is stopped or mended here: what differs is stated once, and again when it changes, and so is its end. What the
account holds of the quote token is not compared: hops bring and fetch it, and the collateral keeps its ledger.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.execution.records import EXECUTION, AssetHeld, BalancesReported, BalancesWanted
from core.index.base import DeskBase
from core.index.facts import InventoryAgreed, InventoryDiffered, InventoryReconciled
from core.index.reconciliation import reconcile
from core.market.books import doubled
from core.units import EXACT, Nanos

RECONCILE: Final = "reconcile"


def compare(desk: DeskBase, now: Nanos, said: BalancesReported) -> None:
    """Compare what is settled, state what is new of that, and have the rest, or all, looked at again."""
    work = desk.state.reconciliation
    settled = {one.asset: one for one in said.assets if one.settled}
    _judge(desk, settled)
    unsettled = [one.asset for one in said.assets if not one.settled]
    work.left = {asset: None for asset in unsettled if not work.left or asset in work.left}
    if not work.left:
        work.attempts = 0
        desk.note(InventoryReconciled(len(said.assets), len(work.differing)))
    interval = desk.settings.reconcile_interval_ns
    if not interval or desk.state.stopping:
        return
    if work.left:
        work.attempts += 1
        interval = doubled(desk.settings.reconcile_retry_ns, work.attempts, interval)
    desk.wake(RECONCILE, now + interval)


def look_again(desk: DeskBase, _now: Nanos, _of: str) -> None:
    """It is time to ask what the account holds."""
    if not desk.state.stopping:
        desk.send(EXECUTION, BalancesWanted())


def _judge(desk: DeskBase, settled: dict[str, AssetHeld]) -> None:
    differing, tolerance = desk.state.reconciliation.differing, desk.settings.limits.nothing
    owned = {asset: _owned(desk, held) for asset, held in settled.items()}
    held = {asset: one.quantity for asset, one in settled.items()}
    found = {one.asset: one for one in reconcile(owned, held, tolerance)}
    for asset in settled:
        known, difference = differing.get(asset), found.get(asset)
        if difference is None:
            if differing.pop(asset, None) is not None:
                desk.note(InventoryAgreed(asset, owned[asset], held[asset]))
        elif known is None or abs(EXACT.subtract(known, difference.missing)) > tolerance:
            differing[asset] = difference.missing
            desk.note(InventoryDiffered(asset, difference.owned, difference.at_venue))


def _owned(desk: DeskBase, held: AssetHeld) -> Decimal:
    """What should be there: what was there before the desk traded, and what its trades made of it."""
    total = desk.settings.opening_balances.get(held.asset, Decimal(0))
    for symbol in held.symbols:
        holding = desk.state.inventory.holdings.get(symbol)
        if holding is not None:
            total = EXACT.add(total, holding.balance)
    return total
