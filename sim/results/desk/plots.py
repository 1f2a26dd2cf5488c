"""The pictures of an index desk's report, and how to read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from matplotlib.axes import Axes

from sim.results.desk.pictures import draw_collateral, draw_fill_progress, draw_inventory, draw_nav
from sim.results.pictures.canvas import to_png

if TYPE_CHECKING:
    from sim.results.result import RunResult


class DeskPicture(NamedTuple):
    """One picture. `reading` says how to read it."""

    name: str
    draw: Callable[[RunResult], Axes]
    reading: str


DESK_PICTURES: Final = (
    DeskPicture(
        "collateral_flow",
        draw_collateral,
        "What users have deposited, by what it is held as: unconfirmed on its chain, on its way, ready where assets "
        "are bought, set aside for a payment. It falls when money is spent and when it goes back to its users.",
    ),
    DeskPicture(
        "fill_progress",
        draw_fill_progress,
        "How much of each order's amount is spent, since it was accepted. A step is a fill that completed a part of "
        "the whole basket; a plateau is an order that waits for its scarcest asset. The first step is routing.",
    ),
    DeskPicture(
        "inventory",
        draw_inventory,
        "What was bought and belongs to no order: it rises with fills and falls when slices are assigned. What stays "
        "is surplus from padding, the house's.",
    ),
    DeskPicture(
        "nav",
        draw_nav,
        "What backs one token against its basket at mid prices. A gap is tracking difference: lots bought dearer, or "
        "weights that have changed and are not traded yet.",
    ),
)


def render_all(result: RunResult) -> dict[str, bytes]:
    """Every picture as PNG, by name."""
    return {picture.name: to_png(picture.draw(result)) for picture in DESK_PICTURES}
