"""What happened to orders: price improvement, time to fill, and the lives of a few of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from sim.results.pictures.canvas import BLACK, DARK, GREY, LIGHT, WHITE, legend, panel, say_empty
from sim.results.pictures.frames import Floats, floats, length, order_row, seconds

if TYPE_CHECKING:
    from sim.results.result import RunResult

_BINS: Final = 40
_SAMPLE: Final = 30
_BAR: Final = 0.62
_ENDS: Final = {"filled": "o", "expired": "X", "cancelled": "D", "failed": "v", "open": ">"}


def draw_surplus(result: RunResult) -> Axes:
    """Price improvement over the limit, across orders with a fill."""
    axes = panel("Price improvement of orders with a fill", "improvement over the limit [bps]", "orders")
    return _histogram(axes, floats(result.orders["surplus_bps"].dropna()), "bps", "no fills in this run")


def draw_time_to_fill(result: RunResult) -> Axes:
    """From acceptance to the last fill, across orders filled in full."""
    axes = panel("Time to fill of orders filled in full", "from acceptance to the last fill [ms]", "orders")
    taken = 1000 * floats(result.metrics.time_to_fill()["seconds"])
    return _histogram(axes, taken, "ms", "no order was filled in full")


def draw_timeline(result: RunResult, *order_ids: str) -> Axes:
    """The phases of some orders, each from its own acceptance; by default a sample across the run."""
    lives = _lives(result, order_ids)
    title = "Life of orders: " + (", ".join(order_ids) if len(order_ids) <= 3 else f"{len(lives)} chosen")
    if not order_ids:
        title = (
            f"Life of orders: {len(lives)} of {int(result.orders['order_id'].count()):,}, evenly spaced over the run"
        )
    axes = panel(title, "time since the order was accepted [ms]", height=1.2 + 0.15 * max(len(lives), 4))
    if lives.empty:
        return say_empty(axes, "no accepted orders in this run")
    ended = floats(lives["ended"])
    opened = np.fmin(floats(lives["opened"]), ended)
    axes.barh(lives["row"], opened, _BAR, label="in a batch", fc=WHITE, ec=DARK, lw=0.6)
    axes.barh(lives["row"], ended - opened, _BAR, opened, label="up for auction", fc=LIGHT, ec=DARK, lw=0.6)
    _draw_commitments(axes, result, lives)
    _draw_bids(axes, result, lives)
    for status, marker in _ENDS.items():
        at = np.flatnonzero(lives["status"] == status)
        if at.size:
            axes.plot(ended[at], at, marker, color=BLACK, ms=5, label=status, clip_on=False, zorder=4)
    axes.set_yticks(lives["row"], lives["order_id"], fontsize=7)
    axes.set_ylim(len(lives) - 0.4, -0.6)
    axes.set_xlim(left=0)
    legend(axes, 9)
    return axes


def _histogram(axes: Axes, values: Floats, unit: str, empty: str) -> Axes:
    if not values.size:
        return say_empty(axes, empty)
    axes.hist(values, bins=_BINS, fc=LIGHT, ec=DARK, lw=0.6)
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    for share, style in ((50, "-"), (95, "--")):
        value = float(np.percentile(values, share))
        name = "median" if share == 50 else f"{share} % are below"
        axes.axvline(value, color=BLACK, ls=style, lw=1.2, label=f"{name} {value:,.4g} {unit}")
    legend(axes, 2)
    return axes


def _lives(result: RunResult, order_ids: tuple[str, ...]) -> pd.DataFrame:
    """One row per order shown: milliseconds from its acceptance to its first auction and to its end."""
    orders = result.orders[result.orders["order_id"].notna()]
    if order_ids:
        chosen = pd.DataFrame([order_row(result, order_id) for order_id in order_ids])
    else:
        chosen = orders.iloc[np.unique(np.linspace(0, len(orders) - 1, _SAMPLE).astype(int))] if len(orders) else orders
    accepted = seconds(result, chosen["created_time"])
    ended = np.nan_to_num(seconds(result, chosen["ended_time"]), nan=length(result))
    closed = pd.Series(seconds(result, result.blocks["closed_time"]), result.blocks["height"])
    return pd.DataFrame(
        {
            "order_id": chosen["order_id"],
            "status": chosen["status"],
            "row": np.arange(len(chosen)),
            "accepted": accepted,
            "opened": 1000 * (floats(chosen["height"].map(closed)) - accepted),
            "ended": 1000 * (ended - accepted),
        }
    )


def _draw_commitments(axes: Axes, result: RunResult, lives: pd.DataFrame) -> None:
    shown = result.commitments.drop(columns="status").merge(lives, on="order_id")
    start = 1000 * (seconds(result, shown["awarded_time"]) - floats(shown["accepted"]))
    end = 1000 * (seconds(result, shown["ended_time"]) - floats(shown["accepted"]))
    end = np.where(np.isnan(end), floats(shown["ended"]), end)
    axes.barh(shown["row"], end - start, _BAR, start, label="committed", fc=GREY, ec=DARK, lw=0.6)
    again = np.flatnonzero(shown["attempt"] > 1)
    if again.size:
        axes.plot(
            start[again], shown["row"].iloc[again], "d", color=WHITE, mec=BLACK, mew=0.8, ms=5, label="reassigned"
        )


def _draw_bids(axes: Axes, result: RunResult, lives: pd.DataFrame) -> None:
    bids = result.bids[result.bids["status"] != "rejected"].drop(columns="status")
    shown = bids.merge(lives, on="order_id")
    since = 1000 * (seconds(result, shown["time"]) - floats(shown["accepted"]))
    if since.size:
        axes.plot(since, shown["row"], "|", color=BLACK, ms=5, label="bid")
