"""Signed messages at the door: what is asked of those whose senders sign each, before they get a place.

Whether a signature is good takes arithmetic on curves. It shows once the block is sealed (`core.sequencer.held`), and
what is found bad then reaches no auction. Here is seen that there is one, and that the message counts once: either its
ClOrdID is still known, or its TransactTime is not above that of all those that are forgotten.
"""

from __future__ import annotations

from typing import TypeAlias

from core.fix.messages import NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest
from core.identity.scheme import SIGNATURE_BYTES
from core.sequencer.known import KnownIds
from core.sequencer.reasons import Reason, Refusal
from core.sequencer.validate import CL_ORD_ID_CHARS_MAX
from core.units import SECOND, Nanos

SignedMessage: TypeAlias = NewOrderSingle | OrderCancelRequest | OrderCancelReplaceRequest


def objection(message: SignedMessage, known: KnownIds, now: Nanos, ahead_max: Nanos) -> Refusal | None:
    """Why a message that has to be signed gets no place, as far as that can be seen of it."""
    signature = message.order_signature
    if not signature:
        return Refusal(Reason.UNSIGNED_ORDER, "OrderSignature(20006) is missing")
    if len(signature) != SIGNATURE_BYTES:
        return Refusal(Reason.BAD_ORDER_SIGNATURE, f"OrderSignature has {len(signature)} bytes, not {SIGNATURE_BYTES}")
    if message.transact_time > now + ahead_max:
        return Refusal(Reason.EARLY_TRANSACT_TIME, f"TransactTime is more than {ahead_max / SECOND:g} s ahead")
    if message.transact_time <= known.newest_forgotten:
        return Refusal(Reason.STALE_TRANSACT_TIME, "TransactTime is older than what is remembered")
    return None


def spend(message: SignedMessage, known: KnownIds, newest: Nanos) -> None:
    """Take down that a message came with a signature, whatever became of it, and its TransactTime up to `newest`."""
    if not message.order_signature:
        return
    known.newest = max(known.newest, min(message.transact_time, newest))
    if message.cl_ord_id not in known and len(message.cl_ord_id) <= CL_ORD_ID_CHARS_MAX:
        known.remember(message.cl_ord_id)
