"""A comparison of planners in words: a column for each planner, and if wanted a line for each plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, localcontext
from typing import Final

from core.units import MONEY, SECOND
from sim.planners.rows import PlannerRow, ProblemRow, TokenRow
from sim.planners.study import PlannerStudy
from sim.results.layout import grid, labelled
from sim.results.rows import ZERO

_LABEL_WIDTH: Final = 12


def as_text(study: PlannerStudy, *, batches: bool = False) -> str:
    """The whole comparison; with `batches`, also a line for each problem and planner."""
    problems = len({row.problem for row in study.problems})
    lines = [
        ("scenario", f"{study.name}   seed {study.scenario.run.seed}"),
        ("problems", f"{problems:,}, of the run with {study.own}"),
    ]
    if batches and problems:
        lines.append(("each plan", "\n".join(grid(list(_plans(study))))))
    with localcontext(MONEY):
        lines.append(("all plans", "\n".join(grid(list(_totals(study))))))
    lines.append(("whole runs", "\n".join(grid(list(_outcomes(study))))))
    return labelled(lines, _LABEL_WIDTH)


_PLAN: Final[tuple[tuple[str, Callable[[ProblemRow], str]], ...]] = (
    ("batch", lambda row: row.batch_id or "-"),
    ("planner", lambda row: row.planner),
    ("orders", lambda row: f"{row.orders:,}"),
    ("deferred", lambda row: f"{row.deferred:,}"),
    ("wished", lambda row: _money(row.wished)),
    ("engaged", lambda row: _money(row.engaged)),
    ("fill rate", lambda row: f"{row.fill_rate:.2%}"),
    ("least share", lambda row: f"{row.least_share:.2%}"),
    ("volley", lambda row: _money(row.volley)),
    ("surplus", lambda row: _money(row.surplus)),
    ("from stock", lambda row: _money(row.from_stock)),
    ("left over", lambda row: _money(row.left_over)),
    ("violations", lambda row: f"{row.violations:,}"),
)
_TOTALS: Final[tuple[tuple[str, Callable[[Sequence[ProblemRow]], str]], ...]] = (
    ("wished", lambda rows: _money(_sum(row.wished for row in rows))),
    ("engaged", lambda rows: _money(_sum(row.engaged for row in rows))),
    ("fill rate", lambda rows: _ratio(_sum(row.engaged for row in rows), _sum(row.wished for row in rows))),
    ("least share, mean", lambda rows: _ratio(_sum(row.least_share for row in rows), Decimal(len(rows)))),
    ("volley", lambda rows: _money(_sum(row.volley for row in rows))),
    ("surplus", lambda rows: _money(_sum(row.surplus for row in rows))),
    ("from stock", lambda rows: _money(_sum(row.from_stock for row in rows))),
    ("left over, mean", lambda rows: _money(_sum(row.left_over for row in rows) / max(len(rows), 1))),
    ("orders engaged", lambda rows: f"{sum(row.orders for row in rows):,}"),
    ("orders deferred", lambda rows: f"{sum(row.deferred for row in rows):,}"),
    ("violations", lambda rows: f"{sum(row.violations for row in rows):,}"),
)
"""Sums over all problems. What lies there from one problem to the next has no sum, and is a mean."""
_OUTCOMES: Final[tuple[tuple[str, Callable[[PlannerRow], str]], ...]] = (
    ("orders", lambda row: f"{row.orders:,}"),
    ("minted", lambda row: f"{row.minted:,}"),
    ("fill rate", lambda row: f"{row.fill_rate:.2%}"),
    ("batches", lambda row: f"{row.batches:,}"),
    ("by a stand-in", lambda row: f"{row.stand_ins:,}"),
    ("exchange orders", lambda row: f"{row.exchange_orders:,}"),
    ("exchange fees", lambda row: _money(row.exchange_fees)),
    ("surplus", lambda row: _money(row.surplus)),
    ("house left", lambda row: _money(row.house_left)),
    ("carried left", lambda row: _money(row.carried_left)),
)


def _plans(study: PlannerStudy) -> Iterator[Sequence[str]]:
    yield "problem", "at", *(label for label, _ in _PLAN)
    for row in study.problems:
        at = (row.time - study.scenario.run.start) / SECOND
        yield f"{row.problem:,}", f"{at:,.3f} s", *(shown(row) for _, shown in _PLAN)


def _totals(study: PlannerStudy) -> Iterator[Sequence[str]]:
    columns = [[row for row in study.problems if row.planner == planner] for planner in study.planners]
    yield "", *study.planners
    for label, shown in _TOTALS:
        yield label, *map(shown, columns)


def _outcomes(study: PlannerStudy) -> Iterator[Sequence[str]]:
    yield "", *(row.planner for row in study.runs)
    for label, shown in _OUTCOMES:
        yield label, *map(shown, study.runs)
    for symbol in sorted({row.symbol for row in study.tokens}):
        found = {row.planner: row for row in study.tokens if row.symbol == symbol}
        rows = [found.get(run.planner) for run in study.runs]
        yield f"{symbol} minted", *(f"{row.tokens if row else ZERO:,.6f}" for row in rows)
        yield f"{symbol} cost", *(_money(row.cost) if row else "-" for row in rows)
        yield f"{symbol} over NAV", *map(_slippage, rows)
    yield "digest", *(row.digest[:8] for row in study.runs)


def _slippage(row: TokenRow | None) -> str:
    return "-" if row is None or row.slippage_bps is None else f"{row.slippage_bps:+.2f} bps"


def _sum(amounts: Iterator[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def _ratio(part: Decimal, whole: Decimal) -> str:
    return f"{part / whole:.2%}" if whole else "-"


def _money(amount: Decimal) -> str:
    return f"{amount:,.6f}"
