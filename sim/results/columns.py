"""From row types to Arrow tables and DataFrames: schemas, exact money in, floats out for analysis."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, get_args, get_type_hints

import msgspec
import pyarrow as pa

from sim.results.rows import Doc, Row

if TYPE_CHECKING:
    import pandas as pd

_MONEY: Final = pa.decimal128(38, 18)
_ARROW: Final = {
    "text": pa.string(),
    "time": pa.timestamp("ns", tz="UTC"),
    "span": pa.int64(),
    "count": pa.int64(),
    "money": _MONEY,
    "ratio": pa.float64(),
    "flag": pa.bool_(),
}
_WIDE: Final = Context(prec=38, rounding=ROUND_HALF_EVEN, traps=[])
_QUANTUM: Final = Decimal(1).scaleb(-18)


class Column(msgspec.Struct, frozen=True):
    """One column of a table, as documentation and schema need it."""

    name: str
    kind: str
    optional: bool
    meaning: str
    unit: str


@cache
def columns_of(row: type[Row]) -> tuple[Column, ...]:
    """The columns of a row type, in order."""
    hints = get_type_hints(row, include_extras=True)
    return tuple(_column(name, hints[name]) for name in row.__struct_fields__)


@cache
def schema_of(row: type[Row]) -> pa.Schema:
    """The Arrow schema of a row type; meaning and unit are in each field's metadata."""
    return pa.schema(
        pa.field(c.name, _ARROW[c.kind], c.optional, metadata={"meaning": c.meaning, "unit": c.unit})
        for c in columns_of(row)
    )


def to_table(row: type[Row], rows: Sequence[Row]) -> pa.Table:
    """Rows as an Arrow table with the row type's schema, also when there are none.

    Money finer than 18 decimals is rounded half-even, and null where 38 digits cannot hold it.
    """
    schema = schema_of(row)
    arrays = [_array(list(map(attrgetter(field.name), rows)), field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def to_frame(row: type[Row], table: pa.Table) -> pd.DataFrame:
    """The table as a DataFrame for analysis: money as float64, integers that may be null as `Int64`.

    A column's dtype depends on the row type alone, never on the data.
    """
    import pandas as pd  # noqa: PLC0415  # a run that prints its summary does without

    columns = columns_of(row)
    floats = [field.with_type(pa.float64()) if field.type == _MONEY else field for field in table.schema]
    frame: pd.DataFrame = table.cast(pa.schema(floats)).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame.astype({c.name: "int64" for c in columns if c.kind in {"count", "span"} and not c.optional})


def _column(name: str, hint: Any) -> Column:
    base, *extras = get_args(hint)
    optional = type(None) in get_args(base)
    if optional:
        extras = [*get_args(base)[0].__metadata__, *extras]
    kind, doc = extras
    assert isinstance(doc, Doc)
    return Column(name, kind, optional, doc.meaning, doc.unit)


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except pa.ArrowInvalid:
        if kind != _MONEY:
            raise
        return pa.array([_fitted(value) for value in values], kind)


def _fitted(value: Decimal | None) -> Decimal | None:
    fitted = None if value is None else value.quantize(_QUANTUM, context=_WIDE)
    return fitted if fitted is not None and fitted.is_finite() else None
