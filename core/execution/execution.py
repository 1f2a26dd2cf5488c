"""Execution: takes the desk's orders to an exchange, and does not let go of one before it knows how it ended.

*Sending.* Orders stand in one line. The first is fitted to the filters of its instrument (`core.market.filters`) and
leaves as soon as there is a session and room under the rate limits. One that cannot be sent at all ends and holds up
nobody; neither does a symbol whose orders the exchange keeps refusing (`core.execution.breaker`). One that could not
leave within `wait_ns_max` ends: its price was right when it came. Where a batch has more orders than a limit allows,
they have the time on top that the limit needs for them.

*Following.* Replies and the stream tell the same story, each with gaps. Both are taken in by the same rules, trades
being known by their ids. Where the story stops, the exchange is asked (`core.execution.states`), also about every
order in its hands when a session comes up.

*Late is not lost.* An exchange may take longer to answer than is waited for before it is asked again. So whatever it
answers counts, however late, and whichever of several like questions it answers; only what was asked too early to know
does not: of orders see `core.execution.states`, and of balances, what was asked before anybody wanted to know.

*Nothing is done twice.* An order is requested again only if the exchange has said that the last request had no effect.
All other requests can be repeated harmlessly, and are, until they are answered: at growing pauses, and at the longest
ones as soon as the exchange has said that it will not answer. They have no end of their own, for none is safe: without
instruments nothing can be sent, and what became of an order cannot be made up.
"""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import structs

from core.execution.facts import (
    ExchangeLost,
    ExchangeReached,
    PlacementRepeated,
)
from core.execution.orders import Asking, OpenOrder, call_named, held_of, opened, rules_of, sound
from core.execution.records import (
    BalancesReported,
    BalancesWanted,
    CancelAssetOrders,
    CommissionRateSet,
    EndReason,
    PlaceOrders,
)
from core.execution.sender import ROOM, Sender
from core.execution.states import OrderKnowledge
from core.execution.tracker import Inquiry
from core.kernel.component import Handler
from core.kernel.record import (
    Call,
    CancelTimer,
    Message,
    Record,
    Reply,
    Resume,
    SetTimer,
    Start,
    Stop,
    TimerFired,
)
from core.market.exchange import (
    EXCHANGE,
    ExchangeBalances,
    ExchangeExecution,
    ExchangeInstruments,
    ExchangeOrderState,
    ExchangeRefusal,
    ExchangeSessionDown,
    ExchangeSessionUp,
    QueryBalances,
    QueryInstruments,
    RefusalKind,
)
from core.units import Nanos, as_text, is_number

_INSTRUMENTS: Final = "instruments"
_BALANCES: Final = "balances"
_QUESTIONS: Final[dict[str, Record]] = {_INSTRUMENTS: QueryInstruments(), _BALANCES: QueryBalances()}


class Execution(Sender):
    """Every order that the desk asks for ends exactly once, and its trades and what was cancelled add up."""

    __slots__ = ()

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        """Wait for a session."""

    def _on_stop(self, _now: Nanos, _event: Stop) -> None:
        """What has not been sent never will be; what has is followed to its end."""
        self.state.stopping = True
        for order_id in list(self.state.waiting):
            self.end(self.state.orders[order_id], EndReason.CANCELLED)

    def _on_resume(self, _now: Nanos, _event: Resume) -> None:
        self.state.stopping = False
        if self.state.session_up:
            self._lose_session("restarted")

    def _on_timer(self, now: Nanos, event: TimerFired) -> None:
        kind, _, order_id = event.key.partition(":")
        if kind == ROOM:
            self.send_waiting(now)
        elif kind in _QUESTIONS:
            self._inquire(now, kind)
        else:
            self._on_time(now, self.state.orders[order_id])

    def _on_time(self, now: Nanos, order: OpenOrder) -> None:
        """Somebody has taken too long."""
        if order.state is OrderKnowledge.CREATED:
            self.end(order, EndReason.RATE_LIMITED if self.can_send else EndReason.NO_SESSION)
            return
        self.doubt(order, "no answer" if order.state is OrderKnowledge.SENT else "silence")
        self.ask(now, order)

    # --- from the desk -------------------------------------------------------------------------------

    def _on_place(self, now: Nanos, event: Message[PlaceOrders]) -> None:
        state = self.state
        deadline = now + self.settings.wait_ns_max + state.limiter.span(len(event.body.orders))
        for wanted in event.body.orders:
            if wanted.order_id in state.orders or wanted.order_id in state.ended:
                self.note(PlacementRepeated(wanted.order_id))
                continue
            order = opened(event.body.batch_id, wanted, deadline)
            state.orders[order.order_id] = order
            if state.stopping:
                self.end(order, EndReason.CANCELLED)
                continue
            state.waiting[order.order_id] = True
            self.wake(order, order.deadline)
        self.send_waiting(now)

    def _on_cancel(self, now: Nanos, event: Message[CancelAssetOrders]) -> None:
        for order in [each for each in self.state.orders.values() if each.batch_id == event.body.batch_id]:
            if order.cancelling:
                continue
            order.cancelling = True
            if order.state is OrderKnowledge.CREATED:
                self.end(order, EndReason.CANCELLED)
            elif order.state is OrderKnowledge.LIVE:
                self.ask_cancel(now, order)

    def _on_rate(self, _now: Nanos, event: Message[CommissionRateSet]) -> None:
        self.state.rates[event.body.asset] = event.body.rate

    def _on_balances_wanted(self, now: Nanos, _event: Message[BalancesWanted]) -> None:
        self._want(now, _BALANCES)

    # --- the session ---------------------------------------------------------------------------------

    def _on_session_up(self, now: Nanos, _event: Message[ExchangeSessionUp]) -> None:
        self.state.session_up = True
        self.note(ExchangeReached())
        for order in list(self.state.orders.values()):
            if order.state is not OrderKnowledge.CREATED:
                self._entrust(order, "a new session")
                self.ask(now, order)
        self._want(now, _INSTRUMENTS)
        self._want(now, _BALANCES)
        self.send_waiting(now)

    def _on_session_down(self, _now: Nanos, event: Message[ExchangeSessionDown]) -> None:
        self._lose_session(as_text(event.body.reason))

    def _lose_session(self, reason: str) -> None:
        self.state.session_up = False
        theirs = [order for order in self.state.orders.values() if order.state is not OrderKnowledge.CREATED]
        self.note(ExchangeLost(reason, len(theirs)))
        for order in theirs:
            self._entrust(order, "the session was lost")
            self.emit(CancelTimer(f"order:{order.order_id}"))
        for timer in (ROOM, *_QUESTIONS):
            self.emit(CancelTimer(timer))

    def _entrust(self, order: OpenOrder, why: str) -> None:
        """Only the exchange's own word on an order counts now: a refusal may be that of a request that was repeated."""
        order.placing = order.queries = 0
        self.doubt(order, why)

    def _want(self, now: Nanos, question: str) -> None:
        inquiry = self.state.inquiries.setdefault(question, Inquiry())
        if not inquiry.open:
            inquiry.first = inquiry.number + 1
            if question == _BALANCES:
                theirs = (order for order in self.state.orders.values() if order.attempts)
                self.state.unsettled = {order.symbol: True for order in theirs}
        inquiry.open, inquiry.attempts = True, 0
        self._inquire(now, question)

    def _inquire(self, now: Nanos, question: str) -> None:
        """Ask, if there is a session; else the next one will."""
        inquiry = self.state.inquiries[question]
        if not self.state.session_up:
            return
        inquiry.number += 1
        inquiry.attempts += 1
        self.emit(Call(EXCHANGE, f"{question}:{inquiry.number}:", _QUESTIONS[question]))
        self.emit(SetTimer(question, now + self.patience(inquiry.attempts)))

    def _answered(self, question: str) -> None:
        self.state.inquiries[question].open = False
        self.emit(CancelTimer(question))

    def _on_instruments(self, now: Nanos, event: Reply[ExchangeInstruments]) -> None:
        self._answered(_INSTRUMENTS)
        self.state.instruments = sound(event.body)
        self.state.limiter.adopt(now, event.body.limits)
        rules = rules_of(event.body)
        if rules != self.state.rules:
            self.state.rules = rules
            self.report(rules)
        self.send_waiting(now)

    def _on_balances(self, _now: Nanos, event: Reply[ExchangeBalances]) -> None:
        """What balances are of, instruments say: without them the answer is passed over, and asked for again.

        So is one that is not in numbers.
        """
        inquiry, number = self.state.inquiries[_BALANCES], call_named(event.call_id).number
        if not all(is_number(each.free) and is_number(each.locked) for each in event.body.balances):
            return
        if inquiry.open and number >= inquiry.first and self.state.instruments is not None:
            self._answered(_BALANCES)
            charged = (*self.state.rates, *self.state.charged)
            self.report(BalancesReported(held_of(event.body, self.state.instruments, self.state.unsettled, charged)))

    # --- from the exchange ---------------------------------------------------------------------------

    def _on_execution(self, now: Nanos, event: Message[ExchangeExecution]) -> None:
        self.hear(now, event.body)

    def _on_order_state(self, now: Nanos, event: Reply[ExchangeOrderState]) -> None:
        told = event.body
        if told.limits:
            self.state.limiter.adopt(now, told.limits)
        asking, number, order_id = call_named(event.call_id)
        order = self.state.orders.get(order_id)
        if order is None:
            self.hear_of_ended(order_id, told)
        else:
            self.learn(now, order, told, asked=asking == Asking.QUERY and number >= order.disputed_from)

    def _on_refusal(self, now: Nanos, event: Reply[ExchangeRefusal]) -> None:
        asking, number, order_id = call_named(event.call_id)
        refusal = structs.replace(event.body, code=as_text(event.body.code))
        if asking in _QUESTIONS:
            self._on_question_refused(now, asking, number, refusal)
            return
        order = self.state.orders.get(order_id)
        if order is None:
            return
        if asking == Asking.PLACE and number == order.placing:
            self.take_refusal(now, order, refusal)
        elif asking == Asking.QUERY and order.state is OrderKnowledge.UNKNOWN:
            if refusal.kind is RefusalKind.UNKNOWN_ORDER:
                self.not_found(now, order, number)
            else:
                self.ask_again(now, order, refusal.code or refusal.kind, at_length=refusal.kind.is_definite)
        elif asking == Asking.CANCEL and order.state is OrderKnowledge.LIVE:
            if refusal.kind is RefusalKind.UNKNOWN_ORDER:
                self.doubt(order, "there is nothing to cancel")
                self.ask(now, order)
                return
            self.wake(order, now + self.pause(order.cancels))

    def _on_question_refused(self, now: Nanos, question: str, number: int, refusal: ExchangeRefusal) -> None:
        inquiry = self.state.inquiries[question]
        if inquiry.open and number >= inquiry.first:
            definite = refusal.kind.is_definite
            wait = self.settings.retry_ns_max if definite else self.pause(inquiry.attempts)
            self.emit(SetTimer(question, now + wait))

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _on_stop,
        Resume: _on_resume,
        TimerFired: _on_timer,
        PlaceOrders: _on_place,
        CancelAssetOrders: _on_cancel,
        CommissionRateSet: _on_rate,
        BalancesWanted: _on_balances_wanted,
        ExchangeSessionUp: _on_session_up,
        ExchangeSessionDown: _on_session_down,
        ExchangeExecution: _on_execution,
        ExchangeOrderState: _on_order_state,
        ExchangeRefusal: _on_refusal,
        ExchangeInstruments: _on_instruments,
        ExchangeBalances: _on_balances,
    }
