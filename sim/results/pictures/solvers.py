"""What solvers did: the bids for one order, and who won how much of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.results.pictures.canvas import BLACK, DARK, FILLS, GREY, LIGHT, WHITE, legend, panel, say_empty
from sim.results.pictures.frames import floats, length, order_row, seconds
from sim.results.summary import money

if TYPE_CHECKING:
    from sim.results.result import RunResult

_SHARE_BINS: Final = 24
_UNNAMED_MAX: Final = 4
_FATES: Final = (
    ("won", "o", BLACK),
    ("took over after a default", "D", BLACK),
    ("lost", "o", WHITE),
    ("passed over", "s", WHITE),
    ("replaced", "<", WHITE),
    ("withdrawn", "+", BLACK),
)
_BID: Final = ["height", "solver", "bid_id"]


def draw_bid_ladder(result: RunResult, order_id: str = "") -> Axes:
    """The bids for one order, by default the one with the most in one auction. Each auction of the order is a
    ladder of its own, the first on top, and in each the best bid is on top.
    """
    bids = result.bids[result.bids["status"] != "rejected"]
    if not order_id and bids.empty:
        return say_empty(panel("Bids for one order", ""), "no bids in this run")
    order = order_row(result, order_id or _most_wanted(bids))
    ladder = _ladder(result, bids[bids["order_id"] == order["order_id"]])
    what = f"{order['side']} {order['quantity']:g} {order['symbol']} at {money(order['limit_price'])} or better"
    rungs = len(ladder) + ladder["height"].nunique()
    axes = panel(
        f"Bids for {order['order_id']}: {what}",
        "output per input, better than the limit by [bps]",
        height=1.5 + 0.24 * max(rungs, 2),
        left=0.12,
    )
    if ladder.empty:
        return say_empty(axes, "no bids for this order")
    _draw_rungs(axes, ladder)
    _name_auctions(axes, ladder)
    axes.set_yticks(ladder["row"], ladder["solver"], fontsize=8)
    axes.set_ylim(rungs - 0.4, -0.6)
    legend(axes, 8)
    return axes


def draw_solver_share(result: RunResult) -> Axes:
    """Each solver's share of the commitments awarded, over the run, in the order of the scenario."""
    share = result.metrics.solver_share()
    names, idle = ([*share["solver"][won]] for won in (share["wins"] > 0, share["wins"] == 0))
    title = "Share of awards by solver over the run"
    if names and idle:
        title += f"; none for {', '.join(idle) if len(idle) <= _UNNAMED_MAX else f'{len(idle)} more'}"
    axes = panel(title, "time since the run began [s]", "share of awards [%]", right=0.85)
    awards = result.commitments
    if awards.empty:
        return say_empty(axes, "no commitments in this run")
    most = share.nlargest(len(FILLS) if len(names) <= len(FILLS) else len(FILLS) - 1, "wins")["solver"]
    named = [name for name in names if name in set(most)]
    edges = np.linspace(0, length(result), _SHARE_BINS + 1)
    slots = np.clip(np.digitize(seconds(result, awards["awarded_time"]), edges) - 1, 0, _SHARE_BINS - 1)
    shown = awards["solver"].where(awards["solver"].isin(named), "others")
    counts = pd.crosstab(slots, shown.to_numpy()).reindex(range(_SHARE_BINS), fill_value=0)
    shares = 100 * counts.div(counts.sum(axis="columns").clip(lower=1), axis="index")
    floor = np.zeros(_SHARE_BINS)
    for name, fill in reversed([*zip([*named, "others"], FILLS, strict=False)]):
        if name in shares:
            part = floats(shares[name])
            axes.bar(edges[:-1], part, np.diff(edges), floor, align="edge", label=name, ec=BLACK, lw=0.6, **fill)
            floor += part
    axes.set_ylim(0, 100)
    axes.set_xlim(0, length(result))
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize=8, frameon=False, reverse=True)
    return axes


def _most_wanted(bids: pd.DataFrame) -> str:
    """The order that had the most bids in one auction, of several the first."""
    in_one_auction = bids.groupby(["order_id", "height"], sort=False, as_index=False).size()
    return str(in_one_auction["order_id"].iloc[int(in_one_auction["size"].argmax())])


def _ladder(result: RunResult, bids: pd.DataFrame) -> pd.DataFrame:
    """One row per bid, from top to bottom: its `row`, below one for the name of its auction, and its `fate`."""
    made = result.commitments[[*_BID, "attempt", "status"]].rename(columns={"status": "ending"})
    ladder = bids.merge(made, on=_BID, how="left").sort_values(
        ["height", "margin_bps"], ascending=[True, False], kind="stable", ignore_index=True
    )
    fate = ladder["status"].replace({"received": "lost", "passed_over": "passed over"})
    fate = fate.mask(floats(ladder["attempt"]) == 1, "won")
    fate = fate.mask(floats(ladder["attempt"]) > 1, "took over after a default")
    nth = ladder["height"].rank(method="dense").astype(int)
    return ladder.assign(fate=fate, unpaid=ladder["ending"] == "defaulted", row=ladder.index + nth)


def _draw_rungs(axes: Axes, ladder: pd.DataFrame) -> None:
    rows, margin = floats(ladder["row"]), floats(ladder["margin_bps"])
    axes.hlines(rows, 0, margin, color=LIGHT, lw=1.5, zorder=1)
    for fate, marker, fill in _FATES:
        at = np.flatnonzero(ladder["fate"] == fate)
        if at.size:
            axes.plot(margin[at], rows[at], marker, color=BLACK, mfc=fill, ms=6, label=fate)
    at = np.flatnonzero(ladder["unpaid"])
    if at.size:
        axes.plot(margin[at], rows[at], "x", color=BLACK, ms=11, label="did not pay")
    axes.axvline(0, color=BLACK, lw=1, label="limit")


def _name_auctions(axes: Axes, ladder: pd.DataFrame) -> None:
    """Each auction's name stands in the row above its bids, at the right, clear of the line at the limit."""
    across = axes.get_yaxis_transform()
    for height, row in ladder.groupby("height")["row"].min().items():
        name = f"auction of block {height}"
        axes.text(0.995, row - 1, name, fontsize=8, color=DARK, transform=across, ha="right", va="center")
        if row > 1:
            axes.axhline(row - 1.5, color=GREY, lw=0.8)
