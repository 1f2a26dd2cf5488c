"""What the venue did: its batches, how late they closed, and what it held for others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from core.units import MILLISECOND
from sim.natural import natural
from sim.results.pictures.canvas import BLACK, DARK, FAINT, GREY, LIGHT, legend, panels, say_empty
from sim.results.pictures.frames import floats, length, seconds

if TYPE_CHECKING:
    from sim.results.result import RunResult

_TOKENS_MAX: Final = 6


def draw_batches(result: RunResult) -> Axes:
    """Messages in each block, and how late it closed."""
    sizes, lateness = panels("Messages in each block, and how late it closed", 2, height=3.6)
    sizes.set_ylabel("messages", fontsize=9)
    lateness.set_ylabel("lateness [ms]", fontsize=9)
    lateness.set_xlabel("block height", fontsize=9)
    blocks = result.blocks
    if blocks.empty:
        say_empty(lateness, "")
        return say_empty(sizes, "no blocks in this run")
    heights, messages = floats(blocks["height"]), floats(blocks["messages"])
    sizes.stairs(messages, np.append(heights - 0.5, heights[-1] + 0.5), fill=True, fc=LIGHT, ec=DARK, lw=0.8)
    full = (blocks["trigger"] == "full").to_numpy(dtype=bool)
    if full.any():
        sizes.plot(heights[full], messages[full], "v", color=BLACK, ms=4, label="closed because full")
        legend(sizes, 1)
    late = floats(blocks["lateness_ns"]) / MILLISECOND
    lateness.vlines(heights, 0, late, color=DARK, lw=1.2)
    sizes.xaxis.set_major_locator(MaxNLocator(integer=True))
    sizes.set_ylim(bottom=0)
    lateness.set_ylim(0, max(1.05 * late.max(), 0.1))
    return sizes


def draw_escrow(result: RunResult) -> Axes:
    """What the venue holds for others: the inputs of open orders and the payments of winners, by token."""
    held = changes_of_holdings(result)
    moves = held.groupby("token").size().sort_values(ascending=False, kind="stable")
    tokens = sorted(moves.index[:_TOKENS_MAX], key=natural)
    count = max(len(tokens), 1)
    drawn = panels("Held by the venue for others, by token", count, height=1.4 + 1.2 * count, left=0.13)
    drawn[-1].set_xlabel("time since the run began [s]", fontsize=9)
    if not tokens:
        return say_empty(drawn[0], "nothing was reserved in this run")
    for axes, token in zip(drawn, tokens, strict=True):
        of_token = held[held["token"] == token]
        time, paid = floats(of_token["time"]), floats(of_token["escrow"].cumsum())
        total = paid + floats(of_token["order"].cumsum())
        axes.fill_between(
            time, total, step="post", fc=FAINT, ec=GREY, lw=0.7, label="inputs of open orders, and payments"
        )
        axes.fill_between(time, paid, step="post", fc=DARK, ec=BLACK, lw=0.3, label="payments of winners alone")
        axes.set_ylabel(f"held [{token}]", fontsize=9)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        axes.set_ylim(bottom=0)
    legend(drawn[0], 2)
    drawn[0].set_xlim(0, length(result))
    return drawn[0]


def changes_of_holdings(result: RunResult) -> pd.DataFrame:
    """Per transfer, what the accounts of orders and of escrow gain; those that concern neither are left out."""
    moves = result.escrow
    held = pd.DataFrame({"token": moves["token"], "time": seconds(result, moves["time"])})
    for kind in ("order", "escrow"):
        gained = moves["dst"].str.startswith(f"{kind}:").astype(int)
        lost = moves["src"].str.startswith(f"{kind}:").astype(int)
        held[kind] = (gained - lost) * moves["amount"]
    return held[(held["order"] != 0) | (held["escrow"] != 0)]
