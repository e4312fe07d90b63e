"""Mean shares of synergy and unique language per task over models, with intervals."""

from collections.abc import Mapping, Sequence
from html import escape
from math import isnan

import plotly.graph_objects as go

from model_runners.family_statistics import TaskShares
from pages.figures.frame import HOVER, LEGEND, STILL, VALUES, row_axis
from pages.figures.palette import ATOMS, NEUTRAL
from pages.figures.rows import short_labels
from pid_core.regimes import MeanOver

ROW_PIXELS = 64
TOP, BOTTOM = 48, 48
"""Margins in pixels."""
BAR_PIXELS = 20
SHOWN = tuple(atom for atom in ATOMS if atom.field in {"synergy", "unique_2"})


def share_bars(tasks: Sequence[TaskShares], labels: Mapping[str, str] | None = None) -> go.Figure:
    """Draw two bars per task: the mean share of each over models, and its interval.

    Parameters
    ----------
    tasks
        From top to bottom; those without models are left out.
    labels
        What tasks are called; else by their names.
    """
    tasks = [task for task in tasks if task.found.n]
    short = labels or short_labels(task.task for task in tasks)
    figure = go.Figure()
    for place, atom in enumerate(SHOWN):
        middles = [_mean(task, atom.field) for task in tasks]
        offset = (place - (len(SHOWN) - 1) / 2) * (BAR_PIXELS + 2)
        figure.add_trace(
            go.Bar(
                name=atom.label,
                orientation="h",
                x=[100 * one.mean for one in middles],
                y=[_position(row) + offset for row in range(len(tasks))],
                width=BAR_PIXELS,
                marker={"color": atom.colour, "line": {"width": 0}},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [_reach(one.mean, one.interval[1]) for one in middles],
                    "arrayminus": [_reach(one.interval[0], one.mean) for one in middles],
                    "color": NEUTRAL,
                    "thickness": 2,
                    "width": 5,
                },
                customdata=[[task.task] for task in tasks],
                hovertext=[
                    f"<b>{escape(short[task.task])}</b>, {task.found.n} models<br>"
                    f"{atom.label}: {words_of(one)}"
                    for task, one in zip(tasks, middles, strict=True)
                ],
                hoverinfo="text",
                unselected={"marker": {"opacity": 1}},
                textposition="none",
            )
        )
    height = ROW_PIXELS * max(len(tasks), 1)
    ticks = [
        (_position(row), f"{escape(short[task.task])}<br>{task.found.statement}")
        for row, task in enumerate(tasks)
    ]
    figure.update_layout(
        height=TOP + BOTTOM + height,
        barmode="overlay",
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 16},
        legend=LEGEND | STILL | {"traceorder": "normal"},
        **HOVER,
        dragmode=False,
        xaxis=VALUES
        | {
            "title": {"text": "Mean share of the total over models (%)"},
            "rangemode": "tozero",
        },
        yaxis=row_axis(ticks, height),
    )
    return figure


def describe(tasks: Sequence[TaskShares], labels: Mapping[str, str]) -> str:
    """Say in words what the bars show, for those who do not see them."""
    sentences = [
        f"{labels[task.task]}: {task.found.statement}, synergy {words_of(task.found.synergy)}, "
        f"unique language {words_of(task.found.unique_2)}, {task.found.n} models."
        for task in tasks
        if task.found.n
    ]
    return " ".join(sentences) or "No tasks."


def words_of(one: MeanOver) -> str:
    """Return a mean share and its interval in per cent.

    >>> words_of(MeanOver(mean=0.5, interval=(0.4, 0.625)))
    '50.0 % (95 % interval 40.0 to 62.5)'
    """
    line = f"{100 * one.mean:.1f} %"
    if not isnan(one.interval[0]):
        line += f" (95 % interval {100 * one.interval[0]:.1f} to {100 * one.interval[1]:.1f})"
    return line


def _mean(task: TaskShares, field: str) -> MeanOver:
    return task.found.synergy if field == "synergy" else task.found.unique_2


def _position(row: int) -> float:
    return ROW_PIXELS * (row + 0.5)


def _reach(low: float, high: float) -> float:
    """Return the length of one side of an interval in per cent."""
    return 0.0 if isnan(low) or isnan(high) else 100 * max(high - low, 0.0)
