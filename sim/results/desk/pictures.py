"""What an index desk did, drawn: where collateral was, how orders filled, what the house held, NAV against basket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from core.errors import InputError
from sim.natural import natural
from sim.results.pictures.canvas import BLACK, DARK, GREY, LIGHT, WHITE, legend, panel, panels, say_empty
from sim.results.pictures.frames import Floats, floats, length, seconds

if TYPE_CHECKING:
    from sim.results.result import RunResult

_STATES: Final = ("unconfirmed", "routing", "ready", "preauth")
_SHADES: Final = (WHITE, LIGHT, GREY, DARK)
_ORDERS_MAX: Final = 12
_PANELS_MAX: Final = 6
_STYLES: Final = ("-", "--", ":", "-.")


def draw_collateral_flow(result: RunResult) -> Axes:
    """What users' collateral that is not spent was held as, summed over users."""
    axes = panel(
        "Collateral of users that is not spent, by what it is held as",
        "time since the run began [s]",
        "collateral",
        left=0.13,
    )
    moves = result.collateral
    if moves.empty:
        return say_empty(axes, "no collateral in this run")
    time = seconds(result, moves["time"])
    bottom = np.zeros(len(moves))
    for state, shade in zip(_STATES, _SHADES, strict=True):
        held = np.cumsum(_gained(moves, state))
        axes.fill_between(time, bottom, bottom + held, step="post", fc=shade, ec=DARK, lw=0.4, label=state)
        bottom = bottom + held
    axes.set_xlim(0, length(result))
    axes.set_ylim(bottom=0)
    legend(axes, len(_STATES))
    return axes


def draw_fill_progress(result: RunResult, *order_ids: str) -> Axes:
    """The fill rate of orders over time, each step a report to its owner; by default of the first that have any."""
    axes = panel("How far orders were filled", "time since the order was accepted [s]", "share of the amount spent")
    fills = result.index_fills
    orders = result.index_orders.dropna(subset="order_id")
    accepted = dict(zip(orders["order_id"], seconds(result, orders["created_time"]), strict=True))
    unknown = [order_id for order_id in order_ids if order_id not in accepted]
    if unknown:
        raise InputError(f"no order `{unknown[0]}` in this run")
    first = sorted(fills["order_id"].unique(), key=natural)[:_ORDERS_MAX]
    shown = [order_id for order_id in order_ids or first if (fills["order_id"] == order_id).any()]
    if not shown:
        return say_empty(axes, "no fills of these orders" if order_ids else "no fills in this run")
    for index, order_id in enumerate(shown):
        of_order = fills[fills["order_id"] == order_id]
        axes.step(
            seconds(result, of_order["time"]) - accepted[order_id],
            floats(of_order["fill_rate"]),
            where="post",
            color=(BLACK, DARK, GREY)[index % 3],
            ls=_STYLES[index // 3 % len(_STYLES)],
            lw=1.2,
            label=order_id,
        )
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1.03)
    legend(axes, 6)
    return axes


def draw_inventory(result: RunResult) -> Axes:
    """What the desk holds for no index order, by asset: between two batches, and of the house. Below 0 it is owed."""
    held = unowned(result.lots)
    assets = sorted(held["symbol"].unique(), key=natural)[:_PANELS_MAX]
    count = max(len(assets), 1)
    drawn = panels("Traded and not assigned to an order, by asset", count, height=1.4 + 1.0 * count, left=0.13)
    drawn[-1].set_xlabel("time since the run began [s]", fontsize=9)
    if not assets:
        return say_empty(drawn[0], "no lots in this run")
    for axes, asset in zip(drawn, assets, strict=True):
        of_asset = held[held["symbol"] == asset]
        total = np.cumsum(floats(of_asset["change"]))
        axes.fill_between(seconds(result, of_asset["time"]), total, step="post", fc=LIGHT, ec=DARK, lw=0.8)
        axes.set_ylabel(asset, fontsize=9)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    drawn[0].set_xlim(0, length(result))
    return drawn[0]


def draw_nav(result: RunResult) -> Axes:
    """NAV of a token against the price of its basket, by index."""
    nav = result.nav
    indexes = sorted(nav["symbol"].unique(), key=natural)[:_PANELS_MAX]
    count = max(len(indexes), 1)
    drawn = panels("NAV of a token, and its basket at mid prices", count, height=1.6 + 1.2 * count, left=0.13)
    drawn[-1].set_xlabel("time since the run began [s]", fontsize=9)
    if not indexes:
        return say_empty(drawn[0], "no index was valued in this run")
    for axes, symbol in zip(drawn, indexes, strict=True):
        of_index = nav[nav["symbol"] == symbol]
        time = seconds(result, of_index["time"])
        axes.step(
            time, floats(of_index["nav"]), where="post", color=GREY, lw=1.6, label="NAV: the basket at mid prices"
        )
        axes.step(
            time,
            floats(of_index["held_nav"]),
            where="post",
            color=BLACK,
            ls="--",
            lw=1.0,
            label="what is held for a token",
        )
        axes.set_ylabel(symbol, fontsize=9)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    legend(drawn[0], 2)
    drawn[0].set_xlim(0, length(result))
    return drawn[0]


def _gained(moves: pd.DataFrame, state: str) -> Floats:
    """Per movement, what collateral held as `state` gains."""
    signs = (moves["state"] == state).astype(int) - (moves["was"] == state).astype(int)
    return floats(signs) * floats(moves["amount"])


def unowned(lots: pd.DataFrame) -> pd.DataFrame:
    """The steps of lots by which more or less is held for no index order, with the `change` of each."""
    signs = {"opened": 1, "assigned": -1, "forgone": 1}
    steps = lots[lots["step"].isin(signs)]
    said = zip(steps["step"], steps["side"], steps["quantity"], strict=True)
    return steps.assign(change=[signs[step] * (1 if side == "buy" else -1) * of for step, side, of in said])
