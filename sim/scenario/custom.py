"""How values that msgspec does not know are written in a scenario file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from core import config
from core.units import MICROSECOND

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(int):
    """Nanoseconds since the Unix epoch, written `"2024-01-01T00:00:00Z"` in a file."""


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
    if moment is None or moment.utcoffset() != timedelta(0) or moment < _EPOCH:
        raise ValueError(f'expected a UTC instant such as "2024-01-01T00:00:00Z", got {value!r}')
    return Instant((moment - _EPOCH) // timedelta(microseconds=1) * MICROSECOND)
