"""A solver or a market maker as a process of its own: dials the venue, again and again, until it is asked to stop."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from core.config import MakerConfig, SolverConfig
from core.fix.messages import ExecutionReport
from core.fix.records import FromPeer, LogOn
from core.fix.tags import ExecType, Side
from core.kernel.record import Effect, Event, Message, Record
from core.maker import MarketMaker
from core.market.world import PriceMoved
from core.solver.facts import AwardDecided, BatchSkipped, BidsSent
from core.units import SECOND, Nanos
from live.connection import Filter
from live.credentials import ShowToken
from live.demand import Demand
from live.driver import LiveNode, NoteSink
from live.opening import JournalSection, Opened, Watch, open_node
from live.run import Drain, Ended, Life, OnUp, ending_at_once
from live.tls import ClientTls

DRAIN: Final = 5 * SECOND
"""How long a market maker waits for the next word on its open orders before it logs out."""


class Where(NamedTuple):
    """Where a trader's journal goes, who is told of it, and whether it ends with stdin."""

    folder: Path
    sync: str
    log: NoteSink
    with_stdin: bool
    up: OnUp


class Bidding(msgspec.Struct, frozen=True, kw_only=True):
    """What a solver has done since it was started."""

    batches: int
    bids: int
    awards: int
    paid: int
    skipped: dict[str, int]


class Reports:
    """Hands every ExecutionReport that reaches a market maker to `show`."""

    def __init__(self, show: Callable[[ExecutionReport], None]) -> None:
        self._show = show

    def __call__(self, _node: str, _now: Nanos, dst: str, event: Event, _effects: list[Effect]) -> None:
        """A delivery, as the kernel tells it."""
        if dst == "maker" and isinstance(event, Message) and isinstance(event.body, FromPeer):
            message = event.body.message
            if isinstance(message, ExecutionReport):
                self._show(message)


def report_line(report: ExecutionReport) -> str:
    """An execution report for people."""
    kind = ExecType(report.exec_type).name.lower().replace("_", " ")
    side = "buy" if report.side == Side.BUY else "sell"
    parts = [
        f"{report.cl_ord_id} {report.order_id} {kind}: {side} {report.order_qty} {report.symbol} at {report.price}"
    ]
    if report.last_shares:
        parts.append(f"{report.last_shares} at {report.last_px}, {report.leaves_qty} left")
    return "; ".join([*parts, *([report.text] if report.text else [])])


async def run_solver(
    config: SolverConfig, token: str, prices: Sequence[PriceMoved], where: Where, *, seed: int
) -> tuple[Ended, Bidding]:
    """Run a solver whose configuration holds the proof of `token`. Raises InputError for a journal it cannot have."""
    counts: Counter[str] = Counter()
    skipped: Counter[str] = Counter()

    def note(node: str, now: Nanos, component: str, fact: Record) -> None:
        where.log(node, now, component, fact)
        if isinstance(fact, BidsSent):
            counts.update(batches=1, bids=fact.count)
        elif isinstance(fact, AwardDecided):
            counts.update(awards=1, paid=fact.pays)
        elif isinstance(fact, BatchSkipped):
            skipped[fact.reason] += 1

    with ending_at_once():
        opened = open_node(config, _journal(where), where.folder, Watch(note), seed=seed, outward=ShowToken(token))
    ended = await _live(opened, where, Drain(), config.address, _tell(opened.node, prices))
    names = ("batches", "bids", "awards", "paid")
    return ended, Bidding(**{name: counts[name] for name in names}, skipped=dict(skipped))


async def run_maker(
    config: MakerConfig,
    demands: Sequence[Demand],
    where: Where,
    *,
    show: Callable[[ExecutionReport], None],
    tls: ClientTls | None = None,
    outward: Filter | None = None,
) -> tuple[Ended, dict[str, int]]:
    """Run a market maker, which sends through `outward`; the counts are of its whole journal.

    Raises InputError for a journal it cannot have.
    """
    watch = Watch(where.log, Reports(show))
    with ending_at_once():
        opened = open_node(config, _journal(where), where.folder, watch, seed=0, outward=outward, tls=tls)
    maker = opened.node.kernel.components["maker"]
    assert isinstance(maker, MarketMaker)
    drain = Drain(("maker",), lambda: {"orders": len(maker.state.open)}, DRAIN, lambda: dict(maker.state.counts))
    afresh = _dial_afresh(opened, config.venue_comp_id)
    world = (afresh, *(_want(opened.node, demand) for demand in demands))
    ended = await _live(opened, where, drain, config.address, *world)
    return ended, {str(outcome): count for outcome, count in maker.state.counts.items()}


def _journal(where: Where) -> JournalSection:
    return JournalSection(dir="", sync=where.sync)


async def _live(opened: Opened, where: Where, drain: Drain, address: str, *world: Coroutine[Any, Any, None]) -> Ended:
    life = Life(opened, drain)
    watch = [life.until_stdin_ends()] if where.with_stdin else []
    return await life.run(life.when_up(where.up, {"venue": address}, dials=True), *world, *watch)


async def _tell(node: LiveNode, prices: Sequence[PriceMoved]) -> None:
    for price in prices:
        node.tell("solver", price)


async def _dial_afresh(opened: Opened, session: str) -> None:
    """A process that was started again has not failed yet: the pause before the next attempt is not its own."""
    if opened.store.boot > 1:
        opened.node.tell("fix", LogOn(session))


async def _want(node: LiveNode, demand: Demand) -> None:
    while True:
        node.tell("maker", demand.order)
        await asyncio.sleep(demand.every / SECOND)
