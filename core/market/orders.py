"""Tokens, pairs, and an order as the auction sees it: an input given for at least a minimum output.

A sell of `quantity` base at a limit gives exactly `quantity` base for at least `quantity * limit`
quote. A buy of `quantity` base at a limit gives at most `quantity * limit` quote for exactly
`quantity` base. So solvers compete on one number, output per input, and a better rate brings a
seller more output and a buyer a smaller input; an order is never filled beyond its quantity.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from core.kernel.record import Record
from core.units import Nanos, round_down, round_up

Name: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}\Z")]
"""What tokens, pairs and participants are called."""
Side: TypeAlias = Literal["buy", "sell"]


class Token(Record, frozen=True):
    """Something that is held and moved, in units of 10**-decimals."""

    id: Name
    decimals: Annotated[int, Meta(ge=0, le=18)]


class Pair(Record, frozen=True):
    """Two tokens under one symbol. Prices are quote per base, on `tick`; quantities are base, on `lot`."""

    symbol: Name
    base: Token
    quote: Token
    tick: Decimal
    lot: Decimal
    quantity_max: Decimal


class Order(Record, frozen=True):
    """An accepted order. `input_amount` of `sell_token` is the most it gives, `min_output` of
    `buy_token` the least it takes for all of that. `immediate` orders take part in one auction only.
    """

    order_id: str
    owner: str
    cl_ord_id: str
    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal
    sell_token: str
    buy_token: str
    input_amount: Decimal
    min_output: Decimal
    created_at: Nanos
    valid_until: Nanos
    partially_fillable: bool
    immediate: bool


class CancelOrder(Record, frozen=True):
    """A sequenced request to cancel `order_id`; `cl_ord_id` names the request itself.

    One that is `standing` is the venue's own, made when the owner's session is lost, and has no name. It is obeyed as
    soon as nobody has a claim on the order.
    """

    order_id: str
    owner: str
    cl_ord_id: str
    standing: bool = False


class ReplaceOrder(Record, frozen=True):
    """A sequenced request, named `cl_ord_id`, to give `order_id` another quantity and limit, and this name.

    `quantity` is that of the whole order, with what was filled before.
    """

    order_id: str
    owner: str
    cl_ord_id: str
    quantity: Decimal
    limit_price: Decimal


Item: TypeAlias = Order | CancelOrder | ReplaceOrder
"""What has a place in a block."""


class Batch(Record, frozen=True):
    """What a sealed block hands to the auction: its items in block order."""

    height: int
    closed_at: Nanos
    items: tuple[Item, ...]


# --- what the auction tells the owner of an order -----------------------------------------------


class OrderFilled(Record, frozen=True):
    """Part or all of an order traded. `quantity` and `price` are in the pair's terms and exclude fees."""

    order_id: str
    fill_id: str
    commitment_id: str
    solver: str
    height: int
    quantity: Decimal
    price: Decimal
    input_amount: Decimal
    output_amount: Decimal
    leaves_quantity: Decimal


class OrderExpired(Record, frozen=True):
    """An order ended unfilled, or with a part unfilled, for `reason`."""

    order_id: str
    reason: str


class OrderFailed(Record, frozen=True):
    """An order could not enter an auction at all, for `reason`."""

    order_id: str
    reason: str


class OrderCancelled(Record, frozen=True):
    """An order ended on its owner's request `cl_ord_id`, or without one because the owner's session was lost."""

    order_id: str
    cl_ord_id: str


class CancelRefused(Record, frozen=True):
    """A cancel request came too late or for nothing, for `reason`."""

    order_id: str
    cl_ord_id: str
    reason: str


class OrderReplaced(Record, frozen=True):
    """An order has another quantity, limit and name on its owner's request `cl_ord_id`, which is the name.

    `quantity` is that of the whole order; `input_amount` and `min_output` are those of what is left to trade.
    """

    order_id: str
    cl_ord_id: str
    quantity: Decimal
    limit_price: Decimal
    leaves_quantity: Decimal
    input_amount: Decimal
    min_output: Decimal


class ReplaceRefused(Record, frozen=True):
    """A request to replace an order came too late or for nothing, for `reason`. The order is as it was."""

    order_id: str
    cl_ord_id: str
    reason: str


def amounts(pair: Pair, side: Side, quantity: Decimal, price: Decimal) -> tuple[Decimal, Decimal]:
    """(most given, least taken) for `quantity` base at `price`, each rounded in the owner's favour."""
    if side == "sell":
        return quantity, round_up(quantity * price, pair.quote.decimals)
    return round_down(quantity * price, pair.quote.decimals), quantity
