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
from core.execution.orders import Asking, EndedOrder, OpenOrder, claimed, ended, fee_of, objection, trade_key
from core.execution.records import (
    AssetOrderEnded,
    AssetOrderFilled,
    AssetOrderPlaced,
    BalancesReported,
    EndReason,
    ExchangeRulesReported,
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
from core.units import EXACT, Nanos, as_text

ToDesk = AssetOrderPlaced | AssetOrderFilled | AssetOrderEnded | BalancesReported | ExchangeRulesReported

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
    first: int = 0
    """The number of the first time that it was asked since it is open. Answers to earlier ones are old."""


class ExecutionState(msgspec.Struct):
    """All that changes."""

    orders: dict[str, OpenOrder] = {}
    """By order id, those that have not ended."""
    waiting: dict[str, bool] = {}
    """The created ones, in line."""
    ended: dict[str, EndedOrder] = {}
    """The newest that have."""
    session_up: bool = False
    instruments: dict[str, Instrument] | None = None
    """By symbol; None until the exchange has told."""
    rules: ExchangeRulesReported = ExchangeRulesReported()
    """As the desk knows them."""
    limiter: Limiter = msgspec.field(default_factory=Limiter)
    paused_until: Nanos = 0
    breakers: dict[str, Breaker] = {}
    """By symbol, where orders are being refused."""
    rates: dict[str, Decimal] = {}
    """What assets are worth in the quote currency, as the desk last said."""
    inquiries: dict[str, Inquiry] = {}
    unsettled: dict[str, bool] = {}
    """Symbols that had an order in the exchange's hands since it was last asked what the account holds."""
    charged: dict[str, bool] = {}
    """Assets that commissions of other symbols than their own were taken of."""
    traded: dict[str, str] = {}
    """By `trade_key`, the order that a trade is of, while that order is kept."""
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

    def learn(self, now: Nanos, order: OpenOrder, told: ExchangeOrderState, *, asked: bool = False) -> None:
        """Take in what the exchange says of an order, be it old or new, in part or in whole, `asked` or not."""
        known, disputed = (order.filled, order.executed, order.final), len(order.disputed)
        doubtful = [trade for trade in told.trades if not self._take(order, trade)]
        order.executed = max(order.executed, claimed(order, told), order.filled)
        if order.final is None and told.status.is_final:
            order.final = told.status
        if told.status is ExchangeStatus.REJECTED and not order.acknowledged:
            self.count_refusal(now, order.symbol, told.status)
        elif not order.acknowledged:
            self.state.breakers.pop(order.symbol, None)
        order.acknowledged = True
        order.missing_from = order.unknown_answers = 0
        if known != (order.filled, order.executed, order.final):
            order.queries = 0
        insists = bool(doubtful) and asked and order.final is not None
        if order.filled < order.quantity and len(order.disputed) > disputed:
            order.disputed_from = order.calls + 1
            self.doubt(order, "it is told of a trade that cannot be")
            self.wake(order, now + self.settings.retry_ns)
        elif order.is_told:
            self.end(order, self._reason(order))
        elif insists:
            self.end(order, EndReason.DISPUTED)
        elif order.final is not None:
            self.doubt(order, f"{order.final} with {order.executed} executed, of which {order.filled} is known")
            self.wake(order, now + self.pause(order.queries))
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
            self.learn(now, order, _state_in(said))

    def hear_of_ended(self, order_id: str, told: ExchangeOrderState) -> None:
        """Take in what is said of an order that has ended. A trade that is new and can be is its own all the same.

        Where the exchange speaks of more than it tells, it is asked, once.
        """
        order = self.state.ended.get(order_id)
        if order is None:
            return
        for trade in told.trades:
            self._take(order, trade)
        executed = claimed(order, told)
        if executed <= max(order.executed, order.filled):
            return
        order.executed, order.calls = executed, order.calls + 1
        more, why = EXACT.subtract(executed, order.filled), "it has ended with less filled"
        self.note(ExecutionUnexpected(order_id, order.symbol, order.side, "", Decimal(0), more, why))
        if self.state.session_up:
            call_id = f"{Asking.QUERY}:{order.calls}:{order_id}"
            self.emit(Call(EXCHANGE, call_id, QueryExchangeOrder(order_id, order.symbol)))

    def _hear_late(self, said: ExchangeExecution) -> None:
        order = self.state.ended.get(said.client_id)
        if order is not None and order.sent and (said.symbol, said.side) == (order.symbol, order.side):
            self.hear_of_ended(said.client_id, _state_in(said))
        elif not said.last_quantity.is_zero():
            self._unexpected(said, "no such order")

    def _unexpected(self, said: ExchangeExecution, why: str) -> None:
        named = (as_text(said.client_id), as_text(said.symbol), said.side, as_text(said.trade_id))
        self.note(ExecutionUnexpected(*named, said.last_price, said.last_quantity, why))

    def _take(self, order: OpenOrder | EndedOrder, trade: ExchangeTrade) -> bool:
        """Tell the desk of a trade if it is new; whether it is believed. One that is not is stated, once."""
        if trade.trade_id in order.trades or trade.quantity.is_zero():
            return True
        owner = self.state.traded.get(trade_key(order, trade.trade_id))
        why, name = objection(order, trade) if owner is None else f"it is a trade of {owner}", as_text(trade.trade_id)
        if not why:
            order.disputed.pop(name, None)
            self._fill(order, trade)
        elif name not in order.disputed:
            order.disputed[name] = why
            fact = (order.order_id, order.symbol, order.side, name, trade.price, trade.quantity)
            self.note(ExecutionUnexpected(*fact, why))
        return not why

    def _fill(self, order: OpenOrder | EndedOrder, trade: ExchangeTrade) -> None:
        order.trades[trade.trade_id] = trade.quantity
        self.state.traded[trade_key(order, trade.trade_id)] = order.order_id
        order.filled = EXACT.add(order.filled, trade.quantity)
        instruments = self.state.instruments or {}
        cost = fee_of(trade, instruments.get(order.symbol), self.state.rates, instruments.values())
        if cost.taken:
            self.state.charged[trade.commission_asset] = True
        filled = AssetOrderFilled(
            batch_id=order.batch_id,
            order_id=order.order_id,
            trade_id=trade.trade_id,
            symbol=order.symbol,
            side=order.side,
            price=trade.price,
            quantity=trade.quantity,
            fee=cost.fee,
            commission=cost.left,
            commission_asset=cost.asset,
            withheld=cost.withheld,
            taken=cost.taken,
            taken_symbol=cost.taken_symbol,
        )
        self.report(filled)

    def _accept(self, now: Nanos, order: OpenOrder) -> None:
        """The order stands at the exchange."""
        order.queries = 0
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
        self.emit(Call(EXCHANGE, order.call(Asking.QUERY), QueryExchangeOrder(order.order_id, order.symbol)))
        if now > order.receive_by and not order.missing_from:
            order.missing_from = order.calls
        self._ask_by(now, order, self.patience(order.queries))

    def ask_again(self, now: Nanos, order: OpenOrder, why: str, *, at_length: bool = False) -> None:
        """An answer was not conclusive: ask later."""
        self.note(ExchangeOrderUntold(order.order_id, order.queries, why))
        self._ask_by(now, order, self.settings.retry_ns_max if at_length else self.pause(order.queries))

    def _ask_by(self, now: Nanos, order: OpenOrder, wait: Nanos) -> None:
        """Ask again after `wait`, or as soon as a "no such order" would be conclusive; not twice for want of little."""
        at, closed = now + wait, order.receive_by + 1
        self.wake(order, closed if now < closed < at + self.settings.retry_ns else at)

    def ask_cancel(self, now: Nanos, order: OpenOrder) -> None:
        """Ask the exchange to cancel a live order. Without an answer it is asked what became of it."""
        order.cancels += 1
        self.emit(Call(EXCHANGE, order.call(Asking.CANCEL), CancelExchangeOrder(order.order_id, order.symbol)))
        self.wake(order, now + self.patience(order.cancels))

    def not_found(self, now: Nanos, order: OpenOrder, query: int) -> None:
        """The exchange does not know an order: the end of it if the exchange can never have got it, or insists.

        Which of the queries it answers does not matter, nor how late, if only that one was asked after the last thing
        by which the exchange can have got to know the order: the last instant at which it could take it, and the last
        time that it spoke of it. Of an order that it has spoken of, each answer counts once.
        """
        believed = 0 < order.missing_from <= query
        if believed and order.acknowledged:
            order.missing_from = query + 1
            order.unknown_answers += 1
            believed = order.unknown_answers >= self.settings.unknown_answers_max
        if believed:
            self.end(order, EndReason.LOST)
        else:
            self.ask_again(now, order, "no such order")

    def pause(self, attempts: int) -> Nanos:
        """How long to wait after so many attempts that came to nothing."""
        return doubled(self.settings.retry_ns, attempts, self.settings.retry_ns_max)

    def patience(self, attempts: int) -> Nanos:
        """How long to wait for an answer to any of so many requests, before one more is made."""
        return max(self.settings.reply_timeout_ns, self.pause(attempts))

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
        state.ended[order.order_id] = ended(order)
        if len(state.ended) > self.settings.ended_kept_max:
            self._forget(state.ended.pop(next(iter(state.ended))))
        self.emit(CancelTimer(f"order:{order.order_id}"))
        self.report(AssetOrderEnded(order.batch_id, order.order_id, order.symbol, reason, order.left))

    def _forget(self, order: EndedOrder) -> None:
        for trade_id in order.trades:
            self.state.traded.pop(trade_key(order, trade_id), None)


def _state_in(said: ExchangeExecution) -> ExchangeOrderState:
    """What a message of the stream says of its order, as an answer would."""
    trade = ExchangeTrade(said.trade_id, said.last_price, said.last_quantity, said.commission, said.commission_asset)
    trades = () if trade.quantity.is_zero() else (trade,)
    return ExchangeOrderState(said.client_id, said.status, said.cumulative_quantity, trades)
