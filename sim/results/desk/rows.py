"""The tables of an index desk's run: one row type each, whose annotations are its documentation and its schema."""

from __future__ import annotations

from typing import Annotated, Final

from sim.results.desk.dispute_rows import DisputeRow
from sim.results.rows import ZERO, Count, Doc, Money, NoteRow, Row, Span, Text, Time


class IndexOrderRow(Row, kw_only=True):
    """One row per index order and per order that was rejected at the door, in the order in which the desk met them."""

    order_id: Annotated[Text | None, Doc("The desk's id; null for an order that was rejected at the door")] = None
    user: Annotated[Text, Doc("`chain:address` of the owner")]
    client_order_id: Annotated[Text, Doc("The owner's id")]
    symbol: Annotated[Text | None, Doc("Index; null for an order that was rejected at the door")] = None
    side: Annotated[Text | None, Doc("`buy` or `sell`, of index tokens; null as above")] = None
    amount: Annotated[Money | None, Doc("What it is for: collateral of a buy, index tokens of a sell")] = None
    created_time: Annotated[Time, Doc("When it was accepted, or rejected")]
    status: Annotated[
        Text, Doc("`minted`, `redeemed`, `cancelled`, `expired` or `rejected`, or `open` when the run ended first")
    ] = "open"
    reason: Annotated[Text | None, Doc("Reason code of an end before the whole amount was traded")] = None
    filled_quantity: Annotated[Money, Doc("Minted or burned", "index tokens")] = ZERO
    spent: Annotated[
        Money,
        Doc("What it has cost so far, routing included and `repaid` not; of a sell, tokens sold, if they stay so"),
    ] = ZERO
    repaid: Annotated[
        Money, Doc("What it had paid for tokens that are not minted, and the house has paid back", "collateral")
    ] = ZERO
    remaining: Annotated[Money | None, Doc("Neither spent nor given back; null before its collateral is there")] = None
    proceeds: Annotated[
        Money, Doc("What the assets of a sell brought; 0 once its index has it again", "collateral")
    ] = ZERO
    refund: Annotated[Money | None, Doc("What went back at its end, in the order's terms; null while open")] = None
    refund_fee: Annotated[Money | None, Doc("What sending it back has cost; null while open", "collateral")] = None
    credited: Annotated[
        Money | None,
        Doc(
            "What was not sent and is its owner's collateral, for an order or a withdrawal; null while open",
            "collateral",
        ),
    ] = None
    under_way: Annotated[
        Money | None,
        Doc(
            "What was sent, or being brought, and had not arrived when its wait was over; null while open", "collateral"
        ),
    ] = None
    routing_fee: Annotated[
        Money,
        Doc("What hops have kept of a buy's collateral, there and back, until its end; part of `spent`", "collateral"),
    ] = ZERO
    late_fee: Annotated[
        Money, Doc("What hops have kept since its end, of what was under way then; no part of `spent`", "collateral")
    ] = ZERO
    short: Annotated[
        Money, Doc("What its collateral came short of it, within the tolerance; it is not traded", "collateral")
    ] = ZERO
    netted: Annotated[Money, Doc("What met the opposite wish of its own user, in the order's terms")] = ZERO
    fill_rate: Annotated[Money, Doc("Share of the amount that is spent, as the owner was told last")] = ZERO
    batches: Annotated[Count, Doc("Batches that it was engaged in")] = 0
    deferred: Annotated[
        Text | None,
        Doc("Why it could not be funded yet, or was left out of the next batch, reason code; null once that is over"),
    ] = None
    ready_time: Annotated[Time | None, Doc("When it could first be engaged")] = None
    ended_time: Annotated[Time | None, Doc("When it ended")] = None
    time_to_end_ns: Annotated[Span | None, Doc("From created_time to ended_time", "ns")] = None


class IndexFillRow(Row, kw_only=True):
    """One row per report on a fill: how far an index order was. All amounts are cumulative."""

    time: Annotated[Time, Doc("When it was reported")]
    order_id: Annotated[Text, Doc("The index order")]
    batch_id: Annotated[Text | None, Doc("The batch that filled it; null for the arrival of its collateral")]
    filled_quantity: Annotated[Money, Doc("Filled until now", "index tokens")]
    spent: Annotated[Money, Doc("Spent until now, routing included; of a sell, tokens sold")]
    remaining: Annotated[Money, Doc("Engaged and unengaged together")]
    fill_rate: Annotated[
        Money, Doc("spent / (spent + remaining); 0 before anything is filled, though routing is spent by then")
    ]
    proceeds: Annotated[Money, Doc("What the assets of a sell brought until now", "collateral")]
    status: Annotated[Text, Doc("`collateral ready`, `in progress`, `mintable` or `fully mintable`")]


class IndexBatchRow(Row, kw_only=True):
    """One row per batch, in the order in which they were opened."""

    batch_id: Annotated[Text, Doc("The desk's id")]
    symbol: Annotated[
        Text | None,
        Doc("What a house batch trades for: indexes, or the `house` alone; null for a batch of orders"),
    ] = None
    planner: Annotated[Text, Doc("What planned it: `simple` or `matrix`")]
    orders: Annotated[Count, Doc("Index orders engaged")]
    engaged: Annotated[Money, Doc("Set aside for its buys", "collateral")] = ZERO
    carried: Annotated[Money, Doc("The part of it that the batches before left over", "collateral")] = ZERO
    asset_orders: Annotated[Count, Doc("Exchange orders")]
    volley: Annotated[
        Money,
        Doc(
            "Limit times quantity of its exchange orders: what its buys cost at most, and its sells bring at least",
            "collateral",
        ),
    ]
    value: Annotated[Money, Doc("What they have traded for, buys and sells, fees excluded", "collateral")] = ZERO
    fee: Annotated[Money, Doc("What the exchange has charged for that", "collateral")] = ZERO
    crossed: Annotated[
        Money, Doc("Worth of what passed from its sells to its buys, without the exchange", "collateral")
    ] = ZERO
    house: Annotated[
        Money, Doc("What the house paid for what it took over of its sells, without the exchange", "collateral")
    ] = ZERO
    fill: Annotated[Money | None, Doc("Filled share of the volley; null while it runs")] = None
    opened_time: Annotated[Time, Doc("When it was sent")]
    completed_time: Annotated[Time | None, Doc("When its last exchange order had ended")] = None


class ExchangeOrderRow(Row, kw_only=True):
    """One row per asset of a batch, as the one exchange order that the demand for it became."""

    asset_order_id: Annotated[
        Text | None, Doc("The desk's id, and the exchange's client id; null where no order was needed")
    ]
    batch_id: Annotated[Text, Doc("Batch that it belongs to")]
    symbol: Annotated[Text, Doc("Asset")]
    side: Annotated[Text, Doc("`buy` or `sell`")]
    price: Annotated[Money, Doc("Limit price as planned", "quote per base")]
    quantity: Annotated[Money, Doc("Quantity as planned; 0 where none was needed", "base")]
    demand: Annotated[Money, Doc("What the batch's orders want of it", "base")]
    stock: Annotated[Money, Doc("Of the demand, what lots at hand cover", "base")]
    crossed: Annotated[
        Money, Doc("Of the demand, what passes between users, from sells of the batch to its buys", "base")
    ]
    house: Annotated[
        Money, Doc("Of the demand of sells, what the house takes over, for it is too little for the exchange", "base")
    ] = ZERO
    placed_price: Annotated[Money | None, Doc("As sent, after the exchange's filters; null if never sent")] = None
    placed_quantity: Annotated[Money | None, Doc("As sent; null if never sent", "base")] = None
    filled_quantity: Annotated[Money, Doc("Sum of its fills", "base")] = ZERO
    cancelled_quantity: Annotated[Money | None, Doc("What did not trade; null while it stands", "base")] = None
    value: Annotated[Money, Doc("Sum of price times quantity of its fills", "quote")] = ZERO
    fee: Annotated[Money, Doc("Sum of the fees of its fills", "quote")] = ZERO
    reason: Annotated[Text | None, Doc("How it ended: `filled`, `expired`, `refused:CODE`, ...")] = None
    planned_time: Annotated[Time, Doc("When the batch wanted it")]
    ended_time: Annotated[Time | None, Doc("When it ended")] = None


class ExchangeFillRow(Row, kw_only=True):
    """One row per trade of an exchange order."""

    time: Annotated[Time, Doc("When the desk heard of it")]
    trade_id: Annotated[Text, Doc("The exchange's id, which its lot is called by")]
    asset_order_id: Annotated[Text, Doc("Exchange order that traded")]
    batch_id: Annotated[Text, Doc("Batch that the order belongs to")]
    symbol: Annotated[Text, Doc("Asset")]
    side: Annotated[Text, Doc("`buy` or `sell`")]
    price: Annotated[Money, Doc("Price", "quote per base")]
    quantity: Annotated[Money, Doc("Traded quantity", "base")]
    fee: Annotated[Money, Doc("Exchange fee, as the lot bears it", "quote")]
    withheld: Annotated[
        Money, Doc("What the exchange has kept of the asset as its fee: the lot of a buy is less by that", "base")
    ] = ZERO


class LotRow(Row, kw_only=True):
    """One row per step of a lot, and per asset that a batch has left over or that orders have given up."""

    time: Annotated[Time, Doc("When it happened")]
    lot_id: Annotated[
        Text | None,
        Doc("The lot: the exchange's trade id, or a name of the desk's; null for what was left of several"),
    ] = None
    step: Annotated[Text, Doc("What happened: see above")]
    symbol: Annotated[Text, Doc("Asset")]
    side: Annotated[Text, Doc("`buy` or `sell`, of the lot: one that was sold is owed, or was held before")]
    batch_id: Annotated[
        Text | None,
        Doc("Batch that it happened in; null for `closed` and `forgone`, and where the `house` gets what was carried"),
    ] = None
    order_id: Annotated[
        Text | None, Doc("Index order, or task of the house, that got or left the slice; id of the closing lot")
    ] = None
    quantity: Annotated[Money, Doc("How much of the lot", "base")]
    price: Annotated[
        Money | None, Doc("Price of the lot, or that at which it was closed; null for what was left", "quote per base")
    ] = None
    fee: Annotated[Money, Doc("Exchange fee, pro rata, where `opened` or `assigned`; otherwise 0", "quote")] = ZERO
    profit: Annotated[Money | None, Doc("Realised by a close, fees of both sides deducted", "quote")] = None


class CollateralRow(Row, kw_only=True):
    """One row per movement of collateral. Added up by (user, side, state, place), they are its ledger."""

    time: Annotated[Time, Doc("When it moved")]
    user: Annotated[Text, Doc("Whose it is")]
    side: Annotated[Text, Doc("`credit` for deposits, `debit` for the cash of sales")]
    what: Annotated[Text, Doc("What happened to it")]
    order_id: Annotated[Text | None, Doc("Index order that it moved for")] = None
    amount: Annotated[Money, Doc("How much", "collateral")]
    was: Annotated[Text | None, Doc("What it was held as; null for the world outside")] = None
    source: Annotated[Text | None, Doc("Designation that it left; null as above")] = None
    state: Annotated[Text | None, Doc("What it is held as from here on; null for the world outside")] = None
    destination: Annotated[Text | None, Doc("Designation that it reached; null as above")] = None
    transfer_id: Annotated[Text | None, Doc("Transfer that it is part of")] = None
    payment_id: Annotated[Text | None, Doc("Payment that it is for")] = None


class HopRow(Row, kw_only=True):
    """One row per step of a leg: one attempt to bring money over one hop of a route."""

    time: Annotated[Time, Doc("When it happened")]
    transfer_id: Annotated[Text, Doc("The transfer that the leg is a part of")]
    order_id: Annotated[Text | None, Doc("Index order that it is for")] = None
    user: Annotated[Text, Doc("Whose money it is")]
    leg: Annotated[Count, Doc("Its number within the transfer")]
    hop: Annotated[Text, Doc("Name of the hop")]
    source: Annotated[Text, Doc("Designation that it leaves")]
    destination: Annotated[Text, Doc("Designation that it goes to")]
    amount: Annotated[Money, Doc("Sent", "collateral")]
    fee: Annotated[Money, Doc("What the leg has cost, once it has ended", "collateral")]
    what: Annotated[Text, Doc("The step, or `queried`")]
    state: Annotated[Text, Doc("State of the leg from here on")]
    reason: Annotated[Text | None, Doc("Why, where it is not as hoped")] = None


class InvoiceRow(Row, kw_only=True):
    """One row per invoice, of a mint or of a redemption."""

    time: Annotated[Time, Doc("When it was made out")]
    order_id: Annotated[Text, Doc("Index order")]
    user: Annotated[Text, Doc("Owner")]
    client_order_id: Annotated[Text, Doc("The owner's id")]
    symbol: Annotated[Text, Doc("Index")]
    kind: Annotated[Text, Doc("`mint` or `redemption`")]
    payment_id: Annotated[Text | None, Doc("Payment; null for a redemption")] = None
    filled_quantity: Annotated[Money, Doc("Minted or burned", "index tokens")]
    total_amount: Annotated[
        Money, Doc("What the order was for in the end, without what was netted or amended away, or did not come")
    ]
    amount_paid: Annotated[Money, Doc("What the user paid, routing included, or got", "collateral")]
    amount_remaining: Annotated[Money, Doc("total_amount less what was spent, in the order's terms")]
    management_fee: Annotated[Money, Doc("Routing; of a redemption, the cost of paying out", "collateral")]
    assets_value: Annotated[Money, Doc("Price times quantity of its lots, bought or sold, before fees", "collateral")]
    exchange_fee: Annotated[Money, Doc("Its part of the exchange fees", "collateral")]
    fill_rate: Annotated[Money | None, Doc("Of what was left after routing; null for a redemption")] = None
    execution_price: Annotated[Money, Doc("What one token cost or brought", "collateral")]
    lots: Annotated[Count, Doc("Lots that it has slices of; of a redemption, sales that it has a part in")] = 0
    house_paid: Annotated[
        Money, Doc("What its lots cost beyond all of its collateral; the house bore it", "collateral")
    ] = ZERO
    amount_under_way: Annotated[
        Money, Doc("What was sent, and had not arrived when its wait was over; no part of amount_paid", "collateral")
    ] = ZERO


class ChainEventRow(Row, kw_only=True):
    """One row per event of the chain that index tokens live on, in the order of the chain."""

    time: Annotated[Time, Doc("When its block was sealed")]
    height: Annotated[Count, Doc("Of its block, from 1")]
    index: Annotated[Count, Doc("Its place in the block, from 0")]
    kind: Annotated[
        Text,
        Doc(
            "`mint`, `burn`, `return` or `deposit` of tokens in custody, `unsold` for the return of those that no "
            "order wanted, `weights` or `invoice`"
        ),
    ]
    key: Annotated[Text, Doc("What `romer-sim prove` calls it")]
    order_id: Annotated[Text | None, Doc("Index order; null for weights, deposits and `unsold`")] = None
    user: Annotated[Text | None, Doc("Whose tokens or invoice; null for weights")] = None
    symbol: Annotated[Text, Doc("Index")]
    quantity: Annotated[Money | None, Doc("Null for weights and invoices", "index tokens")] = None
    amount_paid: Annotated[
        Money | None, Doc("By the owner of a mint; to that of a burn, paying out not deducted", "collateral")
    ] = None
    price: Annotated[
        Money | None, Doc("What one token cost or brought; of weights, when they were set", "collateral")
    ] = None
    payment_id: Annotated[Text | None, Doc("Payment of a mint")] = None
    version: Annotated[Count | None, Doc("Of weights, from 1")] = None
    asked_time: Annotated[Time, Doc("When the chain was asked for it")]
    event_hash: Annotated[Text, Doc("SHA-256 of the event's bytes, hexadecimal")]
    block_hash: Annotated[Text, Doc("Hash of its block, hexadecimal")]


class ReconciliationRow(Row, kw_only=True):
    """One row per comparison of all assets with the account at the exchange, and per asset that differs or does so no
    more."""

    time: Annotated[Time, Doc("When the exchange's answer was compared")]
    what: Annotated[Text, Doc("`compared`: every asset was, since the last such row; `differs`; `agrees` again")]
    asset: Annotated[Text | None, Doc("As the exchange calls what it holds; null for `compared`")] = None
    owned: Annotated[Money | None, Doc("What should be there by the desk's trades; null for `compared`", "asset")] = (
        None
    )
    at_venue: Annotated[Money | None, Doc("What is there, free and locked; null for `compared`", "asset")] = None
    assets: Annotated[Count | None, Doc("How many were compared; null for one asset")] = None
    differing: Annotated[Count | None, Doc("How many of them differ; null for one asset")] = None


class NavRow(Row, kw_only=True):
    """One row per index and look at its value."""

    time: Annotated[Time, Doc("When it was valued")]
    symbol: Annotated[Text, Doc("Index")]
    nav: Annotated[Money, Doc("Its basket at mid prices", "collateral per token")]
    tokens: Annotated[Money, Doc("Minted and not burned", "index tokens")]
    backed: Annotated[Money, Doc("Tokens that assets are held for: orders in progress included", "index tokens")]
    held_value: Annotated[Money, Doc("What is held for the backed tokens, at mid prices", "collateral")]
    held_nav: Annotated[
        Money | None,
        Doc("held_value / backed; null while these are worth `collateral_tolerance` at most", "collateral per token"),
    ]
    tracking_difference: Annotated[Money | None, Doc("held_nav / nav - 1; null as above")]
    paid: Annotated[Money | None, Doc("What the last token bought or sold cost or brought", "collateral per token")]
    premium: Annotated[Money | None, Doc("paid / nav - 1, a discount below zero; null if nobody has traded")]


class QuoteRow(Row, kw_only=True):
    """One row per request for a quote that was answered, in the order of the answers."""

    time: Annotated[Time, Doc("When it was answered")]
    user: Annotated[Text, Doc("`chain:address` of who asked")]
    client_quote_id: Annotated[Text, Doc("The user's id of the request")]
    status: Annotated[Text, Doc("`ready`, `rejected`, or `cancelled` by its user")]
    reason: Annotated[Text | None, Doc("Reason code of a rejection")] = None
    symbol: Annotated[Text | None, Doc("Index; null unless ready, as is all that follows")] = None
    side: Annotated[Text | None, Doc("`buy` or `sell`, of index tokens")] = None
    amount: Annotated[Money | None, Doc("What was asked about: collateral of a buy, index tokens of a sell")] = None
    quantity: Annotated[Money | None, Doc("What it would give: index tokens of a buy, collateral of a sell")] = None
    price: Annotated[Money | None, Doc("Of one token at limit prices, without fees", "collateral")] = None


DESK_TABLES: Final[dict[str, type[Row]]] = {
    "index_orders": IndexOrderRow,
    "index_fills": IndexFillRow,
    "index_batches": IndexBatchRow,
    "exchange_orders": ExchangeOrderRow,
    "fills": ExchangeFillRow,
    "lots": LotRow,
    "collateral": CollateralRow,
    "hops": HopRow,
    "invoices": InvoiceRow,
    "chain_events": ChainEventRow,
    "reconciliations": ReconciliationRow,
    "nav": NavRow,
    "quotes": QuoteRow,
    "disputes": DisputeRow,
    "notes": NoteRow,
}
