"""A run in a dozen numbers: computed exactly from the tables, as text for people and as data for scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from statistics import median
from typing import Any, SupportsFloat

import msgspec
import pyarrow as pa

from core.units import MONEY, SECOND, Nanos, format_duration
from sim.results.manifest import Manifest
from sim.results.rows import ORDER_STATUSES, ZERO


class PairSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One pair. `volume` and `surplus` are in the quote token; `surplus_bps` is surplus over the value
    of the filled quantities at their limits, `median_bps` the median over orders with a fill.
    """

    symbol: str
    quote_token: str
    orders: int
    traded: int
    volume: Decimal
    surplus: Decimal
    surplus_bps: float
    median_bps: float


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A run's outcome; a function of its facts alone. `fill_rate` is filled over accepted orders,
    `bids_per_order` counts bids that counted over accepted orders.
    """

    orders: int
    by_status: dict[str, int]
    fill_rate: float
    pairs: list[PairSummary]
    bids: int
    bids_rejected: int
    bids_per_order: float
    commitments: int
    settled: int
    defaulted: int
    reassigned: int
    blocks: int
    blocks_full: int
    batch_mean: float
    batch_max: int
    lateness_max: Nanos


def summarise(tables: Mapping[str, pa.Table]) -> Summary:
    """The summary of a run's tables. An empty run has zeros."""
    statuses = Counter(_values(tables["orders"], "status"))
    accepted = statuses.total() - statuses["refused"]
    bids = Counter(_values(tables["bids"], "status"))
    commitments = Counter(_values(tables["commitments"], "status"))
    batches = _values(tables["blocks"], "messages")
    return Summary(
        orders=statuses.total(),
        by_status={status: statuses[status] for status in ORDER_STATUSES},
        fill_rate=_ratio(statuses["filled"], accepted),
        pairs=_pairs(tables["orders"]),
        bids=bids.total() - bids["rejected"],
        bids_rejected=bids["rejected"],
        bids_per_order=_ratio(bids.total() - bids["rejected"], accepted),
        commitments=commitments.total(),
        settled=commitments["settled"],
        defaulted=commitments["defaulted"],
        reassigned=sum(attempt > 1 for attempt in _values(tables["commitments"], "attempt")),
        blocks=len(batches),
        blocks_full=_values(tables["blocks"], "trigger").count("full"),
        batch_mean=_ratio(sum(batches), len(batches)),
        batch_max=max(batches, default=0),
        lateness_max=max(_values(tables["blocks"], "lateness_ns"), default=0),
    )


def as_data(manifest: Manifest, summary: Summary) -> dict[str, Any]:
    """What `--json` prints: which run it was and its summary; money as text, so that it stays exact."""
    run = {
        "scenario": manifest.name,
        "seed": manifest.seed,
        "digest": manifest.digest,
        "interrupted": manifest.interrupted,
        "simulated_ns": manifest.ended - manifest.began,
        "wall_time_ns": manifest.wall_time,
        "deliveries": manifest.deliveries,
    }
    return run | {"summary": msgspec.to_builtins(summary)}


def as_text(manifest: Manifest, summary: Summary, where: str = "") -> str:
    """What `run` prints at its end; `where` is the path of the report, if one was written."""
    interrupted = "   INTERRUPTED before its end" if manifest.interrupted else ""
    lines = [
        ("scenario", f"{manifest.name}   seed {manifest.seed}{interrupted}"),
        *outcome_lines(summary),
        ("surplus", "\n".join(_pair_lines(summary.pairs)) or "none: no orders"),
        ("run", _speed(manifest)),
        ("digest", manifest.digest),
    ]
    if where:
        lines.append(("report", where))
    indent = "\n" + " " * 13
    return "\n".join(f"{label:<11}  {text.replace(chr(10), indent)}" for label, text in lines)


def outcome_lines(summary: Summary) -> list[tuple[str, str]]:
    """The counts of a summary, each with its label."""
    return [
        ("orders", f"{summary.orders:,}: {_statuses(summary)}"),
        ("fill rate", f"{summary.fill_rate:.1%} of accepted orders"),
        ("bids", f"{summary.bids:,}: {summary.bids_per_order:.2f} per order; {summary.bids_rejected:,} rejected"),
        ("commitments", f"{summary.commitments:,}: {_fates(summary)}"),
        ("blocks", f"{summary.blocks:,}: {_batches(summary)}"),
    ]


def money(amount: SupportsFloat) -> str:
    """An amount as people read it: two decimals, or four digits when it is smaller than one."""
    number = float(amount)
    return f"{number:,.2f}" if abs(number) >= 1 or not number else f"{number:.4g}"


def _pairs(orders: pa.Table) -> list[PairSummary]:
    names = ("symbol", "quote_token", "limit_price", "filled_quantity", "average_price", "surplus_quote", "surplus_bps")
    by_pair: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for symbol, quote, *rest in zip(*(_values(orders, name) for name in names), strict=True):
        if symbol is not None:
            by_pair.setdefault((symbol, quote), []).append(tuple(rest))
    return [_pair(symbol, quote, rows) for (symbol, quote), rows in sorted(by_pair.items())]


def _pair(symbol: str, quote: str, rows: Sequence[tuple[Any, ...]]) -> PairSummary:
    traded = [row for row in rows if row[1]]
    with localcontext(MONEY):
        at_limit = sum((limit * quantity for limit, quantity, *_ in traded), ZERO)
        surplus = sum((row[3] for row in traded), ZERO)
        return PairSummary(
            symbol=symbol,
            quote_token=quote,
            orders=len(rows),
            traded=len(traded),
            volume=_plain(sum((quantity * price for _, quantity, price, *_ in traded), ZERO)),
            surplus=_plain(surplus),
            surplus_bps=float(10_000 * surplus / at_limit) if at_limit else 0.0,
            median_bps=median([row[4] for row in traded]) if traded else 0.0,
        )


def _statuses(summary: Summary) -> str:
    return ", ".join(f"{count:,} {status}" for status, count in summary.by_status.items() if count) or "none"


def _fates(summary: Summary) -> str:
    return f"{summary.settled:,} settled, {summary.defaulted:,} defaulted, {summary.reassigned:,} reassigned"


def _batches(summary: Summary) -> str:
    sizes = f"{summary.batch_mean:.1f} messages on average, {summary.batch_max:,} at most"
    return f"{sizes}; {summary.blocks_full:,} full; {format_duration(summary.lateness_max)} late at most"


def _speed(manifest: Manifest) -> str:
    simulated, wall = (manifest.ended - manifest.began) / SECOND, manifest.wall_time / SECOND
    rate = f", {manifest.deliveries / wall:,.0f}/s" if wall else ""
    return f"{simulated:,.1f} s simulated in {wall:.2f} s; {manifest.deliveries:,} deliveries{rate}"


def _pair_lines(pairs: Sequence[PairSummary]) -> list[str]:
    cells = [
        (
            pair.symbol,
            f"{money(pair.surplus)} {pair.quote_token}",
            f"{pair.surplus_bps:.2f} bps",
            f"median {pair.median_bps:.2f} bps",
            f"on {pair.traded:,} orders worth {money(pair.volume)} {pair.quote_token}",
        )
        for pair in pairs
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:4], widths[1:4], strict=True)), row[4]])
        for row in cells
    ]


def _values(table: pa.Table, column: str) -> list[Any]:
    values: list[Any] = table[column].to_pylist()
    return values


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _plain(amount: Decimal) -> Decimal:
    """The same number without trailing zeros, and without an exponent."""
    return Decimal(f"{amount.normalize():f}")
