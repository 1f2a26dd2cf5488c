"""A scenario as layers, each over the one before: the files it extends, itself, and what the command line sets.

Tables merge by key, and arrays of tables by `id` (`symbol` for pairs). A table that chooses another model
than the one below it replaces it, and so does an empty one: `capital = {}` is no capital. A solver given another
strategy drops the parameters of the old one.
"""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import Any, Final, NamedTuple

from core.errors import InputError
from core.faults import Fault, KeyPath, inexact, kind_at, shown
from sim.natural import natural
from sim.scenario.custom import decode_custom
from sim.scenario.errors import IDS, input_error, leaves
from sim.scenario.files import absent, read_toml
from sim.scenario.kinds import schema_of
from sim.scenario.models import MODELS
from sim.scenario.schema import DEFAULT_STRATEGY

_SHORTHAND: Final[dict[str | int, str]] = {"latency": "constant", "compute": "constant"}


class Layer(NamedTuple):
    """Part of a scenario, and where it comes from."""

    source: str
    data: dict[str, Any]


class Document:
    """The merged data of a scenario's layers, in one normal form whatever their layout, and who wrote what."""

    def __init__(self, layers: list[Layer]) -> None:
        self.layers = layers
        merged: dict[str, Any] = {}
        for layer in layers:
            merged = _merge(merged, layer.data)
        rebase_files(merged, "")
        self.data: dict[str, Any] = _normal(merged)

    def error(self, fault: Fault) -> InputError:
        """The error to raise for a fault in the merged data; it names the layer that has the last word there."""
        keys = [self._key(fault.path[:length]) for length in range(1, len(fault.path) + 1)]
        while True:
            for layer in reversed(self.layers):
                if _contains(layer.data, keys):
                    return input_error(layer.source, self.data, fault)
            keys.pop()

    def _key(self, path: KeyPath) -> str | int:
        if len(path) == 2 and path[0] in IDS:
            name: str = self.data[str(path[0])][path[1]][IDS[str(path[0])]]
            return name
        return path[-1]


def read_layers(path: Path) -> list[Layer]:
    """The layer of a scenario file, after those of the files that it extends."""
    layers: list[Layer] = []
    chain = [path]
    while True:
        source = chain[-1]
        data = read_toml(source)
        parent = data.pop("extends", None)
        check_layer(str(source), data)
        rebase_files(data, Path(os.path.relpath(source.parent, path.parent)).as_posix())
        layers.insert(0, Layer(str(source), data))
        if parent is None:
            return layers
        chain.append(_parent(chain, parent))


def check_layer(source: str, data: dict[str, Any]) -> None:
    """Raises InputError for a value that would be read inexactly, and for entries that cannot be told apart."""
    for path, value in leaves(data):
        if isinstance(value, float):
            raise input_error(source, data, inexact(path, value, _kind_at(data, path), decode_custom))
        if not isinstance(value, str | int):
            raise input_error(source, data, Fault(path, f"expected text in quotes, got {value}"))
    for array in IDS:
        entries = data.get(array, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise input_error(source, data, Fault((array,), f"expected tables in double brackets: [[{array}]]"))
        _check_ids(source, data, array)


def rebase_files(data: dict[str, Any], folder: str) -> None:
    """Make the paths of recorded files in `data`, which start at `folder`, start where `folder` does."""
    for array, table in (("pair", "price"), ("market_maker", "arrivals")):
        for entry in data.get(array, []):
            _rebase(entry, table, folder)
    for asset in data.get("asset", []):
        if isinstance(asset.get("flow"), dict):
            asset["flow"] = dict(asset["flow"])
            _rebase(asset["flow"], "price", folder)


def _rebase(entry: dict[str, Any], table: str, folder: str) -> None:
    model = entry.get(table)
    if isinstance(model, dict) and isinstance(model.get("replay"), str):
        entry[table] = model | {"replay": posixpath.normpath(posixpath.join(folder, model["replay"]))}


def _kind_at(data: dict[str, Any], path: KeyPath) -> Any:
    return kind_at(schema_of(data), (*path, _SHORTHAND[path[-1]]) if path[-1] in _SHORTHAND else path)


def _check_ids(source: str, data: dict[str, Any], array: str) -> None:
    key, seen = IDS[array], set[str]()
    for index, entry in enumerate(data.get(array, [])):
        name = entry.get(key)
        if not isinstance(name, str):
            problem = f"`{key}` is missing" if name is None else f"{key}: expected text in quotes, got {shown(name)}"
            raise input_error(source, data, Fault((array, index), problem))
        if name in seen:
            raise input_error(source, data, Fault((array, index), f"this {key} is used twice"))
        seen.add(name)


def _parent(chain: list[Path], parent: object) -> Path:
    source = chain[-1]
    if not isinstance(parent, str) or not parent:
        raise InputError(f"{source}: extends: expected the name of a file, got {shown(parent)}")
    path = Path(os.path.normpath(source.parent / parent))
    if path.is_dir():
        raise InputError(f"{source}: extends: expected the name of a file, got the folder {path}")
    if not path.exists():
        error = absent(path)
        raise InputError(f"{source}: extends: {error.message}", error.hint)
    if any(path.samefile(seen) for seen in chain):
        raise InputError(f"{source}: extends goes in a circle: {' -> '.join(map(str, [*chain, path]))}")
    return path


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = base.get(key)
        if key in IDS and isinstance(old, list):
            merged[key] = _merge_entries(old, value, IDS[key])
        elif isinstance(old, dict) and isinstance(value, dict) and value and not _other_model(key, old, value):
            merged[key] = _merge(old, value)
        else:
            merged[key] = value
    return merged


def _merge_entries(base: list[dict[str, Any]], over: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    merged = {entry[key]: entry for entry in base}
    for entry in over:
        old = dict(merged.get(entry[key], {}))
        if "strategy" in entry and entry["strategy"] != old.get("strategy", DEFAULT_STRATEGY):
            old.pop("params", None)
        merged[entry[key]] = _merge(old, entry)
    return list(merged.values())


def _other_model(table: str, base: dict[str, Any], over: dict[str, Any]) -> bool:
    return any(model in over and model not in base for model in MODELS.get(table, ()))


def _normal(data: dict[str, Any]) -> dict[str, Any]:
    """Shorthands written out; entries, symbols and keys in order."""
    normal = {key: _spelled_out(value) for key, value in sorted(data.items())}
    for array, key in IDS.items():
        if array in normal:
            normal[array] = sorted(map(_spelled_out, normal[array]), key=lambda entry: natural(entry[key]))
    return normal


def _spelled_out(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    table = {key: _spelled_out(item) for key, item in sorted(value.items())}
    for key, model in _SHORTHAND.items():
        if key in table and not isinstance(table[key], dict):
            table[key] = {model: table[key]}
    symbols = table.get("symbols")
    if isinstance(symbols, list) and all(isinstance(symbol, str) for symbol in symbols):
        table["symbols"] = sorted(symbols, key=natural)
    return table


def _contains(data: Any, keys: list[str | int]) -> bool:
    for depth, key in enumerate(keys):
        if depth == 1 and keys[0] in IDS:
            data = next((entry for entry in data if entry[IDS[str(keys[0])]] == key), None)
        elif isinstance(data, dict):
            data = data.get(str(key))
        else:
            return True  # a value that is replaced whole has the last word on all that is below it
        if data is None:
            return False
    return True
