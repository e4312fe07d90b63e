"""How often each record's model is right, with the image and without: the distance is D_vision."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord
from pages.figures.palette import CONDITIONS, NEUTRAL
from pages.figures.row_chart import Layout, arrange_rows, empty_row_chart
from pages.figures.rows import Arrangement, Group, Row, row_names, subset_label

LEFT = -4
"""Left end of the axis, per cent."""
STYLES = {
    "full": {"symbol": "circle", "size": 12, "color": "#0072B2"},
    "no_image": {"symbol": "circle-open", "size": 12, "color": "#D55E00", "line": {"width": 2.5}},
    "only_1": {"symbol": "triangle-up", "size": 9, "color": "#E69F00"},
    "only_2": {"symbol": "triangle-down", "size": 9, "color": "#009E73"},
    "neither": {"symbol": "x-thin", "size": 8, "line": {"width": 2, "color": NEUTRAL}},
}
"""Shape and colour both tell the conditions apart."""


def accuracy_dots(
    records: Sequence[SpectrumRecord], *, group: Group = "subset", layout: Layout = "stacked"
) -> go.Figure:
    """Draw the accuracy of each record under each condition, and D_vision as a line.

    Parameters
    ----------
    records
        One row each, in this order.
    group
        What the rows are gathered by; the same as in the chart beside it.
    layout
        The layout of the chart beside it; decides the height of a row.
    """
    arrangement = arrange_rows(records, layout=layout, group=group)
    figure = empty_row_chart(arrangement, x_title="Accuracy (%)")
    figure.update_xaxes(range=[LEFT, 104], tickvals=[0, 25, 50, 75, 100], zeroline=False)
    figure.update_yaxes(showticklabels=False)
    figure.add_trace(_labels(arrangement))
    figure.add_trace(_chance(arrangement.rows))
    figure.add_trace(_d_vision(arrangement.rows))
    for condition, style in STYLES.items():
        figure.add_trace(_dots(condition, style, arrangement.rows))
    return figure


def describe(records: Sequence[SpectrumRecord]) -> str:
    """Say in words what the dots show, for those who do not see them."""
    if not records:
        return "No accuracies."
    names = row_names(records)
    sentences = [
        f"{names[record.estimate_key]}: accuracy {record.accuracy:.0%}"
        + ("." if record.d_vision is None else f", D_vision {100 * record.d_vision:+.0f} points.")
        for record in records[:12]
    ]
    if len(records) > 12:
        sentences.append(f"And {len(records) - 12} more rows, listed in the table.")
    return " ".join(sentences)


def _labels(arrangement: Arrangement) -> go.Scatter:
    """Write the labels above their rows: beside them they would leave the dots too little width."""
    rows, titles = arrangement.rows, arrangement.titles
    return go.Scatter(
        mode="text",
        showlegend=False,
        x=[LEFT] * (len(rows) + len(titles)),
        y=[row.position - 3 for row in rows] + [place for _, place in titles],
        text=[row.label for row in rows] + [f"<b>{title}</b>" for title, _ in titles],
        textposition=["top right"] * len(rows) + ["middle right"] * len(titles),
        textfont={"size": 11},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _accuracy(record: SpectrumRecord, condition: str) -> float | None:
    return record.accuracy if condition == "full" else record.accuracy_by_condition.get(condition)


def _dots(condition: str, style: dict, rows: Sequence[Row]) -> go.Scatter:
    shown = [(row, _accuracy(row.record, condition)) for row in rows]
    points = [(row, 100 * value) for row, value in shown if value is not None]
    name = CONDITIONS[condition]
    return go.Scatter(
        name=name,
        mode="markers",
        x=[value for _, value in points],
        y=[row.position for row, _ in points],
        marker=style,
        cliponaxis=False,
        customdata=[[row.record.estimate_key] for row, _ in points],
        hovertext=[
            f"<b>{value:.1f} %</b> right, {name}<br>"
            + (_confidence(row.record) if condition == "full" else "")
            + _where(row)
            for row, value in points
        ],
        hoverinfo="text",
    )


def _confidence(record: SpectrumRecord) -> str:
    return (
        f"mean confidence {record.mean_confidence:.1%}, "
        f"expected calibration error {record.calibration_error:.1%}<br>"
    )


def _d_vision(rows: Sequence[Row]) -> go.Scatter:
    """Lines between right-with-image and right-without; gaps (None) keep the rows apart."""
    x: list[float | None] = []
    y: list[float | None] = []
    text: list[str | None] = []
    for row in rows:
        without = _accuracy(row.record, "no_image")
        if row.record.d_vision is None or without is None:
            continue
        x += [100 * without, 100 * row.record.accuracy, None]
        y += [row.position, row.position, None]
        words = (
            f"<b>D_vision {100 * row.record.d_vision:+.1f} points</b><br>"
            f"accuracy with the image minus without it<br>{_where(row)}"
        )
        text += [words, words, None]
    return go.Scatter(
        name="D_vision",
        mode="lines",
        x=x,
        y=y,
        line={"width": 3, "color": NEUTRAL},
        hovertext=text,
        hoverinfo="text",
    )


def _chance(rows: Sequence[Row]) -> go.Scatter:
    """A short upright stroke at one in K on each row."""
    return go.Scatter(
        name="chance",
        showlegend=False,
        mode="markers",
        x=[100 / row.record.candidates for row in rows],
        y=[row.position for row in rows],
        marker={"symbol": "line-ns", "size": 16, "line": {"width": 1, "color": NEUTRAL}},
        customdata=[[row.record.estimate_key] for row in rows],
        hovertext=[f"chance: 1 in {row.record.candidates}<br>{_where(row)}" for row in rows],
        hoverinfo="text",
    )


def _where(row: Row) -> str:
    record = row.record
    return (
        f"{escape(record.model)}, {escape(record.benchmark)}, "
        f"{escape(subset_label(record.subset))}, {record.n} samples"
    )
