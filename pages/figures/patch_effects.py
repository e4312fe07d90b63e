"""The causal check: synergy of each layer, and below it what patching that layer does."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import isnan
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from data_cache.estimates import SpectrumRecord
from pages.figures.frame import CLICKED, HOVER, LEGEND, VALUES
from pages.figures.layer_trajectories import (
    BAND_OPACITY,
    SMALLEST_SPAN,
    TICKS,
    Depth,
    Trajectory,
)
from pages.figures.meanings import meaning_below
from pages.figures.model_styles import ModelStyle
from pages.figures.rows import short_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model_runners.patch_statistics import LayerEffect, PatchCourse

HEIGHT = 480
TITLES = (
    "Synergy (bits)",
    "Back towards the full run's answer (points)",
)
SMALLEST_POINTS = 5.0
"""Points of probability that the lower axis shows at least."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One model's layers, and what patching them did."""

    trajectory: Trajectory
    course: "PatchCourse"


def patch_figure(
    checked: Sequence[Checked],
    styles: "Mapping[str, ModelStyle]",
    *,
    depth: Depth = "layers",
) -> go.Figure:
    """Draw synergy over the layers, and the effect of patching them below, on one axis of layers.

    Parameters
    ----------
    checked
        One line each in both plots. A diamond is what the full run itself would bring.
    styles
        How each model is drawn.
    depth
        What the horizontal axis counts.
    """
    figure = make_subplots(
        rows=2, cols=1, subplot_titles=TITLES, shared_xaxes=True, vertical_spacing=0.14
    )
    labels = short_labels(one.trajectory.model for one in checked)
    for one in checked:
        model = one.trajectory.model
        for row, part in ((1, _synergy(one, depth)), (2, _effects(one, depth))):
            label = one.trajectory.name.replace(model, labels[model], 1)
            for trace in _traces(part, styles[model], one.trajectory.name, label, shown=row == 1):
                figure.add_trace(trace, row=row, col=1)
        figure.add_trace(_whole(one, styles[model], depth), row=2, col=1)
    figure.update_annotations(font={"size": 13})
    figure.update_layout(
        height=HEIGHT,
        margin={"t": 70, "b": 48, "l": 8, "r": 16},
        legend={**LEGEND, "y": 1.09},
        **HOVER,
    )
    figure.update_xaxes(fixedrange=True, zeroline=False, automargin=True)
    figure.update_yaxes(**VALUES)
    for row, part, smallest in ((1, _synergy, SMALLEST_SPAN), (2, _effects, SMALLEST_POINTS)):
        ends = [0.0, smallest]
        for one in checked:
            points = part(one, depth)
            ends += [*points.low, *points.high, *points.y]
            ends += [100 * one.course.whole] if row == 2 else []
        margin = 0.07 * (max(ends) - min(ends))
        figure.update_yaxes(range=[min(ends) - margin, max(ends) + margin], row=row, col=1)
    if depth == "relative":
        figure.update_xaxes(range=[0, 104], tickvals=[0, 25, 50, 75, 100])
    else:
        deepest = max((one.trajectory.depth for one in checked), default=1)
        figure.update_xaxes(tick0=0, dtick=-(-deepest // TICKS), range=[-0.4, deepest - 0.6])
    figure.update_xaxes(
        title={"text": "Layer" if depth == "layers" else "Relative depth (%)"}, row=2
    )
    return figure


def describe(checked: Sequence[Checked]) -> str:
    """Say in words what the plots show."""
    if not checked:
        return "Nothing is patched."
    sentences: list[str] = []
    for one in checked[:8]:
        first, last = one.course.layers[0], one.course.layers[-1]
        sentences.append(
            f"{one.trajectory.name}: patching layer {first.layer} brings "
            f"{100 * first.effect:.1f} points of probability back to the full run's answer, layer "
            f"{last.layer} {100 * last.effect:.1f}, of {100 * one.course.whole:.1f} in all; "
            f"synergy at the output is {one.trajectory.output.synergy:.2f} bits."
        )
    if len(checked) > 8:
        sentences.append(f"And {len(checked) - 8} more models.")
    return " ".join(sentences)


@dataclass(frozen=True, kw_only=True)
class _Points:
    """One line with its band."""

    x: list[float]
    y: list[float]
    low: list[float]
    """Empty where a point has no interval."""
    high: list[float]
    band: list[float]
    """Where the band's points lie."""
    words: list[str]
    key: str
    meaning: str | None


def _synergy(one: Checked, depth: Depth) -> _Points:
    layers = one.trajectory.layers
    held = [record for record in layers if "synergy" in record.interval]
    return _Points(
        x=[one.trajectory.place(record, depth) for record in layers],
        y=[record.synergy for record in layers],
        low=[record.interval["synergy"][0] for record in held],
        high=[record.interval["synergy"][1] for record in held],
        band=[one.trajectory.place(record, depth) for record in held],
        words=[_synergy_words(record) for record in layers],
        key=one.trajectory.output.estimate_key,
        meaning="synergy",
    )


def _effects(one: Checked, depth: Depth) -> _Points:
    layers = one.course.layers
    held = [layer for layer in layers if not isnan(layer.interval[0])]
    return _Points(
        x=[_place(one, layer.layer, depth) for layer in layers],
        y=[100 * layer.effect for layer in layers],
        low=[100 * layer.interval[0] for layer in held],
        high=[100 * layer.interval[1] for layer in held],
        band=[_place(one, layer.layer, depth) for layer in held],
        words=[_effect_words(one, layer) for layer in layers],
        key=one.trajectory.output.estimate_key,
        meaning=None,
    )


def _place(one: Checked, layer: int, depth: Depth) -> float:
    deepest = one.trajectory.depth
    return float(layer) if depth == "layers" else 100 * (layer + 1) / deepest


def _traces(
    points: _Points, style: ModelStyle, group: str, label: str, *, shown: bool
) -> tuple[go.Scatter, go.Scatter]:
    below: dict[str, Any] = (
        {"hoverinfo": "text"} if points.meaning is None else meaning_below(points.meaning)
    )
    band = go.Scatter(
        x=points.band + points.band[::-1],
        y=points.high + points.low[::-1],
        fill="toself",
        fillcolor=style.tint(BAND_OPACITY),
        line={"width": 0},
        mode="lines",
        legendgroup=group,
        showlegend=False,
        hoverinfo="skip",
    )
    line = go.Scatter(
        name=escape(label),
        legendgroup=group,
        showlegend=shown,
        mode="lines+markers",
        x=points.x,
        y=points.y,
        line={"color": style.colour, "width": 2, "dash": style.dash},
        marker={"color": style.colour, "size": 7, "symbol": style.symbol},
        hovertext=points.words,
        customdata=[[points.key]] * len(points.x),
        cliponaxis=False,
        **below,
        **CLICKED,
    )
    return band, line


def _whole(one: Checked, style: ModelStyle, depth: Depth) -> go.Scatter:
    return go.Scatter(
        name="full run",
        legendgroup=one.trajectory.name,
        showlegend=False,
        mode="markers",
        x=[_place(one, one.trajectory.depth - 1, depth)],
        y=[100 * one.course.whole],
        marker={
            "symbol": "diamond-open",
            "size": 14,
            "color": style.colour,
            "line": {"width": 2, "color": style.colour},
        },
        cliponaxis=False,
        hovertext=[
            f"<b>{100 * one.course.whole:.1f} points</b>: the full run itself"
            f"{_interval(one.course.whole_interval)}<br>"
            f"{escape(one.trajectory.model)}, {one.course.n} samples"
        ],
        hoverinfo="text",
        customdata=[[one.trajectory.output.estimate_key]],
        **CLICKED,
    )


def _synergy_words(record: SpectrumRecord) -> str:
    lines = [f"<b>Synergy {record.synergy:.3f} bits</b>"]
    if "synergy" in record.interval:
        low, high = record.interval["synergy"]
        lines.append(f"95 % interval {low:.3f} to {high:.3f} bits")
    lines.append(f"{escape(record.model)}, layer {record.layer}, {record.n} samples")
    return "<br>".join(lines)


def _effect_words(one: Checked, layer: "LayerEffect") -> str:
    share = "" if isnan(layer.share) else f", {layer.share:.0%} of the whole"
    lines = [
        f"<b>{100 * layer.effect:.1f} points</b> towards the full run's answer{share}"
        f"{_interval(layer.interval)}",
        f"{100 * layer.moved:.1f} points moved in all{_interval(layer.moved_interval)}",
    ]
    for found, name in ((layer.synergy, "synergy"), (layer.unique_1, "unique vision")):
        if found is not None and not isnan(found.rho):
            lines.append(f"rank correlation with pointwise {name} {found.rho:.2f}")
    lines.append(
        f"{escape(one.trajectory.model)}, patched after layer {layer.layer}, {layer.n} samples"
    )
    return "<br>".join(lines)


def _interval(interval: tuple[float, float]) -> str:
    low, high = interval
    return "" if isnan(low) else f"<br>95 % interval {100 * low:.1f} to {100 * high:.1f} points"
