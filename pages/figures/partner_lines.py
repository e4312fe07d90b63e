"""How the atoms of swapped pairs settle as each question meets more images."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord
from pages.figures.frame import HOVER, LEGEND, VALUES
from pages.figures.meanings import meaning_below
from pages.figures.palette import ATOMS, NEUTRAL, Atom

HEIGHT = 320
DASHED = "before the correction"


def partner_lines(record: SpectrumRecord) -> go.Figure:
    """Draw each atom against the number of partners, corrected and as counted.

    Parameters
    ----------
    record
        Of swapped pairs.
    """
    steps = steps_of(record)
    figure = go.Figure()
    for atom in ATOMS:
        figure.add_trace(_line(atom, steps, record, corrected=True))
        figure.add_trace(_line(atom, steps, record, corrected=False))
    figure.add_trace(
        go.Scatter(
            name=DASHED,
            mode="lines",
            x=[None],
            y=[None],
            line={"color": NEUTRAL, "width": 1.5, "dash": "dot"},
        )
    )
    rounds = [step["rounds"] for step in steps]
    figure.update_layout(
        height=HEIGHT,
        margin={"t": 64, "b": 48, "l": 8, "r": 16},
        legend=LEGEND,
        **HOVER,
        dragmode=False,
        xaxis=VALUES
        | {
            "title": {"text": "Partners of each question"},
            "type": "log",
            "tickvals": rounds,
            "ticktext": [str(one) for one in rounds],
            "zeroline": False,
        },
        yaxis=VALUES | {"title": {"text": "bits"}},
    )
    return figure


def steps_of(record: SpectrumRecord) -> Sequence[Mapping[str, Any]]:
    """Return the atoms after 2, 4, ... and all rounds."""
    return record.diagnostics.get("convergence") or ()


def describe(record: SpectrumRecord) -> str:
    """Say in words what the lines show, for those who do not see them."""
    sentences = [
        f"{step['rounds']} partners: "
        + ", ".join(
            f"{atom.label.lower()} {step['corrected'][atom.field]:.2f} "
            f"({step['plug_in'][atom.field]:.2f} {DASHED})"
            for atom in ATOMS
        )
        + " bits."
        for step in steps_of(record)
    ]
    return " ".join(sentences) or "No course over partners is stored."


def _line(
    atom: Atom, steps: Sequence[Mapping[str, Any]], record: SpectrumRecord, *, corrected: bool
) -> go.Scatter:
    values = [step["corrected" if corrected else "plug_in"][atom.field] for step in steps]
    what = "corrected" if corrected else DASHED
    low, high = record.interval.get(atom.field, (None, None))
    has_interval = corrected and bool(steps) and low is not None and high is not None
    whisker = [0.0] * (len(values) - 1)
    return go.Scatter(
        name=atom.label,
        legendgroup=atom.field,
        showlegend=corrected,
        mode="lines+markers" if corrected else "lines",
        x=[step["rounds"] for step in steps],
        y=values,
        line={"color": atom.colour, "width": 2.5 if corrected else 1.5}
        | ({} if corrected else {"dash": "dot"}),
        marker={"color": atom.colour, "size": 7},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [*whisker, high - values[-1]],
            "arrayminus": [*whisker, values[-1] - low],
            "color": atom.colour,
            "thickness": 1.2,
        }
        if has_interval
        else None,
        hovertext=[
            f"<b>{atom.label} {value:.3f} bits</b><br>{step['rounds']} partners, {what}"
            for value, step in zip(values, steps, strict=True)
        ],
        **meaning_below(atom.field),
    )
