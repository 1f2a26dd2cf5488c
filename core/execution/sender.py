"""The line of orders that are still to be sent, and what happens when one of them is refused."""

from __future__ import annotations

from typing import Final

from core.execution.facts import ExchangeOrderDeferred, ExchangeOrderSent
from core.execution.orders import Asking, OpenOrder
from core.execution.records import AssetOrderPlaced, EndReason
from core.execution.states import OrderKnowledge, OrderNews
from core.execution.tracker import Tracker
from core.kernel.record import Call, SetTimer
from core.market.exchange import EXCHANGE, ExchangeRefusal, Instrument, PlaceExchangeOrder, RefusalKind
from core.market.filters import Fitted, Misfit, Padding, fit
from core.units import Nanos

ROOM: Final = "room"
"""The timer on the rate limits."""


class Sender(Tracker):
    """Execution as far as it sends orders: there is one line for all, which no order and no symbol holds up."""

    __slots__ = ()

    @property
    def can_send(self) -> bool:
        """Whether orders go out as far as there is room."""
        return self.state.session_up and self.state.instruments is not None

    def send_waiting(self, now: Nanos) -> None:
        """Send what stands in line, as far as there is room."""
        state = self.state
        if not state.session_up or state.instruments is None:
            return
        for order_id in list(state.waiting):
            order = state.orders[order_id]
            if not self._fits(now, order, state.instruments.get(order.symbol)):
                continue
            wait = max(state.limiter.wait(now), state.paused_until - now)
            if wait > 0:
                self.emit(SetTimer(ROOM, now + wait))
                return
            self._send(now, order)

    def _fits(self, now: Nanos, order: OpenOrder, instrument: Instrument | None) -> bool:
        """Whether an order can be sent at all; if not, that is its end."""
        breaker = self.state.breakers.get(order.symbol)
        why = ""
        if instrument is None:
            why = "unknown_symbol"
        elif breaker is not None and not breaker.lets_through(now, self.settings):
            why = "circuit_open"
        elif not order.placed:
            fitted = self._fitted(order, instrument)
            if isinstance(fitted, Misfit):
                why = fitted
            else:
                order.placed = True
                order.price, order.quantity = fitted
                self.report(AssetOrderPlaced(order.order_id, order.price, order.quantity))
        if why:
            self.end(order, f"{EndReason.UNSENDABLE}:{why}")
        return not why

    def _fitted(self, order: OpenOrder, instrument: Instrument) -> Fitted | Misfit:
        """An order as the filters have it, unless that is more than the desk can bear: then it is not padded."""
        wanted = Fitted(order.price, order.quantity)
        fitted = fit(instrument, order.side, wanted, self.settings.padding)
        if isinstance(fitted, Misfit) or order.quantity_max is None or fitted.quantity <= order.quantity_max:
            return fitted
        return fit(instrument, order.side, wanted, Padding.NEVER)

    def _send(self, now: Nanos, order: OpenOrder) -> None:
        del self.state.waiting[order.order_id]
        self.state.limiter.put(now)
        self.state.unsettled[order.symbol] = True
        breaker = self.state.breakers.get(order.symbol)
        if breaker is not None:
            breaker.sending(now, self.settings)
        order.step(OrderNews.SENT)
        order.attempts += 1
        order.receive_by = now + self.settings.receive_window_ns
        terms = (order.symbol, order.side, order.price, order.quantity, self.settings.time_in_force)
        self.emit(
            Call(EXCHANGE, order.call(Asking.PLACE), PlaceExchangeOrder(order.order_id, *terms, order.receive_by))
        )
        order.placing = order.calls
        self.wake(order, now + self.settings.reply_timeout_ns)
        self.note(ExchangeOrderSent(order.batch_id, order.order_id, *terms, order.attempts))

    def take_refusal(self, now: Nanos, order: OpenOrder, refusal: ExchangeRefusal) -> None:
        """The last request to place an order was refused. Once the exchange has shown that it has it, that is void."""
        if order.acknowledged or order.state is OrderKnowledge.CREATED:
            return
        if refusal.kind.is_definite:
            self.count_refusal(now, order.symbol, refusal.code)
            self.end(order, f"{EndReason.REFUSED}:{refusal.code or refusal.kind}")
        elif refusal.kind is RefusalKind.RATE_LIMIT:
            self._defer(now, order, refusal)
        elif order.state is OrderKnowledge.SENT:
            self.doubt(order, refusal.kind)
            self.ask(now, order)

    def _defer(self, now: Nanos, order: OpenOrder, refusal: ExchangeRefusal) -> None:
        """Back to the head of the line, if there is time left to wait in it."""
        self.state.paused_until = now + self.settings.rate_pause_ns
        if order.state is not OrderKnowledge.SENT or order.cancelling or now >= order.deadline:
            self.end(order, EndReason.CANCELLED if order.cancelling else EndReason.RATE_LIMITED)
            return
        order.step(OrderNews.DEFERRED)
        self.state.waiting = {order.order_id: True, **self.state.waiting}
        self.note(ExchangeOrderDeferred(order.order_id, refusal.code))
        self.wake(order, order.deadline)
        self.send_waiting(now)
