"""A linear program in plain numbers, and its solution by HiGHS.

    maximise   sum of gain_j * x_j
    subject to lower_r <= sum over j of coefficient_rj * x_j <= upper_r      for each row r
               0 <= x_j <= most_j                                            for each column j

One thread, one seed and the simplex method: the same program gives the same solution.
"""

from __future__ import annotations

from typing import Final

import highspy
import msgspec

INFINITE: Final = highspy.kHighsInf
_OPTIONS: Final[dict[str, bool | int | str]] = {
    "output_flag": False,
    "solver": "simplex",
    "threads": 1,
    "parallel": "off",
    "random_seed": 0,
}


class Row(msgspec.Struct):
    """A constraint: its bounds, and its coefficients by column."""

    lower: float
    upper: float
    coefficients: dict[int, float]


class Program(msgspec.Struct):
    """Built column by column and row by row."""

    gains: list[float] = []
    most: list[float] = []
    rows: list[Row] = []

    def column(self, gain: float, most: float) -> int:
        """Add a column; returns its number."""
        self.gains.append(gain)
        self.most.append(most)
        return len(self.gains) - 1

    def row(self, coefficients: dict[int, float], *, lower: float = -INFINITE, upper: float = INFINITE) -> None:
        """Add a row."""
        self.rows.append(Row(lower, upper, coefficients))


def solve(program: Program) -> list[float] | None:
    """The best value of each column; None when there is no solution, or HiGHS finds none."""
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(program.gains), len(program.rows)
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = program.gains
    model.col_lower_, model.col_upper_ = [0.0] * len(program.most), program.most
    model.row_lower_ = [row.lower for row in program.rows]
    model.row_upper_ = [row.upper for row in program.rows]
    starts = [0]
    for row in program.rows:
        starts.append(starts[-1] + len(row.coefficients))
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = starts
    model.a_matrix_.index_ = [column for row in program.rows for column in row.coefficients]
    model.a_matrix_.value_ = [value for row in program.rows for value in row.coefficients.values()]
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, value in _OPTIONS.items():
        solver.setOptionValue(name, value)
    solver.passModel(model)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return [float(value) for value in solver.getSolution().col_value]
