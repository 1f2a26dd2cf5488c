"""Results of a venue's run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sim.results.facts import Noted
from sim.results.kind import Kind
from sim.results.rows import TABLES
from sim.results.summary import Summary, summarise
from sim.results.tables import build_tables
from sim.results.wire import Carried

if TYPE_CHECKING:
    from sim.results.pictures.picture import Picture
    from sim.results.result import RunResult


class VenueKind(Kind):
    """Orders, auctions, blocks, FIX."""

    TABLES = TABLES

    def build(self, notes: Sequence[Noted], carried: Sequence[Carried]) -> dict[str, pa.Table]:
        """Every table that `TABLES` names."""
        return build_tables(notes, carried)

    def summarise(self, tables: Mapping[str, pa.Table]) -> Summary:
        """`sim.results.summary`."""
        return summarise(tables)

    def explain(self, result: RunResult, name: str) -> tuple[dict[str, Any], str]:
        """The life of an order, or of a FIX session."""
        from sim.results import explain as story  # noqa: PLC0415  # it needs what this module is a part of
        from sim.results.explain_session import explain_session  # noqa: PLC0415

        session = explain_session(result, name)
        if session is not None:
            return {"session": name, **session.counts(), "happenings": session.rows()}, str(session)
        told = story.explain(result, name)
        return {"order": name, "happenings": story.as_rows(told)}, story.as_text(told)

    def pictures(self) -> tuple[Picture, ...]:
        """`PICTURES`."""
        from sim.results.plots import PICTURES  # noqa: PLC0415  # pulls in matplotlib

        return PICTURES

    def report(self, result: RunResult, pictures: Mapping[str, bytes]) -> str:
        """`sim.results.report`."""
        from sim.results.report import render_report  # noqa: PLC0415  # pulls in matplotlib and jinja2

        return render_report(result, pictures)
