"""What carried the answers of two models: their largest atoms against each other, in samples."""

from collections.abc import Mapping

import plotly.graph_objects as go

from data_cache.common_samples import CARRIERS, NO_ATOM
from pages.figures.frame import HOVER
from pages.figures.palette import ATOMS, NEUTRAL

SIDE = 46
"""Pixels of the largest square."""
LABELS = {atom.field: atom.label for atom in ATOMS} | {NO_ATOM: "No atom is positive"}
SHORT = {
    "redundancy": "Redun-<br>dancy",
    "unique_1": "Unique<br>vision",
    "unique_2": "Unique<br>language",
    "synergy": "Synergy",
    NO_ATOM: "None",
}
"""On the axes, where there is little room."""
COLOURS = {atom.field: atom.colour for atom in ATOMS} | {NO_ATOM: NEUTRAL}


def carrier_matrix(counts: Mapping[tuple[str, str], int], letter: str) -> go.Figure:
    """Draw how many samples each pair of largest atoms has; squares on the diagonal are hollow.

    Parameters
    ----------
    counts
        Samples by the largest atom for A and for the other model.
    letter
        What the other model is called.
    """
    figure = go.Figure()
    most = max(counts.values(), default=1)
    everything = sum(counts.values()) or 1
    cells = [
        (one, two, counts[one, two])
        for one in CARRIERS
        for two in CARRIERS
        if counts.get((one, two), 0)
    ]
    for same in (False, True):
        here = [cell for cell in cells if (cell[0] == cell[1]) == same]
        figure.add_trace(
            go.Scatter(
                name="the same atom" if same else "another atom",
                mode="markers+text",
                x=[SHORT[two] for _, two, _ in here],
                y=[SHORT[one] for one, _, _ in here],
                text=[f"{count:,}" for *_, count in here],
                textfont={"size": 11},
                textposition="middle center" if same else "bottom center",
                marker={
                    "symbol": "square-open" if same else "square",
                    # The area says how many.
                    "size": [max(8.0, SIDE * (count / most) ** 0.5) for *_, count in here],
                    "color": NEUTRAL if same else [COLOURS[two] for _, two, _ in here],
                    "opacity": 1,
                    "line": {"width": 2 if same else 0},
                },
                customdata=[[f"{one}:{two}"] for one, two, _ in here],
                hovertext=[
                    f"<b>{count:,} samples ({count / everything:.1%})</b><br>"
                    f"A: mostly {LABELS[one].lower()}<br>{letter}: mostly {LABELS[two].lower()}"
                    for one, two, count in here
                ],
                hoverinfo="text",
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": 1}},
                cliponaxis=False,
                showlegend=False,
            )
        )
    axis = {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": [SHORT[name] for name in CARRIERS],
        "range": [-0.6, len(CARRIERS) - 0.4],
        "fixedrange": True,
        "showgrid": True,
        "ticks": "",
        "automargin": True,
        "tickfont": {"size": 10},
    }
    figure.update_layout(
        height=len(CARRIERS) * 54 + 72,
        margin={"t": 16, "b": 48, "l": 8, "r": 16},
        **HOVER,
        dragmode=False,
        xaxis=axis | {"title": {"text": f"Largest atom for {letter}"}, "tickangle": 0},
        yaxis=axis
        | {
            "title": {"text": "Largest atom for A"},
            "range": [len(CARRIERS) - 0.4, -0.6],
        },
    )
    return figure


def describe(counts: Mapping[tuple[str, str], int], letter: str) -> str:
    """Say in words what the squares show, for those who do not see them."""
    everything = sum(counts.values())
    other = sum(count for (one, two), count in counts.items() if one != two)
    largest = sorted(
        ((count, pair) for pair, count in counts.items() if pair[0] != pair[1]), reverse=True
    )
    words = f"{other:,} of {everything:,} samples have another largest atom for {letter} than for A"
    told = [
        f"{LABELS[one].lower()} for A and {LABELS[two].lower()} for {letter} in {count:,}"
        for count, (one, two) in largest[:3]
    ]
    return f"{words}: {'; '.join(told)}." if told else f"{words}."
