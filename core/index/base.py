"""What the parts of the desk share: its state, its voice, its view of the market, and the steps of an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from core.execution.records import EXECUTION, CancelAssetOrders
from core.index import meeting
from core.index.batch import cut_short
from core.index.batches import Batches
from core.index.chain import ChainRequest
from core.index.chain_calls import ChainCalls
from core.index.custody import Custody
from core.index.facts import CrossingAwaited, IndexOrderDeferred, IndexOrderMoved
from core.index.indexes import Indexes
from core.index.inventory import Inventory
from core.index.order import ENGAGEABLE, IndexOrder
from core.index.orders import Orders
from core.index.planning import AssetView, PlanProblem
from core.index.queue import WaitingLine
from core.index.quotes import Quotes
from core.index.reconciliation import Reconciliation
from core.index.records import FillStatus
from core.index.settings import DeskSettings
from core.index.states import IndexOrderState, IndexOrderStep
from core.index.stock import Stock
from core.kernel.component import Component
from core.kernel.ids import Ids
from core.kernel.record import CancelTimer, Note, Record, Send, SetTimer
from core.market.books import Books
from core.market.prices import PriceType
from core.units import Nanos

EXPIRY: Final = "expiry:"
MATURITY: Final = "mint:"
REBALANCE: Final = "rebalance:"
"""Of an index; without one, of the house batch that runs."""
BATCH: Final = "batch:"
"""Of a batch of users: what it has not traded by then is cancelled."""
HOUSE: Final = "house:"
"""A task of the house that rested is tried again."""
OnPlanned: TypeAlias = Callable[[Nanos, PlanProblem, str], None]
"""Hears of each problem whose plan is carried out, with the batch that came of it, if one did. Must change nothing."""


class DeskState(msgspec.Struct):
    """All that changes, by the part of the desk that changes it."""

    line: WaitingLine
    """Orders that were not served yet."""
    quotes: Quotes
    books: Books
    ids: Ids = msgspec.field(default_factory=Ids)
    orders: Orders = msgspec.field(default_factory=Orders)
    custody: Custody = msgspec.field(default_factory=Custody)
    batches: Batches = msgspec.field(default_factory=Batches)
    stock: Stock = msgspec.field(default_factory=Stock)
    house_cash: Decimal = Decimal(0)
    """Money: what the house has of trades, below zero what it has put up (`core.index.cash`)."""
    inventory: Inventory = msgspec.field(default_factory=Inventory)
    indexes: Indexes = msgspec.field(default_factory=Indexes)
    chain: ChainCalls = msgspec.field(default_factory=ChainCalls)
    rates: dict[str, Decimal] = {}
    """What execution was told that assets are worth which commissions may be taken in."""
    charged: dict[str, str] = {}
    """By asset that commissions were taken of, a symbol that trades it."""
    reconciliation: Reconciliation = msgspec.field(default_factory=Reconciliation)
    anchor: Nanos = 0
    """Ticks are whole tick lengths after this."""
    tick_at: Nanos | None = None
    books_at: Nanos | None = None
    """When books are looked at next."""
    valuing: bool = False
    """Whether the next valuation has its timer."""
    stopping: bool = False


class DeskBase(Component[DeskState]):
    """A desk without its handlers."""

    __slots__ = ("on_planned", "settings")

    def __init__(self, name: str, settings: DeskSettings, state: DeskState) -> None:
        super().__init__(name, state)
        self.settings = settings
        self.on_planned: OnPlanned | None = None
        """For studies; no part of the desk's state, and of no influence on it."""

    # --- its voice -----------------------------------------------------------------------------------

    def note(self, *facts: Record) -> None:
        """State facts."""
        for fact in facts:
            self.emit(Note(fact))

    def send(self, dst: str, body: Record) -> None:
        """Tell another component of the node."""
        self.emit(Send(dst, body))

    def cut_short(self, batch_id: str) -> None:
        """Have what is left of a running batch's exchange orders cancelled."""
        cut_short(self.state.batches.running[batch_id])
        self.send(EXECUTION, CancelAssetOrders(batch_id))

    def ask_chain(self, now: Nanos, request: ChainRequest) -> None:
        """Have the chain do something, until it has."""
        for effect in self.state.chain.ask(now, request, self.settings):
            self.emit(effect)

    # --- orders --------------------------------------------------------------------------------------

    def move(self, now: Nanos, order: IndexOrder, step: IndexOrderStep) -> None:
        """Take an order one step along its table, and into line for a batch or a mint if that is what it is for now."""
        order.step(step)
        order.updated_at = now
        self.note(IndexOrderMoved(order.order_id, order.state, step))
        orders = self.state.orders
        orders.track(order)
        orders.ready.drop(order.order_id)
        orders.mintable.pop(order.order_id, None)
        if order.state in ENGAGEABLE:
            self._line_up(now, order, step)
        elif order.state is IndexOrderState.FULLY_MINTABLE:
            orders.mintable[order.order_id] = None

    def _line_up(self, now: Nanos, order: IndexOrder, step: IndexOrderStep) -> None:
        state, until = self.state, now + self.settings.crossing_wait_ns
        is_new = step in {IndexOrderStep.SECURED, IndexOrderStep.PREAUTHORISED}
        if is_new:
            meeting.rouse(state.orders, state.indexes, order)
        if is_new and until > now and meeting.is_awaited(state.orders, state.indexes, state.custody, order):
            state.orders.ready.gather(order.order_id, order.kind, until)
            self.note(CrossingAwaited(order.order_id, until))
        else:
            meeting.line_up(state.orders, state.indexes, order)

    def defer(self, order: IndexOrder, reason: str, asset: str = "") -> None:
        """Say why an order waits, whenever that is not what was said of it last."""
        if order.deferral != reason:
            order.deferral = reason
            self.note(IndexOrderDeferred(order.order_id, reason, asset))

    def status(self, order: IndexOrder) -> FillStatus:
        """What the order's owner is told of how far it is."""
        return order.status(self.settings.fill_threshold, self.settings.mint_threshold)

    def drop_timers(self, order: IndexOrder) -> None:
        """An order that has ended waits for nothing."""
        self.emit(CancelTimer(EXPIRY + order.order_id))
        self.emit(CancelTimer(MATURITY + order.order_id))

    def wake(self, key: str, at: Nanos) -> None:
        """Arm one of the desk's timers."""
        self.emit(SetTimer(key, at))

    # --- the market ----------------------------------------------------------------------------------

    def views(self, now: Nanos, assets: Iterable[str]) -> dict[str, AssetView]:
        """What planning may see of these assets: nothing of a price that is too old."""
        return {asset: self._view(now, asset) for asset in assets}

    def prices(self, now: Nanos, assets: Iterable[str], kind: PriceType) -> dict[str, Decimal]:
        """The prices of that kind; an asset without a fresh one is missing."""
        found = ((asset, self.state.books.price(now, asset, kind)) for asset in assets)
        return {asset: price for asset, price in found if price is not None}

    def _view(self, now: Nanos, asset: str) -> AssetView:
        book = self.state.books.book(asset)
        if book is None or not self.state.books.is_fresh(now, asset):
            return AssetView(asset, None, None, fresh=False)
        deepest = self.settings.book_levels_max
        bids, asks = book.bids.levels(deepest), book.asks.levels(deepest)
        return AssetView(asset, bids[0][0] if bids else None, asks[0][0] if asks else None, bids, asks)
