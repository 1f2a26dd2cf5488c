"""What the house has to trade, counted from what is held: for indexes that are rebalanced, and for itself.

Of an index, each asset of which more or less is held than its aim asks for is a task. Of the house's own, all that it
holds of a delisted asset; of any other, what is worth more than `house_surplus_max`; and all of its largest holdings
until what it holds in all is within `house_exposure_max`, so that there is room again, and orders need not wait for it.
It leaves alone what the exchange takes no order for, where it is not to make room what is less than the desk's own
smallest order, and an asset that an index buys, for then the one serves the other. Without a price nothing can be said
of an asset: a task of it stands as it was, and what has none is looked at again once there is a price.

What was sold for nobody, because an order has left or a market has risen since, the house buys back: it is held for
tokens still, and is not there. Sales that orders will take it leaves to them, while they are little. Until a *spoiled*
sale is bought back nobody sells what it was part of once more (`spoiled_of`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from core.index.admission import promised
from core.index.base import DeskBase
from core.index.blocked import unblock
from core.index.facts import HouseTaskDone, HouseTaskSet, StockReleased
from core.index.indexes import LiveIndex, Rebalance
from core.index.limits import AssetMarket, limit_price, market, worst_price
from core.index.planning import Mode, PlanReason, key
from core.index.rebalance import HouseTask, Priority, owed
from core.index.rebalance_states import RebalanceState, TaskStep
from core.index.sizing import house_values
from core.index.stock import cost_of, held, held_assets, house_quantities, leave_to_house, spoiled
from core.market.filters import least
from core.market.orders import Side
from core.market.prices import PriceType
from core.units import Nanos

_ZERO: Final = Decimal(0)


class _Which(NamedTuple):
    """What a task is known by, whenever it is counted."""

    symbol: str
    asset: str
    side: Side


class _Count(NamedTuple):
    quantity: Decimal
    priority: Priority
    deadline: Nanos


def count_tasks(desk: DeskBase, now: Nanos) -> None:
    """Bring all tasks up to date. Call it while no house batch runs."""
    indexes = desk.state.indexes
    counts: dict[_Which, _Count] = {}
    for symbol, rebalance in indexes.rebalances.items():
        counts |= _of_index(desk, now, indexes.live[symbol], rebalance)
    counts |= _of_house(desk, now, counts)
    for task in list(indexes.tasks.values()):
        count = counts.pop(_Which(task.symbol, task.asset, task.side), None)
        if count is None:
            task.step(TaskStep.DONE)
            unblock(desk, task)
            del indexes.tasks[task.task_id]
            desk.note(HouseTaskDone(task.task_id, task.symbol, task.asset))
        else:
            task.quantity, task.priority, task.deadline = count
    for which, count in counts.items():
        _set(desk, now, which, count)


def spoiled_of(desk: DeskBase, now: Nanos, asset: str) -> Decimal:
    """What was sold of an asset and no order will take at prices as they are; in reference mode they take all. What
    nobody could buy back, being worth nothing, stands in nobody's way."""
    if desk.settings.limits.mode is Mode.REFERENCE:
        return _ZERO
    worst = worst_sale(desk, now, asset)
    lost = _ZERO if worst is None else spoiled(desk.state.stock, asset, worst)
    return _ZERO if _is_dust(desk, now, asset, lost) else lost


def worst_sale(desk: DeskBase, now: Nanos, asset: str) -> Decimal | None:
    """At what a unit has to be sold so that orders take it; None where nothing was sold, or there is no market."""
    stock, at = desk.state.stock, key(asset, "sell")
    if not any(at in shelf for shelf in (stock.carried, stock.house, stock.offered)):
        return None
    one = market(desk.views(now, (asset,))[asset], "sell", desk.settings.limits)
    return None if one is None else one.limit


def house_is_due(desk: DeskBase, now: Nanos) -> bool:
    """Whether the house may have something to trade for itself: a quick look that `count_tasks` goes into."""
    stock, most = desk.state.stock, desk.settings.house_surplus_max
    if _is_beyond_limit(desk, now) or any(at.startswith("sell:") for one in (stock.carried, stock.house) for at in one):
        return True
    quantities = house_quantities(stock)
    prices = desk.prices(now, quantities, PriceType.MID_POINT)
    return any(
        asset in desk.state.indexes.delisted
        or (quantity * prices[asset] if asset in prices else cost_of(stock, asset)) > most
        for asset, quantity in quantities.items()
    )


def _is_beyond_limit(desk: DeskBase, now: Nanos) -> bool:
    """Whether the house holds more in all than it may; in reference mode it may hold anything."""
    if desk.settings.limits.mode is Mode.REFERENCE:
        return False
    return sum(_values(desk, now).values(), _ZERO) > desk.settings.limits.house_exposure_max


def _values(desk: DeskBase, now: Nanos) -> dict[str, Decimal]:
    stock = desk.state.stock
    return house_values(held(stock), desk.views(now, held_assets(stock)).values(), desk.settings.limits)


def _of_index(desk: DeskBase, now: Nanos, index: LiveIndex, rebalance: Rebalance) -> dict[_Which, _Count]:
    changes = owed(index.held, rebalance.aim, index.backed)
    if rebalance.state is RebalanceState.WAITING:
        changes = _leaving(desk, index, changes)
    index.rest = {asset: change for asset, change in changes.items() if _is_dust(desk, now, asset, change)}
    due = rebalance.deadline if rebalance.deadline is not None else now + desk.settings.rebalance_window_ns
    dates = desk.state.indexes.delisted
    return {
        _Which(index.symbol, asset, _side(change)): _Count(
            abs(change),
            Priority.DELISTING if asset in dates else Priority.REBALANCE,
            dates.get(asset, due),
        )
        for asset, change in changes.items()
        if asset not in index.rest
    }


def _leaving(desk: DeskBase, index: LiveIndex, changes: dict[str, Decimal]) -> dict[str, Decimal]:
    """Before batches by the basket in force have ended: what leaves for good, and what they do not sell themselves."""
    tokens = promised(desk.state.batches.running.values(), index.symbol)
    each = index.basket.quantities()
    free = {asset: -(index.held[asset] - each.get(asset, _ZERO) * tokens) for asset in index.held}
    sales = {asset: max(change, free[asset]) for asset, change in changes.items() if change < 0}
    return {asset: sale for asset, sale in sales.items() if asset in desk.state.indexes.delisted and sale < 0}


def _is_dust(desk: DeskBase, now: Nanos, asset: str, change: Decimal) -> bool:
    """Whether nobody could trade it: no plan engages what is worth nothing at its limit (`engaging.is_nothing`), which
    is at least the best ask, or the worst price that may be made of the best bid."""
    limits = desk.settings.limits
    if abs(change) <= limits.nothing:
        return True
    best = desk.state.books.price(now, asset, PriceType.BEST_ASK if change > 0 else PriceType.BEST_BID)
    if best is None:
        return False
    least = best if change > 0 else worst_price(best, "sell", limits)
    return abs(change) * least <= limits.collateral_tolerance


def _of_house(desk: DeskBase, now: Nanos, counts: dict[_Which, _Count]) -> dict[_Which, _Count]:
    _collect(desk, now)
    dates, traded = desk.state.indexes.delisted, {(which.asset, which.side) for which in counts}
    quantities = house_quantities(desk.state.stock)
    kept = {asset: one for asset, one in quantities.items() if one > 0 and (asset, "buy") not in traded}
    surplus = {asset: _too_much(desk, now, asset, one) for asset, one in kept.items()} | _to_make_room(desk, now, kept)
    unseen = {asset: None for asset, one in quantities.items() if _is_unseen(desk, now, asset, _other(one))}
    found = {}
    for asset, quantity in quantities.items():
        side = _other(quantity)
        if side == "buy":
            amount = _to_buy_back(desk, now, asset, is_sold=(asset, "sell") in traded)
        else:
            amount = surplus.get(asset, _ZERO)
        if asset in unseen and not amount and (asset, _side(quantity)) not in traded:
            amount = _as_it_was(desk, _Which("", asset, side), abs(quantity))
        if amount:
            priority = Priority.DELISTING if asset in dates else Priority.SURPLUS
            due = dates.get(asset, now + desk.settings.rebalance_window_ns)
            found[_Which("", asset, side)] = _Count(amount, priority, due)
    desk.state.indexes.unseen = unseen
    return found


def _is_unseen(desk: DeskBase, now: Nanos, asset: str, side: Side) -> bool:
    """Whether a price is missing that says how much the house has to trade of an asset. What it buys back depends on
    what orders would take, which the other side's says."""
    view, limits = desk.views(now, (asset,))[asset], desk.settings.limits
    if limits.mode is Mode.REFERENCE:
        return False
    sides: tuple[Side, ...] = ("sell",) if side == "sell" else ("buy", "sell")
    return any(limit_price(view, each, limits) is None for each in sides)


def _as_it_was(desk: DeskBase, which: _Which, most: Decimal) -> Decimal:
    """What a task was counted as last, as far as that is still there; 0 if there is no such task."""
    tasks = desk.state.indexes.tasks_of(which.symbol)
    return next((min(one.quantity, most) for one in tasks if (one.asset, one.side) == which[1:]), _ZERO)


def _collect(desk: DeskBase, now: Nanos) -> None:
    """The house takes over what is carried for orders that will not take it."""
    stock, limits = desk.state.stock, desk.settings.limits
    for lots in list(stock.carried.values()):
        asset, side = lots[0].asset, lots[0].side
        one = market(desk.views(now, (asset,))[asset], side, limits)
        if asset in desk.state.indexes.delisted:
            left = leave_to_house(stock, asset, side)
        elif one is not None and limits.mode is not Mode.REFERENCE:
            left = leave_to_house(stock, asset, side, one.limit)
        else:
            left = _ZERO
        if left:
            desk.note(StockReleased(asset, side, left))


def _to_buy_back(desk: DeskBase, now: Nanos, asset: str, *, is_sold: bool) -> Decimal:
    """How much the house should buy of what it has sold: what is spoiled, and the rest if nobody sells the asset now
    and it is enough for an exchange order."""
    limits = desk.settings.limits
    if limits.mode is Mode.REFERENCE:
        return _ZERO
    lost, total = spoiled_of(desk, now, asset), abs(house_quantities(desk.state.stock)[asset])
    one = market(desk.views(now, (asset,))[asset], "buy", limits)
    if one is None:
        return _ZERO
    if not is_sold and total * one.limit >= limits.min_asset_volley_size:
        return total
    return lost


def _too_much(desk: DeskBase, now: Nanos, asset: str, quantity: Decimal) -> Decimal:
    """How much the house should sell of what it holds of an asset; 0 if that is no order."""
    limits, delisted = desk.settings.limits, asset in desk.state.indexes.delisted
    if limits.mode is Mode.REFERENCE and not delisted:
        return _ZERO
    one = market(desk.views(now, (asset,))[asset], "sell", limits)
    if one is None:
        return quantity if delisted else _ZERO
    amount = quantity if delisted else quantity - desk.settings.house_surplus_max / one.limit
    is_order = amount * one.limit >= limits.min_asset_volley_size and _passes(desk, one, amount)
    return amount if is_order else _ZERO


def _to_make_room(desk: DeskBase, now: Nanos, kept: dict[str, Decimal]) -> dict[str, Decimal]:
    """Holdings that go as a whole, the largest first, until the house holds no more than it may in all; one at least
    where an order was left out for want of room. For that they may be smaller than the desk's own smallest exchange
    order; what the exchange takes no order for stays."""
    limits = desk.settings.limits
    if limits.mode is Mode.REFERENCE:
        return {}
    values, found = _values(desk, now), dict[str, Decimal]()
    left, is_wanted = sum(values.values(), _ZERO), desk.state.indexes.crowded and _is_waited_for(desk)
    for asset in sorted(kept, key=lambda asset: values[asset], reverse=True):
        if left <= limits.house_exposure_max and (found or not is_wanted):
            break
        one = market(desk.views(now, (asset,))[asset], "sell", limits)
        if one is not None and _passes(desk, one, kept[asset]) and not _is_dust(desk, now, asset, -kept[asset]):
            found[asset] = kept[asset]
            left -= values[asset]
    return found


def _is_waited_for(desk: DeskBase) -> bool:
    """Whether an order that was left out for want of room still is."""
    orders = desk.state.orders
    return any(orders.live[order_id].deferral == PlanReason.HOUSE_EXPOSURE for order_id in orders.ready.kinds)


def _passes(desk: DeskBase, one: AssetMarket, quantity: Decimal) -> bool:
    """Whether the exchange's filters let through an order for so much."""
    return all(quantity >= least(each, one.side, one.limit) for each in desk.state.batches.room.of((one.asset,)))


def _set(desk: DeskBase, now: Nanos, which: _Which, count: _Count) -> None:
    task = HouseTask(
        task_id=desk.state.ids.next("R"),
        symbol=which.symbol,
        asset=which.asset,
        side=which.side,
        quantity=count.quantity,
        priority=count.priority,
        created_at=now,
        deadline=count.deadline,
    )
    desk.state.indexes.tasks[task.task_id] = task
    amounts = (task.asset, task.side, task.quantity, task.priority.name.lower(), task.deadline)
    desk.note(HouseTaskSet(task.task_id, task.symbol, *amounts))


def _side(change: Decimal) -> Side:
    return "buy" if change > 0 else "sell"


def _other(holding: Decimal) -> Side:
    """On which side the house trades what it holds, or has sold if below zero."""
    return "sell" if holding > 0 else "buy"
