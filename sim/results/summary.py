"""A run in a dozen numbers: computed exactly from the tables, as text for people and as data for scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from statistics import median
from typing import Any, Final, SupportsFloat

import msgspec
import pyarrow as pa

from core.units import MONEY, SECOND, Nanos, format_duration
from sim.natural import natural
from sim.results.kind import Outcome
from sim.results.layout import labelled
from sim.results.manifest import Manifest
from sim.results.rows import ORDER_STATUSES, ZERO

_LABEL_WIDTH: Final = 13
_PAIR_COLUMNS: Final = [
    "order_id",
    "symbol",
    "quote_token",
    "side",
    "limit_price",
    "filled_quantity",
    "surplus_quote",
    "surplus_bps",
]


class PairSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One pair. `traded` counts orders with a fill; `volume` and `surplus` are in the quote token; `surplus_bps`
    is surplus over the value of the filled quantities at their limits, `median_bps` the median over orders.
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

    def lines(self) -> list[tuple[str, str]]:
        """The numbers, each with its label."""
        return [*outcome_lines(self), ("surplus", "\n".join(_pair_lines(self.pairs)) or "none: no orders")]


def summarise(tables: Mapping[str, pa.Table]) -> Summary:
    """The summary of a run's tables. An empty run has zeros."""
    statuses = Counter(_values(tables["orders"], "status"))
    accepted = statuses.total() - statuses["refused"]
    bids = Counter(_values(tables["bids"], "status"))
    commitments = Counter(_values(tables["commitments"], "status"))
    batches = _values(tables["blocks"], "messages")
    with localcontext(MONEY):
        pairs = _pairs(tables["orders"], tables["fills"])
    return Summary(
        orders=statuses.total(),
        by_status={status: statuses[status] for status in ORDER_STATUSES},
        fill_rate=_ratio(statuses["filled"], accepted),
        pairs=pairs,
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


def as_data(manifest: Manifest, summary: Outcome) -> dict[str, Any]:
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


def as_text(manifest: Manifest, summary: Outcome, where: str = "") -> str:
    """What `run` prints at its end; `where` is the path of the report, if one was written."""
    interrupted = "   INTERRUPTED before its end" if manifest.interrupted else ""
    lines = [
        ("scenario", f"{manifest.name}   seed {manifest.seed}{interrupted}"),
        *summary.lines(),
        ("run", _speed(manifest)),
        ("digest", manifest.digest),
    ]
    if where:
        lines.append(("report", where))
    return labelled(lines, _LABEL_WIDTH)


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


def _pairs(orders: pa.Table, fills: pa.Table) -> list[PairSummary]:
    by_order = {row["order_id"]: row for row in orders.select(_PAIR_COLUMNS).to_pylist() if row["order_id"] is not None}
    for row in by_order.values():
        row["volume"] = ZERO
    for fill in fills.select(["order_id", "input_amount", "output_amount"]).to_pylist():
        row = by_order[fill["order_id"]]
        row["volume"] += fill["input_amount" if row["side"] == "buy" else "output_amount"]
    by_pair: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in by_order.values():
        by_pair.setdefault((row["symbol"], row["quote_token"]), []).append(row)
    pairs = sorted(by_pair.items(), key=lambda pair: tuple(map(natural, pair[0])))
    return [_pair(symbol, quote, rows) for (symbol, quote), rows in pairs]


def _pair(symbol: str, quote: str, rows: Sequence[dict[str, Any]]) -> PairSummary:
    traded = [row for row in rows if row["filled_quantity"]]
    at_limit = sum((row["limit_price"] * row["filled_quantity"] for row in traded), ZERO)
    surplus = sum((row["surplus_quote"] for row in traded), ZERO)
    return PairSummary(
        symbol=symbol,
        quote_token=quote,
        orders=len(rows),
        traded=len(traded),
        volume=_plain(sum((row["volume"] for row in traded), ZERO)),
        surplus=_plain(surplus),
        surplus_bps=float(10_000 * surplus / at_limit) if at_limit else 0.0,
        median_bps=median(row["surplus_bps"] for row in traded) if traded else 0.0,
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
