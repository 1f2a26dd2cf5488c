"""Two pictures of a comparison: what changed for each order, and who wins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from sim.results.pictures.canvas import BLACK, DARK, LIGHT, WHITE, legend, panel, say_empty, to_png
from sim.whatif.comparison import Comparison
from sim.whatif.rows import PairedOrder, PairedSolver

READINGS: Final = {
    "surplus_change": "Orders that traded in both runs and whose price improvement changed. To the right of zero an "
    "order's owner is better off with the change.",
    "solver_share": "The share of awards that each solver has, in the recording and in the rerun.",
}
_BINS: Final = 40
_BAR: Final = 0.38


def render_pictures(comparison: Comparison) -> dict[str, bytes]:
    """Every picture of `READINGS` as PNG, by name."""
    drawn = {"surplus_change": draw_changes(comparison.orders), "solver_share": draw_shares(comparison.solvers)}
    return {name: to_png(axes) for name, axes in drawn.items()}


def draw_changes(orders: Sequence[PairedOrder]) -> Axes:
    """How much better or worse off orders are, those left out that are as before."""
    axes = panel(
        "Change of price improvement, order by order", "improvement over the limit, after - before [bps]", "orders"
    )
    changes = [
        row.bps_after - row.bps_before
        for row in orders
        if row.bps_after is not None and row.bps_before is not None and row.bps_after != row.bps_before
    ]
    if not changes:
        return say_empty(axes, "no order traded at another price")
    axes.hist(changes, bins=_BINS, fc=LIGHT, ec=DARK, lw=0.6)
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.axvline(0, color=BLACK, lw=1.2, label="as before")
    mean = float(np.mean(changes))
    axes.axvline(mean, color=BLACK, lw=1.2, ls="--", label=f"mean {mean:+,.3g} bps of {len(changes):,} orders")
    legend(axes, 2)
    return axes


def draw_shares(solvers: Sequence[PairedSolver]) -> Axes:
    """Each solver's share of the awards, before and after."""
    axes = panel("Share of awards by solver", "share of awards [%]", height=1.4 + 0.4 * max(len(solvers), 1), left=0.14)
    rows = np.arange(len(solvers))
    for shift, name, fill in ((-_BAR / 2, "before", WHITE), (_BAR / 2, "after", DARK)):
        shares = [100 * getattr(solver, f"share_{name}") for solver in solvers]
        axes.barh(rows + shift, shares, _BAR, label=name, fc=fill, ec=BLACK, lw=0.6)
    axes.set_yticks(rows, [solver.solver for solver in solvers], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    legend(axes, 2)
    return axes
