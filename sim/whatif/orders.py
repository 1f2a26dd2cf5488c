"""Orders across two runs: under what name one is the same in both, and what is left of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from msgspec.structs import replace

from core.auction.facts import OrderAdded
from core.auction.terms import rest_of
from core.kernel.record import Record
from core.market.orders import Order, OrderFilled, OrderReplaced, Pair
from core.sequencer.facts import OrderRefused, OrderSequenced
from core.sequencer.reasons import Reason

NO_INTENT: Final = frozenset(
    (
        Reason.DUPLICATE_CL_ORD_ID,
        Reason.INVALID_CL_ORD_ID,
        Reason.UNSUPPORTED_SIDE,
        Reason.UNSUPPORTED_ORD_TYPE,
        Reason.UNSUPPORTED_TIME_IN_FORCE,
        Reason.MISSING_QUANTITY,
        Reason.MISSING_PRICE,
        Reason.MISSING_EXPIRE_TIME,
    )
)
"""Why an order was refused that nobody who sends it anew, in a form and under a name of its own, would send."""


class OrderKey(NamedTuple):
    """What an order is in every run: its owner, the ClOrdID, and the how many-eth (from 1) under that ClOrdID.

    Of a replaced market maker, which numbers anew, `cl_ord_id` is empty and `nth` counts all of its orders that have an
    intent.
    """

    owner: str
    cl_ord_id: str
    nth: int


class OrderBook:
    """Follows the facts of one run: keys and order ids, and of open orders what is left."""

    def __init__(self, pairs: Iterable[Pair], renumbered: Collection[str] = ()) -> None:
        self.keys: list[OrderKey] = []
        """In the order in which the venue met the orders, refused ones included."""
        self.key_of: dict[str, OrderKey] = {}
        self.left: dict[str, Order] = {}
        self._pairs = {pair.symbol: pair for pair in pairs}
        self._renumbered = renumbered
        self._seen: dict[tuple[str, str], int] = {}

    def hear(self, fact: Record) -> None:
        """Take the next fact."""
        if isinstance(fact, OrderSequenced):
            self.key_of[fact.order.order_id] = self._next_key(fact.order.owner, fact.order.cl_ord_id)
        elif isinstance(fact, OrderRefused):
            self._next_key(fact.owner, fact.cl_ord_id, is_sent_anew=fact.reason not in NO_INTENT)
        elif isinstance(fact, OrderReplaced):
            terms = {"limit_price": fact.limit_price, "min_output": fact.min_output, "input_amount": fact.input_amount}
            self.left[fact.order_id] = replace(self.left[fact.order_id], quantity=fact.leaves_quantity, **terms)
        elif isinstance(fact, OrderAdded):
            self.left[fact.order.order_id] = fact.order
        elif isinstance(fact, OrderFilled):
            order = self.left.pop(fact.order_id)
            if fact.leaves_quantity:
                self.left[fact.order_id] = rest_of(order, self._pairs[order.symbol], fact.leaves_quantity)

    def _next_key(self, owner: str, cl_ord_id: str, *, is_sent_anew: bool = True) -> OrderKey:
        name = "" if owner in self._renumbered and is_sent_anew else cl_ord_id
        self._seen[owner, name] = nth = self._seen.get((owner, name), 0) + 1
        key = OrderKey(owner, name, nth)
        self.keys.append(key)
        return key
