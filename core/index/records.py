"""What users, curators and operators ask of the index desk, and what users are told.

A user is `chain_id:address`. Amounts of buys are collateral, amounts of sells are index tokens. Every accepted order
ends with exactly one `IndexOrderEnded`; a request that is refused at the door makes no order and is answered by
`IndexOrderRejected` or `IndexRequestRefused`. Answers are `Note`s, and so are invoices (`core.index.invoices`): whoever
speaks to users passes them on.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from core.kernel.record import Record
from core.market.orders import Side
from core.units import Nanos

Weights: TypeAlias = tuple[tuple[str, Decimal], ...]
"""Assets and what they weigh. Weights need not sum to 1: the basket normalises them."""

# --- requests ------------------------------------------------------------------------------------


class NewIndexOrder(Record, frozen=True):
    """Buy an index for `amount` of collateral, or sell `amount` of index tokens.

    `client_order_id` is the user's own name for it and must be new: ids are not used twice in the life of the desk.
    """

    user: str
    client_order_id: str
    symbol: str
    side: Side
    amount: Decimal


class AmendIndexOrder(Record, frozen=True):
    """Make the order's whole amount `amount`. It may grow only while nothing was moved for it yet."""

    user: str
    client_order_id: str
    amount: Decimal


class CancelIndexOrder(Record, frozen=True):
    """Engage the order no more, mint what it has, give the rest back."""

    user: str
    client_order_id: str


class NewQuoteRequest(Record, frozen=True):
    """How many index tokens would `amount` of collateral buy, or how much money would `amount` tokens bring?"""

    user: str
    client_quote_id: str
    symbol: str
    side: Side
    amount: Decimal


class CancelQuoteRequest(Record, frozen=True):
    """The answer is no longer wanted."""

    user: str
    client_quote_id: str


class CuratorWeightsSet(Record, frozen=True):
    """What the curator wants an index to be made of. `target_price` is what one token of its first basket costs.

    The first ones make the index; later ones rebalance it, whatever target price comes with them.
    """

    symbol: str
    weights: Weights
    target_price: Decimal | None = None


class DelistAsset(Record, frozen=True):
    """An asset leaves its venue at `deadline`: every index sells it before."""

    asset: str
    deadline: Nanos


class IndexTokensDeposited(Record, frozen=True):
    """A user gave index tokens into custody, to sell them. The same `seq_num` counts once: deposits are numbered
    over all users, from 0 and below 2**63.

    What he orders to sell is taken of them; what he does not goes back.
    """

    user: str
    symbol: str
    seq_num: int
    amount: Decimal


# --- answers to users ----------------------------------------------------------------------------


class IndexOrderAccepted(Record, frozen=True):
    """The order is the desk's `order_id` from now on."""

    order_id: str
    user: str
    client_order_id: str
    symbol: str
    side: Side
    amount: Decimal


class IndexOrderRejected(Record, frozen=True):
    """No order was made. `reason` is a `core.index.reasons.OrderRefusal`; `text` says more."""

    user: str
    client_order_id: str
    reason: str
    text: str = ""


class IndexOrderAmended(Record, frozen=True):
    """The order's whole amount is now `amount`; `removed` in all will come back at its end."""

    order_id: str
    user: str
    client_order_id: str
    amount: Decimal
    removed: Decimal


class IndexOrderNetted(Record, frozen=True):
    """`amount` of an order met the opposite wish `against` of its own user, the newest if there are several: neither is
    traded. In the order's terms."""

    order_id: str
    user: str
    client_order_id: str
    against: str
    amount: Decimal


class IndexRequestRefused(Record, frozen=True):
    """An amend or cancel (`request`) changes nothing, for `reason`."""

    user: str
    client_order_id: str
    request: str
    reason: str


class FillStatus(StrEnum):
    """How far an order is, as its owner reads it."""

    COLLATERAL_READY = "collateral ready"
    IN_PROGRESS = "in progress"
    MINTABLE = "mintable"
    FULLY_MINTABLE = "fully mintable"


class IndexOrderFill(Record, frozen=True):
    """How far an order is, cumulative. Spent includes routing fees; remaining is engaged and unengaged together.

    Of a sell, spent and remaining are index tokens and `proceeds` is the money they brought.
    """

    order_id: str
    user: str
    client_order_id: str
    filled_quantity: Decimal
    collateral_spent: Decimal
    collateral_remaining: Decimal
    fill_rate: Decimal
    status: FillStatus
    batch_id: str = ""
    proceeds: Decimal = Decimal(0)


class Outcome(StrEnum):
    """How an order ended."""

    MINTED = "minted"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class IndexOrderEnded(Record, frozen=True):
    """The one last word on an order, after its invoice if there is one.

    `filled_quantity` index tokens were minted or burned; `refund` has gone back, in the order's terms. Sending it cost
    `refund_fee`, in money; `credited` is money that was not sent and is his collateral, for his next order or a
    withdrawal: of a buy too little to be sent, or what no way home takes, or took in time, or what was brought, or came
    back, when it did not get the rest; of a sell a part of what it
    brought. `under_way` is money that was sent, and that a hop still had when it had been waited for long enough, or
    collateral that was on its way when it was wanted no more: a `PayoutArrived` of the collateral tells what becomes of
    it. `routing_fee` is what hops have kept of a buy's collateral, there and back; it is not given back.
    """

    order_id: str
    user: str
    client_order_id: str
    symbol: str
    side: Side
    outcome: Outcome
    reason: str
    filled_quantity: Decimal
    refund: Decimal
    refund_fee: Decimal = Decimal(0)
    credited: Decimal = Decimal(0)
    under_way: Decimal = Decimal(0)
    routing_fee: Decimal = Decimal(0)


class TokensReturned(Record, frozen=True):
    """`amount` index tokens leave custody, back to their user: `order_id` has not sold them, or, if it is empty, no
    order wanted them. The chain is asked until they are his, or `TokensKept` says that they will not be."""

    user: str
    symbol: str
    amount: Decimal
    order_id: str = ""


class TokensKept(Record, frozen=True):
    """The chain will not give `amount` index tokens back, for `reason`, though `TokensReturned` has said that they
    leave. They stay in custody as their user's, and are there for what he orders to sell."""

    user: str
    symbol: str
    amount: Decimal
    reason: str
    order_id: str = ""


class TokensRefused(Record, frozen=True):
    """Index tokens that came into custody and that no order could sell, for `reason`, a `core.index.reasons`
    `TokenRefusal`. They go back at once, if they are any."""

    user: str
    symbol: str
    seq_num: int
    amount: Decimal
    reason: str


class IndexQuoteReady(Record, frozen=True):
    """What `amount` would buy or bring at prices as they are: tokens for a buy, money for a sell."""

    user: str
    client_quote_id: str
    symbol: str
    side: Side
    amount: Decimal
    quantity_possible: Decimal
    price: Decimal
    """Of one index token, price threshold included and fees not."""


class IndexQuoteRejected(Record, frozen=True):
    """There is no quote, for `reason`, a `core.index.reasons.QuoteRefusal`."""

    user: str
    client_quote_id: str
    reason: str


class IndexQuoteCancelled(Record, frozen=True):
    """A quote request was taken back before it was answered."""

    user: str
    client_quote_id: str
