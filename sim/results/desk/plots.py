"""The pictures of an index desk's report, and how to read them."""

from __future__ import annotations

from typing import Final

from sim.results.pictures.picture import Picture

DESK_PICTURES: Final = (
    Picture(
        "collateral_flow",
        "What users have deposited, by what it is held as: unconfirmed on its chain, on its way, ready where assets "
        "are bought, set aside for a payment. It falls when money is spent and when it goes back to its users.",
    ),
    Picture(
        "fill_progress",
        "How much of each order's amount is spent, since it was accepted. A step is a fill that completed a part of "
        "the whole basket; a plateau is an order that waits for its scarcest asset. The first step is routing.",
    ),
    Picture(
        "inventory",
        "What was bought and belongs to no order: it rises with fills and falls when slices are assigned. What stays "
        "is surplus from padding, the house's.",
    ),
    Picture(
        "nav",
        "What backs one token against its basket at mid prices. A gap is tracking difference: lots bought dearer, or "
        "weights that have changed and are not traded yet.",
    ),
)
