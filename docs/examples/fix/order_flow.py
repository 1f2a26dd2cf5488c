"""The life of orders between two engines in one process: accepted, filled in parts, cancelled, refused.

    python docs/examples/fix/order_flow.py

The desk fills half of each order at once, and waits for somebody to cancel the rest.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from decimal import Decimal

from core.fix.generic import GenericMessage
from core.fix.message import FixMessage
from core.fix.messages import (
    BusinessMessageReject,
    ExecutionReport,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelRequest,
)
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.tags import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecTransType,
    ExecType,
    HandlInst,
    OrdStatus,
    OrdType,
    Side,
)
from live.fix_application import Application
from live.fix_engine import EmbeddedFixEngine
from live.fix_session import EmbeddedSession

DESK = EngineConfig(
    role="acceptor",
    comp_id="DESK",
    sessions=(SessionConfig(target_comp_id="MM1"),),
    app="desk",
    app_messages=("D", "F"),
)


def trader_config(port: int) -> EngineConfig:
    """The other side."""
    return EngineConfig(
        role="initiator",
        comp_id="MM1",
        sessions=(SessionConfig(target_comp_id="DESK", addresses=(f"127.0.0.1:{port}",)),),
        app="trader",
        app_messages=("8", "9", "j"),
    )


@dataclass
class Order:
    """An order in the desk's book."""

    order_id: str
    order: NewOrderSingle
    filled: Decimal = Decimal(0)
    is_open: bool = True


class Desk(Application):
    """Fills half of each order, and cancels the rest when asked to."""

    def __init__(self) -> None:
        self.book: dict[str, Order] = {}
        self.exec_ids = 0

    def on_message(self, session: EmbeddedSession, message: FixMessage, *, poss_resend: bool) -> None:
        if isinstance(message, NewOrderSingle):
            self.take(session, message)
        elif isinstance(message, OrderCancelRequest):
            self.cancel(session, message)

    def take(self, session: EmbeddedSession, order: NewOrderSingle) -> None:
        """A new order."""
        assert order.order_qty is not None
        assert order.price is not None
        own = self.book[order.cl_ord_id] = Order(f"O-{len(self.book) + 1}", order)
        self.report(session, own, ExecType.NEW, OrdStatus.NEW)
        own.filled = order.order_qty / 2
        self.report(session, own, ExecType.PARTIAL_FILL, OrdStatus.PARTIALLY_FILLED)

    def cancel(self, session: EmbeddedSession, request: OrderCancelRequest) -> None:
        """What is left of an order, if it is known and open."""
        own = self.book.get(request.orig_cl_ord_id)
        if own is not None and own.is_open:
            own.is_open = False
            self.report(session, own, ExecType.CANCELED, OrdStatus.CANCELED, request.cl_ord_id)
            return
        reason = CxlRejReason.UNKNOWN_ORDER if own is None else CxlRejReason.TOO_LATE_TO_CANCEL
        session.send(
            OrderCancelReject(
                order_id=own.order_id if own else "NONE",
                cl_ord_id=request.cl_ord_id,
                orig_cl_ord_id=request.orig_cl_ord_id,
                ord_status=OrdStatus.CANCELED if own else OrdStatus.REJECTED,
                cxl_rej_response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
                cxl_rej_reason=reason,
            )
        )

    def report(
        self, session: EmbeddedSession, own: Order, exec_type: ExecType, status: OrdStatus, cl_ord_id: str = ""
    ) -> None:
        """Say what has become of an order."""
        self.exec_ids += 1
        order, is_fill = own.order, exec_type is ExecType.PARTIAL_FILL
        assert order.order_qty is not None
        session.send(
            ExecutionReport(
                order_id=own.order_id,
                exec_id=f"E-{self.exec_ids}",
                exec_trans_type=ExecTransType.NEW,
                exec_type=exec_type,
                ord_status=status,
                symbol=order.symbol,
                side=order.side,
                leaves_qty=order.order_qty - own.filled if own.is_open else Decimal(0),
                cum_qty=own.filled,
                avg_px=(order.price or Decimal(0)) if own.filled else Decimal(0),
                cl_ord_id=cl_ord_id or order.cl_ord_id,
                orig_cl_ord_id=order.cl_ord_id if cl_ord_id else None,
                last_shares=own.filled if is_fill else None,
                last_px=order.price if is_fill else None,
            )
        )


class Trader(Application):
    """Keeps all that it is told."""

    def __init__(self) -> None:
        self.told = asyncio.Queue[FixMessage]()

    def on_message(self, session: EmbeddedSession, message: FixMessage, *, poss_resend: bool) -> None:
        self.told.put_nowait(message)


def order(cl_ord_id: str) -> NewOrderSingle:
    """An order to buy 3."""
    return NewOrderSingle(
        cl_ord_id=cl_ord_id,
        handl_inst=HandlInst.AUTOMATED_NO_INTERVENTION,
        symbol="ETHUSDC",
        side=Side.BUY,
        transact_time=time.time_ns(),
        ord_type=OrdType.LIMIT,
        order_qty=Decimal(3),
        price=Decimal("1995.25"),
    )


def cancel(cl_ord_id: str, orig_cl_ord_id: str) -> OrderCancelRequest:
    """A wish to cancel one."""
    return OrderCancelRequest(
        orig_cl_ord_id=orig_cl_ord_id,
        cl_ord_id=cl_ord_id,
        symbol="ETHUSDC",
        side=Side.BUY,
        transact_time=time.time_ns(),
    )


async def main() -> list[str]:
    """Trade; the lines tell what has happened."""
    trader, lines = Trader(), []
    async with (
        EmbeddedFixEngine(DESK, Desk()) as desk,
        EmbeddedFixEngine(trader_config(desk.port), trader) as engine,
    ):
        session = engine.get_session("DESK")
        await session.until_logged_on()
        status_request = GenericMessage("H", ((11, "A-1"), (54, Side.BUY), (55, "ETHUSDC")))
        wishes = (order("A-1"), cancel("C-1", "A-1"), cancel("C-2", "A-1"), cancel("C-3", "A-9"), status_request)
        for message in wishes:
            session.send(message)
        for _ in range(len(wishes) + 1):
            told = await trader.told.get()
            if isinstance(told, ExecutionReport):
                lines.append(f"{told.cl_ord_id}: {ExecType(told.exec_type).name}, {told.leaves_qty} left")
            elif isinstance(told, OrderCancelReject):
                lines.append(f"{told.cl_ord_id}: refused, {CxlRejReason(told.cxl_rej_reason or 0).name}")
            elif isinstance(told, BusinessMessageReject):
                lines.append(f"MsgType {told.ref_msg_type}: refused, {told.text}")
    print("\n".join(lines))
    return lines


if __name__ == "__main__":
    asyncio.run(main())
