"""The columns of every table: names, types, units and meaning, in the one place that states them.

A row type is a table's schema, the type that the folds fill, and its documentation. Money is exact in
the files (decimal128(38, 18)) and float64 in DataFrames; instants are UTC with nanoseconds; spans are
integers and end in `_ns`; a column that may be null says so in its type.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

Text: TypeAlias = Annotated[str, "text"]
Time: TypeAlias = Annotated[int, "time"]
Span: TypeAlias = Annotated[int, "span"]
Count: TypeAlias = Annotated[int, "count"]
Money: TypeAlias = Annotated[Decimal, "money"]
Ratio: TypeAlias = Annotated[float, "ratio"]
Flag: TypeAlias = Annotated[bool, "flag"]

OrderStatus: TypeAlias = Literal["filled", "expired", "cancelled", "failed", "refused", "open"]
ORDER_STATUSES: Final[tuple[OrderStatus, ...]] = ("filled", "expired", "cancelled", "failed", "refused", "open")
LatencyKind: TypeAlias = Literal["acknowledgement", "bid", "deposit", "fill"]
ZERO: Final = Decimal(0)


class Doc(msgspec.Struct, frozen=True):
    """What a column means, and the unit of its numbers where the type does not say it."""

    meaning: str
    unit: str = ""


class Row(msgspec.Struct, kw_only=True, gc=False):
    """Base of the row types. Mutable: a row is filled in as its story goes on."""


class OrderRow(Row, kw_only=True):
    """One row per order, refused ones included, in the order in which the venue met them."""

    order_id: Annotated[Text | None, Doc("The venue's id; null for a refused order")] = None
    cl_ord_id: Annotated[Text, Doc("ClOrdID, the owner's id")]
    owner: Annotated[Text, Doc("CompID of the market maker")]
    symbol: Annotated[Text, Doc("Pair; of a refused order what its owner wrote, as in the next three")]
    side: Annotated[Text | None, Doc("`buy` or `sell`, of the base token; null if it was neither")]
    quantity: Annotated[Money | None, Doc("Ordered quantity; null if none was given", "base")]
    limit_price: Annotated[Money | None, Doc("Worst acceptable price; null if none was given", "quote per base")]
    sell_token: Annotated[
        Text | None, Doc("Token that the owner gives; null for a refused order, as is all that follows from it")
    ] = None
    buy_token: Annotated[Text | None, Doc("Token that the owner takes")] = None
    quote_token: Annotated[Text | None, Doc("Token that prices and surplus are in")] = None
    input_amount: Annotated[Money | None, Doc("Most that is given", "sell token")] = None
    min_output: Annotated[Money | None, Doc("Least that is taken for all of the input", "buy token")] = None
    global_seq: Annotated[Count | None, Doc("The order's place among all sequenced messages")] = None
    height: Annotated[Count | None, Doc("Block that it came in; null if it entered no auction")] = None
    created_time: Annotated[Time, Doc("When it was accepted, or refused")]
    status: Annotated[
        Text,
        Doc("`filled` in full, `expired`, `cancelled`, `failed`, `refused`, or `open` when the run ended first"),
    ] = "open"
    reason: Annotated[Text | None, Doc("Reason code of an expiry, failure or refusal")] = None
    filled_quantity: Annotated[Money, Doc("Sum over its fills", "base")] = ZERO
    average_price: Annotated[Money | None, Doc("Fill prices weighted by quantity; null unfilled", "quote per base")] = (
        None
    )
    bids: Annotated[Count, Doc("Bids that counted, replaced and withdrawn ones included")] = 0
    attempts: Annotated[Count, Doc("Commitments made for it; more than its fills means defaults")] = 0
    ended_time: Annotated[Time | None, Doc("When the status became final")] = None
    time_to_end_ns: Annotated[Span | None, Doc("From created_time to ended_time", "ns")] = None
    surplus_quote: Annotated[
        Money,
        Doc("Price improvement over its fills: (limit - price) * quantity for a buy, the reverse for a sell", "quote"),
    ] = ZERO
    surplus_bps: Annotated[Ratio | None, Doc("surplus_quote over limit_price * filled_quantity", "bps")] = None


class BidRow(Row, kw_only=True):
    """One row per bid that counted or was refused, in order of arrival."""

    height: Annotated[Count, Doc("Auction that the bid was for")]
    order_id: Annotated[Text, Doc("Order that it was for, as the solver named it")]
    solver: Annotated[Text, Doc("Who bid")]
    bid_id: Annotated[Text, Doc("The solver's id")]
    time: Annotated[Time, Doc("When the venue judged it")]
    max_input: Annotated[Money | None, Doc("Most that the solver takes", "sell token")]
    conversion_rate: Annotated[Money | None, Doc("Output per input, here to 18 decimals", "buy token per sell token")]
    min_output: Annotated[Money | None, Doc("What it promises to pay; null if rejected", "buy token")] = None
    status: Annotated[
        Text, Doc("`received`, `rejected`, `replaced`, `withdrawn`, or `passed_over` when its turn came")
    ] = "received"
    reason: Annotated[Text | None, Doc("Reason code of a rejection, or why it was passed over")] = None
    won: Annotated[Flag, Doc("It became a commitment, at first or by reassignment")] = False
    margin_bps: Annotated[
        Ratio | None, Doc("Its rate over the order's limit rate, less one; null if there is no such order", "bps")
    ] = None


class CommitmentRow(Row, kw_only=True):
    """One row per commitment: a winner's duty to pay, from award to its end."""

    commitment_id: Annotated[Text, Doc("The venue's id")]
    order_id: Annotated[Text, Doc("Order that it fills")]
    height: Annotated[Count, Doc("Auction that awarded it")]
    solver: Annotated[Text, Doc("Who owes the output")]
    bid_id: Annotated[Text, Doc("The bid that won")]
    attempt: Annotated[
        Count, Doc("1 for the first winner of an auction, higher for those who take over after defaults")
    ]
    status: Annotated[Text, Doc("`awarded`, `escrowed`, `settled` or `defaulted`")] = "awarded"
    input_amount: Annotated[Money, Doc("What the solver gets", "sell token")]
    min_output: Annotated[Money, Doc("What the solver owes", "buy token")]
    output_amount: Annotated[Money | None, Doc("What the owner got; null unless settled", "buy token")] = None
    penalty: Annotated[Money | None, Doc("What left the bond; null unless defaulted", "bond token")] = None
    awarded_time: Annotated[Time, Doc("When the bid was selected")]
    deadline: Annotated[Time, Doc("Until when it must be paid; the grace comes on top")]
    deposited_time: Annotated[Time | None, Doc("When it was paid in full")] = None
    ended_time: Annotated[Time | None, Doc("When it settled or defaulted")] = None


class BlockRow(Row, kw_only=True):
    """One row per sealed block."""

    height: Annotated[Count, Doc("Its place in the chain")]
    hash: Annotated[Text, Doc("Hash of the header", "hex")]
    previous_hash: Annotated[Text, Doc("Hash of the block before", "hex")]
    message_root: Annotated[Text, Doc("Merkle root of its messages", "hex")]
    opened_time: Annotated[Time, Doc("When its window began")]
    closed_time: Annotated[Time, Doc("When it was sealed")]
    messages: Annotated[Count, Doc("Orders and cancels in it")]
    trigger: Annotated[Text, Doc("What closed it: `full`, `window`, `empty` or `stop`")]
    lateness_ns: Annotated[Span, Doc("How long after its due time a window closed; 0 for other triggers", "ns")]
    inversions: Annotated[Count, Doc("Pairs of its messages that stand the other way round than they arrived")]
    auctioned: Annotated[Count, Doc("Orders in its auction, carried-over ones included; 0 without auction")] = 0


class PlacementRow(Row, kw_only=True):
    """One row per message of a sealed block, in block order: who was put before whom."""

    height: Annotated[Count, Doc("Block that it is in")]
    index: Annotated[Count, Doc("Its place there, from 0")]
    global_seq: Annotated[Count, Doc("Its place among all messages, by arrival")]
    participant: Annotated[Text, Doc("Market maker")]
    order_id: Annotated[Text, Doc("The order, or the one to cancel")]
    kind: Annotated[Text, Doc("`order`, `cancel`, `replace`, or `cancel_on_disconnect` of the venue's own")]
    received_time: Annotated[Time, Doc("When it arrived")]
    displacement: Annotated[Count, Doc("Places that the policy put it back within its block; negative if forward")]


class FillRow(Row, kw_only=True):
    """One row per fill."""

    fill_id: Annotated[Text, Doc("The venue's id")]
    order_id: Annotated[Text, Doc("Order that traded")]
    commitment_id: Annotated[Text, Doc("Commitment that paid for it")]
    solver: Annotated[Text, Doc("Who traded with it")]
    height: Annotated[Count, Doc("Auction that it came from")]
    time: Annotated[Time, Doc("When it settled")]
    quantity: Annotated[Money, Doc("Traded quantity", "base")]
    price: Annotated[Money, Doc("Price", "quote per base")]
    input_amount: Annotated[Money, Doc("What the owner gave", "sell token")]
    output_amount: Annotated[Money, Doc("What the owner got", "buy token")]
    leaves_quantity: Annotated[Money, Doc("Open afterwards", "base")]
    surplus_quote: Annotated[Money | None, Doc("Price improvement, as in `orders`", "quote")] = None


class EscrowRow(Row, kw_only=True):
    """One row per transfer on the venue's ledger. Accounts are named `kind:owner`, and `world`."""

    seq: Annotated[Count, Doc("Place in the chain log (`notes`)")]
    time: Annotated[Time, Doc("When it moved")]
    token: Annotated[Text, Doc("What moved")]
    amount: Annotated[Money, Doc("How much", "token")]
    src: Annotated[Text, Doc("Account that it left")]
    dst: Annotated[Text, Doc("Account that it reached")]
    reason: Annotated[Text, Doc("Why")]


class FixMessageRow(Row, kw_only=True):
    """One row per message that a FIX engine wrote to a connection, the session's own included, in order of sending."""

    sent_time: Annotated[Time, Doc("When its sender wrote it")]
    received_time: Annotated[Time | None, Doc("When it reached the other engine; null if it never did")]
    latency_ns: Annotated[Span | None, Doc("From sent_time to received_time", "ns")]
    sender: Annotated[Text, Doc("SenderCompID")]
    target: Annotated[Text, Doc("TargetCompID")]
    msg_type: Annotated[Text, Doc("MsgType: `D` is a new order, `8` a report on one")]
    msg_seq_num: Annotated[Count, Doc("MsgSeqNum")]
    poss_dup: Annotated[Flag, Doc("PossDupFlag: it may repeat one that was sent before")]
    cl_ord_id: Annotated[Text | None, Doc("ClOrdID, the owner's id")]
    order_id: Annotated[Text | None, Doc("OrderID, the venue's id")]
    exec_id: Annotated[Text | None, Doc("ExecID of a report")]
    exec_type: Annotated[Text | None, Doc("ExecType of a report: `0` is accepted, `1` filled in part, `2` filled")]
    size_bytes: Annotated[Count, Doc("Length on the wire", "bytes")]


class LatencyRow(Row, kw_only=True):
    """One row per wait that a participant caused or bore, in the order in which they ended."""

    kind: Annotated[Text, Doc("What was waited for: `acknowledgement`, `bid`, `deposit` or `fill`")]
    participant: Annotated[Text, Doc("Market maker or solver")]
    order_id: Annotated[Text | None, Doc("Order that it is about; null for a bid")] = None
    height: Annotated[Count | None, Doc("Auction that a bid is for")] = None
    commitment_id: Annotated[Text | None, Doc("Commitment that a deposit is for")] = None
    began_time: Annotated[Time, Doc("When it began")]
    ended_time: Annotated[Time, Doc("When it ended")]
    latency_ns: Annotated[Span, Doc("From began_time to ended_time", "ns")]


class NoteRow(Row, kw_only=True):
    """The chain log: every fact that any component stated, in order."""

    seq: Annotated[Count, Doc("Counts over the run")]
    time: Annotated[Time, Doc("When it was stated")]
    node: Annotated[Text, Doc("Node that stated it")]
    component: Annotated[Text, Doc("Component that stated it")]
    kind: Annotated[Text, Doc("Type of the fact")]
    order_id: Annotated[Text | None, Doc("Order that it is about")] = None
    commitment_id: Annotated[Text | None, Doc("Commitment that it is about")] = None
    solver: Annotated[Text | None, Doc("Solver that it is about")] = None
    height: Annotated[Count | None, Doc("Block that it is about")] = None
    reason: Annotated[Text | None, Doc("Reason code")] = None
    detail: Annotated[Text, Doc("The whole fact", "JSON")]


TABLES: Final[dict[str, type[Row]]] = {
    "orders": OrderRow,
    "bids": BidRow,
    "commitments": CommitmentRow,
    "blocks": BlockRow,
    "placements": PlacementRow,
    "fills": FillRow,
    "escrow": EscrowRow,
    "fix_messages": FixMessageRow,
    "latency": LatencyRow,
    "notes": NoteRow,
}
