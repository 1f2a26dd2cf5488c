from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from core.errors import InputError
from sim.results.pictures.canvas import PlotAxes
from sim.results.pictures.venue import changes_of_holdings
from sim.results.plots import PICTURES
from sim.results.result import RunResult
from tests.unit.results.markets import large_market, small_market
from tests.unit.results.stories import Story, manifest

NAMES = [picture.name for picture in PICTURES]


@pytest.fixture(scope="module")
def large() -> RunResult:
    return RunResult.of(manifest(ended=manifest().ended + 600_000_000), large_market(200))


def panels(axes: Axes) -> list[Axes]:
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure.axes


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_has_a_title_units_and_nothing_outside_its_edges(large: RunResult, name: str) -> None:
    axes = getattr(large.plot, name)()
    figure = axes.get_figure(root=True)
    assert figure.texts[0].get_text()
    assert "[" in panels(axes)[-1].get_xlabel() or name == "batches"
    figure.canvas.draw()
    drawn = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert drawn.x0 >= 0
    assert drawn.y0 >= 0
    assert drawn.x1 <= width
    assert drawn.y1 <= height


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_of_nothing_says_so(name: str) -> None:
    axes = getattr(RunResult.of(manifest(), []).plot, name)()
    assert any(text.get_text().startswith(("no ", "nothing")) for text in axes.texts)


def test_pictures_are_png_and_the_same_each_time_and_in_any_thread(small: RunResult) -> None:
    once = small.plot.render_all()
    assert list(once) == NAMES
    assert all(png.startswith(b"\x89PNG") for png in once.values())
    results = [RunResult.of(small.manifest, small_market()) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda result: result.plot.render_all(), results)) == [once, once]


def test_a_notebook_shows_the_axes_as_a_picture(small: RunResult) -> None:
    axes = small.plot.surplus()
    assert isinstance(axes, PlotAxes)
    assert axes._repr_png_().startswith(b"\x89PNG")


def test_the_histograms_count_every_order_once(large: RunResult) -> None:
    filled = int((large.orders["status"] == "filled").sum())
    for axes in (large.plot.surplus(), large.plot.time_to_fill()):
        assert sum(bar.get_height() for bar in axes.containers[0]) == filled


def test_shares_of_every_slice_add_up_to_all_or_nothing(large: RunResult) -> None:
    tops = {round(top, 6) for top in _stack_tops(large.plot.solver_share())}
    assert tops <= {0.0, 100.0}
    assert 100.0 in tops


def test_more_solvers_than_shades_are_drawn_as_others(large: RunResult) -> None:
    scenario = {"solver": [{"id": f"s{n}"} for n in range(9)]}
    result = RunResult.of(manifest(scenario=scenario), large_market(200))
    result.commitments["solver"] = [f"s{n % 9}" for n in range(len(result.commitments))]
    result.bids["solver"] = [f"s{n % 9}" for n in range(len(result.bids))]
    result.bids["won"] = [n % 9 < 5 or n < 9 for n in range(len(result.bids))]
    axes = result.plot.solver_share()
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [*(f"s{n}" for n in range(5)), "others"]
    assert max(_stack_tops(axes)) == pytest.approx(100)


def test_what_the_venue_holds_ends_at_zero_when_all_orders_have_ended(large: RunResult) -> None:
    held = changes_of_holdings(large)
    assert held.groupby("token")[["order", "escrow"]].sum().abs().to_numpy().max() < 1e-6
    assert held["order"].cumsum().min() > -1e-6
    assert [panel.get_ylabel() for panel in panels(large.plot.escrow())] == ["held [ETH]", "held [USD]"]


def test_the_ladder_has_the_best_bid_on_top_and_each_fate_its_mark(small: RunResult) -> None:
    axes = small.plot.bid_ladder("O-1")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["s2", "s3", "s1", "s1"]
    assert axes.yaxis_inverted()
    marks = {str(line.get_label()): [*np.asarray(line.get_ydata())] for line in axes.lines}
    assert marks == {
        "won": [1],
        "did not pay": [1],
        "passed over": [2],
        "took over after a default": [3],
        "replaced": [4],
        "limit": [0, 1],
    }


def test_each_auction_of_an_order_is_a_ladder_of_its_own() -> None:
    story = Story()
    sold = story.order("MM1", "a", "sell", "1", "100")
    for height, rates in ((1, ("101", "103")), (2, ("102", "104"))):
        for solver, rate in zip(("s1", "s2"), rates, strict=True):
            story.bid(height, f"{solver}-{height}", sold, rate)
    axes = RunResult.of(manifest(), story.notes).plot.bid_ladder()
    rows = [(label.get_text(), row) for label, row in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)]
    assert rows == [("s2", 1), ("s1", 2), ("s2", 4), ("s1", 5)]
    assert [(text.get_text(), text.get_position()[1]) for text in axes.texts] == [
        ("auction of block 1", 0),
        ("auction of block 2", 3),
    ]


def test_without_an_order_the_ladder_shows_the_one_with_the_most_bids_in_one_auction() -> None:
    story = Story()
    patient, wanted = (story.order("MM1", name, "sell", "1", "100") for name in ("a", "b"))
    for height in (1, 2, 3):
        story.bid(height, f"s1-{height}", patient, "101")
    for solver in ("s1", "s2"):
        story.bid(1, f"{solver}-b", wanted, "101")
    axes = RunResult.of(manifest(), story.notes).plot.bid_ladder()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["s1", "s2"]


def test_an_order_without_bids_has_a_ladder_that_says_so(small: RunResult) -> None:
    assert [text.get_text() for text in small.plot.bid_ladder("O-4").texts] == ["no bids for this order"]


def test_solvers_without_an_award_are_named(small: RunResult) -> None:
    (title,) = small.plot.solver_share().figure.texts
    assert title.get_text() == "Share of awards by solver over the run; none for s3, s4, s10"


def test_the_timeline_shows_a_sample_or_the_orders_asked_for(small: RunResult, large: RunResult) -> None:
    assert len(large.plot.timeline().get_yticks()) == 30
    axes = small.plot.timeline("O-2", "O-1")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["O-2", "O-1"]
    marks = {str(line.get_label()): line.get_xydata() for line in axes.lines}
    assert np.allclose(np.asarray(marks["filled"]), [[1180, 1]])
    assert np.allclose(np.asarray(marks["reassigned"]), [[930, 1]])


def test_an_unknown_order_is_an_input_error(small: RunResult) -> None:
    for draw in (small.plot.timeline, small.plot.bid_ladder):
        with pytest.raises(InputError, match="no order `O-99`"):
            draw("O-99")


def test_nothing_touches_pyplot_and_matplotlib_waits_until_it_is_needed() -> None:
    code = """
import sys
from sim.results.result import RunResult
from tests.unit.results.stories import manifest
result = RunResult.of(manifest(), [])
str(result), result.summary, result.orders
assert "matplotlib" not in sys.modules
result.plot.render_all()
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def _stack_tops(axes: Axes) -> list[float]:
    """The upper edge of each slice of a stacked bar chart."""
    stacks: dict[float, float] = {}
    for bar in axes.patches:
        assert isinstance(bar, Rectangle)
        stacks[bar.get_x()] = max(stacks.get(bar.get_x(), 0.0), bar.get_y() + bar.get_height())
    return list(stacks.values())
