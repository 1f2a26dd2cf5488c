"""An auction on a bench: small orders and bids, and a rig that delivers events and keeps what came of them."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TypeVar

from msgspec.structs import replace

from core.auction.auction import Auction
from core.auction.settings import AuctionSettings
from core.kernel.record import (
    CancelTimer,
    Effect,
    Event,
    Message,
    Note,
    Record,
    Send,
    SetTimer,
    Start,
    Stop,
    TimerFired,
)
from core.market.orders import Batch, CancelOrder, Item, Order, Pair, Side, Token, amounts
from core.solver.protocol import Bid, Deposit, FromSolver, PlaceBids, SolverSaid, TellSolver
from core.units import MONEY, SECOND, Nanos

PAIR = Pair("ETHUSDC", Token("ETH", 6), Token("USDC", 2), Decimal("0.01"), Decimal("0.001"), Decimal(1000))
BID_WINDOW, FULFIL_WINDOW, GRACE = 200, 100, 50
"""In bare nanoseconds: in these tests an order's life is a few hundred ticks."""
LIFETIME = 1_000

SETTINGS = AuctionSettings(
    rule="first_price",
    bid_window=BID_WINDOW,
    fulfil_window=FULFIL_WINDOW,
    grace=GRACE,
    bond_token="USDC",
    default_penalty=Decimal(10),
    pairs=(PAIR,),
    members={owner: {"ETH": Decimal(1000), "USDC": Decimal(1_000_000)} for owner in ("MM1", "MM2")},
    capital={solver: {"ETH": Decimal(100), "USDC": Decimal(200_000)} for solver in ("s1", "s2", "s3")},
    bonds={"s1": Decimal(25), "s2": Decimal(100), "s3": Decimal(100)},
)

R = TypeVar("R", bound=Record)


def order(
    order_id: str = "O-1",
    side: Side = "sell",
    quantity: str = "2",
    price: str = "2000",
    *,
    owner: str = "MM1",
    partial: bool = True,
    immediate: bool = False,
    valid_until: Nanos = LIFETIME,
) -> Order:
    """Sells or buys ETH for USDC."""
    given, taken = amounts(PAIR, side, Decimal(quantity), Decimal(price))
    sold, bought = (PAIR.base, PAIR.quote) if side == "sell" else (PAIR.quote, PAIR.base)
    return Order(
        order_id=order_id,
        owner=owner,
        cl_ord_id=f"cl-{order_id}",
        symbol=PAIR.symbol,
        side=side,
        quantity=Decimal(quantity),
        limit_price=Decimal(price),
        sell_token=sold.id,
        buy_token=bought.id,
        input_amount=given,
        min_output=taken,
        created_at=0,
        valid_until=valid_until,
        partially_fillable=partial,
        immediate=immediate,
    )


def cancel(order_id: str = "O-1", owner: str = "MM1") -> CancelOrder:
    return CancelOrder(order_id, owner, f"cancel-{order_id}")


def bid(bid_id: str, rate: str, *, order_id: str = "O-1", max_input: str = "2", valid_till: Nanos = 10 * SECOND) -> Bid:
    return Bid(bid_id, order_id, Decimal(max_input), Decimal(rate), valid_till)


class Rig:
    """Delivers events to an auction at times that never go back, fires its timers, and remembers its effects."""

    def __init__(self, settings: AuctionSettings = SETTINGS) -> None:
        self.auction = Auction("auction", settings)
        self.now: Nanos = 0
        self.timers: dict[str, Nanos] = {}
        self.effects: list[Effect] = []
        self.deliver(Start())

    def deliver(self, event: Event) -> list[Effect]:
        """Hand over one event now, and keep what it causes."""
        with localcontext(MONEY):
            effects = self.auction.handle(self.now, event)
        for effect in effects:
            if isinstance(effect, SetTimer):
                self.timers[effect.key] = effect.at
            elif isinstance(effect, CancelTimer):
                self.timers.pop(effect.key, None)
        self.effects += effects
        return effects

    def advance(self, to: Nanos) -> None:
        """Let time pass up to and including `to`; fire what falls due, earliest first."""
        while due := [(at, key) for key, at in self.timers.items() if at <= to]:
            at, key = min(due)
            del self.timers[key]
            self.now = max(self.now, at)
            self.deliver(TimerFired(key, at))
        self.now = to

    def batch(self, height: int, *items: Item) -> list[Effect]:
        return self.deliver(Message("sequencer", Batch(height, self.now, items)))

    def said(self, solver: str, said: FromSolver) -> list[Effect]:
        return self.deliver(Message("solvers", SolverSaid(solver, said)))

    def place(self, solver: str, *bids: Bid, height: int = 1) -> list[Effect]:
        return self.said(solver, PlaceBids(height, bids))

    def deposit(self, solver: str, commitment_id: str, amount: str) -> list[Effect]:
        return self.said(solver, Deposit(commitment_id, Decimal(amount)))

    def stop(self) -> list[Effect]:
        return self.deliver(Stop())

    def facts(self, kind: type[R]) -> list[R]:
        """What was noted of that kind, from the beginning."""
        return noted(self.effects, kind)

    def balance(self, account: str, token: str) -> Decimal:
        return self.auction.ledger.balance(account, token)


def noted(effects: list[Effect], kind: type[R]) -> list[R]:
    """The facts of that kind among effects."""
    return [effect.fact for effect in effects if isinstance(effect, Note) and isinstance(effect.fact, kind)]


def told(effects: list[Effect], kind: type[R]) -> list[tuple[str, R]]:
    """To whom the auction said something of that kind, and what."""
    sent = [effect.body for effect in effects if isinstance(effect, Send) and isinstance(effect.body, TellSolver)]
    return [(body.solver, body.said) for body in sent if isinstance(body.said, kind)]


def reported(effects: list[Effect]) -> list[Record]:
    """What the sequencer is told."""
    return [effect.body for effect in effects if isinstance(effect, Send) and effect.dst == "sequencer"]


def with_settings(**changes: object) -> AuctionSettings:
    """The usual settings but for `changes`."""
    return replace(SETTINGS, **changes)
