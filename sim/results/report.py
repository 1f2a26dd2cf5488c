"""The report of a run: one HTML file that needs nothing else, on a screen, on paper, and without a network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from core.units import MILLISECOND, format_duration
from sim.results.plots import PICTURES
from sim.results.rows import LatencyKind
from sim.results.summary import Summary, money, outcome_lines

if TYPE_CHECKING:
    from sim.results.result import RunResult

_EXTREMES: Final = 5
_WAITS: Final[Mapping[LatencyKind, str]] = {
    "acknowledgement": "order to answer",
    "bid": "auction to first bid",
    "deposit": "award to payment",
    "fill": "fill to report",
}


class Grid(msgspec.Struct, frozen=True):
    """A table of the report."""

    head: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]


def render_report(result: RunResult, pictures: Mapping[str, bytes]) -> str:
    """The report as HTML. Equal runs give equal text: nothing in it depends on the clock on the wall."""
    manifest, outcome = result.manifest, result.outcome
    assert isinstance(outcome, Summary)
    environment = Environment(
        loader=PackageLoader("sim.results"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    ranked = result.orders[result.orders["surplus_bps"].notna()].sort_values("surplus_bps", kind="stable")
    return environment.get_template("report.html.j2").render(
        manifest=manifest,
        simulated=format_duration(manifest.ended - manifest.began),
        facts=facts_of(result),
        outcome=outcome_lines(outcome),
        surplus=_surplus(result),
        solvers=_solvers(result),
        latency=_latency(result),
        unfilled=_unfilled(result),
        best=_orders(ranked.iloc[::-1].head(_EXTREMES)),
        worst=_orders(ranked.head(_EXTREMES)),
        an_order=ranked["order_id"].iloc[0] if len(ranked) else "ORDER",
        pictures=[
            {"title": p.name.replace("_", " "), "reading": p.reading, "png": b64encode(pictures[p.name]).decode()}
            for p in PICTURES
        ],
    )


def facts_of(result: RunResult) -> list[tuple[str, object]]:
    """What ran: the head of every report."""
    manifest, code = result.manifest, result.manifest.provenance
    versions = ", ".join(f"{name} {version}" for name, version in code.versions.items())
    return [
        ("digest", manifest.digest),
        ("scenario hash", manifest.scenario_hash),
        ("commit", f"{code.commit or 'not a checkout'}{' with local changes' if code.dirty else ''}"),
        ("nodes", ", ".join(manifest.digests)),
        ("deliveries", f"{manifest.deliveries:,}"),
        ("made with", f"Python {code.python}, {versions}"),
    ]


def _surplus(result: RunResult) -> Grid:
    frame = result.metrics.surplus()
    rows = [
        (
            f"{row.symbol} {row.side}",
            f"{row.orders:,}",
            f"{money(row.volume)} {row.quote_token}",
            f"{money(row.surplus)} {row.quote_token}",
            f"{row.surplus_bps:.2f}",
            f"{row.median_bps:.2f}",
        )
        for row in _rows(frame)
    ]
    return Grid(("pair", "orders with a fill", "volume", "surplus", "bps", "median bps"), rows)


def _solvers(result: RunResult) -> Grid:
    share, reliability = result.metrics.solver_share(), result.metrics.default_rate()
    volumes: dict[str, list[str]] = {}
    for row in _rows(result.metrics.solver_volume()):
        volumes.setdefault(row.solver, []).append(f"{money(row.volume)} {row.quote_token}")
    merged = share.merge(reliability, on="solver").fillna({"default_rate": 0})
    rows = [
        (
            row.solver,
            f"{row.bids:,}",
            f"{row.rejected:,}",
            f"{row.wins:,}",
            f"{row.share:.1%}",
            f"{row.defaulted:,.0f} ({row.default_rate:.1%})",
            money(row.penalties),
            " + ".join(volumes.get(row.solver, ["0"])),
        )
        for row in _rows(merged)
    ]
    return Grid(("solver", "bids", "refused", "won", "share", "defaults", "penalties", "volume"), rows)


def _latency(result: RunResult) -> Grid:
    rows = [
        (
            f"{row.participant}: {_WAITS[row.kind]}",
            f"{row.waits:,}",
            f"{row.median_ms:,.3f}",
            f"{row.p95_ms:,.3f}",
            f"{row.max_ms:,.3f}",
        )
        for row in _rows(result.metrics.latency())
    ]
    return Grid(("wait", "measured", "median ms", "95 % below ms", "longest ms"), rows)


def _unfilled(result: RunResult) -> Grid:
    orders = result.orders[result.orders["status"] != "filled"]
    counts = orders.fillna({"reason": ""}).groupby(["status", "reason"], as_index=False).size()
    ordered = counts.sort_values("size", ascending=False, kind="stable")
    return Grid(("status", "reason", "orders"), [(row.status, row.reason, f"{row.size:,}") for row in _rows(ordered)])


def _orders(frame: pd.DataFrame) -> Grid:
    rows = [
        (
            row.order_id,
            row.owner,
            f"{row.side} {row.symbol}",
            f"{row.filled_quantity:,.10g}",
            money(row.limit_price),
            money(row.average_price),
            f"{row.surplus_bps:.2f}",
            row.bids,
            row.attempts,
            f"{row.time_to_end_ns / MILLISECOND:,.1f}" if pd.notna(row.time_to_end_ns) else "open",
        )
        for row in _rows(frame)
    ]
    head = ("order", "owner", "what", "traded", "limit", "average price", "bps", "bids", "attempts", "ms to its end")
    return Grid(head, rows)


def _rows(frame: pd.DataFrame) -> Iterable[Any]:
    """Rows by column name."""
    return frame.itertuples(index=False)
