"""In which order the messages of a block stand: policies, each a pure function of what arrived.

- `fifo`: as they arrived.
- `shuffle`: by SHA-256("romer.shuffle.1" || hash of the block before || global sequence number as 8 bytes big
  endian). Nobody knows the order before the block before is sealed, and everybody can check it afterwards.
- `price_time`: the orders of one pair and side share their places anew, better limits first and equal ones as
  they arrived. All else stays where it was, so that no pair gains on another.
- `cancels_first`: cancel requests, then orders and requests to replace one, each as they arrived.
- `express_lane`: as if what the owners in the lane sent had arrived `head_start` earlier.

A policy only orders what is in one block: which block a message is in is decided by its arrival. A request to
cancel or replace an order never stands before it: where a policy puts it there, it follows right behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from core.market.orders import CancelOrder, Item, Order
from core.sequencer.leaf import Leaf
from core.units import Nanos

Policy: TypeAlias = Literal["fifo", "shuffle", "price_time", "cancels_first", "express_lane"]
_SHUFFLE_TAG: Final = b"romer.shuffle.1"


class Ordering(msgspec.Struct, frozen=True):
    """The policy, and who is in its express lane, with which head start."""

    policy: Policy = "fifo"
    head_start: Nanos = 0
    express: tuple[str, ...] = ()


class Arrival(NamedTuple):
    """A message of a block."""

    leaf: Leaf
    item: Item


def block_order(ordering: Ordering, arrivals: Sequence[Arrival], previous_hash: bytes) -> list[int]:
    """Which of `arrivals`, all of one block and in the order in which they came, stands in each place."""
    if ordering.policy == "fifo":
        return list(range(len(arrivals)))
    return _requests_behind_orders(arrivals, _POLICIES[ordering.policy](arrivals, ordering, previous_hash))


def _shuffle(arrivals: Sequence[Arrival], _ordering: Ordering, previous_hash: bytes) -> list[int]:
    seed = _SHUFFLE_TAG + previous_hash
    drawn = [sha256(seed + arrival.leaf.global_seq.to_bytes(8, "big")).digest() for arrival in arrivals]
    return sorted(range(len(arrivals)), key=drawn.__getitem__)


def _price_time(arrivals: Sequence[Arrival], _ordering: Ordering, _previous_hash: bytes) -> list[int]:
    books: dict[tuple[str, str], list[int]] = {}
    for index, (_, item) in enumerate(arrivals):
        if isinstance(item, Order):
            books.setdefault((item.symbol, item.side), []).append(index)
    places = list(range(len(arrivals)))
    for book in books.values():
        for place, index in zip(book, sorted(book, key=lambda at: _limit(arrivals[at].item)), strict=True):
            places[place] = index
    return places


def _cancels_first(arrivals: Sequence[Arrival], _ordering: Ordering, _previous_hash: bytes) -> list[int]:
    return sorted(range(len(arrivals)), key=lambda index: not isinstance(arrivals[index].item, CancelOrder))


def _express_lane(arrivals: Sequence[Arrival], ordering: Ordering, _previous_hash: bytes) -> list[int]:
    ahead = dict.fromkeys(ordering.express, ordering.head_start)
    return sorted(
        range(len(arrivals)),
        key=lambda index: arrivals[index].leaf.received_at - ahead.get(arrivals[index].leaf.owner, 0),
    )


_POLICIES: Final[dict[Policy, Callable[[Sequence[Arrival], Ordering, bytes], list[int]]]] = {
    "shuffle": _shuffle,
    "price_time": _price_time,
    "cancels_first": _cancels_first,
    "express_lane": _express_lane,
}


def _limit(item: Item) -> Decimal:
    """Lower is better for the other side of the market."""
    assert isinstance(item, Order)
    return item.limit_price if item.side == "sell" else -item.limit_price


def _requests_behind_orders(arrivals: Sequence[Arrival], places: list[int]) -> list[int]:
    orders = {arrivals[index].item.order_id: index for index in places if isinstance(arrivals[index].item, Order)}
    waiting: dict[int, list[int]] = {}
    placed: dict[int, None] = {}
    for index in places:
        item = arrivals[index].item
        order = index if isinstance(item, Order) else orders.get(item.order_id, index)
        if order != index and order not in placed:
            waiting.setdefault(order, []).append(index)
        else:
            placed.update(dict.fromkeys((index, *waiting.pop(index, ()))))
    return list(placed)
