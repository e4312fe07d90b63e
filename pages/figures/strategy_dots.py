"""How right the adapters of each strategy are: every seed, their mean, and the base as a line."""

from collections.abc import Sequence
from html import escape
from math import isnan

import plotly.graph_objects as go

from model_runners.finetuning.standings import Standing
from pages.figures.frame import HOVER, LEGEND, STILL, VALUES, row_axis
from pages.figures.palette import NEUTRAL

ROW_PIXELS = 34
TOP, BOTTOM = 64, 48
"""Margins in pixels."""
COLOUR = "#0072B2"


def strategy_dots(found: Sequence[Standing]) -> go.Figure:
    """Draw one row per strategy.

    Parameters
    ----------
    found
        The base first, then the strategies, on the same questions.
    """
    base, rows = found[0], found[1:]
    heights = [ROW_PIXELS * (place + 0.5) for place in range(len(rows))]
    height = ROW_PIXELS * max(len(rows), 1)
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            name="base",
            mode="lines",
            x=[100 * base.accuracy.mean] * 2,
            y=[0, height],
            line={"color": NEUTRAL, "width": 2, "dash": "dot"},
            hovertext=[f"the base: {100 * base.accuracy.mean:.1f} %"] * 2,
            hoverinfo="text",
        )
    )
    figure.add_trace(
        go.Scatter(
            name="one seed",
            mode="markers",
            x=[100 * value for one in rows for value in one.by_seed],
            y=[place for place, one in zip(heights, rows, strict=True) for _ in one.by_seed],
            marker={"symbol": "line-ns-open", "size": 14, "color": COLOUR, "line": {"width": 2}},
            opacity=0.55,
            hovertext=[
                f"{escape(one.strategy)}, seed {seed}: {100 * value:.1f} %"
                for one in rows
                for seed, value in zip(one.seeds, one.by_seed, strict=True)
            ],
            hoverinfo="text",
        )
    )
    figure.add_trace(
        go.Scatter(
            name="mean, 95 % interval",
            mode="markers",
            x=[100 * one.accuracy.mean for one in rows],
            y=heights,
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [_reach(one.accuracy.mean, one.accuracy.high) for one in rows],
                "arrayminus": [_reach(one.accuracy.low, one.accuracy.mean) for one in rows],
                "color": COLOUR,
                "thickness": 1.5,
                "width": 4,
            },
            marker={"size": 11, "color": COLOUR},
            hovertext=[f"<b>{escape(one.strategy)}</b><br>{in_words(one)}" for one in rows],
            hoverinfo="text",
        )
    )
    figure.update_layout(
        height=TOP + BOTTOM + height,
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 16},
        legend=LEGEND | STILL,
        **HOVER,
        dragmode=False,
        xaxis=VALUES | {"title": {"text": "Accuracy (%)"}, "zeroline": False},
        yaxis=row_axis(
            [(place, escape(one.strategy)) for place, one in zip(heights, rows, strict=True)],
            height,
        ),
    )
    return figure


def in_words(one: Standing) -> str:
    """Return the accuracy of a strategy with its interval over seeds, if it has several."""
    line = f"accuracy {100 * one.accuracy.mean:.1f} %"
    if not isnan(one.accuracy.low):
        line += f" (95 % interval {100 * one.accuracy.low:.1f} to {100 * one.accuracy.high:.1f}"
        line += f" over {one.accuracy.n} seeds)"
    return line


def describe(found: Sequence[Standing]) -> str:
    """Say in words what the rows show, for those who do not see them."""
    told = [f"{one.strategy}: {in_words(one)}" for one in found]
    return f"Of {found[0].n:,} test questions. {'. '.join(told)}."


def _reach(low: float, high: float) -> float:
    """Return the length of a whisker in per cent; none for a single seed."""
    return 0.0 if isnan(low) or isnan(high) else 100 * max(high - low, 0.0)
