"""Measures of a run, one tidy DataFrame each; every definition is in the docstring of its method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from core.units import MILLISECOND, SECOND
from sim.natural import natural
from sim.results.fairness import Displacement, displacement_by_participant

if TYPE_CHECKING:
    from sim.results.result import RunResult

_BPS = 10_000.0


class Metrics:
    """Each method computes one frame from the run's tables. Money is in float64, as in the frames."""

    def __init__(self, result: RunResult) -> None:
        self._result = result

    def surplus(self) -> pd.DataFrame:
        """Price improvement by `symbol` and `side`, over orders with a fill.

        `orders`; `volume`: filled quantity at fill prices (quote); `surplus`: sum of `surplus_quote`;
        `surplus_bps`: surplus over the value of the filled quantity at the limits; `median_bps`: median
        of the orders' own `surplus_bps`.
        """
        orders = self._result.orders
        traded = orders[orders["filled_quantity"] > 0]
        traded = traded.assign(
            volume=traded["filled_quantity"] * traded["average_price"],
            at_limit=traded["filled_quantity"] * traded["limit_price"],
        )
        frame = traded.groupby(["symbol", "side", "quote_token"], as_index=False).agg(
            orders=("order_id", "size"),
            volume=("volume", "sum"),
            surplus=("surplus_quote", "sum"),
            at_limit=("at_limit", "sum"),
            median_bps=("surplus_bps", "median"),
        )
        frame["surplus_bps"] = _BPS * frame["surplus"] / frame["at_limit"]
        frame = _in_order(frame, "symbol", "side")
        return frame[["symbol", "side", "quote_token", "orders", "volume", "surplus", "surplus_bps", "median_bps"]]

    def solver_share(self) -> pd.DataFrame:
        """Who bids and who wins, by `solver`, the silent ones too.

        `bids`: bids that counted; `rejected`; `wins`: commitments awarded, reassignments included;
        `win_rate`: wins over bids; `share`: wins over all wins of the run.
        """
        bids = self._result.bids
        counted = bids["status"] != "rejected"
        frame = (
            pd.DataFrame({"solver": bids["solver"], "bids": counted, "rejected": ~counted, "wins": bids["won"]})
            .groupby("solver")
            .sum()
            .astype("int64")
        )
        frame = self._of_all_solvers(frame)
        frame["win_rate"] = frame["wins"] / frame["bids"].where(frame["bids"] > 0)
        frame["share"] = frame["wins"] / max(frame["wins"].sum(), 1)
        return frame

    def solver_volume(self) -> pd.DataFrame:
        """What each solver traded, by `solver` and `quote_token`: `fills`, and `volume` at fill prices (quote)."""
        fills = self._result.fills.merge(self._result.orders[["order_id", "quote_token"]], on="order_id")
        fills = fills.assign(volume=fills["quantity"] * fills["price"])
        frame = fills.groupby(["solver", "quote_token"], as_index=False).agg(
            fills=("fill_id", "size"), volume=("volume", "sum")
        )
        return _in_order(frame, "solver", "quote_token")

    def default_rate(self) -> pd.DataFrame:
        """Reliability by `solver`, those without an award too.

        `awarded`: commitments; `settled`; `defaulted`; `default_rate`: defaulted over those that ended;
        `penalties`: what left the bond, in the bond token.
        """
        commitments = self._result.commitments
        frame = (
            pd.DataFrame(
                {
                    "solver": commitments["solver"],
                    "awarded": 1,
                    "settled": commitments["status"] == "settled",
                    "defaulted": commitments["status"] == "defaulted",
                    "penalties": commitments["penalty"],
                }
            )
            .groupby("solver")
            .sum()
            .astype({"awarded": "int64", "settled": "int64", "defaulted": "int64"})
        )
        frame = self._of_all_solvers(frame)
        ended = frame["settled"] + frame["defaulted"]
        frame["default_rate"] = frame["defaulted"] / ended.where(ended > 0)
        return frame[["solver", "awarded", "settled", "defaulted", "default_rate", "penalties"]]

    def time_to_fill(self) -> pd.DataFrame:
        """`seconds` from acceptance to the last fill, one row per order filled in full, by `order_id`, `symbol`,
        `side` and `attempts`.
        """
        orders = self._result.orders
        filled = orders[orders["status"] == "filled"]
        seconds = filled["time_to_end_ns"].astype("float64") / SECOND
        return filled[["order_id", "symbol", "side", "attempts"]].assign(seconds=seconds).reset_index(drop=True)

    def latency(self) -> pd.DataFrame:
        """How long participants waited, or were waited for, by `kind` and `participant` as in the table `latency`.

        `waits`; `median_ms`; `p95_ms`: 95 % were shorter; `max_ms`.
        """
        waits = self._result.latency
        milliseconds = waits.assign(ms=waits["latency_ns"] / MILLISECOND)
        frame = milliseconds.groupby(["kind", "participant"], as_index=False).agg(
            waits=("ms", "size"),
            median_ms=("ms", "median"),
            p95_ms=("ms", lambda ms: ms.quantile(0.95)),
            max_ms=("ms", "max"),
        )
        return _in_order(frame, "kind", "participant")

    def batch_sizes(self) -> pd.DataFrame:
        """One row per block: `height`, `messages`, `auctioned` orders, `trigger`, and `lateness_ns` of its close."""
        return self._result.blocks[["height", "messages", "auctioned", "trigger", "lateness_ns"]].copy()

    def fairness(self) -> pd.DataFrame:
        """How far the policy put each `participant`'s messages from their order of arrival, within their blocks.

        `messages`; of `displacement`, positive for places lost: `mean`; `p5`: 5 % were put back less, or further
        forward; `median`; `p95`; `max`.
        """
        found = displacement_by_participant(self._result.table("placements"))
        frame = pd.DataFrame(
            [(name, *lost) for name, lost in found.items()], columns=["participant", *Displacement._fields]
        )
        return frame.astype({"messages": "int64", **dict.fromkeys(Displacement._fields[1:], "float64")})

    def _of_all_solvers(self, frame: pd.DataFrame) -> pd.DataFrame:
        """One row for every solver of the scenario, in its order, from a frame by solver; zeros where it has none."""
        whole = frame.reindex(pd.Index(self._result.manifest.solvers, name="solver"), fill_value=0)
        return whole.reset_index()


def _in_order(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The rows in the natural order of the names in these columns."""
    keys = [tuple(map(natural, row)) for row in frame[list(names)].itertuples(index=False)]
    return frame.iloc[sorted(range(len(frame)), key=keys.__getitem__)].reset_index(drop=True)
