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
from tests.unit.results.stories import manifest

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
    result = RunResult.of(large.manifest, large_market(200))
    result.commitments["solver"] = [f"s{n % 9}" for n in range(len(result.commitments))]
    result.bids["solver"] = [f"s{n % 9}" for n in range(len(result.bids))]
    axes = result.plot.solver_share()
    legend = axes.get_legend()
    assert legend is not None
    assert legend.get_texts()[0].get_text() == "others"
    assert max(_stack_tops(axes)) == pytest.approx(100)


def test_what_the_venue_holds_ends_at_zero_when_all_orders_have_ended(large: RunResult) -> None:
    held = changes_of_holdings(large)
    assert held.groupby("token")[["order", "escrow"]].sum().abs().to_numpy().max() < 1e-6
    assert held["order"].cumsum().min() > -1e-6
    assert [panel.get_ylabel() for panel in panels(large.plot.escrow())] == ["held [ETH]", "held [USD]"]


def test_the_ladder_has_the_best_bid_on_top_and_each_fate_its_mark(small: RunResult) -> None:
    axes = small.plot.bid_ladder("O-1")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["s1", "s1", "s3", "s2"]
    assert {line.get_label() for line in axes.lines} == {"awarded", "passed over", "replaced", "limit"}


def test_the_ladder_of_an_order_in_several_auctions_names_the_blocks(small: RunResult) -> None:
    result = RunResult(small.manifest, {name: small.table(name) for name in ("orders", "bids")})
    result.bids.loc[result.bids["bid_id"] == "s1-3", "height"] = 2
    labels = [label.get_text() for label in result.plot.bid_ladder("O-1").get_yticklabels()]
    assert labels == ["s1, block 1", "s1, block 2", "s3, block 1", "s2, block 1"]


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
