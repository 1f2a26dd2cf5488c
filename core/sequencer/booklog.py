"""The log of the order book: everything that changed it, as one running hash. Its head is a block's state root.

    log        32 zero bytes at first, then SHA-256("romer.log.1" || log || entry)
    entry      1 byte kind, then its fields, each with its length before it as 2 bytes big endian

    kind  what happened               fields
    1     a message was accepted      leaf, acknowledgement (`core.sequencer.leaf`)
    2     an order was filled         OrderID, fill id, quantity, price, what is left
    3     an order expired            OrderID, reason
    4     an order could not trade    OrderID, reason
    5     an order was cancelled      OrderID, ClOrdID of the request
    6     a cancel came to nothing    OrderID, ClOrdID of the request, reason
    7     an order was replaced       OrderID, ClOrdID of the request, quantity, limit, what is left
    8     a replace came to nothing   OrderID, ClOrdID of the request, reason

Entries are in the order in which the sequencer took them in. Texts are UTF-8, amounts decimals without
exponent, written as the venue's records have them. So whoever has the journal rebuilds every state root
with one hash for each entry, and two venues with one state root have had the same orders, fills and ends.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Final, TypeAlias, get_args

from core.market.orders import (
    CancelRefused,
    OrderCancelled,
    OrderExpired,
    OrderFailed,
    OrderFilled,
    OrderReplaced,
    ReplaceRefused,
)

Outcome: TypeAlias = (
    OrderFilled | OrderExpired | OrderFailed | OrderCancelled | CancelRefused | OrderReplaced | ReplaceRefused
)
OUTCOMES: Final = get_args(Outcome)

EMPTY: Final = bytes(32)
"""The log before anything happened."""
_TAG: Final = b"romer.log.1"


def with_message(log: bytes, leaf: bytes, acknowledgement: bytes) -> bytes:
    """The log once a message was accepted."""
    return _extended(log, 1, leaf, acknowledgement)


def with_outcome(log: bytes, told: Outcome) -> bytes:
    """The log once the auction has told what became of an order or of a request."""
    if isinstance(told, OrderFilled):
        amounts = (_amount(told.quantity), _amount(told.price), _amount(told.leaves_quantity))
        return _extended(log, 2, told.order_id.encode(), told.fill_id.encode(), *amounts)
    if isinstance(told, OrderExpired):
        return _extended(log, 3, told.order_id.encode(), told.reason.encode())
    if isinstance(told, OrderFailed):
        return _extended(log, 4, told.order_id.encode(), told.reason.encode())
    if isinstance(told, OrderCancelled):
        return _extended(log, 5, told.order_id.encode(), told.cl_ord_id.encode())
    if isinstance(told, OrderReplaced):
        amounts = (_amount(told.quantity), _amount(told.limit_price), _amount(told.leaves_quantity))
        return _extended(log, 7, told.order_id.encode(), told.cl_ord_id.encode(), *amounts)
    kind = 6 if isinstance(told, CancelRefused) else 8
    return _extended(log, kind, told.order_id.encode(), told.cl_ord_id.encode(), told.reason.encode())


def _extended(log: bytes, kind: int, *fields: bytes) -> bytes:
    sized = b"".join(len(field).to_bytes(2, "big") + field for field in fields)
    return sha256(_TAG + log + bytes((kind,)) + sized).digest()


def _amount(amount: Decimal) -> bytes:
    return format(amount, "f").encode()
