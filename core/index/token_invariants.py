"""What must hold of index tokens between any two events.

I13 Nothing stays in custody for good that can go. Tokens that an order has locked are enough for what is left of it and
    what it has sold, and belong to a sell that is alive. Free tokens are waited for by a sell of their user, are due to
    go back, or are what the chain will not give back, which is never more than there is.
I14 The chain's tokens are what was minted less what was burned, and each is its holder's or in custody for him; the
    supply that the desk counts is that, but for what the chain has done and not confirmed; and custody is the same for
    the chain and for the desk, but for deposits that the desk has not heard of and calls that are open.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Final, TypeAlias

from core.index.base import DeskState
from core.index.chain import BurnIndex, ChainDeed, DepositIndex, MintIndex, ReturnIndex
from core.index.chain_log import ChainLog
from core.index.settings import DeskSettings
from core.units import EXACT

Holders: TypeAlias = dict[tuple[str, str], Decimal]
"""By index and user; nothing of those that hold nothing."""
_ZERO: Final = Decimal(0)


def custody_violations(desk: DeskState, settings: DeskSettings) -> Iterator[str]:
    """I13."""
    live, custody = desk.orders.live, desk.custody
    for order_id, locked in custody.locked.items():
        order = live.get(order_id)
        if order is None or order.side != "sell":
            yield f"I13 {order_id}: {locked} tokens are locked, and it is {'gone' if order is None else 'a buy'}"
            continue
        needed = order.open_amount + order.spent - order.minted
        if needed > locked + settings.limits.collateral_tolerance:
            yield f"I13 {order_id}: {needed} tokens are open or sold, {locked} are locked"
    for user, tokens in custody.free.items():
        orders = [live[order_id] for order_id in desk.orders.by_user.get(user, {})]
        for symbol, amount in tokens.items():
            wanted = any((order.symbol, order.side) == (symbol, "sell") for order in orders)
            kept = custody.kept_of(user, symbol)
            if amount < kept:
                yield f"I13 {user}: {amount} {symbol} are free, and {kept} of them kept"
            elif amount > kept and not (wanted or custody.is_idle(user, symbol)):
                yield f"I13 {user}: {amount - kept} {symbol} are free, and neither wanted nor due to go back"


def token_violations(desk: DeskState, log: ChainLog) -> list[str]:
    """I14."""
    with localcontext(EXACT):
        return [*_supply_violations(desk, log), *_custody_differences(desk, log)]


def _supply_violations(desk: DeskState, log: ChainLog) -> Iterator[str]:
    minted: dict[str, Decimal] = {}
    for did in _deeds(log):
        if isinstance(did, MintIndex | BurnIndex):
            change = did.quantity if isinstance(did, MintIndex) else -did.quantity
            minted[did.symbol] = minted.get(did.symbol, _ZERO) + change
    for symbol in dict.fromkeys((*minted, *log.balances, *log.custody)):
        if log.supply(symbol) != minted.get(symbol, _ZERO):
            yield f"I14 {symbol}: {minted.get(symbol, _ZERO)} minted and not burned, {log.supply(symbol)} held"
    for did in _unconfirmed(desk, log):
        if isinstance(did, MintIndex | BurnIndex):
            minted[did.symbol] += did.quantity if isinstance(did, BurnIndex) else -did.quantity
    counted = {symbol: index.supply for symbol, index in desk.indexes.live.items()}
    for symbol in dict.fromkeys((*counted, *minted)):
        supply, confirmed = counted.get(symbol, _ZERO), minted.get(symbol, _ZERO)
        if supply != confirmed:
            yield f"I14 {symbol}: the desk counts {supply}, the chain has confirmed {confirmed}"


def _custody_differences(desk: DeskState, log: ChainLog) -> Iterator[str]:
    expected = _of_desk(desk)
    for call in desk.chain.calls.values():
        if isinstance(call.request, ReturnIndex) and call.request.key not in log.done:
            _add(expected, call.request, call.request.quantity)
    for did in _unconfirmed(desk, log):
        if isinstance(did, BurnIndex):
            _add(expected, did, -did.quantity)
    for did in _deeds(log):
        if isinstance(did, DepositIndex) and not desk.custody.has_seen(did.seq_num):
            _add(expected, did, did.quantity)
    found = {(symbol, user): held for symbol, holders in log.custody.items() for user, held in holders.items()}
    for symbol, user in sorted(expected.keys() | found.keys()):
        wanted, held = expected.get((symbol, user), _ZERO), found.get((symbol, user), _ZERO)
        if wanted != held:
            yield f"I14 {symbol} of {user}: the chain holds {held} in custody, by the desk's books {wanted}"


def _of_desk(desk: DeskState) -> Holders:
    held = {(symbol, user): free for user, tokens in desk.custody.free.items() for symbol, free in tokens.items()}
    for order_id, locked in desk.custody.locked.items():
        order = desk.orders.live.get(order_id)
        if order is None:
            continue
        held[order.symbol, order.user] = held.get((order.symbol, order.user), _ZERO) + locked
    return held


def _unconfirmed(desk: DeskState, log: ChainLog) -> Iterator[ChainDeed]:
    """What the chain has done and the desk does not know."""
    return (call.request for call in desk.chain.calls.values() if call.request.key in log.done)


def _deeds(log: ChainLog) -> Iterator[ChainDeed]:
    return (event.did for events in (*log.events, log.pending) for event in events)


def _add(held: Holders, did: BurnIndex | ReturnIndex | DepositIndex, change: Decimal) -> None:
    at = did.symbol, did.user
    held[at] = held.get(at, _ZERO) + change
