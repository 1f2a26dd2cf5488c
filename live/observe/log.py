"""Log lines on stderr, for people or as JSON: what the process does, and the facts that its node states."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final, Literal

import structlog

from core.kernel.record import Record
from core.units import SECOND, Nanos
from live.observe.facts import event_name, fields_of, level_of

LogFormat = Literal["console", "json"]
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
    """Writes the facts of one node: the event's name, the ids it names, and when the node stated it."""

    __slots__ = ("_log", "_threshold")

    def __init__(self, node: str, level: str) -> None:
        self._log = structlog.get_logger().bind(node=node)
        self._threshold = _NUMBERS[level]

    def __call__(self, _node: str, now: Nanos, component: str, fact: Record) -> None:
        """One line, if the fact matters enough."""
        kind = type(fact)
        level = level_of(kind)
        if _NUMBERS[level] >= self._threshold:
            names = {**fields_of(fact), "component": component, "at": now / SECOND}
            self._log.log(_NUMBERS[level], event_name(kind), **names)
