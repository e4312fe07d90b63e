"""Two to four models side by side: their atoms as bars, and by how much each exceeds the first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord
from pages.figures.frame import HOVER, LEGEND, STILL, VALUES
from pages.figures.model_styles import ModelStyle
from pages.figures.palette import ATOMS, NEUTRAL
from pages.figures.rows import short_labels

LETTERS = "ABCD"
BAR_PIXELS = 28
"""Height of a row per model, so that rows of bars and of differences stay in line."""
TOP, BOTTOM = 64, 48
SPAN = 0.72
"""Height of all bars of a row, as a share of it."""
ABOVE = 0.3
"""How far the words of a lone difference stand above its dot, as a share of its row."""
INDENT = "\u00a0" * 3
"""Between a dot and the words beside it."""
SMALLEST_REACH = {"bits": 0.05, "points": 2.0}
"""What the axis of differences shows on either side at least."""
DIGITS = {"bits": 3, "points": 1, "%": 1}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One number of an estimate, of which every model has one."""

    field: str
    label: str
    colour: str
    unit: str = "bits"
    factor: float = 1.0
    """From the record to the unit."""

    def of(self, record: SpectrumRecord) -> float | None:
        """Return the number, None where it was not measured."""
        value = getattr(record, self.field)
        return None if value is None else self.factor * value


PARTS = (
    *(Part(field=atom.field, label=atom.label, colour=atom.colour) for atom in ATOMS),
    Part(field="total", label="Total", colour=NEUTRAL),
)
RATES = (
    Part(field="accuracy", label="Accuracy", colour="#0072B2", unit="%", factor=100.0),
    Part(field="d_vision", label="D_vision", colour="#D55E00", unit="points", factor=100.0),
)
"""As in the charts of accuracy."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """By how much a model exceeds the first, in bits or points."""

    value: float
    interval: tuple[float, float] | None = None
    """95 %; None where there is none."""

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


def model_bars(
    records: Sequence[SpectrumRecord],
    styles: Sequence[ModelStyle],
    *,
    parts: Sequence[Part] = PARTS,
) -> go.Figure:
    """Draw some numbers of two to four models, with 95 % intervals where there are some.

    Parameters
    ----------
    records
        The estimates, the baseline first and on top.
    styles
        How the models are drawn elsewhere.
    parts
        What is drawn of them, all in bits or all in per cent and points.
    """
    is_bits = parts[0].unit == "bits"
    title = "Information about the answer (bits)" if is_bits else "Accuracy (%), D_vision (points)"
    figure = _frame(title, parts, len(records), labels=True)
    labels = short_labels([record.model for record in records])
    height = SPAN / len(records)
    for place, (letter, record, style) in enumerate(zip(LETTERS, records, styles, strict=False)):
        shown = [
            (row, part, value)
            for row, part in enumerate(parts)
            if (value := part.of(record)) is not None
        ]
        values = [value for _, _, value in shown]
        intervals = [record.interval.get(part.field) for _, part, _ in shown]
        figure.add_trace(
            go.Bar(
                name=f"{letter}: {escape(labels[record.model])}",
                orientation="h",
                x=values,
                y=[row for row, _, _ in shown],
                width=height * 0.94,
                offset=place * height - SPAN / 2,
                marker={"color": style.colour, "line": {"width": 0}},
                error_x=_whiskers(values, intervals) if is_bits else None,
                customdata=[[record.estimate_key]] * len(shown),
                hovertext=[
                    f"<b>{letter}: {part.label} {value:.{DIGITS[part.unit]}f} {part.unit}</b>"
                    f"{_interval_words(interval, part.unit) if is_bits else ''}"
                    f"<br>{escape(record.model)}, {record.n} samples"
                    for (_, part, value), interval in zip(shown, intervals, strict=True)
                ],
                hoverinfo="text",
                **_undimmed(),
            )
        )
    figure.update_layout(barmode="overlay")
    return figure


def difference_dots(
    differences: Sequence[Mapping[str, Difference]], *, parts: Sequence[Part] = PARTS
) -> go.Figure:
    """Draw by how much each model exceeds A; filled where the interval leaves zero out.

    Parameters
    ----------
    differences
        Of B, and of C and D where they are compared too, by the name of the part.
    parts
        As for the bars.
    """
    unit = "bits" if parts[0].unit == "bits" else "points"
    letters = LETTERS[1 : len(differences) + 1]
    what = f"{letters} minus A" if len(letters) == 1 else f"{', '.join(letters)}: each minus A"
    figure = _frame(f"{what} ({unit})", parts, len(differences) + 1, labels=False)
    digits = DIGITS[unit] - (unit == "bits")
    shown = [
        (row + _offset(place, len(letters)), part, letter, differences[place][part.field])
        for row, part in enumerate(parts)
        for place, letter in enumerate(letters)
        if part.field in differences[place]
    ]
    for row, part, letter, difference in shown:
        figure.add_trace(
            go.Scatter(
                name=f"{letter} {part.label}",
                showlegend=False,
                mode="markers",
                x=[difference.value],
                y=[row],
                error_x=_whiskers([difference.value], [difference.interval], colour=part.colour),
                marker={
                    "symbol": "circle" if difference.is_clear else "circle-open",
                    "size": 12,
                    "color": part.colour,
                    "line": {"width": 2, "color": part.colour},
                },
                customdata=[[part.field]],
                hovertext=[
                    f"<b>{part.label}: {letter} - A = "
                    f"{difference.value:+.{DIGITS[unit]}f} {unit}</b>"
                    f"{_interval_words(difference.interval, unit)}"
                ],
                hoverinfo="text",
                **_undimmed(),
            )
        )
    figure.add_trace(_numbers(shown, alone=len(letters) == 1, digits=digits))
    for clear, name in ((True, "95 % leave zero out"), (False, "95 % hold zero")):
        if any(difference.is_clear == clear for *_, difference in shown):
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
    ends = [abs(end) for *_, one in shown for end in (one.value, *(one.interval or ()))]
    # Zero in the middle; differences of hundredths stay small.
    reach = 1.1 * max(*ends, SMALLEST_REACH[unit], 0.0)
    figure.update_xaxes(range=[-reach, reach])
    return figure


def describe(records: Sequence[SpectrumRecord], *, parts: Sequence[Part] = PARTS) -> str:
    """Say in words what the bars show, for those who do not see them."""
    words: list[str] = []
    for part in parts:
        values = [part.of(record) for record in records]
        told = ["not run" if value is None else f"{value:.2f}" for value in values]
        words.append(f"{part.label.lower()} {' and '.join(told)}")
    units = "bits" if parts[0].unit == "bits" else "per cent and points"
    return f"{' and '.join(record.model for record in records)}: {', '.join(words)} {units}."


def describe_differences(
    differences: Sequence[Mapping[str, Difference]], *, parts: Sequence[Part] = PARTS
) -> str:
    """Say in words what the dots show."""
    unit = "bits" if parts[0].unit == "bits" else "points"
    return " ".join(
        f"{letter} minus A: "
        + ", ".join(
            f"{part.label.lower()} {one[part.field].value:+.2f}"
            f"{_interval_words(one[part.field].interval, unit, ' ')}"
            for part in parts
            if part.field in one
        )
        + f" {unit}."
        for letter, one in zip(LETTERS[1:], differences, strict=False)
    )


def _numbers(
    shown: Sequence[tuple[float, Part, str, Difference]], *, alone: bool, digits: int
) -> go.Scatter:
    """Write the numbers of the dots: above a lone dot, else between a dot's interval and zero."""

    def place(difference: Difference) -> float:
        if alone or difference.interval is None:
            return difference.value
        return difference.interval[0 if difference.value > 0 else 1]

    return go.Scatter(
        mode="text",
        showlegend=False,
        x=[place(difference) for *_, difference in shown],
        y=[row - (ABOVE if alone else 0.0) for row, *_ in shown],
        text=[
            f"{part.label} {round(difference.value, digits) + 0.0:+.{digits}f}"
            if alone
            else f"{INDENT}{letter} {round(difference.value, digits) + 0.0:+.{digits}f}{INDENT}"
            for _, part, letter, difference in shown
        ],
        # Towards the middle, where there is room.
        textposition=[
            "middle left" if difference.value > 0 else "middle right" for *_, difference in shown
        ],
        textfont={"size": 11},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _offset(place: int, count: int) -> float:
    """Return how far below the middle of its row a dot stands, as a share of the row."""
    return SPAN * ((place + 0.5) / count - 0.5)


def _undimmed() -> dict[str, object]:
    """Keep what was not clicked as it is: a click leads on, it selects nothing."""
    return {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}


def _frame(title: str, parts: Sequence[Part], models: int, *, labels: bool) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        height=TOP + BOTTOM + BAR_PIXELS * models * len(parts),
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 16},
        legend=LEGEND | STILL | {"traceorder": "normal"},
        **HOVER,
        dragmode=False,
        xaxis=VALUES | {"title": {"text": title}},
        yaxis={
            "tickvals": list(range(len(parts))),
            "ticktext": [part.label for part in parts],
            "showticklabels": labels,
            "range": [len(parts) - 0.5, -0.5],
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


def _interval_words(
    interval: tuple[float, float] | None, unit: str = "bits", start: str = "<br>"
) -> str:
    if interval is None:
        return ""
    digits = DIGITS[unit]
    return f"{start}95 % interval {interval[0]:.{digits}f} to {interval[1]:.{digits}f} {unit}"
