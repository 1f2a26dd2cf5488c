"""What must hold of what is held for index tokens, between any two events.

I11 Of no asset less than nothing is held for an index: the desk sells for it what there is, and no more. It may lack
    what was not worth buying.
I12 The backed tokens of an index are what was minted and not burned, and what live orders have bought and not minted,
    less what they have sold and not burned, and those that will not be minted and whose share is still to be taken out:
    no more and no fewer. What these need of each asset, by what the index aims
    at, is held, or a task of the house, or was nothing worth trading; and so is what is held on top. That is not looked
    at while something has changed and its tasks are still to be counted: tasks are counted from what is held, so a
    surplus that comes to be there meanwhile is one more task. Whether what is held is there at all is for I5 to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from core.index.indexes import Indexes, LiveIndex
from core.index.order import IndexOrder
from core.index.rebalance import owed
from core.index.rebalance_states import RebalanceState
from core.index.states import IndexOrderState
from core.units import EXACT

_ZERO: Final = Decimal(0)


def backing_violations(indexes: Indexes, live: Iterable[IndexOrder], tolerance: Decimal) -> Iterator[str]:
    """What does not hold, one line each with the evidence. Of an asset, no more than `tolerance` is nothing; `live` are
    all orders that are alive."""
    progress = _in_progress(live)
    for one in indexes.unminted:
        progress[one.symbol] = EXACT.add(progress.get(one.symbol, _ZERO), one.tokens)
    for index in indexes.live.values():
        tokens = EXACT.add(index.supply, progress.get(index.symbol, _ZERO))
        if index.backed != tokens:
            yield f"I12 {index.symbol}: {index.backed} tokens are backed, {tokens} are there or to come"
        each = {asset: max(one, _ZERO) for asset, one in index.basket.quantities().items()}
        for asset, quantity in index.held.items():
            if -quantity > index.slack(each.get(asset, _ZERO), tolerance) + index.lacks(asset):
                yield f"I11 {index.symbol}: {quantity} {asset} are held"
        yield from _unbacked(indexes, index, tolerance)


def _in_progress(live: Iterable[IndexOrder]) -> dict[str, Decimal]:
    """By index, tokens that orders have bought and that are still to be minted, less those that are still to be burned.
    What an order that settles has was minted, burned or forgone."""
    tokens: dict[str, Decimal] = {}
    for order in live:
        if order.filled and order.state is not IndexOrderState.SETTLING:
            change = order.filled if order.side == "buy" else order.filled.copy_negate()
            tokens[order.symbol] = EXACT.add(tokens.get(order.symbol, _ZERO), change)
    return tokens


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
