"""What each step in size changes, in points: ours with its interval, and what a paper printed."""

from collections.abc import Sequence
from html import escape
from math import isnan

import plotly.graph_objects as go

from model_runners.scaling import CHANGING, StepChanges
from pages.figures.frame import HOVER, LEGEND, STILL, VALUES, row_axis
from pages.figures.palette import ATOMS, NEUTRAL
from pages.figures.rows import short_labels
from pid_core.scaling import Change

LINE_PIXELS = 18
ROW_PIXELS = LINE_PIXELS * (len(CHANGING) + 1)
TOP, BOTTOM = 64, 48
"""Margins in pixels."""
COLOURS = {atom.field: atom.colour for atom in ATOMS}
LOOKS = {
    "accuracy": ("Accuracy", NEUTRAL, "square"),
    "synergy_share": ("Share of synergy", COLOURS["synergy"], "circle"),
    "unique_2_share": ("Share of unique language", COLOURS["unique_2"], "circle"),
}
"""Label, colour and symbol of what changes."""


def step_dots(steps: Sequence[StepChanges]) -> go.Figure:
    """Draw three dots per step, one under the other.

    Parameters
    ----------
    steps
        From top to bottom.
    """
    labels = names_of(steps)
    figure = go.Figure()
    tops = [ROW_PIXELS * row for row in range(len(steps))]
    for place, name in enumerate(CHANGING):
        label, colour, symbol = LOOKS[name]
        heights = [top + LINE_PIXELS * (place + 1) for top in tops]
        changes = [one.mean[name] for one in steps]
        figure.add_trace(
            go.Scatter(
                name=label,
                mode="markers",
                x=[one.value for one in changes],
                y=heights,
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [_reach(one.value, one.over_samples[1]) for one in changes],
                    "arrayminus": [_reach(one.over_samples[0], one.value) for one in changes],
                    "color": colour,
                    "thickness": 2,
                    "width": 0,
                },
                marker={"size": 10, "color": colour, "symbol": symbol},
                hovertext=[
                    f"<b>{escape(step_words(one, labels))}</b><br>{label}: "
                    f"{change_words(change)}<br>over {escape(', '.join(one.tasks))}"
                    for one, change in zip(steps, changes, strict=True)
                ],
                hoverinfo="text",
            )
        )
    figure.add_traces(_published(steps, tops))
    height = ROW_PIXELS * max(len(steps), 1)
    ticks = [
        (top + ROW_PIXELS / 2, f"{escape(labels[one.step.smaller.model])}<br>to "
         f"{escape(labels[one.step.larger.model])}")
        for top, one in zip(tops, steps, strict=True)
    ]  # fmt: skip
    figure.update_layout(
        height=TOP + BOTTOM + height,
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 16},
        legend=LEGEND | STILL,
        **HOVER,
        dragmode=False,
        xaxis=VALUES | {"title": {"text": "Change from size to size (points)"}},
        yaxis=row_axis(ticks, height),
    )
    return figure


def describe(steps: Sequence[StepChanges]) -> str:
    """Say in words what the rows show, for those who do not see them."""
    labels = names_of(steps)
    sentences = [
        f"{step_words(one, labels)}: "
        + ", ".join(f"{LOOKS[name][0].lower()} {change_words(one.mean[name])}" for name in CHANGING)
        + "."
        for one in steps
    ]
    return " ".join(sentences) or "No steps in size."


def names_of(steps: Sequence[StepChanges]) -> dict[str, str]:
    """Return short names of the models of all steps."""
    models = dict.fromkeys(
        one.model for step in steps for one in (step.step.smaller, step.step.larger)
    )
    return short_labels(models)


def step_words(one: StepChanges, labels: dict[str, str]) -> str:
    """Name a step."""
    return f"{labels[one.step.smaller.model]} to {labels[one.step.larger.model]}"


def change_words(change: Change) -> str:
    """Return a change with its interval over samples.

    >>> from pid_core.scaling import mean_change
    >>> change_words(mean_change([4.0], [1.0]))
    '+4.0 points (95 % interval +2.0 to +6.0)'
    """
    line = f"{change.value + 0.0:+.1f} points"
    low, high = change.over_samples
    if not isnan(low) and not isnan(high):
        line += f" (95 % interval {low:+.1f} to {high:+.1f})"
    return line


def _published(steps: Sequence[StepChanges], tops: Sequence[float]) -> list[go.Scatter]:
    printed = [(top, one.step.published) for top, one in zip(tops, steps, strict=True)]
    known = [(top, one) for top, one in printed if one is not None]
    if not known:
        return []
    return [
        go.Scatter(
            name=f"published: {escape(known[0][1].study.short)}",
            showlegend=place == 0,
            mode="markers",
            x=[getattr(one, name) for _, one in known],
            y=[top + LINE_PIXELS * (place + 1) for top, _ in known],
            marker={
                "symbol": "diamond-open",
                "size": 11,
                "color": NEUTRAL,
                "line": {"width": 2, "color": NEUTRAL},
            },
            hovertext=[
                f"<b>Published, not measured here</b><br>{LOOKS[name][0]}: "
                f"{getattr(one, name):+.1f} points ({escape(one.study.short)}, {escape(one.at)})"
                for _, one in known
            ],
            hoverinfo="text",
        )
        for place, name in enumerate(CHANGING)
    ]


def _reach(low: float, high: float) -> float:
    return 0.0 if isnan(low) or isnan(high) else max(high - low, 0.0)
