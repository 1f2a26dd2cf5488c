"""Execution at an exchange that loses, repeats, delays and refuses: whatever happens, every order ends once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.execution.facts import ExecutionUnexpected
from core.execution.records import AssetOrder, AssetOrderEnded, AssetOrderFilled
from core.execution.settings import ExecutionSettings
from core.kernel.record import Reply, Resume, Send, Stop
from core.kernel.rng import Stream, stream
from core.market.books import Books
from core.market.exchange import ExchangeStatus, RateLimit, RefusalKind, TimeInForce
from core.market.orders import Side
from core.units import MILLISECOND, SECOND
from sim.exchange_models import ExchangeModel, Faults, Outage
from sim.latency import Constant, Exponential, Latency, Lognormal, Uniform
from tests.helpers.exchange import AX, AZ, Bench, market, order, still
from tests.helpers.execution import Rig, refusal, state, trade

BUSY = 60 * SECOND
"""For so long, orders come."""
BOUND = 60 * SECOND
"""So long after the last order, cancel and outage, nothing is open."""
SLICE = 10 * SECOND

LATENCIES: tuple[Latency, ...] = (
    Constant(MILLISECOND),
    Uniform(0, 200 * MILLISECOND),
    Exponential(MILLISECOND, SECOND),
    Lognormal(500 * MILLISECOND, 1500),
)


def some(draws: Stream, most: int) -> int:
    """Half of all seeds do not have a fault at all."""
    return draws.between(1, most) if draws.chance(500) else 0


def model_of(draws: Stream) -> ExchangeModel:
    faults = Faults(
        rejects=some(draws, 300),
        lost_requests=some(draws, 300),
        lost_replies=some(draws, 300),
        bare_replies=some(draws, 1000),
        lost_messages=some(draws, 300),
        repeated_messages=some(draws, 300),
        reordered_messages=some(draws, 500),
    )
    outages, at = [], 0
    for _ in range(draws.below(4)):
        at += draws.between(1, 20 * SECOND)
        span = draws.between(1, 20 * SECOND)
        outages.append(Outage(at, span))
        at += span
    limits = (RateLimit(draws.between(2, 50), 5 * SECOND),) if draws.chance(500) else ()
    return ExchangeModel(
        markets=(market(AX, 100), market(AZ, 300)),
        latency=draws.choice(LATENCIES),
        maker_bps=Decimal(2),
        faults=faults,
        outages=tuple(outages),
        limits=limits,
    )


def some_order(draws: Stream, order_id: str, spread: int = 20) -> AssetOrder:
    """To buy or sell at a price that is up to `spread` per mille from where its market began."""
    side: Side = "buy" if draws.chance(500) else "sell"
    symbol, middle = (AX.symbol, 100) if draws.chance(500) else (AZ.symbol, 300)
    price = Decimal(middle * draws.between(1000 - spread, 1000 + spread)) / 1000
    return order(order_id, side, str(price), str(Decimal(draws.between(1, 9000)) / 1000), symbol)


def busy_bench(seed: int) -> Bench:
    """A desk that orders at random for a minute, and cancels every batch in the end."""
    draws = stream(seed, "busy")
    settings = ExecutionSettings(time_in_force=draws.choice(list(TimeInForce)))
    bench = Bench(model_of(draws), seed, settings)
    number = 0
    for batch in range(draws.between(1, 12)):
        at = draws.between(1, BUSY)
        orders = []
        for _ in range(draws.between(1, 6)):
            number += 1
            orders.append(some_order(draws, f"O-{number}"))
        bench.place(at, f"B-{batch}", *orders)
        bench.cancel(at + draws.between(1, BUSY), f"B-{batch}")
    return bench


def live_through(seed: int) -> None:
    """Run a seed to its end, putting execution and books down and taking them up again on the way."""
    bench = busy_bench(seed)
    for until in range(SLICE, 2 * BUSY + BOUND + 1, SLICE):
        bench.run(until)
        bench.execution.restore(bench.execution.snapshot())
        notes = bench.desk.state
        notes.books = msgspec.msgpack.decode(msgspec.msgpack.encode(notes.books), type=Books)
    try:
        bench.audit()
        assert bench.facts(ExecutionUnexpected) == []
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error


@pytest.mark.parametrize("base", range(0, 120, 10))
def test_whatever_is_lost_every_order_ends_once_and_its_trades_are_those_of_the_exchange(base: int) -> None:
    for seed in range(base, base + 10):
        live_through(seed)


@pytest.mark.slow
@pytest.mark.parametrize("base", range(1000, 2000, 50))
def test_whatever_is_lost_every_order_ends_once_for_a_thousand_seeds(base: int) -> None:
    for seed in range(base, base + 50):
        live_through(seed)


SLOW_BOUND = 1800 * SECOND
"""So long after the last cancel, nothing is open at an exchange that is slow and goes on losing things."""
QUERIES_MAX = 60
"""Calls about one order, however it goes: its pauses grow."""


@given(
    latency=st.integers(MILLISECOND, 20 * SECOND),
    jitter=st.sampled_from([0, SECOND, 5 * SECOND]),
    lost=st.tuples(st.integers(0, 300), st.integers(0, 300)),
    time_in_force=st.sampled_from(TimeInForce),
    seed=st.integers(0, 1000),
)
def test_every_order_ends_at_an_exchange_that_is_slower_than_it_is_waited_for_and_forgets(
    latency: int, jitter: int, lost: tuple[int, int], time_in_force: TimeInForce, seed: int
) -> None:
    """A round trip of 3.2 s left orders open for ever whose requests were lost: answers are waited for 3 s."""
    draws = stream(seed, "slow")
    faults = Faults(lost_requests=lost[0], lost_replies=lost[1], lost_messages=lost[0], bare_replies=lost[1])
    markets = (still(AX, (100, 5), (101, 5)), still(AZ, (300, 5)))
    model = ExchangeModel(
        markets=markets, latency=Uniform(latency, latency + jitter), maker_bps=Decimal(2), faults=faults
    )
    bench = Bench(model, seed, ExecutionSettings(time_in_force=time_in_force))
    for batch in range(3):
        at = draws.between(BUSY // 2, BUSY)
        orders = [some_order(draws, f"O-{batch}.{n}", 150) for n in range(3)]
        bench.place(at, f"B-{batch}", *orders)
        bench.cancel(at + draws.between(1, BUSY), f"B-{batch}")
    bench.run(2 * BUSY + SLOW_BOUND)
    bench.audit()
    assert bench.facts(ExecutionUnexpected) == []
    assert max(each.calls for each in bench.execution.state.ended.values()) <= QUERIES_MAX


ORDERS = [f"O-{n}" for n in range(1, 5)]
TRADES = [
    trade(f"t{n}", quantity, fee="0.1") for n, quantity in enumerate(["0.5", "0.5", "1", "2", "0", "NaN", "-1", "200"])
]
STATES = st.builds(
    lambda status, trades, more: state(
        status, *trades, executed=str(sum((each.quantity for each in trades), Decimal(0)) + more)
    ),
    st.sampled_from(list(ExchangeStatus)),
    st.lists(st.sampled_from(TRADES), max_size=3, unique=True),
    st.sampled_from([0, 0, 1]),
)
ANSWERS = st.one_of(STATES, STATES, st.sampled_from(list(RefusalKind)).map(refusal))
STEPS = st.one_of(
    st.tuples(st.just("place"), st.lists(st.sampled_from(ORDERS), min_size=1, max_size=4, unique=True)),
    st.tuples(st.just("cancel")),
    st.tuples(st.just("up")),
    st.tuples(st.just("down")),
    st.tuples(st.just("stop"), st.sampled_from([Stop(), Resume()])),
    st.tuples(st.just("advance"), st.integers(0, 20 * SECOND)),
    st.tuples(st.just("answer"), st.integers(0, 40), ANSWERS),
    st.tuples(st.just("answer"), st.integers(0, 40), ANSWERS),
    st.tuples(
        st.just("stream"), st.sampled_from(list(ExchangeStatus)), st.sampled_from(TRADES), st.sampled_from(ORDERS)
    ),
)


def take(rig: Rig, name: str, *arguments: Any) -> None:
    """Let one thing happen, sensible or not."""
    if name == "place":
        rig.place(*(order(order_id, "buy", "100", "2", "XUSDC") for order_id in arguments[0]))
    elif name == "stop":
        rig.deliver(arguments[0])
    elif name == "stream":
        status, of, order_id = arguments
        rig.execution_report(status, of, str(of.quantity), order_id)
    elif name == "answer":
        calls = [each for each in rig.calls() if not each.call_id.startswith("instruments")]
        if calls:
            rig.deliver(Reply(calls[-1 - arguments[0] % len(calls)].call_id, arguments[1]))
    else:
        getattr(rig, name)(*arguments)


@given(st.lists(STEPS, min_size=5, max_size=50), st.booleans())
def test_an_exchange_that_talks_nonsense_cannot_break_it_or_end_an_order_twice(
    steps: list[tuple[Any, ...]], limited: bool
) -> None:
    rig = Rig(time_in_force=TimeInForce.GTC, limits=(RateLimit(2, 5 * SECOND),) if limited else ())
    for step in steps:
        take(rig, *step)
    ended: set[str] = set()
    trades: set[tuple[str, str]] = set()
    filled: dict[str, Decimal] = {}
    for effect in rig.effects:
        told = effect.body if isinstance(effect, Send) else None
        if isinstance(told, AssetOrderFilled):
            assert (told.order_id, told.trade_id) not in trades
            trades.add((told.order_id, told.trade_id))
            filled[told.order_id] = filled.get(told.order_id, Decimal(0)) + told.quantity
            assert filled[told.order_id] <= 2, "no more than was ordered, early or late"
        elif isinstance(told, AssetOrderEnded):
            assert told.order_id not in ended
            ended.add(told.order_id)
            assert told.cancelled_quantity == max(Decimal(2) - filled.get(told.order_id, Decimal(0)), Decimal(0))
    state_now = rig.execution.state
    assert not ended & state_now.orders.keys()
    assert {f"order:{order_id}" for order_id in state_now.waiting} <= rig.timers.keys()
    unwatched = [each for each in state_now.orders if f"order:{each}" not in rig.timers]
    assert not unwatched or not state_now.session_up, "somebody looks after every order while there is a session"
