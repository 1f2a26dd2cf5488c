"""Results of an index desk's run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sim.results.desk.plots import DESK_PICTURES
from sim.results.desk.rows import DESK_TABLES
from sim.results.desk.summary import DeskSummary, summarise
from sim.results.desk.tables import build_tables
from sim.results.facts import Noted
from sim.results.kind import Kind
from sim.results.wire import Carried

if TYPE_CHECKING:
    from sim.results.pictures.picture import Picture
    from sim.results.result import RunResult


class DeskKind(Kind):
    """Index orders, batches, lots, collateral, invoices."""

    TABLES = DESK_TABLES

    def build(self, notes: Sequence[Noted], carried: Sequence[Carried]) -> dict[str, pa.Table]:
        """Every table that `DESK_TABLES` names."""
        assert not carried, "an index desk speaks no FIX"
        return build_tables(notes)

    def summarise(self, tables: Mapping[str, pa.Table]) -> DeskSummary:
        """`sim.results.desk.summary`."""
        return summarise(tables)

    def explain(self, result: RunResult, name: str) -> tuple[dict[str, Any], str]:
        """The life of an index order, a batch, an exchange order, a transfer or a withdrawal."""
        from sim.results.desk.explain import explain  # noqa: PLC0415  # it needs what this module is a part of

        told = explain(result, name)
        return {told.subject: name, "happenings": told.rows()}, str(told)

    def pictures(self) -> tuple[Picture, ...]:
        """`DESK_PICTURES`."""
        return DESK_PICTURES

    def report(self, result: RunResult, pictures: Mapping[str, bytes]) -> str:
        """`sim.results.desk.report`."""
        from sim.results.desk.report import render_report  # noqa: PLC0415  # pulls in matplotlib and jinja2

        return render_report(result, pictures)
