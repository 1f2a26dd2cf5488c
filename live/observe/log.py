"""Log lines on stderr, for people or as JSON: what the process does, and the facts that its node states."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final, Literal

import structlog

from core.kernel.record import Record
from core.units import SECOND, Nanos
from live.observe.facts import OFTEN, event_name, fields_of, level_of

LogFormat = Literal["console", "json"]
LINES_PER_SECOND_MAX: Final = 3
_REASONS_MAX: Final = 1_000
"""A solver hears reasons from its venue, which may be anything."""
_NUMBERS: Final = {name: getattr(logging, name.upper()) for name in ("debug", "info", "warning", "error")}


def set_up(log_format: LogFormat, level: str) -> None:
    """Send structlog's lines to stderr, and those of libraries that use `logging` too, from `level` on."""
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_NUMBERS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=sys.stderr, level=max(_NUMBERS[level], logging.WARNING), format="%(name)s: %(message)s")


class FactLog:
    """Writes the facts of one node: the event's name, the ids it names, and when the node stated it.

    What a peer can bring about at will has LINES_PER_SECOND_MAX lines of a kind and reason; the first of a later second
    says how many were left out, as `unsaid`.
    """

    __slots__ = ("_log", "_said", "_threshold")

    def __init__(self, node: str, level: str) -> None:
        self._log = structlog.get_logger().bind(node=node)
        self._threshold = _NUMBERS[level]
        self._said: dict[tuple[type[Record], str], tuple[int, int]] = {}
        """By kind and reason, in which second it was last said, and how often."""

    def __call__(self, _node: str, now: Nanos, component: str, fact: Record) -> None:
        """One line, if the fact matters enough."""
        kind = type(fact)
        level = level_of(kind)
        if _NUMBERS[level] < self._threshold:
            return
        unsaid = self._unsaid(now, kind, fact) if kind in OFTEN else 0
        if unsaid is not None:
            names = {**fields_of(fact), "component": component, "at": now / SECOND}
            self._log.log(_NUMBERS[level], event_name(kind), **names, **({"unsaid": unsaid} if unsaid else {}))

    def _unsaid(self, now: Nanos, kind: type[Record], fact: Record) -> int | None:
        """How many like this one have had no line; None if this one has none either."""
        key, this = (kind, str(getattr(fact, "reason", ""))), now // SECOND
        second, count = self._said.get(key, (this, 0))
        if len(self._said) >= _REASONS_MAX and key not in self._said:
            self._said.clear()
        if second == this:
            self._said[key] = this, count + 1
            return 0 if count < LINES_PER_SECOND_MAX else None
        self._said[key] = this, 1
        return max(0, count - LINES_PER_SECOND_MAX)
