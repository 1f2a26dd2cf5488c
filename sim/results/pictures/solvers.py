"""What solvers did: the bids for one order, and who won how much of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.results.pictures.canvas import BLACK, FILLS, LIGHT, WHITE, legend, panel, say_empty
from sim.results.pictures.frames import floats, length, order_row, seconds
from sim.results.summary import money

if TYPE_CHECKING:
    from sim.results.result import RunResult

_SHARE_BINS: Final = 24
_FATES: Final = (
    ("awarded", "o", BLACK),
    ("lost", "o", WHITE),
    ("passed over", "s", WHITE),
    ("replaced", "x", BLACK),
    ("withdrawn", "+", BLACK),
)


def draw_bid_ladder(result: RunResult, order_id: str = "") -> Axes:
    """The bids for one order, by default the one with the most, best on top."""
    bids = result.bids[result.bids["status"] != "rejected"]
    if not order_id and bids.empty:
        return say_empty(panel("Bids for one order", ""), "no bids in this run")
    order = order_row(result, order_id or str(bids.groupby("order_id", sort=False).size().idxmax()))
    ladder = bids[bids["order_id"] == order["order_id"]].sort_values("margin_bps", kind="stable")
    what = f"{order['side']} {order['quantity']:g} {order['symbol']} at {money(order['limit_price'])} or better"
    height = 1.3 + 0.26 * max(len(ladder), 2)
    axes = panel(
        f"Bids for {order['order_id']}: {what}",
        "output per input, better than the limit by [bps]",
        height=height,
        left=0.18,
    )
    margin = floats(ladder["margin_bps"])
    fates = ladder["status"].replace({"received": "lost", "passed_over": "passed over"}).mask(ladder["won"], "awarded")
    for fate, marker, fill in _FATES:
        rows = np.flatnonzero(fates == fate)
        if rows.size:
            axes.hlines(rows, 0, margin[rows], color=LIGHT, lw=1.5, zorder=1)
            axes.plot(margin[rows], rows, marker, color=BLACK, mfc=fill, ms=6, label=fate)
    axes.axvline(0, color=BLACK, lw=1, label="limit")
    names = [*ladder["solver"]]
    if ladder["height"].nunique() > 1:
        names = [f"{solver}, block {block}" for solver, block in zip(names, ladder["height"], strict=True)]
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(-0.6, max(len(names), 2) - 0.4)
    legend(axes, 6)
    return axes


def draw_solver_share(result: RunResult) -> Axes:
    """Each solver's share of the commitments awarded, over the run."""
    title = "Share of awards by solver over the run"
    axes = panel(title, "time since the run began [s]", "share of awards [%]", right=0.85)
    awards = result.commitments
    if awards.empty:
        return say_empty(axes, "no commitments in this run")
    names = [*result.metrics.solver_share().sort_values("wins", ascending=False, kind="stable")["solver"]]
    named = names if len(names) <= len(FILLS) else names[: len(FILLS) - 1]
    edges = np.linspace(0, length(result), _SHARE_BINS + 1)
    slots = np.clip(np.digitize(seconds(result, awards["awarded_time"]), edges) - 1, 0, _SHARE_BINS - 1)
    shown = awards["solver"].where(awards["solver"].isin(named), "others")
    counts = pd.crosstab(slots, shown.to_numpy()).reindex(range(_SHARE_BINS), fill_value=0)
    shares = 100 * counts.div(counts.sum(axis="columns").clip(lower=1), axis="index")
    floor = np.zeros(_SHARE_BINS)
    for name, fill in zip([*named, "others"], FILLS, strict=False):
        if name in shares:
            part = floats(shares[name])
            axes.bar(edges[:-1], part, np.diff(edges), floor, align="edge", label=name, ec=BLACK, lw=0.6, **fill)
            floor += part
    axes.set_ylim(0, 100)
    axes.set_xlim(0, length(result))
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize=8, frameon=False, reverse=True)
    return axes
