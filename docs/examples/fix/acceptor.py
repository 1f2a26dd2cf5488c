"""An acceptor: it takes orders of two counterparties, and acknowledges each.

    python docs/examples/fix/acceptor.py        # listens on 127.0.0.1:9876, Ctrl-C ends it

Orders are typed records (core/fix/messages.py); whatever else is sent is refused by the engine.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

from core.fix.message import FixMessage
from core.fix.messages import ExecutionReport, NewOrderSingle
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.tags import ExecTransType, ExecType, OrdStatus
from live.fix_application import Application, Place
from live.fix_engine import EmbeddedFixEngine
from live.fix_session import EmbeddedSession

CONFIG = EngineConfig(
    role="acceptor",
    comp_id="DESK",
    sessions=(SessionConfig(target_comp_id="MM1"), SessionConfig(target_comp_id="MM2")),
    app="desk",
    app_messages=(NewOrderSingle.MSG_TYPE,),
)


class Desk(Application):
    """Accepts every order."""

    def __init__(self) -> None:
        self.orders = 0

    def on_logon(self, session: EmbeddedSession) -> None:
        print(f"{session.name} is logged on")

    def on_logout(self, session: EmbeddedSession, reason: str, *, cancel_orders: bool) -> None:
        print(f"{session.name} is gone: {reason}")

    def on_message(self, session: EmbeddedSession, message: FixMessage, *, poss_resend: bool) -> None:
        assert isinstance(message, NewOrderSingle)
        assert message.order_qty is not None
        self.orders += 1
        session.send(
            ExecutionReport(
                order_id=f"O-{self.orders}",
                exec_id=f"E-{self.orders}",
                exec_trans_type=ExecTransType.NEW,
                exec_type=ExecType.NEW,
                ord_status=OrdStatus.NEW,
                symbol=message.symbol,
                side=message.side,
                leaves_qty=message.order_qty,
                cum_qty=Decimal(0),
                avg_px=Decimal(0),
                cl_ord_id=message.cl_ord_id,
            )
        )


async def main(port: int = 9876) -> None:
    """Serve until cancelled."""
    async with EmbeddedFixEngine(CONFIG, Desk(), Place(port=port)) as engine:
        print(f"listening on port {engine.port}")
        await engine.wait()


if __name__ == "__main__":
    asyncio.run(main())
