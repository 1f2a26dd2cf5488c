"""The index desk: collateral in, baskets bought in batches, lots to the last digit, index tokens out, and back again.

It works in ticks, whole tick lengths after its start, and only while there is something to do. A tick is a timer, so
no stream of events, however dense, keeps it from coming. In a tick, in this order: orders that have waited are served,
full ones are minted, rebalances go on and what the house has to trade becomes a batch of its own, weights that wait are
tried again, ready orders are planned into a batch, quotes are answered. Everything else happens when it happens: funds
that arrive, fills, ends of exchange orders, confirmations.

Batches run side by side within the total volley. An order is in at most one of them, a lot in at most one of them, and
what either leaves over is in the desk's hands again when its last exchange order has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from core.collateral.records import (
    CollateralAwaited,
    CollateralPreauthorised,
    CollateralRefused,
    CollateralRepaid,
    CollateralRouted,
    CollateralSpent,
    PaidOut,
    ProceedsHeld,
    ProceedsTakenBack,
    Stage,
)
from core.execution.records import (
    AssetOrderEnded,
    AssetOrderFilled,
    AssetOrderPlaced,
    BalancesReported,
    ExchangeRulesReported,
)
from core.index import (
    chain_answers,
    declining,
    filling,
    funding,
    intake,
    minting,
    quoting,
    rebalancing,
    reconciling,
    returning,
    rounds,
    settling,
    ticking,
    weighing,
)
from core.index.base import DeskBase, DeskState
from core.index.chain import ChainConfirmed, ChainDeclined, ChainRefused
from core.index.facts import MarketDataLost, MarketDataReached
from core.index.order import IndexOrder
from core.index.planning import NoRoom, Plan
from core.index.queue import WaitingLine
from core.index.quotes import Quotes
from core.index.reasons import EndReason, WaitReason
from core.index.records import (
    AmendIndexOrder,
    CancelIndexOrder,
    CancelQuoteRequest,
    CuratorWeightsSet,
    DelistAsset,
    IndexTokensDeposited,
    NewIndexOrder,
    NewQuoteRequest,
    Outcome,
)
from core.index.settings import DeskSettings
from core.index.states import IndexOrderState
from core.kernel.component import Handler
from core.kernel.record import (
    Computed,
    Effect,
    Event,
    Message,
    Record,
    Reply,
    Resume,
    Start,
    Stop,
    TimerFired,
)
from core.market.books import books_of
from core.market.exchange import (
    BookDelta,
    BookSnapshot,
    ExchangeRefusal,
    MarketDataDown,
    MarketDataUp,
    TradePrinted,
)
from core.units import Nanos, as_text

_MOVING: Final = frozenset({IndexOrderState.ROUTING, IndexOrderState.LEAVING})


class IndexDesk(DeskBase):
    """One desk, for any number of users and indexes."""

    __slots__ = ()

    def __init__(self, name: str, settings: DeskSettings) -> None:
        state = DeskState(
            line=WaitingLine(settings.client_order_wait_ns, settings.active_per_user_max),
            quotes=Quotes(WaitingLine(settings.client_quote_wait_ns, settings.quotes_per_user_max)),
            books=books_of((*settings.assets, *settings.commission_pairs.values()), settings.books),
        )
        super().__init__(name, settings, state)

    def handle(self, now: Nanos, event: Event) -> list[Effect]:
        """Apply one event, and see to it that the desk is woken when it next has something to do."""
        effects = super().handle(now, event)
        ticking.arm(self, now)
        return effects

    # --- time ----------------------------------------------------------------------------------------

    def _on_start(self, now: Nanos, _event: Start) -> None:
        self.state.anchor = now
        for index in self.settings.indexes:
            weighing.set_up(self, now, index)
        ticking.keep_books(self, now)

    def _on_stop(self, now: Nanos, _event: Stop) -> None:
        self.state.stopping = True
        quoting.refuse_quotes(self)
        rebalancing.cut_short(self)
        settling.leave_all(self, now, Outcome.EXPIRED, EndReason.STOPPED)
        returning.hurry(self, now)

    def _on_resume(self, now: Nanos, _event: Resume) -> None:
        self.state.stopping = False
        self.state.books.doubt(now)
        ticking.keep_books(self, now)

    def _on_timer(self, now: Nanos, event: TimerFired) -> None:
        ticking.fall_due(self, now, event.key)

    # --- users, curators, operators ------------------------------------------------------------------

    def _on_order(self, now: Nanos, event: Message[NewIndexOrder]) -> None:
        intake.take_order(self, now, event.body)

    def _on_amend(self, now: Nanos, event: Message[AmendIndexOrder]) -> None:
        intake.amend_order(self, now, event.body)

    def _on_cancel(self, now: Nanos, event: Message[CancelIndexOrder]) -> None:
        intake.cancel_order(self, now, event.body)

    def _on_quote(self, now: Nanos, event: Message[NewQuoteRequest]) -> None:
        quoting.take_quote_request(self, now, event.body)

    def _on_quote_cancel(self, _now: Nanos, event: Message[CancelQuoteRequest]) -> None:
        quoting.cancel_quote_request(self, event.body)

    def _on_weights(self, now: Nanos, event: Message[CuratorWeightsSet]) -> None:
        weighing.take_weights(self, now, event.body)
        ticking.keep_books(self, now)

    def _on_delisting(self, now: Nanos, event: Message[DelistAsset]) -> None:
        weighing.delist(self, now, event.body)

    def _on_tokens(self, now: Nanos, event: Message[IndexTokensDeposited]) -> None:
        funding.hold_tokens(self, now, event.body)

    # --- the market ----------------------------------------------------------------------------------

    def _on_market_up(self, now: Nanos, _event: Message[MarketDataUp]) -> None:
        self.note(MarketDataReached())
        self.state.books.on_up(now)
        ticking.keep_books(self, now)

    def _on_market_down(self, _now: Nanos, event: Message[MarketDataDown]) -> None:
        self.note(MarketDataLost(as_text(event.body.reason)))
        self.state.books.on_down()

    def _on_delta(self, now: Nanos, event: Message[BookDelta]) -> None:
        for effect in self.state.books.on_delta(now, event.body):
            self.emit(effect)
        ticking.market_moved(self, now, event.body.symbol)

    def _on_snapshot(self, now: Nanos, event: Reply[BookSnapshot]) -> None:
        for effect in self.state.books.on_snapshot(now, event.call_id, event.body):
            self.emit(effect)
        ticking.market_moved(self, now, event.body.symbol)

    def _on_no_snapshot(self, now: Nanos, event: Reply[ExchangeRefusal]) -> None:
        self.state.books.on_refused(now, event.call_id)
        ticking.keep_books(self, now)

    def _on_trade(self, now: Nanos, event: Message[TradePrinted]) -> None:
        self.state.books.on_trade(now, event.body)

    # --- collateral ----------------------------------------------------------------------------------

    def _live(self, order_id: str, *states: IndexOrderState) -> IndexOrder | None:
        """An order that waits for what has just arrived; what comes for any other was answered before."""
        order = self.state.orders.live.get(order_id)
        return order if order is not None and order.state in states else None

    def _on_routed(self, now: Nanos, event: Message[CollateralRouted]) -> None:
        order = self._live(event.body.order_id, *_MOVING)
        if order is not None:
            funding.on_routed(self, now, order, event.body)

    def _on_awaited(self, _now: Nanos, event: Message[CollateralAwaited]) -> None:
        if (order := self._live(event.body.order_id, IndexOrderState.ROUTING)) is not None:
            order.awaits_deposit = True
            self.defer(order, WaitReason.NO_DEPOSIT)

    def _on_preauthorised(self, now: Nanos, event: Message[CollateralPreauthorised]) -> None:
        order = self._live(event.body.order_id, IndexOrderState.PREAUTHORISING, IndexOrderState.LEAVING)
        if order is not None:
            funding.on_preauthorised(self, now, order, event.body)

    def _on_spent(self, now: Nanos, event: Message[CollateralSpent]) -> None:
        order = self._live(event.body.order_id, IndexOrderState.MINTING)
        if order is not None:
            minting.on_spent(self, now, order, event.body)

    def _on_held(self, now: Nanos, event: Message[ProceedsHeld]) -> None:
        order = self._live(event.body.order_id, IndexOrderState.MINTING)
        if order is not None:
            minting.on_held(self, now, order, event.body)

    def _on_repaid(self, now: Nanos, event: Message[CollateralRepaid]) -> None:
        order = self._live(event.body.order_id, IndexOrderState.MINTING)
        if order is not None:
            declining.on_repaid(self, now, order, event.body)

    def _on_taken_back(self, now: Nanos, event: Message[ProceedsTakenBack]) -> None:
        order = self._live(event.body.order_id, IndexOrderState.MINTING)
        if order is not None:
            declining.on_taken_back(self, now, order, event.body)

    def _on_paid_out(self, now: Nanos, event: Message[PaidOut]) -> None:
        order = self._live(event.body.order_id, IndexOrderState.SETTLING)
        if order is None:
            return
        if order.side == "sell":
            minting.on_paid_out(self, now, order, event.body)
        else:
            settling.on_refunded(self, now, order, event.body)

    def _on_refused(self, now: Nanos, event: Message[CollateralRefused]) -> None:
        order = self.state.orders.live.get(event.body.order_id)
        if order is not None:
            _REFUSED[Stage(event.body.stage)](self, now, order, event.body)

    # --- exchange, chain, planner ----------------------------------------------------------------------

    def _on_placed(self, _now: Nanos, event: Message[AssetOrderPlaced]) -> None:
        filling.on_placed(self, event.body)

    def _on_filled(self, now: Nanos, event: Message[AssetOrderFilled]) -> None:
        filling.on_filled(self, now, event.body)

    def _on_ended(self, now: Nanos, event: Message[AssetOrderEnded]) -> None:
        filling.on_ended(self, now, event.body)

    def _on_balances(self, now: Nanos, event: Message[BalancesReported]) -> None:
        reconciling.compare(self, now, event.body)

    def _on_rules(self, now: Nanos, event: Message[ExchangeRulesReported]) -> None:
        self.state.batches.room.adopt(now, event.body)
        self.state.orders.ready.wake_all()

    def _on_confirmed(self, now: Nanos, event: Reply[ChainConfirmed]) -> None:
        chain_answers.on_confirmed(self, now, event.call_id, event.body)

    def _on_chain_refused(self, now: Nanos, event: Reply[ChainRefused]) -> None:
        chain_answers.on_refused(self, now, event.call_id, event.body)

    def _on_declined(self, now: Nanos, event: Reply[ChainDeclined]) -> None:
        chain_answers.on_declined(self, now, event.call_id, event.body)

    def _on_plan(self, now: Nanos, event: Computed[Plan | NoRoom]) -> None:
        rounds.on_computed(self, now, event.job_id, event.result)

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _on_stop,
        Resume: _on_resume,
        TimerFired: _on_timer,
        NewIndexOrder: _on_order,
        AmendIndexOrder: _on_amend,
        CancelIndexOrder: _on_cancel,
        NewQuoteRequest: _on_quote,
        CancelQuoteRequest: _on_quote_cancel,
        CuratorWeightsSet: _on_weights,
        DelistAsset: _on_delisting,
        IndexTokensDeposited: _on_tokens,
        MarketDataUp: _on_market_up,
        MarketDataDown: _on_market_down,
        BookDelta: _on_delta,
        BookSnapshot: _on_snapshot,
        ExchangeRefusal: _on_no_snapshot,
        TradePrinted: _on_trade,
        CollateralRouted: _on_routed,
        CollateralAwaited: _on_awaited,
        CollateralPreauthorised: _on_preauthorised,
        CollateralSpent: _on_spent,
        CollateralRefused: _on_refused,
        ProceedsHeld: _on_held,
        CollateralRepaid: _on_repaid,
        ProceedsTakenBack: _on_taken_back,
        PaidOut: _on_paid_out,
        AssetOrderPlaced: _on_placed,
        AssetOrderFilled: _on_filled,
        AssetOrderEnded: _on_ended,
        BalancesReported: _on_balances,
        ExchangeRulesReported: _on_rules,
        ChainConfirmed: _on_confirmed,
        ChainRefused: _on_chain_refused,
        ChainDeclined: _on_declined,
        Plan: _on_plan,
        NoRoom: _on_plan,
    }


_REFUSED: Final[dict[Stage, Callable[[DeskBase, Nanos, IndexOrder, CollateralRefused], None]]] = {
    Stage.ROUTE: funding.on_refused,
    Stage.PREAUTHORISE: funding.on_refused,
    Stage.SPEND: minting.on_spend_refused,
    Stage.HOLD: minting.on_hold_refused,
    Stage.REPAY: declining.on_not_restored,
    Stage.TAKE_BACK: declining.on_not_restored,
    Stage.PAY_OUT: minting.on_pay_out_refused,
}
