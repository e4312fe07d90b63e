"""How the four atoms arise layer by layer: one small plot per atom, one line per model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, get_args

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from data_cache.estimates import SpectrumRecord
from model_runners.lens_options import LOGIT
from model_runners.lens_quality import OFTEN, lens_of
from pages.figures.exactness import within
from pages.figures.frame import CLICKED
from pages.figures.meanings import meaning_below
from pages.figures.model_styles import ModelStyle
from pages.figures.palette import ATOMS, CONDITIONS, NEUTRAL, atoms_of
from pages.figures.rows import short_labels
from pages.figures.spectrum_bars import covers

Depth = Literal["layers", "relative"]
"""The layers' own numbers, or how deep they lie in per cent: models of different depth compare."""
DEPTHS: tuple[Depth, ...] = get_args(Depth)
RESTS_ON = ("full", "only_1", "only_2")
"""The conditions that atoms are made of."""
HEIGHT = 560
"""Pixels of both figures, which stand side by side."""
BAND_OPACITY = 0.18
SMALLEST_SPAN = 0.1
"""Bits that the vertical axis shows at least: less would blow noise up."""
THROUGH_A_MAP = "longdash"
"""How the line of a tuned lens is drawn, in the colour of its model."""
TICKS = 8
"""So many layers are numbered at most."""


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """The spectra of one model, by layer, all with the same settings."""

    model: str
    layers: tuple[SpectrumRecord, ...]
    """From the first layer on."""
    output: SpectrumRecord
    """The model's own output."""
    depth: int
    """How many layers the model has; some may have no spectrum."""

    @property
    def lens(self) -> str:
        """Through which the layers were read: `logit`, or `tuned` and a key."""
        return lens_of(self.output.settings)

    @property
    def name(self) -> str:
        """The model, and the lens where it is a tuned one."""
        return _named(self.model, self.lens)

    def place(self, record: SpectrumRecord, depth: Depth) -> float:
        """Where a spectrum stands: its layer from 0, or the share of layers passed, per cent."""
        layer = self.depth - 1 if record.layer == self.output.layer else record.layer
        return float(layer) if depth == "layers" else 100 * (layer + 1) / self.depth


def _named(model: str, lens: str) -> str:
    return model if lens == LOGIT else f"{model} ({_lens_in_words(lens)})"


def _lens_in_words(lens: str) -> str:
    """Name a lens.

    >>> _lens_in_words("tuned 1a2b3c")
    'tuned lens 1a2b3c'
    """
    kind, _, key = lens.partition(" ")
    return f"{kind} lens {key}".rstrip()


def fallback(record: SpectrumRecord) -> float:
    """Share of samples that fell back to uniform, in the condition where most of them did."""
    return max((record.fallback_rate.get(name, 0.0) for name in RESTS_ON), default=0.0)


def fell_back(trajectory: Trajectory) -> tuple[int, ...]:
    """Return the layers in which so many samples fell back that the atoms say nothing."""
    return tuple(record.layer for record in trajectory.layers if fallback(record) > OFTEN)


def atom_trajectories(
    trajectories: Sequence[Trajectory],
    styles: Mapping[str, ModelStyle],
    *,
    depth: Depth = "layers",
) -> go.Figure:
    """Draw each atom over the layers, in bits, with 95 % intervals; all on one scale.

    Parameters
    ----------
    trajectories
        One line each; the diamond at its end is the model's own output.
    styles
        How each model is drawn.
    depth
        What the horizontal axis counts.
    """
    atoms = atoms_of(one.output for one in trajectories)
    figure = _plots(2, 2, [atom.label for atom in atoms], trajectories, depth)
    labels = short_labels(one.model for one in trajectories)
    for number, atom in enumerate(atoms):
        row, column = number // 2 + 1, number % 2 + 1
        for one in trajectories:
            figure.add_trace(_band(one, atom.field, styles[one.model], depth), row=row, col=column)
        for one in trajectories:
            lines = _lines(
                one,
                styles[one.model],
                depth,
                values=[getattr(record, atom.field) for record in one.layers],
                output=getattr(one.output, atom.field),
                words=[_atom_words(record, atom.label, atom.field) for record in _all(one)],
                label=_named(labels[one.model], one.lens),
                showlegend=number == 0,
                meaning=atom.field,
            )
            for line in lines:
                figure.add_trace(line, row=row, col=column)
    figure.update_yaxes(range=_span(trajectories))
    figure.update_yaxes(title={"text": "bits"}, col=1)
    return figure


def quality_trajectories(
    trajectories: Sequence[Trajectory],
    styles: Mapping[str, ModelStyle],
    *,
    depth: Depth = "layers",
) -> go.Figure:
    """Draw how often each layer is right, and how many samples fell back to uniform in it.

    Parameters
    ----------
    trajectories, styles, depth
        As in `atom_trajectories`, beside which this stands.
    """
    figure = _plots(2, 1, ["Accuracy (%)", "Fell back to uniform (%)"], trajectories, depth)
    labels = short_labels(one.model for one in trajectories)
    quantities = (
        (lambda record: 100 * record.accuracy, _accuracy_words),
        (lambda record: 100 * fallback(record), _fallback_words),
    )
    for number, (quantity, words) in enumerate(quantities):
        for one in trajectories:
            lines = _lines(
                one,
                styles[one.model],
                depth,
                values=[quantity(record) for record in one.layers],
                output=quantity(one.output),
                words=[words(record) for record in _all(one)],
                label=_named(labels[one.model], one.lens),
                showlegend=False,
            )
            for line in lines:
                figure.add_trace(line, row=number + 1, col=1)
    figure.update_yaxes(range=[-4, 104], tickvals=[0, 25, 50, 75, 100])
    figure.add_shape(
        type="line",
        xref="x2 domain",
        yref="y2",
        x0=0,
        x1=1,
        y0=100 * OFTEN,
        y1=100 * OFTEN,
        line={"color": NEUTRAL, "width": 1, "dash": "dot"},
    )
    return figure


def describe(trajectories: Sequence[Trajectory]) -> str:
    """Say in words what the lines show, for those who do not see them."""
    if not trajectories:
        return "No layers."
    sentences: list[str] = []
    atoms = atoms_of(one.output for one in trajectories)
    for one in trajectories[:8]:
        told = ", ".join(
            f"{atom.label.lower()} {getattr(one.layers[0], atom.field):.2f} to "
            f"{getattr(one.output, atom.field):.2f}"
            for atom in atoms
        )
        sentences.append(
            f"{one.name}, from layer {one.layers[0].layer} to the output: {told} bits."
        )
    if len(trajectories) > 8:
        sentences.append(f"And {len(trajectories) - 8} more models.")
    return " ".join(sentences)


def describe_quality(trajectories: Sequence[Trajectory]) -> str:
    """Say in words how right the layers are."""
    return " ".join(
        f"{one.name}: right in {one.layers[0].accuracy:.0%} in layer {one.layers[0].layer}, "
        f"in {one.output.accuracy:.0%} at the output."
        for one in trajectories[:8]
    )


def _all(one: Trajectory) -> tuple[SpectrumRecord, ...]:
    return (*one.layers, one.output)


def _span(trajectories: Sequence[Trajectory]) -> list[float]:
    """Return the range that holds every atom with its interval, and zero, in bits."""
    ends = [0.0, SMALLEST_SPAN]
    for record in (record for one in trajectories for record in _all(one)):
        for atom in ATOMS:
            ends += [getattr(record, atom.field), *record.interval.get(atom.field, ())]
    margin = 0.05 * (max(ends) - min(ends))
    return [min(ends) - margin, max(ends) + margin]


def _plots(
    rows: int,
    columns: int,
    titles: Sequence[str],
    trajectories: Sequence[Trajectory],
    depth: Depth,
) -> go.Figure:
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=titles,
        shared_xaxes=True,
        shared_yaxes=columns > 1,
        vertical_spacing=0.1,
        horizontal_spacing=0.05,
    )
    figure.update_annotations(font={"size": 13})
    figure.update_layout(
        height=HEIGHT,
        margin={"t": 76, "b": 48, "l": 8, "r": 16},
        legend={
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.06,
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
    figure.update_xaxes(
        title={"text": "Layer" if depth == "layers" else "Relative depth (%)"}, row=rows
    )
    if depth == "relative":
        figure.update_xaxes(range=[0, 104], tickvals=[0, 25, 50, 75, 100])
    else:
        deepest = max((one.depth for one in trajectories), default=1)
        figure.update_xaxes(tick0=0, dtick=-(-deepest // TICKS))
    return figure


def _band(one: Trajectory, atom: str, style: ModelStyle, depth: Depth) -> go.Scatter:
    held = [record for record in one.layers if atom in record.interval]
    there = [one.place(record, depth) for record in held]
    low, high = (_ends(held, atom, side) for side in (0, 1))
    return go.Scatter(
        x=there + there[::-1],
        y=high + low[::-1],
        fill="toself",
        fillcolor=style.tint(BAND_OPACITY),
        line={"width": 0},
        mode="lines",
        legendgroup=one.name,
        showlegend=False,
        hoverinfo="skip",
    )


def _ends(records: Iterable[SpectrumRecord], atom: str, side: int) -> list[float]:
    return [record.interval[atom][side] for record in records]


def _lines(
    one: Trajectory,
    style: ModelStyle,
    depth: Depth,
    *,
    values: Sequence[float],
    output: float,
    words: Sequence[str],
    label: str,
    showlegend: bool,
    meaning: str | None = None,
) -> tuple[go.Scatter, go.Scatter]:
    """Return the line through the layers and the model's own output at its end.

    Both lead to the samples of the model's own output: a layer was read on the same ones.
    """
    below = {"hoverinfo": "text"} if meaning is None else meaning_below(meaning)
    trusted = [fallback(record) <= OFTEN for record in one.layers]
    line = go.Scatter(
        name=escape(label),
        legendgroup=one.name,
        showlegend=showlegend,
        mode="lines+markers",
        x=[one.place(record, depth) for record in one.layers],
        y=list(values),
        line={
            "color": style.colour,
            "width": 2,
            "dash": style.dash if one.lens == LOGIT else THROUGH_A_MAP,
        },
        marker={
            "color": style.colour,
            "size": 7,
            "symbol": [style.symbol if trust else f"{style.symbol}-open" for trust in trusted],
        },
        hovertext=list(words[:-1]),
        customdata=[[one.output.estimate_key]] * len(one.layers),
        **below,
        **CLICKED,
    )
    end = go.Scatter(
        name="output",
        legendgroup=one.name,
        showlegend=False,
        mode="markers",
        x=[one.place(one.output, depth)],
        y=[output],
        marker={
            "symbol": "diamond-open",
            "size": 14,
            "color": style.colour,
            "line": {"width": 2, "color": style.colour},
        },
        cliponaxis=False,
        hovertext=[words[-1]],
        customdata=[[one.output.estimate_key]],
        **below,
        **CLICKED,
    )
    return line, end


def _atom_words(record: SpectrumRecord, label: str, atom: str) -> str:
    lines = [f"<b>{label} {getattr(record, atom):.3f} bits</b>"]
    if atom in record.interval:
        low, high = record.interval[atom]
        lines.append(f"95 % interval {low:.3f} to {high:.3f} bits ({covers(record)})")
    lines.append(within(record.gap_bits))
    lines.append(f"up to {fallback(record):.0%} fell back to uniform")
    lines.append(_where(record))
    return "<br>".join(lines)


def _accuracy_words(record: SpectrumRecord) -> str:
    return (
        f"<b>{record.accuracy:.1%}</b> right, best of all words<br>"
        f"{record.accuracy_forced:.1%} right, best of the options<br>{_where(record)}"
    )


def _fallback_words(record: SpectrumRecord) -> str:
    rates = [
        f"{CONDITIONS[name]} {record.fallback_rate[name]:.0%}"
        for name in RESTS_ON
        if name in record.fallback_rate
    ]
    return (
        f"<b>{fallback(record):.0%}</b> put too little mass on the options<br>"
        f"{', '.join(rates)}<br>{_where(record)}"
    )


def _where(record: SpectrumRecord) -> str:
    layer = "the model's own output" if record.layer == -1 else f"layer {record.layer}"
    lens = lens_of(record.settings)
    through = "" if lens == LOGIT or record.layer == -1 else f" through the {_lens_in_words(lens)}"
    return f"{escape(record.model)}, {layer}{escape(through)}, {record.n} samples"
