"""The four atoms of one sample, beside their mean over the samples of its estimate."""

from collections.abc import Mapping

import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord
from pages.figures.palette import ATOMS, NEUTRAL

ROW_PIXELS = 30
NAMES = tuple(atom.field for atom in ATOMS)


def atom_bars(
    numbers: Mapping[str, float | None],
    record: SpectrumRecord,
    *,
    reach: tuple[float, float] | None = None,
) -> go.Figure:
    """Draw the pointwise atoms of a sample in bits; a stroke marks the estimate's own atom.

    Parameters
    ----------
    numbers
        The sample's atoms by name.
    record
        The estimate that they belong to.
    reach
        Ends of the axis, bits, so that figures beside each other can be compared; None fits it.
    """
    values = [numbers.get(atom.field) for atom in ATOMS]
    figure = go.Figure()
    figure.add_trace(
        go.Bar(
            name="this sample",
            showlegend=False,
            orientation="h",
            x=values,
            y=[atom.label for atom in ATOMS],
            width=0.7,
            marker={"color": [atom.colour for atom in ATOMS], "line": {"width": 0}},
            hovertext=[
                f"<b>{atom.label} {0.0 if value is None else value:.3f} bits</b><br>{atom.meaning}"
                for atom, value in zip(ATOMS, values, strict=True)
            ],
            hoverinfo="text",
        )
    )
    figure.add_trace(
        go.Scatter(
            mode="text",
            showlegend=False,
            # Right of zero for negative atoms too, where no label of the axis is in the way.
            x=[max(value or 0.0, 0.0) for value in values],
            y=[atom.label for atom in ATOMS],
            text=["" if value is None else f"  {round(value, 2) + 0.0:.2f}" for value in values],
            textposition="middle right",
            textfont={"size": 11},
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    figure.add_trace(
        go.Scatter(
            name=f"mean of {record.n} samples",
            mode="markers",
            x=[getattr(record, atom.field) for atom in ATOMS],
            y=[atom.label for atom in ATOMS],
            marker={"symbol": "line-ns", "size": 20, "line": {"width": 2.5, "color": NEUTRAL}},
            hovertext=[
                f"{atom.label}: {getattr(record, atom.field):.3f} bits on average" for atom in ATOMS
            ],
            hoverinfo="text",
        )
    )
    figure.update_layout(
        height=len(ATOMS) * ROW_PIXELS + 96,
        margin={"t": 36, "b": 48, "l": 8, "r": 40},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "title": {"text": ""}},
        hovermode="closest",
        hoverlabel={"align": "left"},
        xaxis={
            "title": {"text": "Information about this answer (bits)"},
            "zeroline": True,
            "zerolinecolor": NEUTRAL,
            "zerolinewidth": 1,
            "fixedrange": True,
            "rangemode": "tozero",
        },
        yaxis={"autorange": "reversed", "automargin": True, "fixedrange": True, "ticks": ""},
    )
    if reach is not None:
        low, high = reach
        # The number beside the longest bar has to fit in, too.
        room = max(high - low, 0.1)
        figure.update_xaxes(range=[low - (0.03 * room if low < 0 else 0), high + 0.18 * room])
    return figure


def describe(numbers: Mapping[str, float | None]) -> str:
    """Say in words what the bars show, for those who do not see them."""
    known = [(atom.label, numbers.get(atom.field)) for atom in ATOMS]
    return ", ".join(f"{label} {value:.2f} bits" for label, value in known if value is not None)
