"""An order at an exchange, as far as it is known here, and the calls that are made about it."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from core.execution.records import AssetOrder
from core.execution.states import EXCHANGE_ORDERS, OrderKnowledge, OrderNews
from core.market.exchange import ExchangeStatus, ExchangeTrade, Instrument
from core.market.orders import Side
from core.units import Nanos

_ZERO: Final = Decimal(0)


class Asking(StrEnum):
    """What a call about an order asks for."""

    PLACE = "place"
    CANCEL = "cancel"
    QUERY = "query"


class OpenOrder(msgspec.Struct):
    """An order that has not ended."""

    order_id: str
    batch_id: str
    symbol: str
    side: Side
    price: Decimal
    """As wanted, and as the filters allow it once `placed`; so is the quantity."""
    quantity: Decimal
    deadline: Nanos
    """Until when it may wait to be sent."""
    state: OrderKnowledge = OrderKnowledge.CREATED
    placed: bool = False
    cancelling: bool = False
    """The desk does not want the rest of it any more."""
    acknowledged: bool = False
    """The exchange has shown that it has, or had, it."""
    receive_by: Nanos = 0
    trades: dict[str, Decimal] = {}
    """The quantity of each trade that the desk was told of, by its id."""
    filled: Decimal = _ZERO
    """The sum of them."""
    executed: Decimal = _ZERO
    """The most that the exchange has said was traded."""
    final: ExchangeStatus | None = None
    """What the exchange has said of its end."""
    calls: int = 0
    """Made about it so far; they are numbered."""
    attempts: int = 0
    """Requests to place it."""
    placing: int = 0
    """The number of the last of them."""
    querying: int = 0
    """The number of the last query."""
    queried_at: Nanos = 0
    queries: int = 0
    """Since the exchange last said something of it."""
    unknown_answers: int = 0
    """In a row."""

    def step(self, news: OrderNews) -> None:
        """Move along the table of orders."""
        self.state = EXCHANGE_ORDERS.after(self.state, news, self.order_id)

    def call(self, asking: Asking) -> str:
        """The id of one more call."""
        self.calls += 1
        return f"{asking}:{self.calls}:{self.order_id}"

    @property
    def is_told(self) -> bool:
        """Whether the exchange has said how it ended, and every trade of it is known."""
        return self.filled >= self.quantity or (self.final is not None and self.filled >= self.executed)

    @property
    def left(self) -> Decimal:
        """What has not traded."""
        return max(self.quantity - self.filled, _ZERO)


class CallName(NamedTuple):
    """What a call id says."""

    asking: str
    number: int
    order_id: str


def call_named(call_id: str) -> CallName:
    """Read what `OpenOrder.call` has made."""
    asking, number, order_id = call_id.split(":", 2)
    return CallName(asking, int(number), order_id)


def opened(batch_id: str, order: AssetOrder, deadline: Nanos) -> OpenOrder:
    """An order as the desk wants it."""
    return OpenOrder(order.order_id, batch_id, order.symbol, order.side, order.price, order.quantity, deadline)


class Fee(NamedTuple):
    """A commission in the quote currency, and what of it could not be converted, in `asset`."""

    fee: Decimal
    left: Decimal = _ZERO
    asset: str = ""


def fee_of(trade: ExchangeTrade, instrument: Instrument | None, rates: dict[str, Decimal]) -> Fee:
    """The commission of a trade in the quote currency of its instrument, by `rates` for other assets than its own."""
    asset = trade.commission_asset
    if not trade.commission or (instrument is not None and asset == instrument.quote):
        return Fee(trade.commission)
    if instrument is not None and asset == instrument.base:
        return Fee(trade.commission * trade.price)
    if asset in rates:
        return Fee(trade.commission * rates[asset])
    return Fee(_ZERO, trade.commission, asset)
