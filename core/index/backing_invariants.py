"""What must hold of what is held for index tokens, between any two events.

I11 Of no asset less than nothing is held for an index: the desk sells for it what there is, and no more. It may lack
    what was not worth buying.
I12 What the backed tokens of an index need of each asset, by what it aims at, is held, or a task of the house, or was
    nothing worth trading. Not while something has changed and its tasks are still to be counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from core.index.indexes import Indexes, LiveIndex
from core.index.rebalance import owed
from core.index.rebalance_states import RebalanceState

_ZERO: Final = Decimal(0)


def backing_violations(indexes: Indexes, tolerance: Decimal) -> Iterator[str]:
    """What does not hold, one line each with the evidence. Of an asset, no more than `tolerance` is nothing."""
    for index in indexes.live.values():
        each = {asset: max(one, _ZERO) for asset, one in index.basket.quantities().items()}
        for asset, quantity in index.held.items():
            if -quantity > index.slack(each.get(asset, _ZERO), tolerance) + index.lacks(asset):
                yield f"I11 {index.symbol}: {quantity} {asset} are held"
        yield from _unbacked(indexes, index, tolerance)


def _unbacked(indexes: Indexes, index: LiveIndex, tolerance: Decimal) -> Iterator[str]:
    rebalance, aim = indexes.rebalances.get(index.symbol), indexes.aim(index.symbol)
    if indexes.attend or (rebalance is not None and rebalance.state is RebalanceState.WAITING):
        return
    each, tasks = aim.quantities(), indexes.tasks_of(index.symbol)
    known = dict(index.rest)
    for task in tasks:
        known[task.asset] = known.get(task.asset, _ZERO) + task.change
    lacking = owed(index.held, aim, index.backed)
    for asset in dict.fromkeys((*lacking, *known)):
        off = lacking.get(asset, _ZERO) - known.get(asset, _ZERO)
        if abs(off) > index.slack(each.get(asset, _ZERO), tolerance):
            yield f"I12 {index.symbol}: {off} {asset} are owed to its tokens, and nobody's task"
