"""The report of an index desk's run: one HTML file that needs nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from core.units import SECOND, format_duration
from sim.results.desk.plots import DESK_PICTURES
from sim.results.desk.summary import DeskSummary, outcome_lines
from sim.results.report import Grid, facts_of

if TYPE_CHECKING:
    from sim.results.result import RunResult


def render_report(result: RunResult, pictures: Mapping[str, bytes]) -> str:
    """The report as HTML. Equal runs give equal text: nothing in it depends on the clock on the wall."""
    manifest, outcome = result.manifest, result.outcome
    assert isinstance(outcome, DeskSummary)
    environment = Environment(
        loader=PackageLoader("sim.results"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    accepted = result.index_orders["order_id"].dropna()
    return environment.get_template("desk.html.j2").render(
        manifest=manifest,
        simulated=format_duration(manifest.ended - manifest.began),
        facts=facts_of(result),
        outcome=outcome_lines(outcome),
        orders=_orders(result.index_orders),
        invoices=_invoices(result.invoices),
        batches=_batches(result.index_batches),
        an_order=accepted.iloc[0] if len(accepted) else "ORDER",
        pictures=[
            {"title": p.name.replace("_", " "), "reading": p.reading, "png": b64encode(pictures[p.name]).decode()}
            for p in DESK_PICTURES
        ],
    )


def _orders(frame: pd.DataFrame) -> Grid:
    rows = [
        (
            row.order_id or "",
            f"{row.user} {row.client_order_id}",
            f"{row.side} {row.symbol}" if row.side else "",
            _amount(row.amount),
            _amount(row.filled_quantity),
            _amount(row.spent),
            _amount(row.refund),
            row.batches,
            f"{row.status} {row.reason or ''}".strip(),
            "open" if row.time_to_end_ns is None else f"{row.time_to_end_ns / SECOND:,.1f}",
        )
        for row in _rows(frame)
    ]
    head = ("order", "owner", "what", "amount", "filled", "spent", "given back", "batches", "end", "s to its end")
    return Grid(head, rows)


def _invoices(frame: pd.DataFrame) -> Grid:
    rows = [
        (
            row.order_id,
            row.kind,
            _amount(row.filled_quantity),
            _amount(row.amount_paid),
            _amount(row.management_fee),
            _amount(row.assets_value),
            _amount(row.exchange_fee),
            _amount(row.execution_price),
            row.lots,
        )
        for row in _rows(frame)
    ]
    head = ("order", "kind", "tokens", "paid", "routing", "assets", "exchange fees", "price of a token", "lots")
    return Grid(head, rows)


def _batches(frame: pd.DataFrame) -> Grid:
    rows = [
        (
            row.batch_id,
            row.planner,
            row.orders,
            _amount(row.engaged),
            row.asset_orders,
            _amount(row.volley),
            _amount(row.value),
            _amount(row.crossed + row.house),
            _amount(row.fill),
        )
        for row in _rows(frame)
    ]
    sent = ("exchange orders", "volley", "value", "without the exchange", "filled")
    return Grid(("batch", "planned by", "orders", "engaged", *sent), rows)


def _amount(value: float | None) -> str:
    return "" if value is None else f"{value:,.8g}"


def _rows(frame: pd.DataFrame) -> Iterable[Any]:
    """Rows by column name, None where there is nothing to say."""
    return frame.astype(object).where(frame.notna(), None).itertuples(index=False)
