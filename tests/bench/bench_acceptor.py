"""The FIX acceptor over loopback, journal on: orders in, reports out, beside a bare asyncio echo and QuickFIX.

    python -m tests.bench.bench_acceptor

The client (tests/bench/load.py) is a process of its own and the same for all. `desk` answers each order with a
report and does nothing else; `venue` is the whole one, where an order is sequenced and goes to an auction
without solvers. It is given fewer orders than the others, because one owner may have 10,000 alive and what goes
beyond is refused: at this rate a lifetime that keeps them below would end orders before the window of their batch
does. Every order must be accepted, in all rows but the echo's. QuickFIX, whose file store never syncs, is run where
its Python binding is installed, or after `make interop`. Where a machine is shared, orders per second of the server's
CPU move least.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from decimal import Decimal
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, ClassVar, Final, NamedTuple, TypeAlias

import msgspec

from core.config import AuctionConfig, Duration, MemberConfig, SequencerConfig, VenueConfig
from core.fix.engine import FixEngine
from core.fix.messages import ExecutionReport, NewOrderSingle
from core.fix.records import FromPeer, SessionClosed, SessionOpened, ToPeer
from core.fix.settings import EngineConfig, SessionConfig
from core.kernel.component import Component, Handler
from core.kernel.journal import Header
from core.kernel.record import Message, Record, Send, Start, Stop
from core.market.orders import Pair, Token
from core.units import SECOND, Nanos
from core.wiring import CODEC, components
from live.clock import wall_clock
from live.driver import LiveNode
from live.journal.policy import SyncPolicy
from live.journal.recovery import recover
from live.journal.store import Store
from tests.bench.command import run_bench
from tests.bench.load import RoundTrip, round_trips, throughput
from tests.bench.peers import ROOT, quickfix_python

ECHO: Final = "bare asyncio echo"
VENUE: Final = "venue, sync always"


class Sizes(NamedTuple):
    """How much is measured."""

    orders: int = 40_000
    venue_orders: int = 9_000
    rates: tuple[int, ...] = (1_000, 2_000)
    """Of orders sent one by one, for so many `seconds`."""
    seconds: float = 3.0


FULL, TINY = Sizes(), Sizes(200, 200, (200,), 0.2)

Cost: TypeAlias = Callable[[], Coroutine[Any, Any, float]]
Server: TypeAlias = AbstractAsyncContextManager[tuple[int, Cost]]
"""While it is open a server runs on that port; the seconds of CPU that it has taken until asked."""


async def own_cost() -> float:
    """Of servers in this process."""
    return process_time()


class Empty(msgspec.Struct):
    """A desk remembers nothing."""


class Desk(Component[Empty]):
    """Answers each order with a report, at once."""

    def _on_order(self, _now: Nanos, event: Message[FromPeer[NewOrderSingle]]) -> None:
        order, zero = event.body.message, Decimal(0)
        quantity = order.order_qty or zero
        report = ExecutionReport(
            order_id=f"O-{order.cl_ord_id}",
            exec_id=f"E-{order.cl_ord_id}",
            exec_trans_type="0",
            exec_type="0",
            ord_status="0",
            symbol=order.symbol,
            side=order.side,
            leaves_qty=quantity,
            cum_qty=zero,
            avg_px=zero,
            cl_ord_id=order.cl_ord_id,
            order_qty=quantity,
            price=order.price,
        )
        self.emit(Send("fix", ToPeer("MM1", report)))

    def _ignore(self, _now: Nanos, _event: Any) -> None: ...

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        **dict.fromkeys((Start, Stop, SessionOpened, SessionClosed), _ignore),
        FromPeer: _on_order,
    }


def desk() -> list[Component[Any]]:
    """An acceptor and whoever answers."""
    session = SessionConfig(target_comp_id="MM1")
    config = EngineConfig(role="acceptor", comp_id="ROMER", sessions=(session,), app="app", app_messages=("D",))
    return [FixEngine("fix", config), Desk("app", Empty())]


def venue(order_lifetime: Nanos = 3600 * SECOND) -> list[Component[Any]]:
    """A venue, as `romer-live serve` has it."""
    eth, usdc = Token(id="ETH", decimals=8), Token(id="USDC", decimals=6)
    tick, lot, most = Decimal("0.01"), Decimal("0.0001"), Decimal(1000)
    config = VenueConfig(
        pairs=(Pair(symbol="ETHUSDC", base=eth, quote=usdc, tick=tick, lot=lot, quantity_max=most),),
        sequencer=SequencerConfig(order_lifetime=Duration(order_lifetime)),
        auction=AuctionConfig(bond_token="USDC", default_penalty=Decimal(1)),
        members=(MemberConfig(id="MM1", balance={"ETH": Decimal(1_000_000)}),),
        solvers=(),
    )
    return components(config, 0)


class BareEcho(asyncio.Protocol):
    """The least that a server can do."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[int, Cost]]:
    """A bare asyncio server."""
    server = await asyncio.get_running_loop().create_server(BareEcho, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], own_cost


@asynccontextmanager
async def node(make: Callable[[], list[Component[Any]]], sync: str) -> AsyncIterator[tuple[int, Cost]]:
    """A live node with a journal of that policy."""
    with TemporaryDirectory() as folder:
        store = Store.open(Path(folder), Header("venue", 0, b"", ""), policy=SyncPolicy.parse(sync))
        subject = LiveNode(recover(store, make, CODEC).kernel, clock=wall_clock(), on_note=lambda *_: None, store=store)
        port = await subject.listen("127.0.0.1", 0, "fix")
        running = asyncio.create_task(subject.run())
        await subject.started.wait()
        yield port, own_cost
        subject.stop()
        await running


@asynccontextmanager
async def quickfix_acceptor(python: str, kept: str) -> AsyncIterator[tuple[int, Cost]]:
    """QuickFIX with that store, in a process of its own, by an interpreter that has it."""
    process = await asyncio.create_subprocess_exec(
        *(python, "-m", "tests.bench.quickfix_desk", kept), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=ROOT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    told, to = process.stdout, process.stdin
    port = int(await told.readline())
    asked = False

    async def cost() -> float:
        nonlocal asked
        if not asked:
            asked = True
            return 0.0
        to.write(b"\n")
        return float(await told.readline())

    yield port, cost
    process.kill()
    await process.wait()


def servers() -> Iterator[tuple[str, Callable[[], Server]]]:
    """Everything that is compared."""
    yield ECHO, echo
    for sync in ("always", "10ms", "off"):
        yield f"desk, sync {sync}", partial(node, desk, sync)
    yield VENUE, partial(node, venue, "always")
    python = quickfix_python()
    if python is not None:
        for kept in ("file", "memory"):
            yield f"QuickFIX, {kept} store", partial(quickfix_acceptor, python, kept)


class Measured(NamedTuple):
    """Orders per second, and per second of the server's CPU; how many were accepted; round trips at each rate."""

    rate: float
    cpu_rate: float
    accepted: int
    trips: list[RoundTrip]


async def measure(name: str, server: Callable[[], Server], sizes: Sizes, pool: ProcessPoolExecutor) -> Measured:
    """Each figure with a server of its own."""
    loop = asyncio.get_running_loop()
    orders = sizes.venue_orders if name == VENUE else sizes.orders
    async with server() as (port, cost):
        before = await cost()
        rate, accepted = await loop.run_in_executor(pool, throughput, port, orders)
        cpu_rate = orders / (await cost() - before)
    assert accepted == (0 if name == ECHO else orders), f"{name}: {accepted} of {orders} orders were accepted"
    trips = []
    for paced in sizes.rates:
        async with server() as (port, _):
            trip = await loop.run_in_executor(pool, round_trips, port, paced, sizes.seconds)
        assert trip.accepted == (0 if name == ECHO else int(paced * sizes.seconds)), f"{name}: {trip}"
        trips.append(trip)
    return Measured(rate, cpu_rate, accepted, trips)


@contextmanager
def _pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


def main(sizes: Sizes = FULL) -> None:
    """Print the table."""
    heads = "".join(f"{f'{rate:,}/s: p50':>14} {'p99':>7} {'p99.9':>7}" for rate in sizes.rates)
    print(f"{'us, or orders per second':24} {'orders/s':>9} {'per CPU-s':>9} {'accepted':>9}{heads}")
    with _pool() as pool:
        for name, server in servers():
            rate, cpu_rate, accepted, trips = asyncio.run(measure(name, server, sizes, pool))
            columns = "".join(f"{trip.p50:14,.0f} {trip.p99:7,.0f} {trip.p999:7,.0f}" for trip in trips)
            print(f"{name:24} {rate:9,.0f} {cpu_rate:9,.0f} {accepted:9,}{columns}")
    if quickfix_python() is None:
        print("QuickFIX is not installed: `make interop` builds it")


if __name__ == "__main__":
    run_bench(main, FULL, TINY)
