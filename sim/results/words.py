"""Facts in words, for the life of an order. One template per type; a type without one is spelled out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_WORDS: Final = {
    "OrderSequenced": "accepted as message {global_seq}: {side} {quantity} {symbol} at {limit_price} or better",
    "OrderRefused": "refused ({reason}): {text}",
    "CancelSequenced": "cancel request {cl_ord_id} takes its place as message {global_seq}",
    "ReplaceSequenced": "request {cl_ord_id} for {quantity} at {limit_price} takes its place as message {global_seq}",
    "ReplaceRequestRefused": "request {cl_ord_id} to replace it refused ({reason}): {text}",
    "CancelRequestRefused": "cancel request {cl_ord_id} refused ({reason}): {text}",
    "BlockSealed": "block {height} sealed with {message_count} messages ({trigger})",
    "OrderAdded": "open in block {height}; may give {input_amount} {sell_token} for at least {min_output} {buy_token}",
    "OrderFailed": "failed ({reason})",
    "BatchCreated": "auction {height} opens with {orders} orders; bids until {bid_deadline}",
    "BidReceived": "{solver} bids {min_output} {buy_token} for at most {max_input} {sell_token}, "
    "at a price of {bid_price} ({bid_id})",
    "BidRejected": "bid {bid_id} of {solver} at a price of {bid_price} does not count ({reason})",
    "BidWithdrawn": "{solver} withdraws bid {bid_id}",
    "BidSelected": "{solver} is first of {ranked} under {rule} ({bid_id})",
    "CommitmentCreated": "{commitment_id} awarded to {solver} (attempt {attempt}): owes {min_output} {buy_token} "
    "for {input_amount} {sell_token} until {deadline}",
    "AwardDecided": "{solver} decides whether to pay for {commitment_id}: {pays}",
    "EscrowDeposited": "{solver} pays {amount} {token} into escrow for {commitment_id}",
    "DepositReturned": "deposit of {amount} by {solver} for {commitment_id} does not count ({reason})",
    "CommitmentSettled": "{commitment_id} settled: {solver} gets {input_amount} {sell_token}, "
    "the owner {output_amount} {buy_token}",
    "CommitmentDefaulted": "{commitment_id} defaulted: {solver} did not pay; {penalty} of its bond is gone",
    "OrderReassigned": "reassigned from {from_solver} to {to_solver} (attempt {attempt})",
    "OrderReopened": "waits for the next batch ({reason})",
    "OrderFilled": "filled {quantity} at {price} by {solver}; {leaves_quantity} left",
    "OrderExpired": "expired ({reason})",
    "OrderCancelled": "cancelled on request {cl_ord_id}",
    "OrderReplaced": "replaced on request {cl_ord_id}: {quantity} at {limit_price}, {leaves_quantity} left",
    "ReplaceRefused": "request {cl_ord_id} to replace it comes to nothing ({reason})",
    "CancelRefused": "cancel request {cl_ord_id} comes to nothing ({reason})",
    "Transferred": "{amount} {token} moves from {src} to {dst} ({reason})",
}
_SESSION_LOST: Final[dict[str, str]] = {
    "CancelSequenced": "its owner's session was lost: the venue's cancel takes its place as message {global_seq}",
    "OrderCancelled": "cancelled, as its owner's session was lost",
}
"""Where there is no request."""
_WITHDRAWAL_REFUSED: Final = "{solver} cannot withdraw its bid ({reason})"
_FATES: Final = {
    "received": "loses",
    "replaced": "replaces it later",
    "withdrawn": "withdraws it later",
    "passed_over": "is passed over later",
}


def in_words(kind: str, fact: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    """The fact as a sentence; the context's fields go before its own."""
    template = _WORDS.get(kind)
    if kind == "BidRejected" and not fact["bid_id"]:
        template = _WITHDRAWAL_REFUSED
    if not {**fact, **context}.get("cl_ord_id", "none"):
        template = _SESSION_LOST.get(kind, template)
    if template is None:
        return " ".join([kind, *(f"{name}={value}" for name, value in fact.items() if name != "type")])
    return template.format_map({**fact, **context})


def fate_in_words(status: str, commitment: Mapping[str, Any] | None, defaulted: str | None) -> str:
    """What became of a bid that counted. `commitment` is what it led to, if it did, and `defaulted` is the solver
    whose default was the occasion, if it was one.
    """
    if commitment is None:
        return _FATES[status]
    failed = commitment["status"] == "defaulted"
    if defaulted is None:
        return "wins, but does not pay" if failed else "wins"
    return f"takes over when {defaulted} does not pay{', and does not pay either' if failed else ''}"
