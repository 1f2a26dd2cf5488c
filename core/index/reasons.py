"""Why the index desk refuses, defers or ends something. Codes are stable; what each means stands with it."""

from __future__ import annotations

from enum import StrEnum


class OrderRefusal(StrEnum):
    """Why a new index order makes no order."""

    INVALID_AMOUNT = "invalid_amount"
    """Zero, negative, or no finite number."""
    TOO_MUCH_PRECISION = "too_much_precision"
    """More decimals than the token of the amount has."""
    TOO_LARGE = "too_large"
    INVALID_SYMBOL = "invalid_symbol"
    """No such index."""
    INVALID_ID = "invalid_id"
    """Of the order or its user: empty, longer than any needs to be, or no text that could be written."""
    DUPLICATE_ID = "duplicate_id"
    """The user has had an order of that id, alive or not."""
    TOO_MANY_ORDERS = "too_many_orders"
    """The user has as many open as he may."""
    STOPPING = "stopping"
    """The desk winds down."""


class TokenRefusal(StrEnum):
    """Why index tokens are not taken into custody."""

    INVALID_AMOUNT = "invalid_amount"
    """Zero, negative, or no finite number: there is nothing to give back."""
    INVALID_NUMBER = "invalid_number"
    """Of the deposit: none that can be told from others. Nothing is given back, or it might be twice."""
    INVALID_ID = "invalid_id"
    """Of the user or the index: none that could be written, so nothing can be given back."""
    TOO_MUCH_PRECISION = "too_much_precision"
    """More decimals than index tokens have."""
    TOO_LARGE = "too_large"
    INVALID_SYMBOL = "invalid_symbol"
    """No such index."""


class RequestRefusal(StrEnum):
    """Why an amend or cancel changes nothing."""

    UNKNOWN_ORDER = "unknown_order"
    INVALID_AMOUNT = "invalid_amount"
    TOO_MUCH_PRECISION = "too_much_precision"
    TOO_LATE = "too_late"
    """The order has ended, or is being minted or settled."""
    ALREADY_LEAVING = "already_leaving"
    FUNDS_MOVED = "funds_moved"
    """An order grows only before its collateral is on its way: send another order instead."""
    IN_USE = "in_use"
    """So much of the order is engaged or spent that it cannot shrink that far."""


class QuoteRefusal(StrEnum):
    """Why there is no quote."""

    INVALID_AMOUNT = "invalid_amount"
    TOO_MUCH_PRECISION = "too_much_precision"
    TOO_LARGE = "too_large"
    INVALID_SYMBOL = "invalid_symbol"
    INVALID_ID = "invalid_id"
    DUPLICATE_ID = "duplicate_id"
    """A request of that id waits for its answer."""
    TOO_MANY_QUOTES = "too_many_quotes"
    SERVICE_UNAVAILABLE = "service_unavailable"
    """An asset of the index has no price, or only an old one."""
    UNKNOWN_QUOTE = "unknown_quote"
    """Nothing to cancel: it never was, or is answered."""
    STOPPING = "stopping"


class WaitReason(StrEnum):
    """What an order waits for before a batch may have it."""

    NO_DEPOSIT = "no_deposit"
    """Of a buy: its user has not deposited as much, or has not as much free."""
    NO_TOKENS = "no_tokens"
    """Of a sell: its user has not given as many into custody, or has not as many free there."""


class EndReason(StrEnum):
    """Why an order ended as it did."""

    FILLED = "filled"
    IDLE = "idle"
    """Filled beyond the mint threshold, and nothing more happened for the mint wait."""
    REQUESTED = "requested"
    """Its owner cancelled it."""
    NETTED = "netted"
    """All that was open of it met an opposite order of its owner."""
    AMENDED = "amended"
    """Its owner amended it down to what it had."""
    TOO_OLD = "too_old"
    STOPPED = "stopped"
    """The desk winds down."""
    FEES = "fees"
    """Bringing its collateral cost all of it."""
    UNPAYABLE = "unpayable"
    """What was pre-authorised could not be spent."""
    CHAIN_REFUSED = "chain_refused"
    """The chain will never mint or burn its tokens."""


class WeightsRefusal(StrEnum):
    """Why weights or a delisting are not taken."""

    MALFORMED = "malformed"
    UNPRICED = "unpriced"
    """Kept, and tried again when prices come."""
    TOO_SOON = "too_soon"
    REBALANCING = "rebalancing"
    """The rebalance before is still under way; this one is kept and comes next."""
    DEADLINE_PASSED = "deadline_passed"
    LAST_ASSET = "last_asset"
    """An index would be left with nothing."""
    UNKNOWN_ASSET = "unknown_asset"
    """No index has it. It is remembered all the same."""
    DELISTED = "delisted"
    """Weights name an asset that has left its venue, or will."""


class PutOff(StrEnum):
    """Why no batch is made for orders that are ready."""

    NO_ROOM = "no_room"
    """Running batches may already cost as much as all may."""
    RATE_LIMITED = "rate_limited"
    """The exchange takes no more orders for a moment, or not as many as a batch needs."""


class CallTrouble(StrEnum):
    """Why a call on the chain is made again."""

    REFUSED = "refused"
    UNANSWERED = "unanswered"
