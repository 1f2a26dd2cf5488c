"""One look for all pictures: readable in greyscale and in print. No pyplot, hence no global state."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BLACK: Final = "#111111"
DARK: Final = "#4d4d4d"
GREY: Final = "#8c8c8c"
LIGHT: Final = "#c9c9c9"
FAINT: Final = "#e6e6e6"
WHITE: Final = "#ffffff"
FILLS: Final[tuple[dict[str, Any], ...]] = (
    {"facecolor": BLACK},
    {"facecolor": GREY},
    {"facecolor": WHITE, "hatch": "////"},
    {"facecolor": LIGHT},
    {"facecolor": WHITE, "hatch": "...."},
    {"facecolor": WHITE},
)
"""Fills that stay apart without colour."""
_DPI: Final = 110
_WIDTH_INCHES: Final = 7.6


class PlotAxes(Axes):
    """A matplotlib Axes that a notebook shows by itself, as its whole figure."""

    def _repr_png_(self) -> bytes:
        return to_png(self)


def panels(title: str, count: int = 1, *, height: float = 3.2, left: float = 0.1, right: float = 0.97) -> list[Axes]:
    """`count` panels, one above the other, sharing the x axis; `height` in inches, margins as shares."""
    figure = Figure(figsize=(_WIDTH_INCHES, height))
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=left, right=right, top=1 - 0.45 / height, bottom=0.5 / height, hspace=0.22)
    drawn: list[Axes] = []
    for index in range(count):
        share = drawn[0] if drawn else None
        axes = figure.add_subplot(count, 1, index + 1, axes_class=PlotAxes, sharex=share)
        axes.tick_params(labelsize=8, labelbottom=index == count - 1)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
        axes.grid(axis="y", color=FAINT, linewidth=0.8)
        drawn.append(axes)
    figure.text(0.01, 1 - 0.12 / height, title, fontsize=10, fontweight="bold", va="top")
    return drawn


def panel(
    title: str, xlabel: str, ylabel: str = "", *, height: float = 3.2, left: float = 0.1, right: float = 0.97
) -> Axes:
    """One panel with its axes named."""
    (axes,) = panels(title, height=height, left=left, right=right)
    axes.set_xlabel(xlabel, fontsize=9)
    axes.set_ylabel(ylabel, fontsize=9)
    return axes


def legend(axes: Axes, columns: int) -> None:
    """A legend in one line, above the panel on the right."""
    axes.legend(
        fontsize=7.5,
        frameon=False,
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=columns,
        borderpad=0,
        handlelength=1.5,
        handletextpad=0.4,
        columnspacing=1.2,
    )


def say_empty(axes: Axes, what: str) -> Axes:
    """Say in the picture that there was nothing to draw."""
    axes.text(0.5, 0.5, what, transform=axes.transAxes, ha="center", va="center", fontsize=10, color=DARK)
    axes.set_xticks([])
    axes.set_yticks([])
    return axes


def to_png(axes: Axes) -> bytes:
    """The whole figure that these axes are in, as PNG."""
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
