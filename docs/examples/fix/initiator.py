"""An initiator: it logs on, sends one order, prints what comes back, and logs out.

    python docs/examples/fix/acceptor.py &
    python docs/examples/fix/initiator.py

With a journal its sequence numbers go on where they ended, however it ended.
"""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from pathlib import Path

from core.fix.message import FixMessage
from core.fix.messages import ExecutionReport, NewOrderSingle
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.tags import HandlInst, OrdType, Side
from core.units import SECOND
from live.fix_application import Application, Place
from live.fix_engine import EmbeddedFixEngine
from live.fix_session import EmbeddedSession


def config(address: str) -> EngineConfig:
    """A session with the acceptor at `address`."""
    session = SessionConfig(target_comp_id="DESK", addresses=(address,), heartbeat_interval=10 * SECOND)
    return EngineConfig(
        role="initiator",
        comp_id="MM1",
        sessions=(session,),
        app="trader",
        app_messages=(ExecutionReport.MSG_TYPE,),
    )


class Trader(Application):
    """Keeps reports for whoever waits for them."""

    def __init__(self) -> None:
        self.reports = asyncio.Queue[FixMessage]()

    def on_message(self, session: EmbeddedSession, message: FixMessage, *, poss_resend: bool) -> None:
        self.reports.put_nowait(message)


async def main(address: str = "127.0.0.1:9876", journal: Path | None = None) -> ExecutionReport:
    """Send an order, and return the report."""
    trader = Trader()
    async with EmbeddedFixEngine(config(address), trader, Place(journal=journal)) as engine:
        session = engine.get_session("MM1->DESK")
        await session.until_logged_on()
        session.send(
            NewOrderSingle(
                cl_ord_id="A-1",
                handl_inst=HandlInst.AUTOMATED_NO_INTERVENTION,
                symbol="ETHUSDC",
                side=Side.BUY,
                transact_time=time.time_ns(),
                ord_type=OrdType.LIMIT,
                order_qty=Decimal("1.5"),
                price=Decimal("1995.25"),
            )
        )
        report = await trader.reports.get()
        assert isinstance(report, ExecutionReport)
        print(f"{report.cl_ord_id} is {report.order_id}: {session.view}")
        return report


if __name__ == "__main__":
    asyncio.run(main())
