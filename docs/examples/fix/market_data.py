"""Market data: subscriptions come in (35=V), snapshots (W) and changes (X) go out, or a refusal (Y).

    python docs/examples/fix/market_data.py

Two kinds of entries (MDEntryType): 3, values of an index, and 6, the prices at which batches clear. Messages that have
no typed records are written and read by the names that the dictionary has.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import NamedTuple

from core.fix.dialect import Dialect
from core.fix.generic import GenericMessage, View, new_message, to_message, view
from core.fix.message import FixMessage
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.shipped import dictionary
from live.fix_application import Application
from live.fix_engine import EmbeddedFixEngine
from live.fix_session import EmbeddedSession

FIX = dictionary("FIX.4.2")
INDEX_VALUE, CLEARING_PRICE = "3", "6"
SUBSCRIBE, UNSUBSCRIBE = "1", "2"
UNKNOWN_SYMBOL, UNSUPPORTED_ENTRY = "0", "8"

PUBLISHER = EngineConfig(
    role="acceptor",
    comp_id="DATA",
    sessions=(SessionConfig(target_comp_id="MM1", dialect="plain"),),
    app="publisher",
    app_messages=("V",),
    dialects={"plain": Dialect(FIX)},
)


def subscriber_config(port: int) -> EngineConfig:
    """The other side."""
    session = SessionConfig(target_comp_id="DATA", dialect="plain", addresses=(f"127.0.0.1:{port}",))
    return EngineConfig(
        role="initiator",
        comp_id="MM1",
        sessions=(session,),
        app="subscriber",
        app_messages=("W", "X", "Y"),
        dialects={"plain": Dialect(FIX)},
    )


class Subscription(NamedTuple):
    """Who wants to know what."""

    session: EmbeddedSession
    symbols: frozenset[str]
    kinds: frozenset[str]


class Publisher(Application):
    """Knows the latest value of each symbol and kind, and tells subscribers."""

    def __init__(self, prices: dict[tuple[str, str], Decimal]) -> None:
        self.prices = prices
        self.subscriptions: dict[tuple[str, str], Subscription] = {}
        """By session and MDReqID."""

    def on_logout(self, session: EmbeddedSession, reason: str, *, cancel_orders: bool) -> None:
        self.subscriptions = {key: own for key, own in self.subscriptions.items() if key[0] != session.name}

    def on_message(self, session: EmbeddedSession, message: FixMessage, *, poss_resend: bool) -> None:
        assert isinstance(message, GenericMessage)
        body = view(FIX, message)
        request = body.value("MDReqID")
        if body.value("SubscriptionRequestType") == UNSUBSCRIBE:
            self.subscriptions.pop((session.name, request), None)
            return
        kinds = frozenset(entry.value("MDEntryType") for entry in body.entries("NoMDEntryTypes"))
        symbols = frozenset(entry.value("Symbol") for entry in body.entries("NoRelatedSym"))
        if not symbols <= {symbol for symbol, _ in self.prices}:
            self.refuse(session, request, UNKNOWN_SYMBOL)
        elif not kinds <= {INDEX_VALUE, CLEARING_PRICE}:
            self.refuse(session, request, UNSUPPORTED_ENTRY)
        else:
            for symbol in sorted(symbols):
                session.send(self.snapshot(request, symbol, kinds))
            if body.value("SubscriptionRequestType") == SUBSCRIBE:
                self.subscriptions[session.name, request] = Subscription(session, symbols, kinds)

    def refuse(self, session: EmbeddedSession, request: str, reason: str) -> None:
        """Say no (Y)."""
        session.send(to_message("Y", new_message(FIX, "Y").set("MDReqID", request).set("MDReqRejReason", reason)))

    def snapshot(self, request: str, symbol: str, kinds: frozenset[str]) -> GenericMessage:
        """All that is known of a symbol (W)."""
        body = new_message(FIX, "W").set("MDReqID", request).set("Symbol", symbol)
        for (own, kind), price in self.prices.items():
            if own == symbol and kind in kinds:
                body.add("NoMDEntries").set("MDEntryType", kind).set("MDEntryPx", price)
        return to_message("W", body)

    def publish(self, symbol: str, kind: str, price: Decimal) -> None:
        """A new value (X). Who does not keep up misses it: the next one tells more."""
        self.prices[symbol, kind] = price
        for (_, request), subscription in self.subscriptions.items():
            if symbol in subscription.symbols and kind in subscription.kinds and subscription.session.room:
                body = new_message(FIX, "X").set("MDReqID", request)
                entry = body.add("NoMDEntries").set("MDUpdateAction", "1").set("MDEntryType", kind)
                entry.set("Symbol", symbol).set("MDEntryPx", price)
                subscription.session.send(to_message("X", body))


class Subscriber(Application):
    """Keeps what it is told, as lines."""

    def __init__(self) -> None:
        self.lines = asyncio.Queue[str]()

    def on_message(self, session: EmbeddedSession, message: FixMessage, *, poss_resend: bool) -> None:
        assert isinstance(message, GenericMessage)
        body = view(FIX, message)
        if message.kind == "Y":
            self.lines.put_nowait(f"Y {body.text('MDReqID')}: refused, {body.text('MDReqRejReason')}")
            return
        for entry in body.entries("NoMDEntries"):
            symbol = body.text("Symbol") or entry.text("Symbol")
            self.lines.put_nowait(f"{message.kind} {symbol} {entry.text('MDEntryType')} {entry.value('MDEntryPx')}")


def request(name: str, symbol: str, *kinds: str, action: str = SUBSCRIBE) -> GenericMessage:
    """A subscription (V)."""
    body: View = new_message(FIX, "V").set("MDReqID", name).set("SubscriptionRequestType", action)
    body.set("MarketDepth", 1).set("MDUpdateType", 1)
    for kind in kinds:
        body.add("NoMDEntryTypes").set("MDEntryType", kind)
    body.add("NoRelatedSym").set("Symbol", symbol)
    return to_message("V", body)


async def main() -> list[str]:
    """Subscribe, be told of a batch and of the index, and be refused."""
    publisher = Publisher(
        {("ETHUSDC", CLEARING_PRICE): Decimal("1995.25"), ("ETHUSDC", INDEX_VALUE): Decimal("1994.80")}
    )
    subscriber, lines = Subscriber(), []
    async with (
        EmbeddedFixEngine(PUBLISHER, publisher) as venue,
        EmbeddedFixEngine(subscriber_config(venue.port), subscriber) as engine,
    ):
        session = engine.get_session("DATA")
        await session.until_logged_on()
        session.send(request("R-1", "ETHUSDC", INDEX_VALUE, CLEARING_PRICE))
        lines += [await subscriber.lines.get() for _ in range(2)]
        publisher.publish("ETHUSDC", CLEARING_PRICE, Decimal("1996.00"))
        publisher.publish("ETHUSDC", INDEX_VALUE, Decimal("1995.10"))
        session.send(request("R-2", "NOTHING", INDEX_VALUE))
        lines += [await subscriber.lines.get() for _ in range(3)]
    print("\n".join(lines))
    return lines


if __name__ == "__main__":
    asyncio.run(main())
