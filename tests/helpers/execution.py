"""Execution on a bench: a rig that delivers events and keeps what came of them. Tests play the exchange."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TypeVar

from msgspec.structs import replace

from core.execution.execution import Execution
from core.execution.records import (
    AssetOrder,
    AssetOrderEnded,
    AssetOrderFilled,
    CancelAssetOrders,
    PlaceOrders,
)
from core.execution.settings import ExecutionSettings
from core.kernel.record import (
    Call,
    CancelTimer,
    Effect,
    Event,
    Message,
    Note,
    Record,
    Reply,
    Send,
    SetTimer,
    Start,
    TimerFired,
)
from core.market.exchange import (
    EXCHANGE,
    ExchangeBalances,
    ExchangeExecution,
    ExchangeInstruments,
    ExchangeOrderState,
    ExchangeRefusal,
    ExchangeSessionDown,
    ExchangeSessionUp,
    ExchangeStatus,
    ExchangeTrade,
    Instrument,
    RateLimit,
    RefusalKind,
)
from core.market.orders import Side
from core.units import MONEY, Nanos

X = Instrument("XUSDC", "X", "USDC", tick=Decimal("0.01"), step=Decimal("0.1"), notional_min=Decimal(5))
Y = Instrument("YUSDC", "Y", "USDC")
SETTINGS = ExecutionSettings()

R = TypeVar("R", bound=Record)


def order(
    order_id: str = "O-1", quantity: str = "2", price: str = "100", *, side: Side = "buy", of: Instrument = X
) -> AssetOrder:
    """An order for X, or another instrument."""
    return AssetOrder(order_id, of.symbol, side, Decimal(price), Decimal(quantity))


def trade(trade_id: str, quantity: str, *, fee: str = "0", asset: str = "USDC") -> ExchangeTrade:
    """A trade at 99."""
    return ExchangeTrade(trade_id, Decimal(99), Decimal(quantity), Decimal(fee), asset)


def state(status: ExchangeStatus, *trades: ExchangeTrade, executed: str | None = None) -> ExchangeOrderState:
    """What the exchange says of an order with these trades."""
    total = sum((each.quantity for each in trades), Decimal(0)) if executed is None else Decimal(executed)
    return ExchangeOrderState("", status, total, trades)


def refusal(kind: RefusalKind, code: str = "") -> ExchangeRefusal:
    return ExchangeRefusal(kind, code, "")


class Rig:
    """Execution with a session and instruments, unless told otherwise."""

    def __init__(self, *, up: bool = True, limits: tuple[RateLimit, ...] = (), **changes: object) -> None:
        self.now: Nanos = 1_000
        self.execution = Execution("execution", replace(SETTINGS, **changes))
        self.timers: dict[str, Nanos] = {}
        self.effects: list[Effect] = []
        self.limits = limits
        self.deliver(Start())
        if up:
            self.up()

    def deliver(self, event: Event) -> list[Effect]:
        """Hand over one event now, and keep what it causes."""
        with localcontext(MONEY):
            effects = self.execution.handle(self.now, event)
        for effect in effects:
            if isinstance(effect, SetTimer):
                self.timers[effect.key] = effect.at
            elif isinstance(effect, CancelTimer):
                self.timers.pop(effect.key, None)
        self.effects += effects
        return effects

    def advance(self, span: Nanos) -> None:
        """Let `span` pass, with its end; fire what falls due, earliest first."""
        to = self.now + span
        while due := [(at, key) for key, at in self.timers.items() if at <= to]:
            at, key = min(due)
            del self.timers[key]
            self.now = max(self.now, at)
            self.deliver(TimerFired(key, at))
        self.now = to

    def up(self) -> None:
        """A session comes up, and the exchange says what is traded, and that the account holds nothing."""
        self.deliver(Message(EXCHANGE, ExchangeSessionUp()))
        self.reply("instruments", ExchangeInstruments((X, Y), self.limits))
        self.reply("balances", ExchangeBalances(()))

    def down(self) -> None:
        self.deliver(Message(EXCHANGE, ExchangeSessionDown("gone")))

    def place(self, *orders: AssetOrder, batch: str = "B-1") -> list[Effect]:
        return self.deliver(Message("desk", PlaceOrders(batch, orders)))

    def cancel(self, batch: str = "B-1") -> list[Effect]:
        return self.deliver(Message("desk", CancelAssetOrders(batch)))

    def reply(self, prefix: str, body: Record) -> list[Effect]:
        """Answer the newest call whose id starts with `prefix`, or has it as its order."""
        return self.deliver(Reply(self.call_id(prefix), body))

    def call_id(self, name: str) -> str:
        kind, _, order_id = name.partition(" ")
        ids = [call.call_id for call in self.calls() if call.call_id.startswith(kind)]
        return [each for each in ids if each.endswith(order_id)][-1]

    def execution_report(
        self, status: ExchangeStatus, of: ExchangeTrade | None, cumulative: str, order_id: str = "O-1"
    ) -> list[Effect]:
        """The stream says something of an order to buy 2 X."""
        said = trade("-1", "0") if of is None else of
        terms = (said.trade_id, said.price, said.quantity, Decimal(cumulative), Decimal(2))
        fee = (said.commission, said.commission_asset)
        return self.deliver(Message(EXCHANGE, ExchangeExecution(order_id, "XUSDC", "buy", status, *terms, *fee)))

    def calls(self, kind: str = "") -> list[Call[Record]]:
        """What was asked of the exchange so far."""
        return [each for each in self.effects if isinstance(each, Call) and each.call_id.startswith(kind)]

    def told(self, kind: type[R]) -> list[R]:
        """What the desk was told of that kind."""
        sent = [effect.body for effect in self.effects if isinstance(effect, Send) and effect.dst == "desk"]
        return [body for body in sent if isinstance(body, kind)]

    def facts(self, kind: type[R]) -> list[R]:
        noted = [effect.fact for effect in self.effects if isinstance(effect, Note)]
        return [fact for fact in noted if isinstance(fact, kind)]

    def ends(self) -> list[tuple[str, str, Decimal]]:
        """(order, reason, cancelled) of every end, in order."""
        return [(each.order_id, each.reason, each.cancelled_quantity) for each in self.told(AssetOrderEnded)]

    def fills(self) -> list[tuple[str, Decimal]]:
        """(trade id, quantity) of every fill, in order."""
        return [(each.trade_id, each.quantity) for each in self.told(AssetOrderFilled)]
