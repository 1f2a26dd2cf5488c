"""What users, curators and operators ask of the index desk, and what users are told.

A user is `chain_id:address`. Amounts of buys are collateral, amounts of sells are index tokens. Every accepted order
ends with exactly one `IndexOrderEnded`; a request that is refused at the door makes no order and is answered by
`IndexOrderRejected` or `IndexRequestRefused`. Answers are `Note`s: whoever speaks to users passes them on.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from core.collateral.records import CollateralView
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

    The first ones make the index; later ones rebalance it.
    """

    symbol: str
    weights: Weights
    target_price: Decimal | None = None


class DelistAsset(Record, frozen=True):
    """An asset leaves its venue at `deadline`: every index sells it before."""

    asset: str
    deadline: Nanos


class IndexTokensDeposited(Record, frozen=True):
    """A user gave index tokens into custody, to sell them. The same `seq_num` counts once."""

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
    """`amount` of an order met the opposite wish `against` of its own user: neither is traded. In the order's terms."""

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


class InvoiceLot(Record, frozen=True):
    """What an order has of one lot: `assigned_fee` is the lot's fee pro rata. Times as in the lot."""

    lot_id: str
    symbol: str
    price: Decimal
    original_quantity: Decimal
    remaining_quantity: Decimal
    original_fee: Decimal
    assigned_quantity: Decimal
    assigned_fee: Decimal
    created_at: Nanos
    assigned_at: Nanos


class MintInvoice(Record, frozen=True):
    """What a user paid for what was minted. `total_amount` is what the order was for in the end: what was netted or
    amended away is no part of it, and is given back besides `amount_remaining`.

    management_fee    routing charges
    amount_paid       confirmed by the collateral manager, with the management fee
    amount_remaining  total_amount - spent
    assets_value      sum of price x assigned
    exchange_fee      sum of assigned fees
    fill_rate         (spent - management_fee) / (total_amount - management_fee)
    execution_price   sum of slice costs / filled_quantity
    """

    order_id: str
    user: str
    client_order_id: str
    payment_id: str
    seq_num: int
    symbol: str
    filled_quantity: Decimal
    total_amount: Decimal
    amount_paid: Decimal
    amount_remaining: Decimal
    management_fee: Decimal
    assets_value: Decimal
    exchange_fee: Decimal
    fill_rate: Decimal
    execution_price: Decimal
    lots: tuple[InvoiceLot, ...]
    position: CollateralView
    at: Nanos


class RedemptionInvoice(Record, frozen=True):
    """What a user got for the tokens that were burned. `total_quantity` is what the order was for in the end, without
    what was netted or amended away.

    quantity_remaining  total_quantity - burned_quantity
    assets_value        sum of price x sold, before fees, as in a mint's invoice
    exchange_fee        sum of the sales' fees
    proceeds            assets_value - exchange_fee
    payout_fee          what it cost to bring the money to the user
    amount_paid         proceeds - payout_fee, in whole units of the collateral
    amount_credited     of amount_paid, what no way home takes: it was not sent, and is the user's collateral
    """

    order_id: str
    user: str
    client_order_id: str
    symbol: str
    total_quantity: Decimal
    burned_quantity: Decimal
    quantity_remaining: Decimal
    assets_value: Decimal
    proceeds: Decimal
    exchange_fee: Decimal
    payout_fee: Decimal
    amount_paid: Decimal
    amount_credited: Decimal
    execution_price: Decimal
    at: Nanos


class Outcome(StrEnum):
    """How an order ended."""

    MINTED = "minted"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class IndexOrderEnded(Record, frozen=True):
    """The one last word on an order, after its invoice if there is one.

    `filled_quantity` index tokens were minted or burned; `refund` went back, in the order's terms.
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


IndexRequest: TypeAlias = NewIndexOrder | AmendIndexOrder | CancelIndexOrder | NewQuoteRequest | CancelQuoteRequest
IndexAnswer: TypeAlias = (
    IndexOrderAccepted
    | IndexOrderRejected
    | IndexOrderAmended
    | IndexOrderNetted
    | IndexRequestRefused
    | IndexOrderFill
    | MintInvoice
    | RedemptionInvoice
    | IndexOrderEnded
    | IndexQuoteReady
    | IndexQuoteRejected
    | IndexQuoteCancelled
)
"""What a user hears. Each names the user and his own id."""
