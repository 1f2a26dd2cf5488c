"""The pictures of a run. Each says what it shows, has units on its axes, and is readable without colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes

from sim.results.desk.pictures import draw_collateral_flow, draw_fill_progress, draw_inventory, draw_nav
from sim.results.pictures.canvas import to_png
from sim.results.pictures.orders import draw_surplus, draw_time_to_fill, draw_timeline
from sim.results.pictures.picture import Picture
from sim.results.pictures.solvers import draw_bid_ladder, draw_solver_share
from sim.results.pictures.venue import draw_batches, draw_escrow

if TYPE_CHECKING:
    from sim.results.result import RunResult


PICTURES: Final = (
    Picture(
        "surplus",
        "How much better than their limits orders traded. Mass near zero means that solvers kept the difference; "
        "a long right tail means loose limits or strong competition.",
    ),
    Picture(
        "time_to_fill",
        "How long orders that filled in full waited. One batch, one auction and one fulfilment give the main body; "
        "what lies beyond was reassigned after a default or carried over to a later batch.",
    ),
    Picture(
        "timeline",
        "Each row is one order from its acceptance on: waiting for its batch, up for auction (ticks are bids), "
        "committed to a winner, and the mark where it ended. Dark and then light again is a default that nobody "
        "took over.",
    ),
    Picture(
        "bid_ladder",
        "All bids that counted for the order that had the most in one auction, auction by auction. Right is better for "
        "the order's owner; the distance between the best two of an auction is what the better one could have kept "
        "under a second-price rule.",
    ),
    Picture(
        "solver_share",
        "Who was awarded the commitments of each slice of the run. One band that fills the picture is a "
        "concentrated market; an empty slice had no awards.",
    ),
    Picture(
        "batches",
        "Above, how many messages each block holds; marked blocks closed because they were full. Below, how long "
        "after its due time each block closed; zero is on time.",
    ),
    Picture(
        "escrow",
        "What the venue holds that is not its own: inputs that open orders have reserved and, in the dark part, what "
        "winners have paid in and is not settled yet. When all orders have ended it is zero.",
    ),
)


class Plots:
    """Each method draws one figure and returns its first Axes; `axes.figure.savefig(path)` keeps it.

    Those of a venue raise InputError for an index desk's run, and the other way round.
    """

    def __init__(self, result: RunResult) -> None:
        self._result = result

    def surplus(self) -> Axes:
        """Price improvement over the limit, across orders with a fill."""
        return draw_surplus(self._result)

    def time_to_fill(self) -> Axes:
        """From acceptance to the last fill, across orders filled in full."""
        return draw_time_to_fill(self._result)

    def timeline(self, *order_ids: str) -> Axes:
        """The phases of these orders, by default of a sample. Raises InputError for an unknown order."""
        return draw_timeline(self._result, *order_ids)

    def bid_ladder(self, order_id: str = "") -> Axes:
        """The bids for this order, by default the one with the most in one auction, auction by auction.

        Raises InputError for an unknown order.
        """
        return draw_bid_ladder(self._result, order_id)

    def solver_share(self) -> Axes:
        """Each solver's share of the commitments awarded, over the run."""
        return draw_solver_share(self._result)

    def batches(self) -> Axes:
        """Messages in each block, and how late it closed."""
        return draw_batches(self._result)

    def escrow(self) -> Axes:
        """What the venue holds for others, by token."""
        return draw_escrow(self._result)

    def collateral_flow(self) -> Axes:
        """Of an index desk: users' collateral that is not spent, by what it is held as."""
        return draw_collateral_flow(self._result)

    def fill_progress(self, *order_ids: str) -> Axes:
        """Of an index desk: how far these orders were filled, by default the first. Raises InputError for an unknown
        order.
        """
        return draw_fill_progress(self._result, *order_ids)

    def inventory(self) -> Axes:
        """Of an index desk: what was bought and belongs to no order, by asset."""
        return draw_inventory(self._result)

    def nav(self) -> Axes:
        """Of an index desk: what is held for a token, and its basket at mid prices, by index."""
        return draw_nav(self._result)

    def render_all(self) -> dict[str, bytes]:
        """Every picture of the run's report as PNG, by name."""
        return {picture.name: to_png(getattr(self, picture.name)()) for picture in self._result.kind.pictures()}
