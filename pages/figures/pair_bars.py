"""Two models side by side: their atoms as bars, and by how much the second exceeds the first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord
from pages.figures.frame import HOVER, LEGEND, VALUES
from pages.figures.model_styles import ModelStyle
from pages.figures.palette import ATOMS, NEUTRAL
from pages.figures.rows import short_labels

ROW_PIXELS = 56
TOP, BOTTOM = 64, 48
BAR = 0.36
"""Height of a bar, as a share of its row."""
SMALLEST_REACH = 0.05
"""Bits that the axis of differences shows on either side at least."""
ABOVE = 0.3
"""How far the words of a difference stand above its dot, as a share of its row."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One number of a spectrum, of which both models have one."""

    field: str
    label: str
    colour: str


PARTS = (
    *(Part(field=atom.field, label=atom.label, colour=atom.colour) for atom in ATOMS),
    Part(field="total", label="Total", colour=NEUTRAL),
)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """By how many bits B exceeds A."""

    value: float
    interval: tuple[float, float] | None = None
    """95 %; None where there is none."""

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


def pair_bars(
    a: SpectrumRecord, b: SpectrumRecord, styles: tuple[ModelStyle, ModelStyle]
) -> go.Figure:
    """Draw the atoms and the total of two models, in bits, with 95 % intervals.

    Parameters
    ----------
    a, b
        The two estimates; A stands above B.
    styles
        How the two models are drawn elsewhere.
    """
    figure = _frame("Information about the answer (bits)", labels=True)
    labels = short_labels([a.model, b.model])
    for letter, record, style, offset in (("A", a, styles[0], -BAR), ("B", b, styles[1], 0.0)):
        values = [getattr(record, part.field) for part in PARTS]
        intervals = [record.interval.get(part.field) for part in PARTS]
        figure.add_trace(
            go.Bar(
                name=f"{letter}: {escape(labels[record.model])}",
                orientation="h",
                x=values,
                y=list(range(len(PARTS))),
                width=BAR * 0.94,
                offset=offset,
                marker={"color": style.colour, "line": {"width": 0}},
                error_x=_whiskers(values, intervals),
                hovertext=[
                    f"<b>{letter}: {part.label} {value:.3f} bits</b>"
                    f"{_interval_words(interval)}<br>{escape(record.model)}, {record.n} samples"
                    for part, value, interval in zip(PARTS, values, intervals, strict=True)
                ],
                hoverinfo="text",
            )
        )
    figure.update_layout(barmode="overlay")
    return figure


def difference_dots(differences: Mapping[str, Difference]) -> go.Figure:
    """Draw B minus A for the atoms and the total; filled where the interval leaves zero out.

    Parameters
    ----------
    differences
        By the name of the part.
    """
    figure = _frame("B minus A (bits)", labels=False)
    shown = [(place, part, differences[part.field]) for place, part in enumerate(PARTS)]
    values = [difference.value for _, _, difference in shown]
    for place, part, difference in shown:
        figure.add_trace(
            go.Scatter(
                name=part.label,
                showlegend=False,
                mode="markers",
                x=[difference.value],
                y=[place],
                error_x=_whiskers([difference.value], [difference.interval], colour=part.colour),
                marker={
                    "symbol": "circle" if difference.is_clear else "circle-open",
                    "size": 12,
                    "color": part.colour,
                    "line": {"width": 2, "color": part.colour},
                },
                hovertext=[
                    f"<b>{part.label}: B - A = {difference.value:+.3f} bits</b>"
                    f"{_interval_words(difference.interval)}"
                ],
                hoverinfo="text",
            )
        )
    figure.add_trace(
        go.Scatter(
            mode="text",
            showlegend=False,
            x=values,
            y=[place - ABOVE for place, _, _ in shown],
            text=[f"{part.label} {difference.value:+.2f}" for _, part, difference in shown],
            # Towards the middle, where there is room.
            textposition=["middle left" if value > 0 else "middle right" for value in values],
            textfont={"size": 11},
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    for clear, name in ((True, "95 % leave zero out"), (False, "95 % hold zero")):
        if any(difference.is_clear == clear for _, _, difference in shown):
            symbol = "circle" if clear else "circle-open"
            figure.add_trace(
                go.Scatter(
                    name=name,
                    mode="markers",
                    x=[None],
                    y=[None],
                    marker={"symbol": symbol, "size": 10, "color": NEUTRAL, "line": {"width": 2}},
                )
            )
    reach = max(
        (abs(end) for one in differences.values() for end in (one.value, *(one.interval or ()))),
        default=0.0,
    )
    # Zero in the middle; differences of hundredths stay small.
    reach = 1.1 * max(reach, SMALLEST_REACH)
    figure.update_xaxes(range=[-reach, reach])
    return figure


def describe(a: SpectrumRecord, b: SpectrumRecord) -> str:
    """Say in words what the bars show, for those who do not see them."""
    parts = ", ".join(
        f"{part.label.lower()} {getattr(a, part.field):.2f} and {getattr(b, part.field):.2f}"
        for part in PARTS
    )
    return f"{a.model} and {b.model}: {parts} bits."


def describe_differences(differences: Mapping[str, Difference]) -> str:
    """Say in words what the dots show."""
    return "B minus A: " + ", ".join(
        f"{part.label.lower()} {differences[part.field].value:+.2f}"
        f"{_interval_words(differences[part.field].interval, ' ')}"
        for part in PARTS
    )


def _frame(title: str, *, labels: bool) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        height=TOP + BOTTOM + ROW_PIXELS * len(PARTS),
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 16},
        legend=LEGEND | {"traceorder": "normal"},
        **HOVER,
        dragmode=False,
        xaxis=VALUES | {"title": {"text": title}},
        yaxis={
            "tickvals": list(range(len(PARTS))),
            "ticktext": [part.label for part in PARTS],
            "showticklabels": labels,
            "range": [len(PARTS) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
            "ticks": "",
        },
    )
    return figure


def _whiskers(
    values: Sequence[float],
    intervals: Sequence[tuple[float, float] | None],
    *,
    colour: str = NEUTRAL,
) -> dict[str, object]:
    ends = [interval or (value, value) for value, interval in zip(values, intervals, strict=True)]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(high - value, 0.0) for value, (_, high) in zip(values, ends, strict=True)],
        "arrayminus": [max(value - low, 0.0) for value, (low, _) in zip(values, ends, strict=True)],
        "color": colour,
        "thickness": 1.5,
        "width": 4,
    }


def _interval_words(interval: tuple[float, float] | None, start: str = "<br>") -> str:
    if interval is None:
        return ""
    return f"{start}95 % interval {interval[0]:.3f} to {interval[1]:.3f} bits"
