"""A run directory read back: its manifest, and its tables as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import InputError
from sim.results.astray import not_a_run, unreadable
from sim.results.columns import schema_of
from sim.results.manifest import FORMAT, MANIFEST, Manifest
from sim.results.rows import Row


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a run directory. Raises InputError when it is none, not whole, or of another format."""
    try:
        manifest = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)
    except OSError:
        raise not_a_run(directory) from None
    except msgspec.DecodeError as error:
        raise unreadable(directory, error) from None
    if manifest.format != FORMAT:
        raise InputError(f"{directory}: format {manifest.format}; this version reads {FORMAT}")
    return manifest


class StoredTables(Mapping[str, pa.Table]):
    """The tables of a directory, each read when it is first asked for."""

    def __init__(self, directory: Path, rows: Mapping[str, type[Row]]) -> None:
        self._directory, self._rows = directory, rows
        self._read: dict[str, pa.Table] = {}

    def __getitem__(self, name: str) -> pa.Table:
        if name not in self._read:
            self._read[name] = _read_table(self._directory / f"{name}.parquet", schema_of(self._rows[name]))
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _read_table(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: {error}", "run the scenario again") from None
    if not table.schema.equals(schema):
        raise InputError(f"{path}: not the columns that this version writes", "run the scenario again")
    return table
