"""A fact with its place in the run: when it was stated, and by which component of which node."""

from __future__ import annotations

import msgspec

from core.kernel.record import Record
from core.units import Nanos


class Noted(msgspec.Struct, frozen=True, gc=False):
    """One `Note` of the run. `seq` counts over all nodes, in the order in which the notes left them."""

    seq: int
    time: Nanos
    node: str
    component: str
    fact: Record
