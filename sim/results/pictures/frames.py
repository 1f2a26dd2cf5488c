"""From columns of a DataFrame to what matplotlib draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.errors import InputError
from core.units import SECOND

if TYPE_CHECKING:
    from sim.results.result import RunResult

Floats: TypeAlias = npt.NDArray[np.float64]


def floats(column: pd.Series) -> Floats:
    """The values as floats, NaN where there is none."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def seconds(result: RunResult, times: pd.Series) -> Floats:
    """Instants as seconds since the run began."""
    return floats((times - pd.Timestamp(result.manifest.began, unit="ns", tz="UTC")).dt.total_seconds())


def length(result: RunResult) -> float:
    """How long the run was, in seconds of its own clock."""
    return (result.manifest.ended - result.manifest.began) / SECOND


def order_row(result: RunResult, order_id: str) -> pd.Series:
    """The order's row. Raises InputError for an order that is not in this run."""
    found = result.orders[result.orders["order_id"] == order_id]
    if found.empty:
        raise InputError(f"no order `{order_id}` in this run")
    return found.iloc[0]
