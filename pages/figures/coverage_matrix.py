"""What of each benchmark each model has been measured on: one cell each, models by family."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

import plotly.graph_objects as go

from data_cache.cells import Cell
from pages.figures.cell_words import (
    LONGEST_BENCHMARK,
    LONGEST_LABEL,
    cut,
    lines_of,
    narrow_labels,
    natural,
    number_of,
)
from pages.figures.frame import HOVER, LEGEND, STILL
from pages.figures.palette import NEUTRAL

TITLE_PIXELS, ROW_PIXELS = 26, 30
BAR_PIXELS, LANE_PIXELS = 16, 4
"""Height of the bar with the number, and of the thin one of the train split below it."""
TOP, BOTTOM = 64, 72
"""Margins in pixels; the names of benchmarks stand in one, the legend in the other."""
SIDE = 0.05
"""Room between two cells, as a part of a cell's width, on each side."""
FEWEST_COLUMNS = 4
"""So many columns have room at least, or a single benchmark's bar would cross the screen."""
INK, PAPER = "#14171A", "#BCC3CC"
"""Numbers, and the part of a cell that is not measured: opaque, so that both can be read on the
light and on the dark background (10:1)."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a state of a cell is drawn: a colour and a pattern, so that either is enough."""

    label: str
    colour: str
    line: str
    pattern: str


LOOKS = {
    "current": Look(label="spectra", colour="#74C0EC", line="#2F8FC4", pattern=""),
    "behind": Look(
        label="spectra of fewer samples than measured",
        colour="#F2B88C",
        line="#D55E00",
        pattern="/",
    ),
    "none": Look(label="no spectra yet", colour="#F1F3F5", line=NEUTRAL, pattern="."),
}
MARKS: dict[str, tuple[str, str, str, float, Callable[[Cell], bool]]] = {
    "layers": ("layers", "circle", NEUTRAL, 0.62, lambda cell: cell.inner_layers > 0),
    "edition": (
        "another edition of the benchmark",
        "diamond",
        "#D55E00",
        0.76,
        lambda cell: cell.other_edition,
    ),
    "running": (
        "at work",
        "triangle-right",
        "#2F8FC4",
        0.90,
        lambda cell: cell.work == "running",
    ),
    "stopped": ("stopped", "x", "#D55E00", 0.90, lambda cell: cell.work == "stopped"),
}
"""Label, symbol, colour, place in the cell from 0 to 1, and which cells have it."""


@dataclass(frozen=True, kw_only=True)
class _Grid:
    """Where cells stand: columns are 1 wide, rows are in pixels from the top."""

    benchmarks: tuple[str, ...]
    rows: dict[str, float]
    """Top of each model's row."""
    titles: tuple[tuple[str, float], ...]
    height: float

    def left(self, cell: Cell) -> float:
        return self.benchmarks.index(cell.benchmark) + SIDE

    def middle(self, cell: Cell) -> float:
        return self.rows[cell.model] + 4 + BAR_PIXELS / 2

    def lane(self, cell: Cell) -> float:
        return self.rows[cell.model] + 4 + BAR_PIXELS + 4


def coverage_matrix(cells: Sequence[Cell]) -> go.Figure:
    """Draw one bar a cell: how much of the test split is measured, and what spectra it has.

    The thin bar below is the train split, and marks beside it tell of layers and jobs. `customdata`
    of each cell is model, benchmark, and whether it is measured.

    Parameters
    ----------
    cells
        All models on all benchmarks.
    """
    grid = _grid(cells)
    figure = go.Figure()
    measured = [cell for cell in cells if cell.measured]
    figure.add_trace(_bars(measured, grid, width=lambda _: 1.0, color=PAPER, showlegend=False))
    for state, look in LOOKS.items():
        members = [cell for cell in measured if cell.spectra == state]
        if members:
            figure.add_trace(
                _bars(
                    members,
                    grid,
                    width=lambda cell: cell.share,
                    name=look.label,
                    color=look.colour,
                    line={"color": look.line, "width": 1},
                    pattern=_pattern(look),
                )
            )
    trained = [cell for cell in cells if cell.split == "test" and cell.by_split["train"]]
    if trained:
        figure.add_trace(_train_lane(trained, grid))
    for mark in MARKS:
        if _marked(cells, mark):
            figure.add_trace(_marks(cells, grid, mark))
    figure.add_trace(_numbers(cells, grid))
    figure.add_trace(_targets(cells, grid))
    _lay_out(figure, grid)
    return figure


def _grid(cells: Sequence[Cell]) -> _Grid:
    families = sorted({(cell.family, cell.model) for cell in cells}, key=natural)
    rows: dict[str, float] = {}
    titles: list[tuple[str, float]] = []
    top = 0.0
    for family, members in groupby(families, key=lambda pair: pair[0]):
        titles.append((family, top + TITLE_PIXELS / 2))
        top += TITLE_PIXELS
        for _, model in members:
            rows[model] = top
            top += ROW_PIXELS
    benchmarks = tuple(dict.fromkeys(cell.benchmark for cell in cells))
    return _Grid(benchmarks=benchmarks, rows=rows, titles=tuple(titles), height=top)


def _bars(
    cells: Sequence[Cell],
    grid: _Grid,
    *,
    width: Callable[[Cell], float],
    name: str = "",
    showlegend: bool = True,
    **marker: Any,
) -> go.Bar:
    return go.Bar(
        name=name,
        showlegend=showlegend,
        orientation="h",
        base=[grid.left(cell) for cell in cells],
        x=[width(cell) * (1 - 2 * SIDE) for cell in cells],
        y=[grid.middle(cell) for cell in cells],
        width=BAR_PIXELS,
        marker={"opacity": 1, **marker},
        # Said, because bars that lie over others are see-through where nothing is.
        opacity=1,
        hoverinfo="skip",
        unselected={"marker": {"opacity": 1}},
    )


def _pattern(look: Look) -> dict[str, Any] | None:
    if not look.pattern:
        return None
    return {
        "shape": look.pattern,
        "bgcolor": look.colour,
        "fgcolor": look.line,
        "fgopacity": 0.5,
        "size": 7,
        "solidity": 0.15,
    }


def _train_lane(cells: Sequence[Cell], grid: _Grid) -> go.Bar:
    half = (1 - 2 * SIDE) / 2
    return go.Bar(
        name="train split",
        orientation="h",
        base=[grid.left(cell) for cell in cells],
        x=[min(cell.by_split["train"] / max(cell.of["train"], 1), 1) * half for cell in cells],
        y=[grid.lane(cell) for cell in cells],
        width=LANE_PIXELS,
        marker={"color": NEUTRAL, "opacity": 1},
        opacity=1,
        hoverinfo="skip",
        unselected={"marker": {"opacity": 1}},
    )


def _marked(cells: Sequence[Cell], mark: str) -> list[Cell]:
    return [cell for cell in cells if MARKS[mark][-1](cell)]


def _marks(cells: Sequence[Cell], grid: _Grid, mark: str) -> go.Scatter:
    label, symbol, colour, place, _ = MARKS[mark]
    marked = _marked(cells, mark)
    return go.Scatter(
        name=label,
        mode="markers",
        x=[grid.left(cell) + place * (1 - 2 * SIDE) for cell in marked],
        y=[grid.lane(cell) for cell in marked],
        marker={"symbol": symbol, "color": colour, "size": 7, "opacity": 1},
        hoverinfo="skip",
        unselected={"marker": {"opacity": 1}},
    )


def _numbers(cells: Sequence[Cell], grid: _Grid) -> go.Scatter:
    return go.Scatter(
        mode="text",
        showlegend=False,
        x=[grid.left(cell) + 0.5 - SIDE for cell in cells],
        y=[grid.middle(cell) for cell in cells],
        text=[number_of(cell) for cell in cells],
        textfont={"size": 12, "color": [INK if cell.measured else NEUTRAL for cell in cells]},
        hoverinfo="skip",
    )


def _targets(cells: Sequence[Cell], grid: _Grid) -> go.Bar:
    """Draw nothing, over the whole of each cell: this is what is clicked and hovered over."""
    return go.Bar(
        showlegend=False,
        orientation="h",
        base=[grid.left(cell) for cell in cells],
        x=[1 - 2 * SIDE] * len(cells),
        y=[grid.rows[cell.model] + ROW_PIXELS / 2 for cell in cells],
        width=ROW_PIXELS,
        marker={"color": "rgba(0, 0, 0, 0)", "line": {"width": 0}},
        unselected={"marker": {"opacity": 0}},
        customdata=[[cell.model, cell.benchmark, cell.measured > 0] for cell in cells],
        hovertext=[_hover(cell) for cell in cells],
        hoverinfo="text",
    )


def _hover(cell: Cell) -> str:
    leads = "Click for its spectra." if cell.measured else "Click to measure it."
    lines = [f"<b>{escape(cell.model)}</b>", escape(cell.benchmark), *lines_of(cell), leads]
    return "<br>".join(lines)


def _lay_out(figure: go.Figure, grid: _Grid) -> None:
    labels = narrow_labels(grid.rows)
    ticks = [
        *((place, f"<b>{escape(cut(title, LONGEST_LABEL))}</b>") for title, place in grid.titles),
        *((top + 4 + BAR_PIXELS / 2, escape(labels[model])) for model, top in grid.rows.items()),
    ]
    places, texts = zip(*ticks, strict=True)
    figure.update_layout(
        barmode="overlay",
        height=round(TOP + BOTTOM + grid.height),
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 8},
        legend=LEGEND | STILL | {"yref": "container", "y": 0.0},
        **HOVER,
        dragmode=False,
        xaxis={
            "side": "top",
            "range": [0, max(len(grid.benchmarks), FEWEST_COLUMNS)],
            "tickvals": [place + 0.5 for place in range(len(grid.benchmarks))],
            "ticktext": [escape(cut(name, LONGEST_BENCHMARK)) for name in grid.benchmarks],
            "autotickangles": [0, 45, 90],
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
        },
        yaxis={
            "tickvals": list(places),
            "ticktext": list(texts),
            "range": [grid.height, 0],
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
            "ticks": "",
        },
    )
