"""The order in which people expect names: `s2` before `s10`."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

NaturalKey: TypeAlias = tuple[tuple[str | tuple[int, str], ...], str]

_NUMBER: Final = re.compile(r"([0-9]+)")


def natural(name: str) -> NaturalKey:
    """A sort key: numbers inside a name count as numbers, however long. Names that differ are never equal in it."""
    parts = _NUMBER.split(name)  # text and digits take turns, so that like is only ever compared with like
    return tuple(_size(part) if index % 2 else part for index, part in enumerate(parts)), name


def _size(digits: str) -> tuple[int, str]:
    significant = digits.lstrip("0")
    return len(significant), significant
