"""Credentials: an initiator says user and password in its Logons, an acceptor asks for them and refuses by reasons.

    python docs/examples/fix/credentials.py

FIX 4.4 has Username(553) and Password(554) in its Logon. What Logons say besides is a setting (`logon_fields`), and
can be changed while the engine runs (`set_admin_fields`), as here after the first password turned out to be wrong.
"""

from __future__ import annotations

import asyncio

from core.fix.codec import WireMessage, decode
from core.fix.dialect import Dialect
from core.fix.generic import new_message, to_message
from core.fix.message import FixMessage
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.shipped import dictionary
from core.fix.tags import BusinessRejectReason
from live.fix_application import Application, MessageRefused
from live.fix_engine import EmbeddedFixEngine
from live.fix_session import EmbeddedSession

FIX44 = dictionary("FIX.4.4")
USERNAME, PASSWORD = 553, 554
PASSWORDS = {b"ann": b"open sesame"}


class Desk(Application):
    """Lets in who knows the password, and has nothing to trade."""

    def may_log_on(self, session: EmbeddedSession, logon: bytes) -> bool | str:
        message = decode(logon, 1_000)
        assert isinstance(message, WireMessage)
        known = PASSWORDS.get(message.values.get(USERNAME, b""))
        return True if known is not None and known == message.values.get(PASSWORD) else "Wrong user or password"

    def on_message(self, session: EmbeddedSession, message: FixMessage, *, poss_resend: bool) -> None:
        raise MessageRefused(BusinessRejectReason.UNKNOWN_SECURITY, "There is nothing to trade", ref_id="A-1")


class Trader(Application):
    """Keeps what comes."""

    def __init__(self) -> None:
        self.answers = asyncio.Queue[FixMessage]()

    def on_message(self, session: EmbeddedSession, message: FixMessage, *, poss_resend: bool) -> None:
        self.answers.put_nowait(message)


def acceptor() -> EngineConfig:
    """Asks its own application whose a Logon is."""
    return EngineConfig(
        role="acceptor",
        comp_id="DESK",
        sessions=(SessionConfig(target_comp_id="ANN", dialect="fix44"),),
        app="desk",
        app_messages=("D",),
        authenticator="desk",
        dialects={"fix44": Dialect(FIX44)},
    )


def initiator(port: int, password: str) -> EngineConfig:
    """Says user and password, and in every header for whom it is."""
    session = SessionConfig(
        target_comp_id="DESK",
        dialect="fix44",
        addresses=(f"127.0.0.1:{port}",),
        logon_fields=((USERNAME, "ann"), (PASSWORD, password)),
        header_fields=((57, "BONDS"),),
    )
    return EngineConfig(
        role="initiator",
        comp_id="ANN",
        sessions=(session,),
        app="trader",
        app_messages=("j",),
        dialects={"fix44": Dialect(FIX44)},
    )


async def main() -> str:
    """Log on with the wrong password, then with the right one, and have an order refused; return why."""
    trader = Trader()
    async with (
        EmbeddedFixEngine(acceptor(), Desk()) as desk,
        EmbeddedFixEngine(initiator(desk.port, "guess"), trader) as engine,
    ):
        session = engine.get_session("ANN->DESK")
        await engine.until(lambda: session.view.reason == "logon_refused")
        await session.set_admin_fields("A", [(USERNAME, "ann"), (PASSWORD, "open sesame")])
        await session.until_logged_on()
        order = new_message(FIX44, "NewOrderSingle").set("ClOrdID", "A-1").set("Side", "1").set("OrdType", "1")
        session.send(to_message("D", order.set("Symbol", "ROMER").set("TransactTime", "20240229-12:00:00")))
        answer = await trader.answers.get()
        text = str(getattr(answer, "get")(58))  # noqa: B009  # a generic message
        print(f"{answer.msg_type}: {text}")
        return text


if __name__ == "__main__":
    asyncio.run(main())
