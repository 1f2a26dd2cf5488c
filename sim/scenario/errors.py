"""Turns what is wrong with a scenario into one line that says where, what was expected, and what was given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from core.errors import InputError
from core.faults import Fault, KeyPath, brief, dotted, one_line

IDS: Final = {
    "token": "id",
    "pair": "symbol",
    "market_maker": "id",
    "solver": "id",
    "chain": "id",
    "hop": "name",
    "asset": "symbol",
    "index": "symbol",
    "user": "id",
}
"""The arrays of tables, and the key that names an entry of each."""


def input_error(source: str, data: dict[str, Any], fault: Fault) -> InputError:
    """The error to raise for a fault in `data`, which came from `source`."""
    where = describe(data, fault.path)
    return InputError(one_line(": ".join(filter(None, (source, where, fault.problem)))), one_line(fault.hint))


def describe(data: Any, path: KeyPath) -> str:
    """A path for people: `run.seed`, `solver "s2": capital.USDC`."""
    if len(path) > 2 and path[-1] == "constant" and path[-2] in {"latency", "compute"}:
        path = path[:-1]
    if len(path) > 1 and path[0] in IDS:
        (array, index), rest = path[:2], path[2:]
        entry = data[array][index]
        name = entry.get(IDS[str(array)]) if isinstance(entry, dict) else None
        label = f'{array} "{brief(name)}"' if isinstance(name, str) else f"{array}[{index}]"
        return f"{label}: {dotted(rest)}" if rest else label
    return dotted(path)


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every value in nested tables and lists that is neither, and where it is."""
    if isinstance(value, dict | list | tuple):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path, value
