"""When a journal is synced: what a power cut can take. The death of the process alone never takes anything."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from core.errors import InputError
from core.units import SECOND, format_duration, parse_duration

_NOTHING: Final = "nothing that was acknowledged is lost"


class SyncPolicy(NamedTuple):
    """`always`: before anything leaves the node; `interval`: within so many `seconds`; `off`: when a segment ends."""

    kind: Literal["always", "interval", "off"]
    seconds: float = 0.0

    @classmethod
    def parse(cls, text: str) -> SyncPolicy:
        """`always`, `off`, or a duration such as `50ms`. Raises InputError."""
        if text in ("always", "off"):
            return cls("always" if text == "always" else "off")
        try:
            nanos = parse_duration(text)
        except ValueError:
            nanos = 0
        if nanos <= 0:
            raise InputError(f"sync {text!r} is none", "`always`, `off`, or a duration such as `50ms`")
        return cls("interval", nanos / SECOND)

    @property
    def lost_with_tail(self) -> str:
        """What is lost with a write that was not finished."""
        if self.kind == "always":
            return _NOTHING
        most = f"what was within {self} before it" if self.kind == "interval" else "what the system had not written"
        return f"{_NOTHING}, but by a power cut at most {most}"

    def __str__(self) -> str:
        return format_duration(round(self.seconds * SECOND)) if self.kind == "interval" else self.kind


ALWAYS: Final = SyncPolicy("always")
