"""What owners are told equals what happened: one ExecutionReport per fill, with the fill's own numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, ClassVar, Final

from core.fix.messages import ExecutionReport
from core.fix.records import ToPeer
from core.fix.tags import ExecType
from core.kernel.record import Record
from core.market.orders import OrderFilled
from core.sequencer.facts import OrderSequenced
from sim.checkers import Checker

_ZERO: Final = Decimal(0)
_EIGHT_DECIMALS: Final = Decimal("1e-8")
_WIDE: Final = Context(prec=100, rounding=ROUND_HALF_EVEN)
_FILLS: Final = (ExecType.PARTIAL_FILL, ExecType.FILL)


class FillsReported(Checker):
    """Each fill is told to the order's owner once, in order, and CumQty adds up what LastShares have said."""

    name = "fills reported"

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}
        self._untold: dict[str, deque[OrderFilled]] = {}
        self._told: dict[str, Decimal] = {}

    def finish(self) -> None:
        """Nothing that happened may be left untold."""
        for order_id, fills in self._untold.items():
            self.violated(f"{fills[0].fill_id} of {order_id} was never reported to its owner")

    def _on_sequenced(self, fact: OrderSequenced) -> None:
        self._owners[fact.order.order_id] = fact.order.owner

    def _on_filled(self, fact: OrderFilled) -> None:
        self._untold.setdefault(fact.order_id, deque()).append(fact)

    def _on_report(self, sent: ToPeer[Any]) -> None:
        report = sent.message
        if not isinstance(report, ExecutionReport) or report.exec_type not in _FILLS:
            return
        order_id, fills = report.order_id, self._untold.get(report.order_id)
        if not fills:
            self.violated(f"{report.exec_id} reports a fill of {order_id} that did not happen")
        fill = fills.popleft()
        if not fills:
            del self._untold[order_id]
        if sent.session != self._owners.get(order_id):
            self.violated(f"{report.exec_id} tells {sent.session} of {fill.fill_id}, a fill of {order_id}")
        told = self._told[order_id] = self._told.get(order_id, _ZERO) + fill.quantity
        said = (report.last_shares, report.last_px, report.cum_qty, report.leaves_qty)
        price = fill.price.quantize(_EIGHT_DECIMALS, context=_WIDE)
        if said != (fill.quantity, price, told, fill.leaves_quantity):
            self.violated(_difference(report, fill, price, told))

    FACTS: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {
        OrderSequenced: _on_sequenced,
        OrderFilled: _on_filled,
    }
    SENT: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {ToPeer: _on_report}


def _difference(report: ExecutionReport, fill: OrderFilled, price: Decimal, told: Decimal) -> str:
    said = f"{report.last_shares} at {report.last_px}, {report.cum_qty} in all, {report.leaves_qty} left"
    done = f"{fill.quantity} at {price}, {told} in all, {fill.leaves_quantity} left"
    return f"{report.exec_id} reports {fill.fill_id} of {fill.order_id} as {said}; it was {done}"
