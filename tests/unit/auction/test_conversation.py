"""Agents, door and auction talk over a list instead of a network, through whole batches, to the last unit."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any, TypeVar

from core.auction.auction import Auction
from core.auction.facts import BidReceived, CommitmentCreated, CommitmentDefaulted, OrderReassigned
from core.kernel.component import Component
from core.kernel.record import (
    Bytes,
    CancelTimer,
    Close,
    Compute,
    Computed,
    Connect,
    Connected,
    Disconnected,
    Event,
    Message,
    Note,
    Record,
    Send,
    SetTimer,
    Start,
    TimerFired,
    Transmit,
)
from core.market.orders import Batch, Order, OrderExpired, OrderFilled
from core.market.world import PriceMoved
from core.solver.agent import SolverAgent
from core.solver.door import SolverDoor
from core.solver.facts import SolverConnected, SolverLineRefused
from core.solver.problem import CostPlus, Params, Random, Unreliable
from core.solver.protocol import Door
from core.solver.settings import DoorSettings, SolverAccount, SolverSettings
from core.solver.strategies.registry import solve
from core.units import MONEY, Nanos
from tests.helpers.auction import SETTINGS, order

R = TypeVar("R", bound=Record)


class Floor:
    """A venue and its solvers. What one does to another goes through one queue, and takes no time."""

    def __init__(self, params: dict[str, Params]) -> None:
        accounts = {s: SolverAccount(token=f"secret-{s}", capital=SETTINGS.capital[s]) for s in params}
        self.components: dict[str, Component[Any]] = {
            "auction": Auction("auction", SETTINGS),
            "solvers": SolverDoor("solvers", DoorSettings(venue="venue", solvers=accounts, hello_timeout=50)),
        }
        for solver, how in params.items():
            settings = SolverSettings(
                solver=solver,
                token=f"secret-{solver}",
                addresses={Door.ALL: "venue"},
                params=how,
                seed=1,
                reconnect_interval=100,
            )
            self.components[solver] = SolverAgent("solver", settings)
        self.now: Nanos = 0
        self.queue: list[tuple[str, Event]] = [(name, Start()) for name in self.components]
        self.timers: dict[tuple[str, str], Nanos] = {}
        self.reported: list[Record] = []
        self.facts: list[Record] = []
        self.queue += [(solver, Message("world", PriceMoved("ETHUSDC", Decimal(2000)))) for solver in params]
        self.run()

    def noted(self, kind: type[R]) -> list[R]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def batch(self, height: int, *orders: Order) -> None:
        self.queue.append(("auction", Message("sequencer", Batch(height, self.now, orders))))
        self.run()

    def pass_time(self, until: Nanos) -> None:
        while due := [(at, *slot) for slot, at in self.timers.items() if at <= until]:
            self.now, name, key = min(due)
            del self.timers[name, key]
            self.queue.append((name, TimerFired(key, self.now)))
            self.run()

    def run(self) -> None:
        with localcontext(MONEY):
            while self.queue:
                name, event = self.queue.pop(0)
                for effect in self.components[name].handle(self.now, event):
                    self.perform(name, effect)

    def perform(self, name: str, effect: Record) -> None:
        if isinstance(effect, Note):
            self.facts.append(effect.fact)
        elif isinstance(effect, SetTimer):
            self.timers[name, effect.key] = effect.at
        elif isinstance(effect, CancelTimer):
            self.timers.pop((name, effect.key), None)
        elif isinstance(effect, Compute):
            self.queue.append((name, Computed(effect.job_id, solve(effect.problem))))
        elif isinstance(effect, Send) and effect.dst == "sequencer":
            self.reported.append(effect.body)
        elif isinstance(effect, Send):
            self.queue.append((effect.dst, Message(name, effect.body)))
        else:
            self.carry(name, effect)

    def carry(self, name: str, effect: Record) -> None:
        """A connection has the same name at both ends but for the solver's, which the venue's end begins with."""
        assert isinstance(effect, Connect | Transmit | Close)
        solver, _, conn = effect.conn.partition("/") if name == "solvers" else (name, "", effect.conn)
        here, there = (effect.conn, conn) if name == "solvers" else (conn, f"{solver}/{conn}")
        other = solver if name == "solvers" else "solvers"
        if isinstance(effect, Connect):
            self.queue += [("solvers", Connected(there, solver)), (name, Connected(here, effect.address))]
        elif isinstance(effect, Transmit):
            self.queue.append((other, Bytes(there, effect.data)))
        else:
            self.queue.append((other, Disconnected(there, effect.reason)))


def totals(floor: Floor) -> dict[str, Decimal]:
    auction = floor.components["auction"]
    assert isinstance(auction, Auction)
    sums: dict[str, Decimal] = {}
    for tokens in auction.ledger.balances.values():
        for token, amount in tokens.items():
            sums[token] = sums.get(token, Decimal(0)) + amount
    return sums


def agents_agree_with_the_ledger(floor: Floor) -> None:
    auction = floor.components["auction"]
    assert isinstance(auction, Auction)
    for name, component in floor.components.items():
        if isinstance(component, SolverAgent):
            capital = component.state.capital or {}
            held = auction.ledger.balances.get(f"solver:{name}", {})
            assert {token: amount for token, amount in capital.items() if amount} == held


def test_everybody_gets_in() -> None:
    floor = Floor({"s1": CostPlus(), "s2": Random(), "s3": Unreliable()})
    assert [fact.solver for fact in floor.noted(SolverConnected)] == ["s1", "s2", "s3"]
    assert floor.timers == {}


def test_an_honest_competition_fills_both_sides_at_better_than_the_limit() -> None:
    floor = Floor({"s1": CostPlus(noise_bps=0, margin_bps=9), "s2": CostPlus(noise_bps=0, margin_bps=1)})
    floor.batch(1, order("O-1", "sell", "2", "1990"), order("O-2", "buy", "2", "2010"))
    floor.pass_time(10_000)
    assert len(floor.noted(BidReceived)) == 4
    fills = floor.noted(OrderFilled)
    assert [(fill.order_id, fill.solver, fill.price) for fill in fills] == [
        ("O-1", "s2", Decimal("1999.2")),
        ("O-2", "s2", Decimal("2000.805")),
    ]
    assert not any(fill.leaves_quantity for fill in fills)
    assert floor.reported == fills
    agents_agree_with_the_ledger(floor)


def test_who_wins_and_does_not_pay_is_replaced_by_who_does() -> None:
    cheat = Unreliable(default_per_mille=1000, edge_bps=4, noise_bps=0)
    floor = Floor({"s1": cheat, "s2": CostPlus(noise_bps=0)})
    floor.batch(1, order(price="1990"))
    floor.pass_time(10_000)
    assert [fact.solver for fact in floor.noted(CommitmentDefaulted)] == ["s1"]
    assert floor.noted(OrderReassigned) == [OrderReassigned("O-1", "s1", "s2", 2)]
    assert [fill.solver for fill in floor.noted(OrderFilled)] == ["s2"]
    agents_agree_with_the_ledger(floor)


def test_many_batches_of_a_mixed_crowd_end_with_every_order_ended_and_every_unit_in_place() -> None:
    floor = Floor({"s1": CostPlus(), "s2": Random(spread_bps=30), "s3": Unreliable()})
    orders = [
        order(f"O-{n}", "sell" if n % 3 else "buy", "1.5", "1995" if n % 3 else "2005", valid_until=300 * n + 2000)
        for n in range(40)
    ]
    for height in range(1, 11):
        floor.batch(height, *orders[4 * height - 4 : 4 * height])
        floor.pass_time(height * 150)
    floor.pass_time(100_000)
    ended = [fill.order_id for fill in floor.noted(OrderFilled) if not fill.leaves_quantity]
    ended += [fact.order_id for fact in floor.noted(OrderExpired)]
    assert sorted(ended) == sorted(of.order_id for of in orders)
    assert len(floor.noted(OrderFilled)) > 30
    assert len(floor.noted(CommitmentCreated)) > len(floor.noted(OrderFilled))
    assert not floor.noted(SolverLineRefused)
    assert not any(totals(floor).values())
    agents_agree_with_the_ledger(floor)


def test_the_same_conversation_twice_leaves_the_same_facts() -> None:
    facts = []
    for _ in range(2):
        floor = Floor({"s1": CostPlus(), "s2": Random(), "s3": Unreliable()})
        floor.batch(1, order("O-1", price="1995"), order("O-2", "buy", price="2005"))
        floor.pass_time(10_000)
        facts.append(floor.facts)
    assert facts[0] == facts[1]
