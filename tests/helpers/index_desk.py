"""An index desk between collaborators that do what a test tells them: exchange, collateral and chain by script."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any, Final, TypeVar

from msgspec import structs

from core.execution.records import (
    AssetOrder,
    AssetOrderEnded,
    AssetOrderFilled,
    AssetOrderPlaced,
    BalancesWanted,
    CancelAssetOrders,
    CommissionRateSet,
    PlaceOrders,
)
from core.index import matrix
from core.index.chain import ChainDeclined, ChainRefused
from core.index.chain_log import ChainLog
from core.index.desk import IndexDesk
from core.index.invariants import violations
from core.index.planning import AssetOrdering, Levels, Mode, PlanLimits
from core.index.records import (
    AmendIndexOrder,
    CancelIndexOrder,
    CuratorWeightsSet,
    IndexTokensDeposited,
    NewIndexOrder,
    NewQuoteRequest,
)
from core.index.settings import DeskSettings
from core.index.token_invariants import token_violations
from core.kernel.record import (
    Call,
    CancelTimer,
    Compute,
    Computed,
    Effect,
    Event,
    Message,
    Note,
    Record,
    Reply,
    Send,
    SetTimer,
    Start,
    Stop,
    TimerFired,
)
from core.market.exchange import BookDelta, BookSnapshot, SnapshotBook
from core.market.orders import Side
from core.units import MONEY, SECOND, Nanos
from tests.helpers.scripted_collateral import ScriptedCollateral

D = Decimal
ANY = TypeVar("ANY", bound=Record)
ALICE: Final = "1:0xa1"
BOB: Final = "1:0xb0"
TOLERANCE: Final = D("1e-4")
GOLDEN_LIMITS: Final = PlanLimits(
    price_threshold=D("0.01"),
    max_levels=3,
    fee_factor=D("1.001"),
    max_order_volley_size=D(3000),
    max_volley_size=D(2000),
    min_asset_volley_size=D(5),
    asset_volley_step_size=D("0.2"),
    max_total_volley_size=D(1_000_000),
    min_total_volley_available=D(1),
    quantity_tolerance=TOLERANCE,
    collateral_tolerance=TOLERANCE,
)
"""Those of the end-to-end scenario."""
WEIGHTS: Final = (("AX", D("0.8")), ("AZ", D("0.2")))
"""Of the index IX in that scenario, as its books are."""


def levels(*pairs: tuple[int | str, int | str]) -> Levels:
    """Price and quantity, best first."""
    return tuple((D(price), D(quantity)) for price, quantity in pairs)


BOOKS: Final[dict[str, tuple[Levels, Levels]]] = {
    "AX": (levels((90, 10), (80, 40)), levels((100, 20), (110, 30))),
    "AZ": (levels((295, 80), (290, 100)), levels((300, 50), (305, 150))),
}
"""Bids and asks."""


def golden_settings(mode: Mode = Mode.CORRECTED, ordering: AssetOrdering = AssetOrdering.SYMBOL) -> DeskSettings:
    """The settings of the end-to-end scenario."""
    return DeskSettings(
        limits=structs.replace(GOLDEN_LIMITS, mode=mode, ordering=ordering),
        max_batch_size=4,
        client_order_wait_ns=10 * SECOND,
        client_quote_wait_ns=SECOND,
        order_expiry_ns=600 * SECOND,
        target_price=D(1000),
    )


class ScriptedExchange:
    """Execution and exchange in one. `script(nth order, order)` gives trades as (quantity, price); the rest expires.

    As in the end-to-end scenario the first trades of all orders of a batch come before the second ones.
    """

    def __init__(self) -> None:
        self.script: Callable[[int, AssetOrder], list[tuple[Decimal, Decimal]]] = lambda _, order: [
            (order.quantity, order.price)
        ]
        self.fee_rate = D("0.001")
        self.orders: list[AssetOrder] = []
        self.rates: list[CommissionRateSet] = []
        """Of commissions, as it was told before orders."""
        self.looks: list[Nanos] = []
        """When it was asked what the account holds. Tests answer."""
        self.trades = 0
        self.paused = False
        self.waiting: list[PlaceOrders] = []
        self.standing: dict[str, list[AssetOrderEnded]] = {}
        """By batch, what is said of its orders that stay in the book, once they are cancelled."""
        self.stays = False
        """Whether what does not trade at once stays in the book."""
        self.stalls = False
        """Whether it hears of a cancel, and does nothing about it yet."""
        self.cancelled: list[str] = []
        """Batches, each time that they were to be cancelled."""

    def cancel(self, batch_id: str) -> list[AssetOrderEnded]:
        """What the desk is told of what is left of a batch."""
        self.cancelled.append(batch_id)
        return [] if self.stalls else self.standing.pop(batch_id, [])

    def place(self, asked: PlaceOrders) -> list[Record]:
        """What the desk is told of these orders."""
        if self.paused:
            self.waiting.append(asked)
            return []
        said: list[Record] = [AssetOrderPlaced(one.order_id, one.price, one.quantity) for one in asked.orders]
        plans = []
        for order in asked.orders:
            self.orders.append(order)
            plans.append((order, self.script(len(self.orders), order)))
        fills: list[tuple[int, AssetOrder, Decimal, Decimal]] = [
            (at, order, *trade) for order, trades in plans for at, trade in enumerate(trades)
        ]
        for _, order, quantity, price in sorted(fills, key=lambda fill: fill[0]):
            said.append(self.trade(asked.batch_id, order, quantity, price))
        for order, trades in plans:
            left = order.quantity - sum((quantity for quantity, _ in trades), D(0))
            reason = "expired" if left else "filled"
            ended = AssetOrderEnded(asked.batch_id, order.order_id, order.symbol, reason, left)
            if left and self.stays:
                self.standing.setdefault(asked.batch_id, []).append(ended)
            else:
                said.append(ended)
        return said

    def trade(self, batch_id: str, order: AssetOrder, quantity: Decimal, price: Decimal) -> AssetOrderFilled:
        """One trade."""
        self.trades += 1
        lot, fee = f"L-{self.trades:02}", quantity * price * self.fee_rate
        return AssetOrderFilled(batch_id, order.order_id, lot, order.symbol, order.side, price, quantity, fee)


class DeskRig:
    """The desk, its collaborators and a clock. Everything said at an instant is heard at that instant."""

    def __init__(self, settings: DeskSettings, *, books: dict[str, tuple[Levels, Levels]] | None = None) -> None:
        self.settings = settings
        self.desk = IndexDesk("desk", settings)
        self.restarts = False
        """Whether the desk is killed before every event."""
        self.exchange, self.collateral, self.chain = ScriptedExchange(), ScriptedCollateral(), ChainLog()
        self.chain_refuses = 0
        self.chain_silent = 0
        """So many calls on the chain are refused, or obeyed and not answered."""
        self.chain_declines: set[str] = set()
        """What keys begin with that the chain declines when it is first asked for them."""
        self.declined: set[str] = set()
        self.lost_snapshots = 0
        """So many requests for a book are not answered."""
        self.books = BOOKS | (books or {})
        self.now: Nanos = 1000 * SECOND
        self.timers: dict[str, Nanos] = {}
        self.said: list[Record] = []
        self.effects: list[list[Effect]] = []
        self.jobs: list[Compute[Any]] = []
        self.solve = True
        self.after: Callable[[], None] = lambda: None
        self._inbox: deque[Event] = deque()
        self._updates = 0
        self.deliver(Start())

    # --- what a test does ----------------------------------------------------------------------------

    def weigh(self, symbol: str = "IX", weights: tuple[tuple[str, Decimal], ...] = WEIGHTS) -> None:
        """Let the curator set weights."""
        self.tell(CuratorWeightsSet(symbol, weights))

    def order(self, client_id: str, amount: str, side: Side = "buy", *, user: str = ALICE, symbol: str = "IX") -> None:
        """Let a user order."""
        self.tell(NewIndexOrder(user, client_id, symbol, side, D(amount)))

    def cancel(self, client_id: str, user: str = ALICE) -> None:
        """Let a user cancel."""
        self.tell(CancelIndexOrder(user, client_id))

    def amend(self, client_id: str, amount: str, user: str = ALICE) -> None:
        """Let a user amend."""
        self.tell(AmendIndexOrder(user, client_id, D(amount)))

    def quote(self, client_id: str, amount: str, side: Side = "buy", *, user: str = ALICE, symbol: str = "IX") -> None:
        """Let a user ask for a quote."""
        self.tell(NewQuoteRequest(user, client_id, symbol, side, D(amount)))

    def give_tokens(self, amount: Decimal, user: str = ALICE, symbol: str = "IX") -> None:
        """Let a user give tokens that he holds into custody."""
        given = self.chain.give(self.now, symbol, user, amount)
        assert isinstance(given, IndexTokensDeposited)
        self.deliver(Message("chain", given))

    def tell(self, body: Record, src: str = "world") -> None:
        """Deliver a message, and everything that comes of it at this instant."""
        self.deliver(Message(src, body))

    def stop(self) -> None:
        """Ask the desk to wind down."""
        self.deliver(Stop())

    def run(self, seconds: float) -> None:
        """Let time pass, timers fire and answers come."""
        until = self.now + int(seconds * SECOND)
        while True:
            due = min(((at, order, key) for order, (key, at) in enumerate(self.timers.items())), default=None)
            if due is None or due[0] > until:
                break
            at, _, key = due
            self.now = max(self.now, at)
            del self.timers[key]
            self.deliver(TimerFired(key, at))
        self.now = until

    def facts(self, kind: type[ANY]) -> list[ANY]:
        """Everything of a kind that was noted, in order."""
        return [fact for fact in self.said if isinstance(fact, kind)]

    def resume_exchange(self) -> None:
        """Let the exchange answer what it was asked while paused."""
        self.exchange.paused = False
        waiting, self.exchange.waiting = self.exchange.waiting, []
        for asked in waiting:
            self._inbox += [Message("execution", said) for said in self.exchange.place(asked)]
        self._drain()

    def resume_collateral(self) -> None:
        """Let the collateral answer what it was asked while paused."""
        self.collateral.paused = False
        waiting, self.collateral.waiting = self.collateral.waiting, []
        for asked in waiting:
            self._inbox += [Message("collateral", said) for said in self.collateral.obey(asked)]
        self._drain()

    def set_book(self, asset: str, bids: Levels, asks: Levels) -> None:
        """Change a book, level by level."""
        was = self.books.get(asset, ((), ()))
        self.books[asset] = (bids, asks)
        gone = [tuple((price, D(0)) for price, _ in side) for side in was]
        self._updates += 1
        delta = BookDelta(asset, 0, self._updates, gone[0] + bids, gone[1] + asks)
        self.tell(delta, "exchange")

    def restart(self) -> None:
        """Kill the desk and take it up from what it has kept."""
        saved = self.desk.snapshot()
        self.desk = IndexDesk("desk", self.settings)
        self.desk.restore(saved)

    # --- how it goes on ------------------------------------------------------------------------------

    def deliver(self, event: Event) -> None:
        """Give the desk an event, and then whatever its collaborators answer at once."""
        self._inbox.append(event)
        self._drain()

    def _drain(self) -> None:
        with localcontext(MONEY):
            while self._inbox:
                if self.restarts:
                    self.restart()
                effects = self.desk.handle(self.now, self._inbox.popleft())
                self.effects.append(effects)
                for effect in effects:
                    self._obey(effect)
                self.after()

    def _obey(self, effect: Effect) -> None:
        if isinstance(effect, SetTimer):
            self.timers[effect.key] = max(self.now, effect.at)
        elif isinstance(effect, CancelTimer):
            self.timers.pop(effect.key, None)
        elif isinstance(effect, Note):
            self.said.append(effect.fact)
        elif isinstance(effect, Send):
            self._send(effect)
        elif isinstance(effect, Call):
            self._call(effect)
        else:
            assert isinstance(effect, Compute)
            self.jobs.append(effect)
            if self.solve:
                self._inbox.append(Computed(effect.job_id, matrix.plan(effect.problem)))

    def _send(self, effect: Send[Any]) -> None:
        if isinstance(effect.body, CommissionRateSet):
            self.exchange.rates.append(effect.body)
            return
        if isinstance(effect.body, BalancesWanted):
            self.exchange.looks.append(self.now)
            return
        said: list[Record]
        if isinstance(effect.body, CancelAssetOrders):
            said = [*self.exchange.cancel(effect.body.batch_id)]
        elif effect.dst == "execution":
            assert isinstance(effect.body, PlaceOrders)
            said = self.exchange.place(effect.body)
        else:
            assert effect.dst == "collateral"
            said = self.collateral.obey(effect.body)
        self._inbox += [Message(effect.dst, one) for one in said]

    def _call(self, effect: Call[Any]) -> None:
        if isinstance(effect.body, SnapshotBook):
            if self.lost_snapshots:
                self.lost_snapshots -= 1
                return
            self._updates += 1
            book = self.books.get(effect.body.symbol, ((), ()))
            self._inbox.append(Reply(effect.call_id, BookSnapshot(effect.body.symbol, self._updates, *book)))
            return
        if self.chain_refuses:
            self.chain_refuses -= 1
            self._inbox.append(Reply(effect.call_id, ChainRefused("busy")))
            return
        key = effect.body.key
        if key.partition(":")[0] in self.chain_declines and key not in self.chain.done:
            self.declined.add(key)
        if key in self.declined:
            if not self._is_unheard():
                self._inbox.append(Reply(effect.call_id, ChainDeclined("address is barred")))
            return
        confirmed = self.chain.submit(self.now, effect.body) or self.chain.seal(self.now)[effect.body.key]
        if not self._is_unheard():
            self._inbox.append(Reply(effect.call_id, confirmed))

    def _is_unheard(self) -> bool:
        """Whether the answer of the chain that comes now is lost."""
        self.chain_silent, was = max(self.chain_silent - 1, 0), self.chain_silent
        return was > 0


def golden_script(nth: int, order: AssetOrder) -> list[tuple[Decimal, Decimal]]:
    """The end-to-end scenario's exchange: 60 % at once, then 30 % of the first, 10 % of the second, 40 % of others."""
    second = {1: D("0.3"), 2: D("0.1")}.get(nth, D("0.4"))
    return [(order.quantity * D("0.6"), order.price * D("0.995")), (order.quantity * second, order.price * D("0.998"))]


def ready_rig(settings: DeskSettings | None = None) -> DeskRig:
    """A desk under its invariants that trades the index IX, and whose orders are served after ten seconds."""
    rig = DeskRig(settings or golden_settings())

    def check() -> None:
        assert violations(rig.desk.state, rig.settings) == []
        assert token_violations(rig.desk.state, rig.chain) == []

    rig.after = check
    rig.weigh()
    return rig
