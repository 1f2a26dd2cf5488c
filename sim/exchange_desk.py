"""The account's orders at a simulated exchange: what is refused, what trades, and what it has come to."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from core.kernel.rng import Stream
from core.market.exchange import (
    Balance,
    CancelExchangeOrder,
    ExchangeBalances,
    ExchangeExecution,
    ExchangeInstruments,
    ExchangeOrderState,
    ExchangeRefusal,
    ExchangeStatus,
    ExchangeTrade,
    Instrument,
    PlaceExchangeOrder,
    QueryExchangeOrder,
    RateLimit,
    RefusalKind,
)
from core.market.filters import Fitted, passes
from core.market.limiter import Limiter
from core.market.matching import Market, Match, Outcome, commission
from core.units import EXACT, Nanos
from sim.exchange_models import BASE, ExchangeModel

_ZERO: Final = Decimal(0)
_KEPT_MAX: Final = 10_000
_FEE_DECIMALS: Final = 36
_NO_TRADE: Final = "-1"


class AccountOrder(msgspec.Struct):
    """An order of the account, standing or ended."""

    placed: PlaceExchangeOrder
    status: ExchangeStatus = ExchangeStatus.NEW
    executed: Decimal = _ZERO
    trades: list[ExchangeTrade] = []


class ScriptedTrade(NamedTuple):
    """A trade that is to come."""

    trade_id: str
    price: Decimal
    quantity: Decimal


class OrderDesk:
    """Takes orders into the markets, or trades them by the script. `say` hears of every execution, in order."""

    def __init__(
        self,
        model: ExchangeModel,
        markets: dict[str, Market],
        draws: Stream,
        say: Callable[[ExchangeExecution], None],
        brought: Callable[[Nanos], Decimal] | None = None,
    ) -> None:
        self._model, self._markets, self._draws, self._say, self._brought = model, markets, draws, say, brought
        self._instruments = {each.instrument.symbol: each.instrument for each in model.markets}
        self._limiter = Limiter()
        self._limiter.adopt(0, model.limits)
        self._orders: dict[str, AccountOrder] = {}
        self._standing: dict[str, AccountOrder] = {}
        """Those of them that can still trade."""
        self._accepted = 0
        self._scripted = 0
        self.balances = dict(model.balances)
        """What the account holds, by asset; an asset that it owes is below zero."""

    def find(self, client_id: str) -> AccountOrder | None:
        """The order of that client id, if it came and is not long gone."""
        return self._orders.get(client_id)

    def refusal(self, now: Nanos, wanted: PlaceExchangeOrder) -> ExchangeRefusal | None:
        """Why an order is not taken, if it is not; else it counts under the limits."""
        if wanted.client_id in self._orders:
            return ExchangeRefusal(RefusalKind.DUPLICATE, "-2010", "there is an order of that client id")
        if now > wanted.receive_by:
            return ExchangeRefusal(RefusalKind.AUTHENTICATION, "-1021", "it came too late")
        if self._limiter.wait(now) > 0:
            return ExchangeRefusal(RefusalKind.RATE_LIMIT, "-1015", "too many orders")
        self._limiter.put(now)
        return self._invalid(now, wanted)

    def _invalid(self, now: Nanos, wanted: PlaceExchangeOrder) -> ExchangeRefusal | None:
        instrument = self._instruments.get(wanted.symbol)
        if instrument is None:
            return ExchangeRefusal(RefusalKind.BAD_REQUEST, "-1121", f"there is no symbol {wanted.symbol}")
        if not passes(instrument, Fitted(wanted.price, wanted.quantity)):
            return ExchangeRefusal(RefusalKind.ORDER_VALIDATION, "-1013", "it does not pass the filters")
        if not self._model.credit and self._lacks(now, wanted, instrument):
            return ExchangeRefusal(RefusalKind.ORDER_VALIDATION, "-2010", "the balance is insufficient")
        if self._draws.chance(self._model.faults.rejects):
            return ExchangeRefusal(RefusalKind.ORDER_VALIDATION, "-2010", "it was rejected")
        return None

    def accept(self, wanted: PlaceExchangeOrder) -> Outcome | None:
        """Take an order that is not refused: what it did in its market, or None if it trades by the script."""
        order = self._orders[wanted.client_id] = self._standing[wanted.client_id] = AccountOrder(wanted)
        self._forget()
        self._accepted += 1
        self._tell(order, None)
        if self._model.script:
            return None
        market = self._markets[wanted.symbol]
        terms = (wanted.client_id, wanted.side, wanted.price, wanted.quantity, wanted.time_in_force)
        outcome = market.submit(*terms)
        for match in outcome.matches:
            self._trade(order, f"{wanted.symbol}-{match.trade_id}", match.price, match.quantity, self._model.taker_bps)
        self._close(order, outcome.status)
        return outcome

    def script_of(self, client_id: str) -> list[ScriptedTrade]:
        """The trades that the order that was accepted last is to have."""
        placed, script = self._orders[client_id].placed, self._model.script
        trades: list[ScriptedTrade] = []
        share = before = _ZERO
        for fill in script[min(self._accepted, len(script)) - 1]:
            share += fill.share
            self._scripted += 1
            reached = placed.quantity if share == 1 else placed.quantity * share
            quantity = EXACT.subtract(reached, before)
            price = placed.price * fill.factor if placed.side == "buy" else placed.price / fill.factor
            trades.append(ScriptedTrade(f"L-{self._scripted:02d}", price, quantity))
            before = EXACT.add(before, quantity)
        return trades

    def fill(self, client_id: str, trade: ScriptedTrade) -> None:
        """One scripted trade, unless the order has been cancelled."""
        order = self._orders[client_id]
        if not order.status.is_final:
            self._trade(order, trade.trade_id, trade.price, trade.quantity, self._model.taker_bps)

    def expired(self, client_id: str) -> None:
        """What is left of an order expires."""
        self._close(self._orders[client_id], ExchangeStatus.EXPIRED)

    def on_match(self, symbol: str, match: Match) -> None:
        """Somebody traded against an order that stood; it may be ours."""
        order = self._orders.get(match.maker)
        if order is not None:
            trade_id = f"{symbol}-{match.trade_id}"
            self._trade(order, trade_id, match.price, match.quantity, self._model.maker_bps)

    def cancelled(self, order: AccountOrder) -> None:
        """An order that stood was taken out of its market."""
        self._close(order, ExchangeStatus.CANCELLED)

    def state_of(self, now: Nanos, order: AccountOrder, *, bare: bool = False) -> ExchangeOrderState:
        """What the exchange says of an order; a `bare` answer leaves out its trades."""
        trades = () if bare else tuple(order.trades)
        return ExchangeOrderState(order.placed.client_id, order.status, order.executed, trades, self._limits(now))

    def holdings(self) -> ExchangeBalances:
        """The answer to who asks what the account holds. Less than nothing is free where it has credit."""
        locked = self._locked()
        return ExchangeBalances(
            tuple(
                Balance(asset, EXACT.subtract(held, locked.get(asset, _ZERO)), locked.get(asset, _ZERO))
                for asset, held in self.balances.items()
            )
        )

    def change(self, asset: str, quantity: Decimal) -> None:
        """Have the account hold so much more of an asset."""
        self.balances[asset] = EXACT.add(self.balances.get(asset, _ZERO), quantity)

    def offer(self, now: Nanos) -> ExchangeInstruments:
        """The answer to who asks what is traded."""
        return ExchangeInstruments(tuple(self._instruments.values()), self._limits(now))

    def unknown(self, asked: CancelExchangeOrder | QueryExchangeOrder) -> ExchangeRefusal:
        """The answer about an order that never came."""
        return ExchangeRefusal(RefusalKind.UNKNOWN_ORDER, "-2013", f"there is no order {asked.client_id}")

    def _lacks(self, now: Nanos, wanted: PlaceExchangeOrder, instrument: Instrument) -> bool:
        """Whether there is less than an order may take, its fee included."""
        fee, charged = self._commission(instrument, wanted.price, wanted.quantity, self._model.taker_bps)
        asset, needed = instrument.base, wanted.quantity
        if wanted.side == "buy":
            asset, needed = instrument.quote, wanted.price * wanted.quantity
        free = EXACT.subtract(self.balances.get(asset, _ZERO), self._locked().get(asset, _ZERO))
        if asset == instrument.quote and self._brought is not None:
            free = EXACT.add(free, self._brought(now))
        return free < EXACT.add(needed, fee if charged == asset else _ZERO)

    def _commission(
        self, instrument: Instrument, price: Decimal, quantity: Decimal, bps: Decimal
    ) -> tuple[Decimal, str]:
        """The fee of a trade, and what it is taken in. Where that has no price, the quote token is taken."""
        fee, asset = commission(price, quantity, bps), self._model.commission
        if asset == BASE:
            return _rounded(commission(Decimal(1), quantity, bps)), instrument.base
        pair = next((each for each in self._instruments.values() if each.base == asset), None)
        book = self._markets[pair.symbol].book if pair is not None else None
        top = None if book is None else book.bids.top() or book.asks.top()
        return (_rounded(fee), instrument.quote) if top is None else (_rounded(fee / top[0]), asset)

    def _locked(self) -> dict[str, Decimal]:
        """What orders that can still trade would take from the account, fees apart."""
        locked: dict[str, Decimal] = {}
        for order in self._standing.values():
            placed, instrument = order.placed, self._instruments[order.placed.symbol]
            left = EXACT.subtract(placed.quantity, order.executed)
            taken = (instrument.quote, left * placed.price) if placed.side == "buy" else (instrument.base, left)
            locked[taken[0]] = EXACT.add(locked.get(taken[0], _ZERO), taken[1])
        return locked

    def _limits(self, now: Nanos) -> tuple[RateLimit, ...]:
        return tuple(RateLimit(each.limit, each.period_ns, each.weight(now)) for each in self._limiter.windows)

    def _trade(self, order: AccountOrder, trade_id: str, price: Decimal, quantity: Decimal, bps: Decimal) -> None:
        instrument = self._instruments[order.placed.symbol]
        trade = ExchangeTrade(trade_id, price, quantity, *self._commission(instrument, price, quantity, bps))
        order.trades.append(trade)
        order.executed = EXACT.add(order.executed, quantity)
        whole = order.executed >= order.placed.quantity
        self._turn(order, ExchangeStatus.FILLED if whole else ExchangeStatus.PARTIALLY_FILLED)
        self._settle(order, instrument, trade)
        self._tell(order, trade)

    def _settle(self, order: AccountOrder, instrument: Instrument, trade: ExchangeTrade) -> None:
        bought = order.placed.side == "buy"
        quantity = trade.quantity if bought else trade.quantity.copy_negate()
        in_quote = trade.commission_asset == instrument.quote
        fee = trade.commission if in_quote else _ZERO
        self.change(instrument.base, quantity)
        self.change(instrument.quote, -(quantity * trade.price) - fee)
        if not in_quote:
            self.change(trade.commission_asset, trade.commission.copy_negate())

    def _close(self, order: AccountOrder, status: ExchangeStatus) -> None:
        """End an order that has not traded whole, if that is its `status`."""
        if not order.status.is_final and status.is_final:
            self._turn(order, status)
            self._tell(order, None)

    def _turn(self, order: AccountOrder, status: ExchangeStatus) -> None:
        order.status = status
        if status.is_final:
            self._standing.pop(order.placed.client_id, None)

    def _tell(self, order: AccountOrder, trade: ExchangeTrade | None) -> None:
        placed = order.placed
        self._say(
            ExchangeExecution(
                client_id=placed.client_id,
                symbol=placed.symbol,
                side=placed.side,
                status=order.status,
                trade_id=_NO_TRADE if trade is None else trade.trade_id,
                last_price=_ZERO if trade is None else trade.price,
                last_quantity=_ZERO if trade is None else trade.quantity,
                cumulative_quantity=order.executed,
                order_quantity=placed.quantity,
                commission=_ZERO if trade is None else trade.commission,
                commission_asset="" if trade is None else trade.commission_asset,
            )
        )

    def _forget(self) -> None:
        """Keep the newest orders, and all that stand."""
        if len(self._orders) > _KEPT_MAX:
            oldest = next((name for name, order in self._orders.items() if order.status.is_final), None)
            if oldest is not None:
                del self._orders[oldest]


def _rounded(fee: Decimal) -> Decimal:
    """To so many decimals that it is a number for whoever has to reckon with it (`core.units.is_number`): the fee of
    the finest trade, in all of MONEY's digits, would not be.
    """
    is_finer = -int(fee.as_tuple().exponent) > _FEE_DECIMALS
    return fee.quantize(Decimal(1).scaleb(-_FEE_DECIMALS)) if is_finer else fee
