"""Facts as a market would state them, told by hand; its ledger is the real one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from core.auction.facts import (
    BatchCreated,
    BidReceived,
    CommitmentCreated,
    CommitmentDefaulted,
    CommitmentSettled,
    EscrowDeposited,
    OrderAdded,
)
from core.kernel.record import Record
from core.market.ledger import Ledger
from core.market.orders import Order, OrderExpired, OrderFilled, Side
from core.sequencer.facts import BlockSealed, OrderSequenced
from core.units import MILLISECOND, SECOND
from sim.results.facts import Noted
from sim.results.manifest import Manifest, Provenance
from tests.helpers.blocks import header as empty

BEGAN = 1_700_000_000 * SECOND


class Story:
    """Collects facts; `at` is in milliseconds since the run began."""

    def __init__(self) -> None:
        self.notes: list[Noted] = []
        self.ledger = Ledger()
        self.now = BEGAN
        self.orders: dict[str, Order] = {}

    def at(self, ms: float) -> None:
        self.now = BEGAN + round(ms * MILLISECOND)

    def say(self, component: str, *facts: Record, node: str = "venue") -> None:
        for fact in facts:
            self.notes.append(Noted(len(self.notes) + 1, self.now, node, component, fact))

    def move(self, token: str, amount: Decimal, src: str, dst: str, reason: str) -> None:
        self.say("auction", self.ledger.transfer(token, amount, src, dst, reason))

    def order(self, owner: str, cl_ord_id: str, side: Side, quantity: str, limit: str) -> Order:
        count = len(self.orders) + 1
        base, quote = Decimal(quantity), Decimal(quantity) * Decimal(limit)
        given, taken = (base, quote) if side == "sell" else (quote, base)
        sell, buy = ("ETH", "USD") if side == "sell" else ("USD", "ETH")
        order = Order(
            order_id=f"O-{count}",
            owner=owner,
            cl_ord_id=cl_ord_id,
            symbol="ETH-USD",
            side=side,
            quantity=base,
            limit_price=Decimal(limit),
            sell_token=sell,
            buy_token=buy,
            input_amount=given,
            min_output=taken,
            created_at=self.now,
            valid_until=self.now + 3 * SECOND,
            partially_fillable=True,
            immediate=False,
        )
        self.orders[order.order_id] = order
        self.say("sequencer", OrderSequenced(count, order))
        return order

    def seal(self, height: int, opened_ms: float, added: list[Order], carried: list[Order] | None = None) -> None:
        opened = BEGAN + round(opened_ms * MILLISECOND)
        rooted = dict.fromkeys(("message_root", "receipt_root", "state_root"), _hash(height + 1000))
        times = {"opened_at": opened, "closed_at": self.now}
        header = empty(height, _hash(height - 1), message_count=len(added), **times, **rooted)
        late = MILLISECOND * (height % 3)
        self.say("sequencer", BlockSealed(header, _hash(height), "full" if len(added) >= 500 else "window", late))
        for order in added:
            self.say("auction", OrderAdded(height, order))
            self.move(order.sell_token, order.input_amount, f"user:{order.owner}", f"order:{order.order_id}", "reserve")
        ids = tuple(order.order_id for order in [*(carried or []), *added])
        self.say("auction", BatchCreated(height, ids, self.now + 200 * MILLISECOND))

    def bid(self, height: int, bid_id: str, order: Order, rate: str | Decimal, *, replaces: str = "") -> None:
        """The solver is the part of the bid id before its first dash."""
        solver = bid_id.partition("-")[0]
        paid = order.input_amount * Decimal(rate)
        self.say(
            "auction",
            BidReceived(height, solver, bid_id, order.order_id, order.input_amount, Decimal(rate), paid, replaces),
        )

    def award(self, deal: Deal, attempt: int = 1) -> None:
        order = deal.order
        bound = (deal.id, deal.height, order.order_id, deal.solver, deal.bid_id, deal.given, deal.taken)
        self.say("auction", CommitmentCreated(*bound, self.now + 200 * MILLISECOND, attempt))

    def deposit(self, deal: Deal) -> None:
        self.move(deal.order.buy_token, deal.taken, f"solver:{deal.solver}", f"escrow:{deal.id}", "deposit")
        self.say("auction", EscrowDeposited(deal.id, deal.solver, deal.order.buy_token, deal.taken))

    def settle(self, deal: Deal, leaves: str = "0") -> None:
        order, given, taken = deal.order, deal.given, deal.taken
        self.move(order.buy_token, taken, f"escrow:{deal.id}", f"user:{order.owner}", "settle")
        self.move(order.sell_token, given, f"order:{order.order_id}", f"solver:{deal.solver}", "settle")
        self.say("auction", CommitmentSettled(deal.id, order.order_id, deal.solver, given, taken))
        base, quote = (given, taken) if order.side == "sell" else (taken, given)
        who = (order.order_id, f"F{deal.id}", deal.id, deal.solver, deal.height)
        self.say("auction", OrderFilled(*who, base, quote / base, given, taken, Decimal(leaves)))
        if leaves == "0":
            self.release(order)

    def default(self, deal: Deal, penalty: str) -> None:
        self.move("USD", Decimal(penalty), f"bond:{deal.solver}", "venue:penalties", "penalty")
        self.say("auction", CommitmentDefaulted(deal.id, deal.order.order_id, deal.solver, Decimal(penalty)))

    def release(self, order: Order) -> None:
        account = f"order:{order.order_id}"
        left = self.ledger.balance(account, order.sell_token)
        if left:
            self.move(order.sell_token, left, account, f"user:{order.owner}", "release")

    def expire(self, order: Order, reason: str) -> None:
        self.release(order)
        self.say("auction", OrderExpired(order.order_id, reason))


class Deal(NamedTuple):
    """What a commitment is about."""

    id: str
    height: int
    order: Order
    solver: str
    bid_id: str
    given: Decimal
    taken: Decimal


def manifest(**changes: Any) -> Manifest:
    """A manifest for any story."""
    given: dict[str, Any] = {
        "name": "quickstart",
        "seed": 1,
        "command": "romer-sim run scenarios/quickstart.toml --seed 1",
        "scenario": {
            "run": {"seed": 1, "duration": "30s"},
            "solver": [{"id": solver} for solver in ("s1", "s2", "s3", "s4", "s10")],
        },
        "scenario_hash": "ab" * 32,
        "digest": "0123456789abcdef" * 4,
        "digests": {"venue": "01" * 32, "MM1": "02" * 32},
        "began": BEGAN,
        "ended": BEGAN + 30 * SECOND,
        "deliveries": 40_000,
        "wall_time": 1_500 * MILLISECOND,
        "provenance": Provenance(
            commit="c0ffee", dirty=False, python="3.11.9", platform="test", versions={"romer": "0"}
        ),
    }
    return Manifest(**(given | changes))


def _hash(n: int) -> bytes:
    return n.to_bytes(32, "big")
