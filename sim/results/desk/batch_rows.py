"""From facts to rows: batches, the exchange orders that they become, fills, lots, NAV."""

from __future__ import annotations

from typing import Any, ClassVar

from core.execution.records import AssetOrderEnded, AssetOrderFilled, AssetOrderPlaced
from core.index.facts import (
    AssetOrderPlanned,
    IndexBatchCompleted,
    IndexBatchOpened,
    LotAssigned,
    LotClosed,
    LotOpened,
    OrderEngaged,
    StockLeft,
)
from core.index.nav import NavPoint
from sim.results.desk.rows import ExchangeFillRow, ExchangeOrderRow, IndexBatchRow, LotRow, NavRow
from sim.results.facts import Noted
from sim.results.fold import Fold


class IndexBatches(Fold[IndexBatchRow]):
    """Fills `index_batches`."""

    def __init__(self) -> None:
        super().__init__({})
        self._by_id: dict[str, IndexBatchRow] = {}

    def _on_opened(self, noted: Noted, fact: IndexBatchOpened) -> None:
        row = IndexBatchRow(
            batch_id=fact.batch_id,
            symbol=fact.symbol or None,
            planner=fact.planner,
            orders=len(fact.order_ids),
            asset_orders=fact.asset_orders,
            volley=fact.volley,
            opened_time=noted.time,
        )
        self._by_id[fact.batch_id] = row
        self.rows.append(row)

    def _on_engaged(self, _noted: Noted, fact: OrderEngaged) -> None:
        row = self._by_id[fact.batch_id]
        row.engaged += fact.collateral
        row.carried += fact.carried

    def _on_completed(self, noted: Noted, fact: IndexBatchCompleted) -> None:
        row = self._by_id[fact.batch_id]
        row.value, row.fee, row.fill, row.completed_time = fact.value, fact.fee, fact.fill, noted.time

    HANDLERS: ClassVar[dict[Any, Any]] = {
        IndexBatchOpened: _on_opened,
        OrderEngaged: _on_engaged,
        IndexBatchCompleted: _on_completed,
    }


class Lots(Fold[LotRow]):
    """Fills `lots`."""

    def _on_opened(self, noted: Noted, fact: LotOpened) -> None:
        self._step(noted, fact, "opened", fee=fact.fee)

    def _on_assigned(self, noted: Noted, fact: LotAssigned) -> None:
        self._step(noted, fact, "assigned", fee=fact.fee, order_id=fact.order_id)

    def _on_left(self, noted: Noted, fact: StockLeft) -> None:
        for step, quantity in (("carried", fact.carried), ("house", fact.house)):
            if quantity:
                self.rows.append(
                    LotRow(time=noted.time, step=step, symbol=fact.symbol, batch_id=fact.batch_id, quantity=quantity)
                )

    def _on_closed(self, noted: Noted, fact: LotClosed) -> None:
        self.rows.append(
            LotRow(
                time=noted.time,
                lot_id=fact.lot_id,
                step="closed",
                symbol=fact.symbol,
                order_id=fact.closing_lot_id,
                quantity=fact.quantity,
                price=fact.closing_price,
                profit=fact.profit,
            )
        )

    def _step(self, noted: Noted, fact: LotOpened | LotAssigned, step: str, **more: Any) -> None:
        self.rows.append(
            LotRow(
                time=noted.time,
                lot_id=fact.lot_id,
                step=step,
                symbol=fact.symbol,
                batch_id=fact.batch_id,
                quantity=fact.quantity,
                price=fact.price,
                **more,
            )
        )

    HANDLERS: ClassVar[dict[Any, Any]] = {
        LotOpened: _on_opened,
        LotAssigned: _on_assigned,
        StockLeft: _on_left,
        LotClosed: _on_closed,
    }


class Navs(Fold[NavRow]):
    """Fills `nav`."""

    def _on_noted(self, noted: Noted, fact: NavPoint) -> None:
        self.rows.append(
            NavRow(
                time=noted.time,
                symbol=fact.symbol,
                nav=fact.nav,
                tokens=fact.tokens,
                held_value=fact.held_value,
                held_nav=fact.held_value / fact.tokens if fact.tokens else None,
                tracking_difference=fact.tracking_difference,
                paid=fact.paid,
                premium=fact.premium,
            )
        )

    HANDLERS: ClassVar[dict[Any, Any]] = {NavPoint: _on_noted}


class ExchangeFills(Fold[ExchangeFillRow]):
    """Fills `fills`."""

    def _on_filled(self, noted: Noted, fact: AssetOrderFilled) -> None:
        self.rows.append(
            ExchangeFillRow(
                time=noted.time,
                trade_id=fact.trade_id,
                asset_order_id=fact.order_id,
                batch_id=fact.batch_id,
                symbol=fact.symbol,
                side=fact.side,
                price=fact.price,
                quantity=fact.quantity,
                fee=fact.fee,
            )
        )

    HANDLERS: ClassVar[dict[Any, Any]] = {AssetOrderFilled: _on_filled}


class ExchangeOrders(Fold[ExchangeOrderRow]):
    """Fills `exchange_orders`."""

    def __init__(self) -> None:
        super().__init__({})
        self._by_id: dict[str, ExchangeOrderRow] = {}

    def _on_planned(self, noted: Noted, fact: AssetOrderPlanned) -> None:
        row = ExchangeOrderRow(
            asset_order_id=fact.asset_order_id or None,
            batch_id=fact.batch_id,
            symbol=fact.symbol,
            side=fact.side,
            price=fact.price,
            quantity=fact.quantity,
            demand=fact.demand,
            stock=fact.stock,
            crossed=fact.crossed,
            planned_time=noted.time,
        )
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
        row.fee += fact.fee

    HANDLERS: ClassVar[dict[Any, Any]] = {
        AssetOrderPlanned: _on_planned,
        AssetOrderPlaced: _on_placed,
        AssetOrderFilled: _on_fill,
        AssetOrderEnded: _on_ended,
    }
