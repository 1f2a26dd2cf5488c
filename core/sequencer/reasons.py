"""Why orders and cancel requests are refused: the codes, and how FIX says them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.fix.tags import CxlRejReason, OrdRejReason
from core.kernel.record import Record


class Reason(StrEnum):
    """Why an order or a cancel request was refused. Stable: reports, metrics and people rely on them."""

    CLOSED = "closed"
    """The venue is winding down and takes no new work."""
    STORAGE_FULL = "storage_full"
    """The venue's disk is nearly full, and it takes no new orders until there is room."""
    NOT_ADMITTED = "not_admitted"
    """The market maker was suspended or revoked, or has a key since and has not logged on with it."""
    RATE_EXCEEDED = "rate_exceeded"
    """The market maker has sent as many messages in the last second as it may."""
    MSG_TYPE_NOT_PERMITTED = "msg_type_not_permitted"
    """The market maker may not send messages of this type."""
    SYMBOL_NOT_PERMITTED = "symbol_not_permitted"
    """The market maker may not trade this Symbol."""
    QUANTITY_NOT_PERMITTED = "quantity_not_permitted"
    """OrderQty is above what the market maker may order at a time."""
    UNSIGNED_ORDER = "unsigned_order"
    """The market maker is registered to sign each order and each request, and this one has no signature."""
    BAD_ORDER_SIGNATURE = "bad_order_signature"
    """The signature is none, or not one by the key that the market maker is logged on with, of this very message."""
    UNCHECKED_SIGNATURE = "unchecked_signature"
    """The signature was not checked in time."""
    CHECKS_BEHIND = "checks_behind"
    """As many signed messages of this owner wait for their checks as may at a time."""
    SIGNATURES_DISTRUSTED = "signatures_distrusted"
    """A signed message of this owner was a bad one a short while ago, and no more are taken for now."""
    EARLY_TRANSACT_TIME = "early_transact_time"
    """TransactTime of a signed message is further ahead of the venue's clock than the receive window."""
    STALE_TRANSACT_TIME = "stale_transact_time"
    """TransactTime of a signed message is not after that of all whose ClOrdIDs are forgotten: it may be a replay."""
    INVALID_CL_ORD_ID = "invalid_cl_ord_id"
    """ClOrdID is longer than 64 characters."""
    DUPLICATE_CL_ORD_ID = "duplicate_cl_ord_id"
    """The owner used this ClOrdID before, for a live order or for one of its last 10,000 others."""
    TOO_MANY_ORDERS = "too_many_orders"
    """The owner has 10,000 live orders."""
    UNKNOWN_SYMBOL = "unknown_symbol"
    """The venue does not trade this Symbol."""
    UNSUPPORTED_SIDE = "unsupported_side"
    """Side is neither 1 (Buy) nor 2 (Sell)."""
    UNSUPPORTED_ORD_TYPE = "unsupported_ord_type"
    """OrdType is not 2 (Limit)."""
    UNSUPPORTED_TIME_IN_FORCE = "unsupported_time_in_force"
    """TimeInForce is none of 0 (Day), 1 (GTC), 3 (IOC), 4 (FOK) and 6 (GTD)."""
    UNSUPPORTED_FIELD = "unsupported_field"
    """A field asks for something that the venue does not do, such as MinQty; the text names it."""
    MISSING_QUANTITY = "missing_quantity"
    """There is no OrderQty."""
    QUANTITY_NOT_POSITIVE = "quantity_not_positive"
    """OrderQty is zero or less."""
    QUANTITY_TOO_LARGE = "quantity_too_large"
    """OrderQty is above the pair's maximum."""
    QUANTITY_OFF_LOT = "quantity_off_lot"
    """OrderQty is not a multiple of the pair's lot."""
    MISSING_PRICE = "missing_price"
    """There is no Price."""
    PRICE_NOT_POSITIVE = "price_not_positive"
    """Price is zero or less."""
    PRICE_TOO_LARGE = "price_too_large"
    """Price times OrderQty has more digits than the venue can count."""
    PRICE_OFF_TICK = "price_off_tick"
    """Price is not a multiple of the pair's tick."""
    AMOUNT_TOO_SMALL = "amount_too_small"
    """Price times OrderQty is less than the smallest unit of the quote token."""
    MISSING_EXPIRE_TIME = "missing_expire_time"
    """TimeInForce is GTD and there is no ExpireTime."""
    EXPIRED = "expired"
    """ExpireTime has passed."""
    UNKNOWN_ORDER = "unknown_order"
    """OrigClOrdID, or ClOrdID and OrderID of a question, names no order of this owner that the venue remembers."""
    TOO_LATE = "too_late"
    """The order that OrigClOrdID names has ended."""
    CANCEL_PENDING = "cancel_pending"
    """A cancel request for this order is already waiting for its answer."""
    REPLACE_PENDING = "replace_pending"
    """A request to replace this order is already waiting for its answer."""
    UNSUPPORTED_CHANGE = "unsupported_change"
    """Something else than OrderQty and Price differs from what the order has."""
    QUANTITY_FILLED = "quantity_filled"
    """OrderQty is not above what the order has traded."""


_ORD_REJ_REASONS: Final = {
    Reason.UNKNOWN_SYMBOL: OrdRejReason.UNKNOWN_SYMBOL,
    Reason.UNKNOWN_ORDER: OrdRejReason.UNKNOWN_ORDER,
    Reason.CLOSED: OrdRejReason.EXCHANGE_CLOSED,
    Reason.STORAGE_FULL: OrdRejReason.EXCHANGE_CLOSED,
    Reason.RATE_EXCEEDED: OrdRejReason.ORDER_EXCEEDS_LIMIT,
    Reason.QUANTITY_NOT_PERMITTED: OrdRejReason.ORDER_EXCEEDS_LIMIT,
    Reason.TOO_MANY_ORDERS: OrdRejReason.ORDER_EXCEEDS_LIMIT,
    Reason.QUANTITY_TOO_LARGE: OrdRejReason.ORDER_EXCEEDS_LIMIT,
    Reason.PRICE_TOO_LARGE: OrdRejReason.ORDER_EXCEEDS_LIMIT,
    Reason.EXPIRED: OrdRejReason.TOO_LATE_TO_ENTER,
    Reason.DUPLICATE_CL_ORD_ID: OrdRejReason.DUPLICATE_ORDER,
}
_CXL_REJ_REASONS: Final = {
    Reason.TOO_LATE: CxlRejReason.TOO_LATE_TO_CANCEL,
    Reason.UNKNOWN_ORDER: CxlRejReason.UNKNOWN_ORDER,
    Reason.CANCEL_PENDING: CxlRejReason.ALREADY_PENDING,
    Reason.REPLACE_PENDING: CxlRejReason.ALREADY_PENDING,
}


class Refusal(Record, frozen=True):
    """Why not: the code, and a sentence for a person."""

    reason: Reason
    text: str

    @property
    def ord_rej_reason(self) -> OrdRejReason:
        """OrdRejReason(103): FIX 4.2's own reason where it has one, else Broker option."""
        return _ORD_REJ_REASONS.get(self.reason, OrdRejReason.BROKER_OPTION)

    @property
    def cxl_rej_reason(self) -> CxlRejReason:
        """CxlRejReason(102): FIX 4.2's own reason where it has one, else Broker option."""
        return _CXL_REJ_REASONS.get(self.reason, CxlRejReason.BROKER_OPTION)
