from __future__ import annotations

from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import pytest

from core.sequencer.facts import OrderRefused
from sim.results.plots import PICTURES
from sim.results.report import render_report
from sim.results.result import RunResult
from tests.unit.results.stories import Story, manifest

PNG = b"\x89PNG"
NO_PICTURES = {picture.name: PNG for picture in PICTURES}
VOID = {"meta", "img", "link", "br"}


class Page(HTMLParser):
    """Collects what a page loads, shows and leaves open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.cells: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"td", "th"}:
            self.cells.append(data)


@pytest.fixture(scope="module")
def html(small: RunResult) -> str:
    return render_report(small, NO_PICTURES)


def test_the_page_is_whole_and_needs_nothing_else(html: str) -> None:
    page = Page(html)
    assert page.open == []
    assert len(page.sources) == len(PICTURES)
    assert all(b64decode(source.removeprefix("data:image/png;base64,")) == PNG for source in page.sources)
    assert "@import" not in html
    assert "<script" not in html


def test_it_says_what_ran_and_how_to_run_it_again(html: str, small: RunResult) -> None:
    for part in (small.digest, "c0ffee", "seed 1", "romer-sim run scenarios/quickstart.toml --seed 1"):
        assert part in html
    assert "romer-sim explain runs/quickstart/1-01234567 O-2" in html


def test_every_picture_comes_with_a_sentence_on_how_to_read_it(html: str) -> None:
    assert all(picture.reading.split("'")[0] in html for picture in PICTURES)
    assert html.count("<figcaption>") == len(PICTURES)


def test_solvers_orders_and_reasons_are_in_tables(html: str) -> None:
    cells = Page(html).cells
    row = cells[cells.index("s2") :]
    assert row[:8] == ["s2", "2", "1", "1", "33.3%", "1 (100.0%)", "100.00", "0"]
    assert cells[cells.index("no_bid") - 1 :][:3] == ["expired", "no_bid", "1"]
    assert cells.index("O-1") < cells.index("O-2")


def test_a_solver_that_never_bid_is_in_the_table_and_solvers_are_in_the_order_of_the_scenario(html: str) -> None:
    cells = Page(html).cells
    start = cells.index("solver")
    rows = [cells[at : at + 8] for at in range(start, len(cells), 8)][:6]
    assert [row[0] for row in rows] == ["solver", "s1", "s2", "s3", "s4", "s10"]
    assert rows[-1] == ["s10", "0", "0", "0", "0.0%", "0 (0.0%)", "0.00", "0"]


def test_what_a_peer_named_is_escaped() -> None:
    story = Story()
    story.say("sequencer", OrderRefused("MM1", "x", "<b>bold</b>", "", "<s>", None, None, None))
    html = render_report(RunResult.of(manifest(name="<i>"), story.notes), NO_PICTURES)
    assert "<b>bold" not in html
    assert "&lt;b&gt;bold" in html
    assert "<i>" not in html


def test_an_interrupted_run_warns(html: str, small: RunResult) -> None:
    stopped = RunResult(manifest(interrupted=True), {name: small.table(name) for name in small._tables})
    assert "Interrupted" in render_report(stopped, NO_PICTURES)
    assert "Interrupted" not in html


def test_the_template_is_inside_the_package() -> None:
    import sim.results  # noqa: PLC0415

    assert (Path(sim.results.__file__).parent / "templates" / "report.html.j2").is_file()
