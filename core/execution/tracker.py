"""What is known of every order, how it is learned, and how the desk is told: each trade once, and the end once."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from core.execution.breaker import Breaker
from core.execution.facts import (
    CircuitOpened,
    ExchangeOrderAccepted,
    ExchangeOrderDoubted,
    ExchangeOrderUntold,
    ExecutionUnexpected,
)
from core.execution.orders import Asking, OpenOrder, fee_of
from core.execution.records import (
    AssetOrderEnded,
    AssetOrderFilled,
    AssetOrderPlaced,
    BalancesReported,
    EndReason,
)
from core.execution.settings import ExecutionSettings
from core.execution.states import OrderKnowledge, OrderNews
from core.kernel.component import Component
from core.kernel.record import Call, CancelTimer, Note, Record, Send, SetTimer
from core.market.books import doubled
from core.market.exchange import (
    EXCHANGE,
    CancelExchangeOrder,
    ExchangeExecution,
    ExchangeOrderState,
    ExchangeStatus,
    ExchangeTrade,
    Instrument,
    QueryExchangeOrder,
)
from core.market.limiter import Limiter
from core.units import Nanos

ToDesk = AssetOrderPlaced | AssetOrderFilled | AssetOrderEnded | BalancesReported

_REASONS: Final = {
    ExchangeStatus.FILLED: EndReason.FILLED,
    ExchangeStatus.CANCELLED: EndReason.CANCELLED,
    ExchangeStatus.EXPIRED: EndReason.EXPIRED,
}


class Inquiry(msgspec.Struct):
    """A question to the exchange that is repeated until it is answered."""

    number: int = 0
    """Of the last time that it was asked."""
    attempts: int = 0
    """Since it was last answered."""
    open: bool = False


class ExecutionState(msgspec.Struct):
    """All that changes."""

    orders: dict[str, OpenOrder] = {}
    """By order id, those that have not ended."""
    waiting: dict[str, bool] = {}
    """The created ones, in line."""
    ended: dict[str, Decimal] = {}
    """What was filled of the newest that have."""
    session_up: bool = False
    instruments: dict[str, Instrument] | None = None
    """By symbol; None until the exchange has told."""
    limiter: Limiter = msgspec.field(default_factory=Limiter)
    paused_until: Nanos = 0
    breakers: dict[str, Breaker] = {}
    """By symbol, where orders are being refused."""
    rates: dict[str, Decimal] = {}
    """What assets are worth in the quote currency, as the desk last said."""
    inquiries: dict[str, Inquiry] = {}
    stopping: bool = False


class Tracker(Component[ExecutionState]):
    """Execution as far as it follows orders: takes in what the exchange says, and asks where that is not enough."""

    __slots__ = ("settings",)

    def __init__(self, name: str, settings: ExecutionSettings) -> None:
        super().__init__(name, ExecutionState())
        self.settings = settings

    def note(self, fact: Record) -> None:
        """State a fact."""
        self.emit(Note(fact))

    def report(self, fact: ToDesk) -> None:
        """State a fact, and tell it to the desk."""
        self.note(fact)
        self.emit(Send(self.settings.desk, fact))

    def wake(self, order: OpenOrder, at: Nanos) -> None:
        """Look at an order again then, and not before."""
        self.emit(SetTimer(f"order:{order.order_id}", at))

    # --- what the exchange says ----------------------------------------------------------------------

    def learn(self, now: Nanos, order: OpenOrder, told: ExchangeOrderState) -> None:
        """Take in what the exchange says of an order, be it old or new, in part or in whole."""
        for trade in told.trades:
            self._fill(order, trade)
        order.executed = max(order.executed, told.executed_quantity, order.filled)
        if order.final is None and told.status.is_final:
            order.final = told.status
        if told.status is ExchangeStatus.REJECTED and not order.acknowledged:
            self.count_refusal(now, order.symbol, told.status)
        elif not order.acknowledged:
            self.state.breakers.pop(order.symbol, None)
        order.acknowledged = True
        order.queries = order.unknown_answers = 0
        if order.is_told:
            self.end(order, self._reason(order))
        elif order.final is not None:
            self.doubt(order, f"{order.final} with {order.executed} executed, of which {order.filled} is known")
            self.wake(order, now + self.settings.retry_ns)
        else:
            self._accept(now, order)

    def hear(self, now: Nanos, said: ExchangeExecution) -> None:
        """Take in what the stream says; where no open order can account for it, state that."""
        order = self.state.orders.get(said.client_id)
        if order is None:
            self._hear_late(said)
        elif not order.attempts:
            self._unexpected(said, "the order was never sent")
        elif (said.symbol, said.side) != (order.symbol, order.side):
            self._unexpected(said, f"the order is to {order.side} {order.symbol}")
        else:
            trade = ExchangeTrade(
                said.trade_id, said.last_price, said.last_quantity, said.commission, said.commission_asset
            )
            trades = (trade,) if said.last_quantity > 0 else ()
            self.learn(now, order, ExchangeOrderState(said.client_id, said.status, said.cumulative_quantity, trades))

    def hear_of_ended(self, told: ExchangeOrderState) -> None:
        """Take in an answer about an order that has ended: it should hold nothing new."""
        known = self.state.ended.get(told.client_id)
        if known is not None and told.executed_quantity > known:
            more = told.executed_quantity - known
            why = "it has ended with less filled"
            self.note(ExecutionUnexpected(told.client_id, "", None, "", Decimal(0), more, why))

    def _hear_late(self, said: ExchangeExecution) -> None:
        known = self.state.ended.get(said.client_id)
        if said.last_quantity > 0 and (known is None or said.cumulative_quantity > known):
            why = "no such order" if known is None else "it has ended with less filled"
            self._unexpected(said, why)

    def _unexpected(self, said: ExchangeExecution, why: str) -> None:
        fact = (said.client_id, said.symbol, said.side, said.trade_id, said.last_price, said.last_quantity)
        self.note(ExecutionUnexpected(*fact, why))

    def _fill(self, order: OpenOrder, trade: ExchangeTrade) -> None:
        if trade.trade_id in order.trades or trade.quantity <= 0:
            return
        order.trades[trade.trade_id] = trade.quantity
        order.filled += trade.quantity
        instrument = (self.state.instruments or {}).get(order.symbol)
        fee, left, asset = fee_of(trade, instrument, self.state.rates)
        self.report(
            AssetOrderFilled(
                batch_id=order.batch_id,
                order_id=order.order_id,
                trade_id=trade.trade_id,
                symbol=order.symbol,
                side=order.side,
                price=trade.price,
                quantity=trade.quantity,
                fee=fee,
                commission=left,
                commission_asset=asset,
            )
        )

    def _accept(self, now: Nanos, order: OpenOrder) -> None:
        """The order stands at the exchange."""
        if order.state is not OrderKnowledge.LIVE:
            self.state.waiting.pop(order.order_id, None)
            order.step(OrderNews.ACCEPTED)
            self.note(ExchangeOrderAccepted(order.order_id))
            if order.cancelling:
                self.ask_cancel(now, order)
                return
        self.wake(order, now + self.settings.live_check_ns)

    def _reason(self, order: OpenOrder) -> str:
        if order.filled >= order.quantity or order.final is None:
            return EndReason.FILLED
        return _REASONS.get(order.final, f"{EndReason.REFUSED}:{order.final}")

    # --- what is asked -------------------------------------------------------------------------------

    def doubt(self, order: OpenOrder, why: str) -> None:
        """What became of an order is not known. Whoever says so sees to it that it is asked."""
        if order.state is not OrderKnowledge.UNKNOWN:
            self.state.waiting.pop(order.order_id, None)
            order.step(OrderNews.DOUBTED)
            self.note(ExchangeOrderDoubted(order.order_id, why))

    def ask(self, now: Nanos, order: OpenOrder) -> None:
        """Ask what became of an order. Without a session nobody can be asked: the next one will."""
        if not self.state.session_up:
            self.emit(CancelTimer(f"order:{order.order_id}"))
            return
        order.queries += 1
        order.queried_at = now
        self.emit(Call(EXCHANGE, order.call(Asking.QUERY), QueryExchangeOrder(order.order_id, order.symbol)))
        order.querying = order.calls
        self.wake(order, now + self.settings.reply_timeout_ns)

    def ask_again(self, now: Nanos, order: OpenOrder, why: str) -> None:
        """The last answer was not conclusive: ask later, and as soon as a "no such order" would be."""
        wait = doubled(self.settings.retry_ns, order.queries, self.settings.retry_ns_max)
        self.note(ExchangeOrderUntold(order.order_id, order.queries, why))
        at = now + wait
        self.wake(order, min(at, order.receive_by + 1) if now <= order.receive_by else at)

    def ask_cancel(self, now: Nanos, order: OpenOrder) -> None:
        """Ask the exchange to cancel a live order. Without an answer it is asked what became of it."""
        self.emit(Call(EXCHANGE, order.call(Asking.CANCEL), CancelExchangeOrder(order.order_id, order.symbol)))
        self.wake(order, now + self.settings.reply_timeout_ns)

    def not_found(self, now: Nanos, order: OpenOrder) -> None:
        """The exchange does not know an order: the end of it if the exchange can never have got it, or insists."""
        too_early = order.queried_at <= order.receive_by
        if order.acknowledged:
            order.unknown_answers += 1
        if too_early or (order.acknowledged and order.unknown_answers < self.settings.unknown_answers_max):
            self.ask_again(now, order, "no such order")
        else:
            self.end(order, EndReason.LOST)

    def count_refusal(self, now: Nanos, symbol: str, code: str) -> None:
        """The exchange has refused an order for `symbol`."""
        breaker = self.state.breakers.setdefault(symbol, Breaker())
        if breaker.refused(now, self.settings):
            self.note(CircuitOpened(symbol, breaker.shut_until, code))

    # --- how orders end ------------------------------------------------------------------------------

    def end(self, order: OpenOrder, reason: str) -> None:
        """Tell the desk that nothing more comes, and forget the order but for what was filled."""
        order.step(OrderNews.ENDED)
        state = self.state
        state.waiting.pop(order.order_id, None)
        del state.orders[order.order_id]
        state.ended[order.order_id] = order.filled
        if len(state.ended) > self.settings.ended_kept_max:
            del state.ended[next(iter(state.ended))]
        self.emit(CancelTimer(f"order:{order.order_id}"))
        self.report(AssetOrderEnded(order.batch_id, order.order_id, order.symbol, reason, order.left))
