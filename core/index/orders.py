"""All index orders of the desk: alive, in line for a batch or a mint, ended, and every id that a user ever gave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from core.index.order import COMING, IndexOrder
from core.index.ready import ReadyLine, of_index
from core.index.records import NewIndexOrder
from core.index.remembered import remember, remembers
from core.index.states import IndexOrderState
from core.market.orders import Side
from core.units import Nanos


class Orders(msgspec.Struct):
    """All orders that are alive, the newest of those that ended, and every id that a user ever gave."""

    live: dict[str, IndexOrder] = {}
    ready: ReadyLine = msgspec.field(default_factory=ReadyLine)
    """Orders that may be engaged."""
    mintable: dict[str, None] = {}
    """Orders that it is time to mint."""
    ended: dict[str, IndexOrder] = {}
    client_ids: dict[str, dict[str, str]] = {}
    """By user and his own id, the desk's: of the orders that are kept."""
    forgotten: dict[str, bytearray] = {}
    """By user, the ids of his orders that are not, as `core.index.remembered` has them."""
    coming: dict[str, dict[str, None]] = {}
    """Live orders that may be ready later, by kind."""
    going_on: dict[str, None] = {}
    """Live orders that were in a batch, and may come to more tokens."""
    by_user: dict[str, dict[str, None]] = {}
    """The live orders of each user, oldest first."""
    count: int = 0
    """Of all orders ever."""
    ended_count: int = 0

    def add(self, order_id: str, now: Nanos, request: NewIndexOrder) -> IndexOrder:
        """Make an order of a request whose client id is new."""
        self.count += 1
        order = IndexOrder(
            order_id=order_id,
            number=self.count,
            user=request.user,
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            original=request.amount,
            remaining=request.amount,
            created_at=now,
            updated_at=now,
        )
        self.live[order_id] = order
        self.track(order)
        self.client_ids.setdefault(order.user, {})[order.client_order_id] = order_id
        self.by_user.setdefault(order.user, {})[order_id] = None
        return order

    def track(self, order: IndexOrder) -> None:
        """Keep an order among those that it belongs to, whenever its state has changed."""
        if order.state in COMING:
            self.coming.setdefault(order.kind, {})[order.order_id] = None
        elif order.order_id in (there := self.coming.get(order.kind, {})):
            del there[order.order_id]
            if not there:
                del self.coming[order.kind]
        if order.goes_on:
            self.going_on[order.order_id] = None
        else:
            self.going_on.pop(order.order_id, None)

    def knows(self, user: str, client_order_id: str) -> bool:
        """Whether the user has ever used this id."""
        if client_order_id in self.client_ids.get(user, {}):
            return True
        return user in self.forgotten and remembers(self.forgotten[user], client_order_id)

    def open_count(self, user: str) -> int:
        """How many orders of the user are alive."""
        return len(self.by_user.get(user, {}))

    def of_client(self, user: str, client_order_id: str) -> IndexOrder | None:
        """The order of that id, alive or among the newest that ended."""
        order_id = self.client_ids.get(user, {}).get(client_order_id, "")
        return self.live.get(order_id) or self.ended.get(order_id)

    def waiting(self, user: str, symbol: str, side: Side) -> list[IndexOrder]:
        """The user's orders on that side that could still trade and are not leaving, oldest first."""
        orders = (self.live[order_id] for order_id in self.by_user.get(user, {}))
        return [
            order
            for order in orders
            if (order.symbol, order.side) == (symbol, side) and not order.leaving and order.state in _WAITING
        ]

    def due(self, count: int, admitted: Callable[[IndexOrder], bool] = lambda _: True) -> list[IndexOrder]:
        """Up to `count` due orders in their order, of those that are `admitted`; others before them are parked. Where a
        user has several of one index and side, his oldest goes first, whichever of them came to be ready first."""
        found: list[IndexOrder] = []
        refused: list[IndexOrder] = []
        oldest: dict[tuple[str, str, Side], Iterator[IndexOrder]] = {}
        for order_id in self.ready.due:
            if len(found) == count:
                break
            like = self.live[order_id]
            if _key(like) not in oldest:
                oldest[_key(like)] = self._oldest(like)
            order = next(oldest[_key(like)])
            (found if admitted(order) else refused).append(order)
        for order in refused:
            self.ready.park(order.order_id, of_index(order.symbol))
        return found

    def _oldest(self, like: IndexOrder) -> Iterator[IndexOrder]:
        """The due orders of the same user, index and side, oldest first."""
        theirs = (self.live[order_id] for order_id in self.by_user[like.user] if order_id in self.ready.due)
        return (order for order in theirs if _key(order) == _key(like))

    def end(self, order: IndexOrder, kept_max: int) -> None:
        """Move an order that has ended out of the way."""
        del self.live[order.order_id]
        self.ready.drop(order.order_id)
        theirs = self.by_user[order.user]
        del theirs[order.order_id]
        if not theirs:
            del self.by_user[order.user]
        self.ended[order.order_id] = order
        self.ended_count += 1
        while len(self.ended) > kept_max:
            self._forget(self.ended.pop(next(iter(self.ended))))

    def _forget(self, order: IndexOrder) -> None:
        """Keep nothing of an order but its client's id."""
        theirs = self.client_ids[order.user]
        del theirs[order.client_order_id]
        if not theirs:
            del self.client_ids[order.user]
        remember(self.forgotten.setdefault(order.user, bytearray()), order.client_order_id)


_WAITING: Final = frozenset(
    {
        IndexOrderState.OPEN,
        IndexOrderState.ROUTING,
        IndexOrderState.PREAUTHORISING,
        IndexOrderState.READY,
        IndexOrderState.ENGAGED,
        IndexOrderState.PARTLY_MINTABLE,
    }
)


def _key(order: IndexOrder) -> tuple[str, str, Side]:
    return order.user, order.symbol, order.side
