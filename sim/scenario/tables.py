"""Opens a recorded file, Parquet or CSV, as rows of cells for the columns that a recording has."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from core.errors import InputError
from core.faults import did_you_mean, one_line
from sim.scenario.files import absent
from sim.scenario.models import Columns

_NAMES: Final = {
    "time": ("timestamp", "time", "datetime", "date", "ts", "transact_time", "open_time"),
    "price": ("price", "open", "px"),
    "quantity": ("quantity", "qty", "size", "amount", "volume"),
    "side": ("side", "aggressor_side", "buyer_maker", "is_buyer_maker"),
}
"""What columns are usually called. Of a bar, the opening price is known when the bar begins."""


class Cells(NamedTuple):
    """One row: its number, from 1 in Parquet and the line in CSV, and what it has in each column, if anything."""

    number: int
    time: Any
    price: Any
    quantity: Any
    side: Any


class Table(NamedTuple):
    """The rows of a file. `exact_time` says that times are nanoseconds already; `unit` is what rows are called."""

    rows: Iterator[Cells]
    exact_time: bool
    unit: str


def open_table(path: Path, columns: Columns, *, quantity: bool) -> Table:
    """Open a file whose columns are called as `columns` says, or else as usual.

    Raises InputError when it is not such a file or a column is missing; while rows are read as well.
    """
    read = _parquet if path.suffix in {".parquet", ".pq"} else _csv
    try:
        return read(path, columns, quantity)
    except FileNotFoundError:
        raise absent(path) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {one_line(error.strerror or str(error))}") from None


def _parquet(path: Path, columns: Columns, quantity: bool) -> Table:
    import pyarrow as pa  # noqa: PLC0415  # heavy, and few scenarios replay anything
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415

    try:
        file = ParquetFile(path)
        schema = dict(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True))
    except (pa.ArrowException, ValueError) as error:
        raise InputError(f"{path}: not a Parquet file: {one_line(str(error))}") from None
    names = _choose(path, columns, list(schema), quantity)

    def rows() -> Iterator[Cells]:
        number = 0
        try:
            for batch in file.iter_batches(columns=[name for name in names if name]):
                lists = [_values(batch.column(name), pa) if name else [None] * batch.num_rows for name in names]
                for cells in zip(*lists, strict=True):
                    number += 1
                    yield Cells(number, *cells)
        except (pa.ArrowException, ValueError, OSError) as error:
            raise InputError(f"{path}: after row {number}: {one_line(str(error))}") from None

    return Table(rows(), exact_time=pa.types.is_timestamp(schema[names[0]]), unit="row")


def _values(column: Any, pa: Any) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64())
    values: list[Any] = column.to_pylist()
    return values


def _csv(path: Path, columns: Columns, quantity: bool) -> Table:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(_records(path, file), (0, []))[1]
    if not header:
        raise InputError(f"{path}: the file is empty")
    at = [header.index(name) if name else None for name in _choose(path, columns, header, quantity)]

    def rows() -> Iterator[Cells]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            records = _records(path, file)
            next(records)
            for number, record in records:
                if record:
                    yield Cells(number, *(record[i] if i is not None and i < len(record) else None for i in at))

    return Table(rows(), exact_time=False, unit="line")


def _records(path: Path, file: Any) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(file, strict=True)
    try:
        for record in reader:
            yield reader.line_num, record
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path}: after line {reader.line_num}: not CSV text: {error}") from None


def _choose(path: Path, columns: Columns, names: list[str], quantity: bool) -> tuple[str, str, str | None, str | None]:
    """The file's names for time, price, quantity and side; the latter two only for those who want quantities."""
    time, price = _column(path, columns, names, "time"), _column(path, columns, names, "price")
    for what, name in (("time", time), ("price", price)):
        if name is None:
            raise _missing(path, what, names)
    size = _column(path, columns, names, "quantity") if quantity else None
    if quantity and size is None:
        raise _missing(path, "quantity", names)
    assert time is not None
    assert price is not None
    return time, price, size, _column(path, columns, names, "side") if quantity else None


def _column(path: Path, columns: Columns, names: list[str], what: str) -> str | None:
    given: str | None = getattr(columns, what)
    if given is not None and given not in names:
        raise InputError(f'{path}: has no column "{given}"', did_you_mean(given, names))
    by_lower = {name.lower(): name for name in reversed(names)}
    return given or next((by_lower[usual] for usual in _NAMES[what] if usual in by_lower), None)


def _missing(path: Path, what: str, names: list[str]) -> InputError:
    hint = f'say which it is: columns = {{ {what} = "..." }}; the file has {", ".join(names)}'
    return InputError(f"{path}: no column is recognised as the {what}", hint)
