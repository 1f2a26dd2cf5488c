"""Results of an index desk's run: tables, summary, story, pictures, report, and the way back from disk."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

import sim
from core.errors import InputError
from sim.replay import replay_all
from sim.results.desk.explain import explain
from sim.results.desk.plots import DESK_PICTURES
from sim.results.desk.rows import DESK_TABLES
from sim.results.desk.summary import DeskSummary, summarise
from sim.results.desk.tables import build_tables
from sim.results.pictures.picture import Picture
from sim.results.result import RunResult
from sim.whatif.recording import read_recording

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


def test_a_batch_and_an_exchange_order_have_stories_of_their_own(result: RunResult) -> None:
    batch, order = explain(result, "B-1"), explain(result, "A-1")
    assert str(batch).splitlines()[0] == "B-1 (1 order): complete"
    assert [line.kind for line in batch.happenings][:2] == ["IndexBatchOpened", "OrderEngaged"]
    assert batch.happenings[-1].kind == "IndexBatchCompleted"
    assert str(order).splitlines()[0] == "A-1 (B-1: buy 20 AX): expired"
    assert (batch.subject, order.subject) == ("batch", "exchange_order")
    assert {"AssetOrderPlaced", "AssetOrderFilled", "AssetOrderEnded"} <= {line.kind for line in order.happenings}


def test_an_order_that_is_not_there_is_answered_by_the_nearest(result: RunResult) -> None:
    with pytest.raises(InputError, match=r"withdrawal `C-1` in this run \(did you mean C-01"):
        explain(result, "C-1")


def test_what_is_not_there_is_answered_by_what_was_looked_for_and_what_there_is(result: RunResult) -> None:
    with pytest.raises(InputError) as caught:
        explain(result, "B-99")
    assert caught.value.message == (
        "no index order, batch, exchange order, task of the house, transfer or withdrawal `B-99` in this run"
    )
    there = "index orders I-1, batches B-1 to B-7, exchange orders A-1 to A-13, transfers T-1"
    assert caught.value.hint == f"there are {there}"
    empty = RunResult(result.manifest, build_tables([]))
    with pytest.raises(InputError, match=r"\(there is nothing in it\)"):
        explain(empty, "B-99")


def test_a_transfer_has_a_story_of_its_own(result: RunResult) -> None:
    story = explain(result, "T-1")
    (order,) = result.table("index_orders").to_pylist()
    assert str(story).splitlines()[0] == f"T-1 (for I-1 of {order['user']}): arrived"
    assert story.subject == "transfer"
    kinds = {line.kind for line in story.happenings}
    assert kinds == {"TransferStarted", "TransferStepped", "HopStepped", "CollateralMoved"}


def test_quotes_are_a_table(result: RunResult) -> None:
    (quote,) = result.table("quotes").to_pylist()
    assert (quote["client_quote_id"], quote["status"], quote["symbol"], quote["reason"]) == (
        "Q-01",
        "ready",
        "IX",
        None,
    )
    cost = quote["quantity"] * quote["price"] * Decimal("1.001")  # with the fee factor
    assert abs(cost - quote["amount"]) < Decimal("0.001")


def test_money_in_the_summary_is_exact(result: RunResult) -> None:
    assert result.dir is not None
    read = json.loads((result.dir / "summary.json").read_text())
    (invoice,) = result.table("invoices").to_pylist()
    assert Decimal(read["invoices"][0]["paid"]) == invoice["amount_paid"]
    assert Decimal(read["minted"]["IX"]) == invoice["filled_quantity"]


def test_the_summary_fits_a_terminal_of_a_hundred_columns(result: RunResult) -> None:
    assert max(map(len, str(result).partition("\nreport")[0].splitlines())) <= 100


def test_a_run_replays_from_its_journal(result: RunResult) -> None:
    assert result.dir is not None
    (replayed,) = replay_all(result.dir)
    assert replayed.digest == result.manifest.digests["desk"]


def test_the_report_is_made_anew_from_tables(result: RunResult, tmp_path: Path) -> None:
    assert result.dir is not None
    sim.load(result.dir).write_report(tmp_path)
    for name in ("summary.json", "report.html", "plots/nav.png"):
        assert (tmp_path / name).read_bytes() == (result.dir / name).read_bytes()


def test_fills_of_chosen_orders_are_drawn_and_unknown_ones_refused(result: RunResult) -> None:
    assert [line.get_label() for line in result.plot.fill_progress("I-1").get_lines()] == ["I-1"]
    with pytest.raises(InputError, match="no order `I-9` in this run"):
        result.plot.fill_progress("I-1", "I-9")


def test_pictures_of_a_venue_are_refused_with_the_tables_that_there_are(result: RunResult) -> None:
    with pytest.raises(InputError, match=r"no table `orders` in this run \(one of index_orders"):
        result.plot.surplus()


def test_a_what_if_says_that_it_is_for_venues(result: RunResult) -> None:
    assert result.dir is not None
    with pytest.raises(InputError, match="of an index desk; what-if is for venues"):
        read_recording(result.dir)


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
        assert any(text.get_text().startswith("no ") for text in getattr(empty.plot, picture.name)().texts)


@pytest.mark.parametrize("picture", DESK_PICTURES, ids=lambda it: it.name)
def test_a_picture_has_a_title_units_and_nothing_outside_its_edges(result: RunResult, picture: Picture) -> None:
    figure = getattr(result.plot, picture.name)().get_figure(root=True)
    assert figure.texts[0].get_text()
    assert "[s]" in figure.axes[-1].get_xlabel()
    figure.canvas.draw()
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert drawn.x0 >= 0
    assert drawn.y0 >= 0
    assert drawn.x1 <= width
    assert drawn.y1 <= height
