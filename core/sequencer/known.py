"""Which ClOrdIDs an owner has used, and the newest of its orders that have ended, in bounded memory."""

from __future__ import annotations

from typing import Final

import msgspec

from core.sequencer.reported import ReportedOrder
from core.units import Nanos

REMEMBERED: Final = 10_000
ENDED_KEPT: Final = 256


class KnownIds(msgspec.Struct):
    """One owner's ClOrdIDs: those of live orders for their whole life, and the newest of the others.

    Ids of ended orders and of cancel requests are kept in two generations. When the younger one holds
    `REMEMBERED` ids it becomes the older and the older is forgotten, so at least that many and at most
    twice as many are known. An id that was forgotten can be used again.
    """

    live: dict[str, str] = {}
    """Order ids by ClOrdID, as many as there are live orders."""
    young: dict[str, None] = {}
    old: dict[str, None] = {}
    ended: dict[str, ReportedOrder] = {}
    """By ClOrdID, the last `ENDED_KEPT` orders that have ended, for who asks how they did."""
    newest: Nanos = 0
    """The latest TransactTime of a signed message,"""
    newest_of_old: Nanos = 0
    """as it was when the older generation was complete,"""
    newest_forgotten: Nanos = 0
    """and the generation before: a signed message that was forgotten has no later one."""

    def __contains__(self, cl_ord_id: str) -> bool:
        return cl_ord_id in self.live or cl_ord_id in self.young or cl_ord_id in self.old

    def open(self, cl_ord_id: str, order_id: str) -> None:
        """An order of that name lives."""
        self.live[cl_ord_id] = order_id

    def end(self, order: ReportedOrder) -> None:
        """The order has ended."""
        cl_ord_id = order.order.cl_ord_id
        del self.live[cl_ord_id]
        self.remember(cl_ord_id)
        self.ended[cl_ord_id] = order
        if len(self.ended) > ENDED_KEPT:
            del self.ended[next(iter(self.ended))]

    def rename(self, cl_ord_id: str, new: str) -> None:
        """The live order of that name has a new one, which was remembered when it was asked for."""
        self.live[new] = self.live.pop(cl_ord_id)
        self.remember(cl_ord_id)

    def remember(self, cl_ord_id: str) -> None:
        """The name was used."""
        if len(self.young) >= REMEMBERED:
            self.old, self.young = self.young, {}
            self.newest_forgotten, self.newest_of_old = self.newest_of_old, self.newest
        self.young[cl_ord_id] = None
