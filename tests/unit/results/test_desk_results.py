"""Results of an index desk's run: tables, summary, story, pictures, report, and the way back from disk."""

from __future__ import annotations

from pathlib import Path

import pytest

import sim
from core.errors import InputError
from sim.results.desk.explain import explain
from sim.results.desk.plots import DESK_PICTURES
from sim.results.desk.rows import DESK_TABLES
from sim.results.desk.summary import DeskSummary, summarise
from sim.results.desk.tables import build_tables
from sim.results.result import RunResult

SBE = Path(sim.__file__).parents[1] / "scenarios" / "index_sbe.toml"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return sim.run(SBE, out=tmp_path_factory.mktemp("runs"))


def test_a_run_comes_back_from_disk_as_it_was(result: RunResult) -> None:
    assert result.dir is not None
    again = sim.load(result.dir)
    for name in DESK_TABLES:
        assert again.table(name).equals(result.table(name)), name
    assert again.outcome == result.outcome
    assert {path.stem for path in (result.dir / "plots").glob("*.png")} == {each.name for each in DESK_PICTURES}


def test_the_report_stands_alone_and_names_the_order(result: RunResult) -> None:
    assert result.dir is not None
    text = (result.dir / "report.html").read_text()
    assert "romer-sim explain" in text
    assert "I-1" in text
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_the_summary_has_fill_table_and_invoice(result: RunResult) -> None:
    text = str(result)
    assert "fully mintable" in text
    assert "1036.848749849396" in text


def test_the_story_goes_from_collateral_to_the_invoice(result: RunResult) -> None:
    story = explain(result, "C-01")
    kinds = [line.kind for line in story.happenings]
    wanted = (
        "IndexOrderAccepted",
        "TransferStarted",
        "HopStepped",
        "OrderEngaged",
        "AssetOrderPlanned",
        "AssetOrderFilled",
        "LotAssigned",
        "IndexBatchCompleted",
        "MintInvoice",
        "IndexOrderEnded",
    )
    places = [kinds.index(kind) for kind in wanted]
    assert places == sorted(places)
    assert str(story).splitlines()[0].endswith("minted (filled)")
    assert [row["kind"] for row in story.rows()] == kinds


def test_an_order_that_is_not_there_is_answered_by_the_nearest(result: RunResult) -> None:
    with pytest.raises(InputError, match=r"no order `C-1` in this run \(did you mean .*C-01"):
        explain(result, "C-1")


def test_tables_of_another_kind_of_run_are_refused_with_those_that_there_are(result: RunResult) -> None:
    with pytest.raises(InputError, match=r"no table `orders` in this run \(one of index_orders"):
        _ = result.orders


def test_a_run_in_which_nothing_happened_has_tables_numbers_and_pictures(result: RunResult) -> None:
    tables = build_tables([])
    outcome = summarise(tables)
    assert isinstance(outcome, DeskSummary)
    assert (outcome.orders, outcome.batches, outcome.minted) == (0, 0, {})
    empty = RunResult(result.manifest, tables)
    for picture in DESK_PICTURES:
        assert picture.draw(empty).get_figure() is not None
