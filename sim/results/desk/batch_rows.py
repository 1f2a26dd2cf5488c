"""From facts to rows: batches, the exchange orders that they become, fills, lots, NAV."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from core.execution.records import AssetOrderEnded, AssetOrderFilled, AssetOrderPlaced
from core.index.facts import (
    AssetOrderPlanned,
    HouseTaskSet,
    HouseTraded,
    IndexBatchCompleted,
    IndexBatchOpened,
    InventoryAgreed,
    InventoryDiffered,
    InventoryReconciled,
    LotAssigned,
    LotClosed,
    LotForgone,
    LotOpened,
    OrderEngaged,
    OrdersCrossed,
    StockLeft,
    StockReleased,
)
from core.index.lot_names import of_trade
from core.index.nav import NavPoint
from sim.results.desk.rows import (
    ExchangeFillRow,
    ExchangeOrderRow,
    IndexBatchRow,
    LotRow,
    NavRow,
    ReconciliationRow,
)
from sim.results.facts import Noted
from sim.results.fold import Fold, row_of


class _Fees:
    """What trades have cost. A commission that could not be valued with its trade may be when the lot is booked."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], Decimal] = {}
        """By exchange order and lot, what was known with the trade."""

    def of_trade(self, fact: AssetOrderFilled) -> Decimal:
        """What is known with a trade."""
        self._told[fact.order_id, of_trade(fact.trade_id)] = fact.fee
        return fact.fee

    def of_lot(self, fact: LotOpened) -> Decimal:
        """How much more is known when its lot is booked."""
        return fact.fee - self._told.pop((fact.asset_order_id, fact.lot_id), fact.fee)


class IndexBatches(Fold[IndexBatchRow]):
    """Fills `index_batches`."""

    def __init__(self) -> None:
        super().__init__({})
        self._by_id: dict[str, IndexBatchRow] = {}
        self._fees = _Fees()

    def _on_opened(self, noted: Noted, fact: IndexBatchOpened) -> None:
        row = row_of(IndexBatchRow, noted, orders=len(fact.order_ids), opened_time=noted.time)
        self._by_id[fact.batch_id] = row
        self.rows.append(row)

    def _on_engaged(self, _noted: Noted, fact: OrderEngaged) -> None:
        row = self._by_id[fact.batch_id]
        row.engaged += fact.collateral
        row.carried += fact.carried

    def _on_completed(self, noted: Noted, fact: IndexBatchCompleted) -> None:
        row = self._by_id[fact.batch_id]
        row.fill, row.completed_time = fact.fill, noted.time

    def _on_fill(self, _noted: Noted, fact: AssetOrderFilled) -> None:
        row = self._by_id[fact.batch_id]
        row.value += fact.price * fact.quantity
        row.fee += self._fees.of_trade(fact)

    def _on_lot(self, _noted: Noted, fact: LotOpened) -> None:
        if more := self._fees.of_lot(fact):
            self._by_id[fact.batch_id].fee += more

    def _on_crossed(self, _noted: Noted, fact: OrdersCrossed) -> None:
        self._by_id[fact.batch_id].crossed += fact.price * fact.quantity

    def _on_house(self, _noted: Noted, fact: HouseTraded) -> None:
        self._by_id[fact.batch_id].house += fact.price * fact.quantity

    HANDLERS: ClassVar[dict[Any, Any]] = {
        IndexBatchOpened: _on_opened,
        OrderEngaged: _on_engaged,
        AssetOrderFilled: _on_fill,
        LotOpened: _on_lot,
        OrdersCrossed: _on_crossed,
        HouseTraded: _on_house,
        IndexBatchCompleted: _on_completed,
    }


class Lots(Fold[LotRow]):
    """Fills `lots`."""

    def __init__(self) -> None:
        super().__init__({})
        self._own: set[str] = set()
        """Tasks of the house for itself."""

    def _on_task(self, _noted: Noted, fact: HouseTaskSet) -> None:
        if not fact.symbol:
            self._own.add(fact.task_id)

    def _on_opened(self, noted: Noted, _fact: LotOpened) -> None:
        self.rows.append(row_of(LotRow, noted, step="opened"))

    def _on_assigned(self, noted: Noted, fact: LotAssigned) -> None:
        self.rows.append(row_of(LotRow, noted, step="kept" if fact.order_id in self._own else "assigned"))

    def _on_crossed(self, noted: Noted, _fact: OrdersCrossed) -> None:
        self.rows.append(row_of(LotRow, noted, step="crossed", side="sell"))

    def _on_taken(self, noted: Noted, _fact: HouseTraded) -> None:
        self.rows.append(row_of(LotRow, noted, step="taken", side="buy"))

    def _on_forgone(self, noted: Noted, _fact: LotForgone) -> None:
        self.rows.append(row_of(LotRow, noted, step="forgone"))

    def _on_left(self, noted: Noted, fact: StockLeft) -> None:
        for step, quantity in (("carried", fact.carried), ("house", fact.house)):
            if quantity:
                self.rows.append(row_of(LotRow, noted, step=step, quantity=quantity))

    def _on_released(self, noted: Noted, _fact: StockReleased) -> None:
        self.rows.append(row_of(LotRow, noted, step="house"))

    def _on_closed(self, noted: Noted, fact: LotClosed) -> None:
        said = {"order_id": fact.closing_lot_id, "price": fact.closing_price}
        self.rows.append(row_of(LotRow, noted, step="closed", **said))

    HANDLERS: ClassVar[dict[Any, Any]] = {
        LotOpened: _on_opened,
        HouseTaskSet: _on_task,
        OrdersCrossed: _on_crossed,
        HouseTraded: _on_taken,
        LotAssigned: _on_assigned,
        LotForgone: _on_forgone,
        StockLeft: _on_left,
        StockReleased: _on_released,
        LotClosed: _on_closed,
    }


class Navs(Fold[NavRow]):
    """Fills `nav`."""

    def _on_noted(self, noted: Noted, fact: NavPoint) -> None:
        held_nav = None if fact.tracking_difference is None else fact.held_value / fact.backed
        self.rows.append(row_of(NavRow, noted, held_nav=held_nav))

    HANDLERS: ClassVar[dict[Any, Any]] = {NavPoint: _on_noted}


class ExchangeFills(Fold[ExchangeFillRow]):
    """Fills `fills`. A commission that could not be valued with its trade may be when the lot is booked."""

    def __init__(self) -> None:
        super().__init__({})
        self._by_trade: dict[tuple[str, str], ExchangeFillRow] = {}

    def _on_filled(self, noted: Noted, fact: AssetOrderFilled) -> None:
        row = row_of(ExchangeFillRow, noted, asset_order_id=fact.order_id)
        self._by_trade[fact.order_id, of_trade(fact.trade_id)] = row
        self.rows.append(row)

    def _on_opened(self, _noted: Noted, fact: LotOpened) -> None:
        row = self._by_trade.pop((fact.asset_order_id, fact.lot_id), None)
        if row is not None:
            row.fee = fact.fee

    HANDLERS: ClassVar[dict[Any, Any]] = {AssetOrderFilled: _on_filled, LotOpened: _on_opened}


class Reconciliations(Fold[ReconciliationRow]):
    """Fills `reconciliations`."""

    def _on_compared(self, noted: Noted, _fact: InventoryReconciled) -> None:
        self.rows.append(row_of(ReconciliationRow, noted, what="compared"))

    def _on_differed(self, noted: Noted, _fact: InventoryDiffered) -> None:
        self.rows.append(row_of(ReconciliationRow, noted, what="differs"))

    def _on_agreed(self, noted: Noted, _fact: InventoryAgreed) -> None:
        self.rows.append(row_of(ReconciliationRow, noted, what="agrees"))

    HANDLERS: ClassVar[dict[Any, Any]] = {
        InventoryReconciled: _on_compared,
        InventoryDiffered: _on_differed,
        InventoryAgreed: _on_agreed,
    }


class ExchangeOrders(Fold[ExchangeOrderRow]):
    """Fills `exchange_orders`."""

    def __init__(self) -> None:
        super().__init__({})
        self._by_id: dict[str, ExchangeOrderRow] = {}
        self._fees = _Fees()

    def _on_planned(self, noted: Noted, fact: AssetOrderPlanned) -> None:
        row = row_of(ExchangeOrderRow, noted, planned_time=noted.time)
        if fact.asset_order_id:
            self._by_id[fact.asset_order_id] = row
        self.rows.append(row)

    def _on_placed(self, _noted: Noted, fact: AssetOrderPlaced) -> None:
        row = self._by_id[fact.order_id]
        row.placed_price, row.placed_quantity = fact.price, fact.quantity

    def _on_ended(self, noted: Noted, fact: AssetOrderEnded) -> None:
        row = self._by_id[fact.order_id]
        row.reason, row.cancelled_quantity, row.ended_time = fact.reason, fact.cancelled_quantity, noted.time

    def _on_fill(self, _noted: Noted, fact: AssetOrderFilled) -> None:
        row = self._by_id[fact.order_id]
        row.filled_quantity += fact.quantity
        row.value += fact.price * fact.quantity
        row.fee += self._fees.of_trade(fact)

    def _on_opened(self, _noted: Noted, fact: LotOpened) -> None:
        if more := self._fees.of_lot(fact):
            self._by_id[fact.asset_order_id].fee += more

    HANDLERS: ClassVar[dict[Any, Any]] = {
        AssetOrderPlanned: _on_planned,
        AssetOrderPlaced: _on_placed,
        AssetOrderFilled: _on_fill,
        LotOpened: _on_opened,
        AssetOrderEnded: _on_ended,
    }
