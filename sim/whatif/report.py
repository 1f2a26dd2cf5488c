"""What a what-if leaves: tables, pictures, a report in one HTML file, and the journal of the rerun.

whatif.json           how it was done and what came of it; written last
report.html           the same for people
tables/<name>.parquet
plots/<name>.png
journal/<node>.romer  of the rerun; `romer-sim replay` takes it
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec
import pyarrow.parquet as pq
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from sim.results.summary import money
from sim.whatif.comparison import CLOSED_LOOP, OPEN_LOOP, Comparison
from sim.whatif.pictures import READINGS, render_pictures
from sim.whatif.rows import PairedOrder, PairedParticipant, PairedSolver
from sim.whatif.text import baseline_lines, how_lines, outcome_lines, places

DATA: Final = "whatif.json"
REPORT: Final = "report.html"
JOURNALS: Final = "journal"
_SHOWN: Final = 12
_MODES: Final = {
    OPEN_LOOP: "what participants sent is held fixed, and nobody reacts to what is different now.",
    CLOSED_LOOP: "those who are replaced react to what is different now; what the others sent is held fixed.",
}


class _Table(msgspec.Struct, frozen=True):
    head: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]


def write(comparison: Comparison, directory: Path, command: str) -> None:
    """Write everything but the journal below `directory`."""
    for folder in ("tables", "plots"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    for name, table in comparison.tables().items():
        pq.write_table(table, directory / "tables" / f"{name}.parquet", compression="zstd")
    pictures = render_pictures(comparison)
    for name, png in pictures.items():
        (directory / "plots" / f"{name}.png").write_bytes(png)
    (directory / REPORT).write_text(render_report(comparison, pictures, command), encoding="utf-8")
    data = {"command": command, **comparison.data()}
    (directory / DATA).write_bytes(msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n")


def render_report(comparison: Comparison, pictures: Mapping[str, bytes], command: str) -> str:
    """The report as HTML. Equal comparisons give equal text."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("sim.whatif"), PackageLoader("sim.results")]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    how = comparison.how
    changes = [f"{change.path} {change.after}" for change in how.changes]
    return environment.get_template("whatif.html.j2").render(
        title=", ".join([*changes, *(text.partition(",")[0] for text in how.replaced)]) or "nothing changes",
        mode=how.mode,
        reading=_MODES[how.mode],
        baseline=baseline_lines(comparison.baseline),
        how=how_lines(comparison),
        outcome=outcome_lines(comparison),
        solvers=_solvers(comparison.solvers),
        participants=_participants(comparison.fairness.participants),
        causes=_Table(("cause", "solver", "reason", "orders"), comparison.causes()),
        orders=_orders(comparison.changed),
        pictures=[
            {"title": name.replace("_", " "), "reading": reading, "png": b64encode(pictures[name]).decode()}
            for name, reading in READINGS.items()
        ],
        command=command,
    )


def _solvers(solvers: Sequence[PairedSolver]) -> _Table:
    rows = [
        (
            row.solver,
            _both(f"{row.bids_before:,}", f"{row.bids_after:,}"),
            _both(f"{row.refused_before:,}", f"{row.refused_after:,}"),
            _both(f"{row.awards_before:,}", f"{row.awards_after:,}"),
            _both(f"{row.share_before:.1%}", f"{row.share_after:.1%}"),
            _both(f"{row.defaults_before:,}", f"{row.defaults_after:,}"),
            _both(money(row.penalties_before), money(row.penalties_after)),
        )
        for row in solvers
    ]
    return _Table(("solver", "bids", "refused", "awards", "share", "defaults", "penalties"), rows)


def _participants(participants: Sequence[PairedParticipant]) -> _Table:
    rows = [
        (
            row.participant,
            _both(f"{row.messages_before:,}", f"{row.messages_after:,}"),
            *(
                _both(*(places(getattr(row, f"{measure}_{side}")) for side in ("before", "after")))
                for measure in ("mean", "p5", "median", "p95", "max")
            ),
        )
        for row in participants
    ]
    return _Table(("market maker", "messages", "mean", "p5", "median", "p95", "max"), rows)


def _orders(orders: Sequence[PairedOrder]) -> _Table:
    ranked = sorted(orders, key=lambda row: -abs((row.bps_after or 0.0) - (row.bps_before or 0.0)))
    rows = [
        (
            f"{row.owner} {row.cl_ord_id or row.nth}",
            f"{row.side} {row.symbol}",
            _both(row.status_before or "none", row.status_after or "none"),
            _both(row.winners_before or "nobody", row.winners_after or "nobody"),
            _both(_price(row.price_before), _price(row.price_after)),
            _both(_bps(row.bps_before), _bps(row.bps_after)),
            row.cause,
            row.cause_reason or "",
        )
        for row in ranked[:_SHOWN]
    ]
    return _Table(("order", "what", "status", "awarded to", "average price", "bps", "cause", "reason"), rows)


def _price(price: Decimal | None) -> str:
    return "none" if price is None else money(price)


def _bps(bps: float | None) -> str:
    return "none" if bps is None else f"{bps:.2f}"


def _both(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"
