"""What a report says of its pictures."""

from __future__ import annotations

import msgspec


class Picture(msgspec.Struct, frozen=True):
    """One picture of the report: the method of `Plots` that draws it. `reading` says how to read it."""

    name: str
    reading: str
