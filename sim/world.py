"""The world outside the nodes, as SimPy processes: prices move, and people want orders.

Every process draws from streams of its own, so that one more draw here never moves another there.
What reaches a node is exact: prices are on their tick and quantities on their lot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final, TypeAlias

from simpy import Environment, Event

from core.kernel.record import Message, Record
from core.kernel.rng import Stream, stream
from core.market.orders import Pair, Side
from core.market.world import CancelWanted, OrderWanted, PriceMoved
from core.units import SECOND, Nanos, nearest
from sim.driver import SimNode
from sim.latency import Sampler
from sim.scenario.identity import Step
from sim.scenario.models import PRICE_LIMIT, Gbm
from sim.scenario.recorded import Row
from sim.scenario.schema import MarketMaker

Process: TypeAlias = Iterator[Event]

_MATH: Final = Context(prec=18, rounding=ROUND_HALF_EVEN)
_BPS: Final = Decimal(10_000)
_PRICE_MAX: Final = Decimal(PRICE_LIMIT)
_CANCEL_REACH: Final = 8


class Feed:
    """Shows prices to a node, in order, each after the delay of its link."""

    def __init__(self, node: SimNode, component: str, latency: Sampler) -> None:
        self._node, self._component, self._latency = node, component, latency
        self._last: Nanos = 0

    def show(self, moved: PriceMoved) -> None:
        """Send one price on its way."""
        self._last = max(self._last, self._node.now + self._latency())
        self._node.post(self._last, "world", self._component, Message("world", moved))


class Prices:
    """The reference price of every pair, and who is shown each move."""

    def __init__(self, env: Environment, feeds: Sequence[Feed]) -> None:
        self._env, self._feeds = env, feeds
        self._now: dict[str, Decimal] = {}

    def __getitem__(self, symbol: str) -> Decimal:
        return self._now[symbol]

    def move(self, pair: Pair, price: Decimal) -> None:
        """Set a price, rounded to its tick, and show it where it changed."""
        rounded = max(nearest(price, pair.tick), pair.tick)
        if self._now.get(pair.symbol) != rounded:
            self._now[pair.symbol] = rounded
            for feed in self._feeds:
                feed.show(PriceMoved(pair.symbol, rounded))

    def diffuse(self, pair: Pair, model: Gbm, draws: Stream) -> Process:
        """Follow `path`, a step each tick."""
        steps = path(model, draws)
        while True:
            yield self._env.timeout(int(model.tick))
            self.move(pair, next(steps))

    def play(self, pair: Pair, rows: Iterable[Row]) -> Process:
        """Follow a recording from now on."""
        started = self._env.now
        for row in rows:
            yield self._env.timeout(started + row.offset - self._env.now)
            self.move(pair, row.price)


def path(model: Gbm, draws: Stream) -> Iterator[Decimal]:
    """Geometric Brownian motion without drift: the logarithm moves by sigma * sqrt(dt) * z each tick.

    A price that has nowhere else to go stays at the limit of prices until it falls.
    """
    seconds = _MATH.divide(Decimal(int(model.tick)), Decimal(SECOND))
    step = _MATH.multiply(Decimal(model.volatility_bps) / _BPS, _MATH.sqrt(seconds))
    price = model.start
    while True:
        price = min(_MATH.multiply(price, _MATH.exp(_MATH.multiply(step, draws.normal()))), _PRICE_MAX)
        yield price


class Demand:
    """What one market maker wants: orders drawn around the reference price, or taken from a recording."""

    def __init__(self, env: Environment, node: SimNode, maker: MarketMaker, pairs: Sequence[Pair], seed: int) -> None:
        self._env, self._node, self._maker, self._pairs = env, node, maker, pairs
        self._times = stream(seed, f"maker.{maker.id}.times")
        self._draws = stream(seed, f"maker.{maker.id}.orders")
        self._cancels = stream(seed, f"maker.{maker.id}.cancels")
        self._sent = 0

    def arrive(self, prices: Prices, until: Nanos) -> Process:
        """Want an order at each arrival before `until`."""
        while True:
            yield self._env.timeout(self._gap())
            if self._env.now >= until:
                return
            pair = self._draws.choice(self._pairs)
            self._want(pair, prices[pair.symbol])

    def play(self, pair: Pair, rows: Iterable[Row], until: Nanos) -> Process:
        """Want an order for each row of a recording that falls before `until`."""
        started = self._env.now
        for row in rows:
            at = started + row.offset
            if at >= until:
                return
            yield self._env.timeout(at - self._env.now)
            self._want(pair, row.price, row.quantity, row.side)

    def _gap(self) -> Nanos:
        arrivals = self._maker.arrivals
        if arrivals.poisson is not None:
            return self._times.exponential(int(arrivals.poisson))
        assert arrivals.fixed is not None
        return int(arrivals.fixed)

    def _want(self, pair: Pair, price: Decimal, quantity: Decimal | None = None, side: Side | None = None) -> None:
        maker, draws = self._maker, self._draws
        side = side or ("buy" if draws.chance(maker.buy_per_mille) else "sell")
        quantity = quantity or self._quantity(pair)
        offset = draws.between(maker.limit_offset_bps.min, maker.limit_offset_bps.max)
        factor = 1 + Decimal(offset if side == "buy" else -offset) / _BPS
        limit = max(nearest(price * factor, pair.tick), pair.tick)
        immediate = draws.chance(maker.immediate_per_mille)
        whole = draws.chance(maker.whole_per_mille) and immediate
        lifetime = None if maker.order_lifetime is None else int(maker.order_lifetime)
        self._tell(OrderWanted(pair.symbol, side, quantity, limit, lifetime, immediate, whole))
        self._sent += 1
        if self._cancels.chance(maker.cancel_per_mille):
            self._tell(CancelWanted(self._cancels.between(max(1, self._sent - _CANCEL_REACH), self._sent)))

    def _quantity(self, pair: Pair) -> Decimal:
        least, most = (int(amount / pair.lot) for amount in (self._maker.quantity.min, self._maker.quantity.max))
        return self._draws.between(max(least, 1), max(most, 1)) * pair.lot

    def _tell(self, wish: Record) -> None:
        self._node.tell("maker", wish)


def registry_steps(env: Environment, steps: Iterable[Step], take: Callable[[Step], None]) -> Process:
    """What is done with keys, each at its time; what falls on one instant in the order of the file."""
    began = env.now
    for step in sorted(steps, key=lambda step: step.at):
        yield env.timeout(began + int(step.at) - env.now)
        take(step)


def start(env: Environment, process: Process) -> None:
    """Let a process of the world run."""
    env.process(_as_generator(process))


def _as_generator(process: Process) -> Any:
    yield from process
