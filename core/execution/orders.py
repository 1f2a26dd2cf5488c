"""An order at an exchange, as far as it is known here, and the calls that are made about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from core.execution.records import AssetHeld, AssetOrder, ExchangeRulesReported
from core.execution.states import EXCHANGE_ORDERS, OrderKnowledge, OrderNews
from core.market.exchange import (
    ExchangeBalances,
    ExchangeInstruments,
    ExchangeOrderState,
    ExchangeStatus,
    ExchangeTrade,
    Instrument,
    RateLimit,
)
from core.market.orders import Side
from core.units import EXACT, Nanos, fits_ledger, is_number, is_text

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
    quantity_max: Decimal | None = None
    """No filter can raise it beyond that."""
    state: OrderKnowledge = OrderKnowledge.CREATED
    placed: bool = False
    cancelling: bool = False
    """The desk does not want the rest of it any more."""
    cancels: int = 0
    """Requests to cancel it."""
    acknowledged: bool = False
    """The exchange has shown that it has, or had, it."""
    receive_by: Nanos = 0
    trades: dict[str, Decimal] = {}
    """The quantity of each trade that the desk was told of, by its id."""
    disputed: dict[str, str] = {}
    """By its id, why a trade that the exchange tells of cannot be."""
    disputed_from: int = 0
    """The number of the first call that was made after the newest of these was heard of."""
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
    queries: int = 0
    """Since the exchange last said something new of it, or the session changed."""
    missing_from: int = 0
    """The number of the first query that may be answered by "no such order" and be believed; 0 if none was made."""
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
        return max(EXACT.subtract(self.quantity, self.filled), _ZERO)


class EndedOrder(msgspec.Struct):
    """What is remembered of an order that has ended, in case that the exchange goes on about it."""

    order_id: str
    batch_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    sent: bool
    """Whether the exchange can have it at all."""
    calls: int
    trades: dict[str, Decimal]
    disputed: dict[str, str]
    filled: Decimal
    executed: Decimal
    """The most that the exchange has said was traded."""


def ended(order: OpenOrder) -> EndedOrder:
    """What an order leaves."""
    return EndedOrder(
        order_id=order.order_id,
        batch_id=order.batch_id,
        symbol=order.symbol,
        side=order.side,
        price=order.price,
        quantity=order.quantity,
        sent=order.attempts > 0,
        calls=order.calls,
        trades=order.trades,
        disputed=order.disputed,
        filled=order.filled,
        executed=max(order.executed, order.filled),
    )


def objection(order: OpenOrder | EndedOrder, trade: ExchangeTrade) -> str:
    """Why a trade cannot be one of this order; empty if it can."""
    if not all(map(is_number, (trade.price, trade.quantity, trade.commission))):
        return "it is not in numbers"
    if not all(map(is_text, (trade.trade_id, trade.commission_asset))):
        return "its id, or what its commission was taken in, is no name that could be kept"
    if trade.price <= 0 or trade.quantity <= 0:
        return "its price and quantity have to be above zero"
    traded = trade.quantity
    for quantity in order.trades.values():
        traded = EXACT.add(traded, quantity)
    if traded > order.quantity:
        return f"that would be {traded} of {order.quantity}"
    if trade.price > order.price if order.side == "buy" else trade.price < order.price:
        return f"the limit was {order.price}"
    return ""


def trade_key(order: OpenOrder | EndedOrder, trade_id: str) -> str:
    """What names a trade among all: exchanges number them within a symbol, and one may have an order on either side."""
    return f"{order.symbol}:{order.side}:{trade_id}"


def claimed(order: OpenOrder | EndedOrder, told: ExchangeOrderState) -> Decimal:
    """How much of an order the exchange says it has executed, as far as that can be."""
    if is_number(told.executed_quantity):
        return min(max(told.executed_quantity, _ZERO), order.quantity)
    return order.quantity if told.status is ExchangeStatus.FILLED else _ZERO


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
    return OpenOrder(
        order_id=order.order_id,
        batch_id=batch_id,
        symbol=order.symbol,
        side=order.side,
        price=order.price,
        quantity=order.quantity,
        deadline=deadline,
        quantity_max=order.quantity_max,
    )


def sound(said: ExchangeInstruments) -> dict[str, Instrument]:
    """By symbol, what is traded; without what nobody could trade by, its names not being text or its filters not
    amounts."""
    return {
        each.symbol: each
        for each in said.instruments
        if all(is_text(said) if isinstance(said, str) else _is_filter(said) for said in msgspec.structs.astuple(each))
    }


def _is_filter(amount: Decimal) -> bool:
    return amount.is_finite() and amount >= 0 and fits_ledger(amount)


def rules_of(said: ExchangeInstruments) -> ExchangeRulesReported:
    """What the desk is told of what the exchange says."""
    filtered = tuple(each for each in sound(said).values() if each != Instrument(each.symbol, each.base, each.quote))
    return ExchangeRulesReported(filtered, tuple(RateLimit(each.limit, each.period_ns) for each in said.limits))


def held_of(
    said: ExchangeBalances,
    instruments: Mapping[str, Instrument],
    unsettled: Collection[str],
    charged: Collection[str],
) -> tuple[AssetHeld, ...]:
    """What the account holds of each base asset. One that the exchange does not name is not held.

    Any `unsettled` symbol may have changed what there is of an asset that commissions are `charged` in.
    """
    symbols: dict[str, list[str]] = {}
    for instrument in instruments.values():
        symbols.setdefault(instrument.base, []).append(instrument.symbol)
    held = {balance.asset: EXACT.add(balance.free, balance.locked) for balance in said.balances}
    found = []
    for asset, traded in symbols.items():
        doubtful = bool(unsettled) if asset in charged else any(symbol in unsettled for symbol in traded)
        found.append(AssetHeld(asset, tuple(traded), held.get(asset, _ZERO), not doubtful))
    return tuple(found)


class Fee(NamedTuple):
    """A commission in the quote currency, what of it could not be converted, in `asset`, and what of it was withheld of
    the base asset; or taken of another, which is what `taken_symbol` trades."""

    fee: Decimal
    left: Decimal = _ZERO
    asset: str = ""
    withheld: Decimal = _ZERO
    taken: Decimal = _ZERO
    taken_symbol: str = ""


def fee_of(
    trade: ExchangeTrade, instrument: Instrument | None, rates: Mapping[str, Decimal], instruments: Iterable[Instrument]
) -> Fee:
    """The commission of a trade in the quote currency of its instrument, by `rates` for other assets than its own."""
    asset = trade.commission_asset
    if not trade.commission or (instrument is not None and asset == instrument.quote):
        return Fee(trade.commission)
    if instrument is not None and asset == instrument.base:
        return Fee(trade.commission * trade.price, withheld=trade.commission)
    symbols = [one.symbol for one in instruments if instrument is not None and _trades(one, asset, instrument.quote)]
    fee = Fee(trade.commission * rates[asset]) if asset in rates else Fee(_ZERO, trade.commission, asset)
    return fee._replace(taken=trade.commission, taken_symbol=min(symbols)) if symbols else fee


def _trades(instrument: Instrument, asset: str, quote: str) -> bool:
    return (instrument.base, instrument.quote) == (asset, quote)
