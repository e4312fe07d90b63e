"""How the four atoms arise in the course of a training: lines over steps, with stage boundaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, get_args

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from data_cache.checkpoints import Checkpoint
from data_cache.estimates import SpectrumRecord
from pages.figures.exactness import within
from pages.figures.frame import CLICKED
from pages.figures.layer_trajectories import OFTEN, fallback
from pages.figures.meanings import meaning_below
from pages.figures.model_styles import ModelStyle
from pages.figures.palette import ATOMS, NEUTRAL
from pages.figures.rows import short_labels
from pages.figures.spectrum_bars import covers

Along = Literal["steps", "share"]
"""Steps since the beginning, or the share of the training that they are, in per cent."""
ALONGS: tuple[Along, ...] = get_args(Along)
BAND_OPACITY = 0.18
SMALLEST_SPAN = 0.1
"""Bits that the vertical axis shows at least: less would blow noise up."""
HEIGHT_OF_ONE, HEIGHT_OF_ALL = 550, 760
"""Pixels of the figure of one training, and of that of all of them."""
QUALITY = (
    ("Accuracy", "#5B6770", "solid", "circle"),
    ("D_vision", "#B5458F", "dot", "square"),
)
PATH = ("accuracy", "d_vision")
"""The fields of a record that they are."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The spectra of one training, by checkpoint, all of one subset and with the same settings."""

    name: str
    """Of the trajectory."""
    points: tuple[tuple[Checkpoint, SpectrumRecord], ...]
    """By their steps."""
    stages: tuple[str, ...]
    """In their order."""
    boundaries: tuple[int, ...]
    """The step at which each stage but the last one ends."""
    last_step: int
    """Of the last checkpoint, measured or not."""

    def place(self, step: int, along: Along) -> float:
        """Where a step stands on the horizontal axis."""
        return float(step) if along == "steps" else 100.0 * step / max(self.last_step, 1)

    @property
    def records(self) -> tuple[SpectrumRecord, ...]:
        """The spectra alone."""
        return tuple(record for _, record in self.points)


def span_of(curves: Sequence[Curve]) -> list[float]:
    """Return the range in bits that holds every atom with its interval, and zero."""
    ends = [0.0, SMALLEST_SPAN]
    for record in (record for one in curves for record in one.records):
        for atom in ATOMS:
            ends += [getattr(record, atom.field), *record.interval.get(atom.field, ())]
    margin = 0.05 * (max(ends) - min(ends))
    return [min(ends) - margin, max(ends) + margin]


def training_figure(curve: Curve, *, span: Sequence[float], along: Along = "steps") -> go.Figure:
    """Draw one training: its atoms with 95 % intervals, accuracy and D_vision beneath.

    Parameters
    ----------
    curve
        The training.
    span
        The range of the upper axis, bits: figures side by side have one scale.
    along
        What the horizontal axis counts.
    """
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.64, 0.36], vertical_spacing=0.06
    )
    for atom in ATOMS:
        style = ModelStyle(colour=atom.colour, symbol="circle", dash="solid")
        figure.add_trace(_band(curve, atom.field, style, along, group=atom.field), row=1, col=1)
    for atom in ATOMS:
        style = ModelStyle(colour=atom.colour, symbol="circle", dash="solid")
        line = _line(
            curve,
            style,
            along,
            values=[getattr(record, atom.field) for record in curve.records],
            words=[_atom_words(one, atom.label, atom.field) for one in curve.points],
            name=atom.label,
            group=atom.field,
            meaning=atom.field,
        )
        figure.add_trace(line, row=1, col=1)
    for (label, colour, dash, symbol), field in zip(QUALITY, PATH, strict=True):
        line = _line(
            curve,
            ModelStyle(colour=colour, symbol=symbol, dash=dash),
            along,
            values=[_per_cent(getattr(record, field)) for record in curve.records],
            words=[_quality_words(one) for one in curve.points],
            name=label,
            group=field,
        )
        figure.add_trace(line, row=2, col=1)
    _frame(figure, along, height=HEIGHT_OF_ONE, top=116)
    figure.update_xaxes(title={"text": _axis(along)}, row=2)
    figure.update_yaxes(title={"text": "bits"}, range=list(span), row=1)
    figure.update_yaxes(title={"text": "%"}, range=_percents([curve]), row=2)
    figure.update_layout(
        title={
            "text": escape(curve.name),
            "font": {"size": 14},
            "x": 0,
            "xanchor": "left",
            "y": 0.99,
            "yanchor": "top",
        }
    )
    _mark_stages(figure, [curve], along, names=True)
    return figure


def atoms_figure(
    curves: Sequence[Curve], styles: Mapping[str, ModelStyle], *, along: Along = "steps"
) -> go.Figure:
    """Draw one small plot per atom, and for accuracy and D_vision; one line per training.

    Parameters
    ----------
    curves
        The trainings.
    styles
        How each is drawn.
    along
        What the horizontal axis counts.
    """
    titles = [*(atom.label for atom in ATOMS), "Accuracy (%)", "D_vision (%)"]
    figure = make_subplots(
        rows=3,
        cols=2,
        subplot_titles=titles,
        shared_xaxes=True,
        shared_yaxes=True,
        vertical_spacing=0.07,
        horizontal_spacing=0.05,
    )
    figure.update_annotations(font={"size": 13})
    labels = short_labels(one.name for one in curves)
    for number, atom in enumerate(ATOMS):
        row, column = number // 2 + 1, number % 2 + 1
        for one in curves:
            band = _band(one, atom.field, styles[one.name], along, one.name)
            figure.add_trace(band, row=row, col=column)
        for one in curves:
            line = _line(
                one,
                styles[one.name],
                along,
                values=[getattr(record, atom.field) for record in one.records],
                words=[_atom_words(point, atom.label, atom.field) for point in one.points],
                name=labels[one.name],
                group=one.name,
                showlegend=number == 0,
                meaning=atom.field,
            )
            figure.add_trace(line, row=row, col=column)
    for column, field in enumerate(PATH, start=1):
        for one in curves:
            line = _line(
                one,
                styles[one.name],
                along,
                values=[_per_cent(getattr(record, field)) for record in one.records],
                words=[_quality_words(point) for point in one.points],
                name=labels[one.name],
                group=one.name,
                showlegend=False,
            )
            figure.add_trace(line, row=3, col=column)
    _frame(figure, along, height=HEIGHT_OF_ALL, top=76)
    figure.update_xaxes(title={"text": _axis(along)}, row=3)
    figure.update_yaxes(range=span_of(curves), row=1)
    figure.update_yaxes(range=span_of(curves), row=2)
    figure.update_yaxes(title={"text": "bits"}, row=1, col=1)
    figure.update_yaxes(title={"text": "bits"}, row=2, col=1)
    figure.update_yaxes(range=_percents(curves), row=3)
    _mark_stages(figure, curves, along, names=False)
    return figure


def describe(curves: Sequence[Curve]) -> str:
    """Say in words what the lines show, for those who do not see them."""
    sentences: list[str] = []
    for one in curves[:8]:
        (first, early), (last, late) = one.points[0], one.points[-1]
        atoms = ", ".join(
            f"{atom.label.lower()} {getattr(early, atom.field):.2f} to "
            f"{getattr(late, atom.field):.2f}"
            for atom in ATOMS
        )
        sentences.append(
            f"{one.name}, from step {first.step} to step {last.step}: {atoms} bits; right in "
            f"{early.accuracy:.0%} to {late.accuracy:.0%}."
        )
    if len(curves) > 8:
        sentences.append(f"And {len(curves) - 8} more trainings.")
    return " ".join(sentences) or "No checkpoints."


def _axis(along: Along) -> str:
    return "Step" if along == "steps" else "Share of the training (%)"


def _per_cent(value: float | None) -> float | None:
    return None if value is None else 100.0 * value


def _percents(curves: Sequence[Curve]) -> list[float]:
    """Return the range of accuracy and D_vision; the second may be negative."""
    shifts = [record.d_vision or 0.0 for one in curves for record in one.records]
    return [min(-4.0, 100 * min(shifts, default=0.0) - 4.0), 104.0]


def _frame(figure: go.Figure, along: Along, *, height: int, top: int) -> None:
    figure.update_layout(
        height=height,
        margin={"t": top, "b": 48, "l": 8, "r": 16},
        legend={
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.05,
            "x": 0,
            "xanchor": "left",
            "title": {"text": ""},
        },
        hovermode="closest",
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(fixedrange=True, zeroline=False, automargin=True)
    figure.update_yaxes(
        fixedrange=True, zeroline=True, zerolinecolor=NEUTRAL, zerolinewidth=1, automargin=True
    )
    if along == "share":
        figure.update_xaxes(range=[0, 104], tickvals=[0, 25, 50, 75, 100])
    else:
        figure.update_xaxes(rangemode="tozero", nticks=6)


def _mark_stages(figure: go.Figure, curves: Sequence[Curve], along: Along, *, names: bool) -> None:
    """Draw a dotted line where a stage ends; with its name and that of the next one."""
    places = {one.place(step, along) for one in curves for step in one.boundaries}
    for place in sorted(places):
        figure.add_vline(x=place, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    if not names:
        return
    for one in curves:
        ends = [*one.boundaries, one.last_step]
        starts = [0, *one.boundaries]
        for stage, start, end in zip(one.stages, starts, ends, strict=True):
            if stage:
                figure.add_annotation(
                    x=(one.place(start, along) + one.place(end, along)) / 2,
                    y=1.0,
                    xref="x",
                    yref="paper",
                    yanchor="bottom",
                    text=escape(stage),
                    showarrow=False,
                    font={"size": 12, "color": NEUTRAL},
                )


def _band(one: Curve, atom: str, style: ModelStyle, along: Along, group: str) -> go.Scatter:
    held = [(point, record) for point, record in one.points if atom in record.interval]
    there = [one.place(point.step, along) for point, _ in held]
    low, high = ([record.interval[atom][side] for _, record in held] for side in (0, 1))
    return go.Scatter(
        x=there + there[::-1],
        y=high + low[::-1],
        fill="toself",
        fillcolor=style.tint(BAND_OPACITY),
        line={"width": 0},
        mode="lines",
        legendgroup=escape(group),
        showlegend=False,
        hoverinfo="skip",
    )


def _line(
    one: Curve,
    style: ModelStyle,
    along: Along,
    *,
    values: Sequence[float | None],
    words: Sequence[str],
    name: str,
    group: str,
    showlegend: bool = True,
    meaning: str | None = None,
) -> go.Scatter:
    below: dict[str, Any] = {"hoverinfo": "text"} if meaning is None else meaning_below(meaning)
    trusted = [fallback(record) <= OFTEN for record in one.records]
    return go.Scatter(
        name=escape(name),
        legendgroup=escape(group),
        showlegend=showlegend,
        mode="lines+markers",
        x=[one.place(point.step, along) for point, _ in one.points],
        y=list(values),
        line={"color": style.colour, "width": 2, "dash": style.dash},
        marker={
            "color": style.colour,
            "size": 8,
            "symbol": [style.symbol if trust else f"{style.symbol}-open" for trust in trusted],
        },
        cliponaxis=False,
        hovertext=list(words),
        customdata=[[record.estimate_key] for record in one.records],
        **below,
        **CLICKED,
    )


def _atom_words(point: tuple[Checkpoint, SpectrumRecord], label: str, atom: str) -> str:
    checkpoint, record = point
    lines = [f"<b>{label} {getattr(record, atom):.3f} bits</b>"]
    if atom in record.interval:
        low, high = record.interval[atom]
        lines.append(f"95 % interval {low:.3f} to {high:.3f} bits ({covers(record)})")
    lines.append(within(record.gap_bits))
    lines.append(f"up to {fallback(record):.0%} fell back to uniform")
    lines.append(_where(checkpoint, record))
    return "<br>".join(lines)


def _quality_words(point: tuple[Checkpoint, SpectrumRecord]) -> str:
    checkpoint, record = point
    lines = [f"<b>{record.accuracy:.1%}</b> right with the image, best of all words"]
    if record.d_vision is not None:
        lines.append(f"D_vision {100 * record.d_vision:.1f} % more than without the image")
    lines.append(_where(checkpoint, record))
    return "<br>".join(lines)


def _where(checkpoint: Checkpoint, record: SpectrumRecord) -> str:
    stage = f", stage {escape(checkpoint.stage)}" if checkpoint.stage else ""
    return f"{escape(checkpoint.trajectory)}{stage}, step {checkpoint.step:,}, {record.n} samples"
