"""How values that msgspec does not know are written in a scenario file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from core import config
from core.faults import shown
from core.units import MICROSECOND

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Beyond it, nanoseconds plus the spans of a run could leave 64 bits."""


class Instant(int):
    """Nanoseconds since the Unix epoch, before 2100, written `"2024-01-01T00:00:00Z"` in a file."""


def decode_custom(kind: type, value: object) -> Any:
    """msgspec `dec_hook`. Raises ValueError saying what was expected."""
    if kind is Instant:
        return _parse_instant(value)
    return config.decode_custom(kind, value)


def encode_custom(value: object) -> object:
    """msgspec `enc_hook`: the text that `decode_custom` reads."""
    if isinstance(value, Instant):
        moment = _EPOCH + timedelta(microseconds=value // MICROSECOND)
        return moment.isoformat().replace("+00:00", "Z")
    return config.encode_custom(value)


def _parse_instant(value: object) -> Instant:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() != timedelta(0) or not _EPOCH <= moment < _END:
        raise ValueError(f'expected a UTC instant before 2100 such as "2024-01-01T00:00:00Z", got {shown(value)}')
    return Instant((moment - _EPOCH) // timedelta(microseconds=1) * MICROSECOND)
