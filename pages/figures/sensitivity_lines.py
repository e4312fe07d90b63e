"""How the atoms of a run move when one setting is varied: one line per atom."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from model_runners.audit import AuditRow
from pages.figures.palette import ATOMS, NEUTRAL

PLOT_PIXELS = 230
TOP, BOTTOM = 84, 56
"""Margins in pixels; the legend (up to two lines) stands in the top one."""
DASHES = ("solid", "dash", "dot", "dashdot")


def sensitivity_lines(rows: Sequence[AuditRow], *, setting: str) -> go.Figure:
    """Draw the atoms of each row over its setting, one plot per estimator.

    Parameters
    ----------
    rows
        In the order of the setting; those that refused are left out.
    setting
        What is varied, in words: the title of the horizontal axis.
    """
    drawn = [row for row in rows if row.atoms is not None]
    names = list(dict.fromkeys(row.estimator for row in drawn)) or [""]
    figure = make_subplots(
        rows=len(names),
        cols=1,
        shared_xaxes=True,
        subplot_titles=[f"<b>{escape(name)}</b>" for name in names],
        vertical_spacing=min(0.12, 0.5 / len(names)),
    )
    for place, name in enumerate(names, start=1):
        mine = [row for row in drawn if row.estimator == name]
        for atom, dash in zip(ATOMS, DASHES, strict=True):
            values = [(row.atoms or {})[atom.field] for row in mine]
            limits = [
                row.interval.get(atom.field, (x, x)) for row, x in zip(mine, values, strict=True)
            ]
            figure.add_trace(
                go.Scatter(
                    name=atom.label,
                    legendgroup=atom.field,
                    showlegend=place == 1,
                    mode="lines+markers",
                    x=[row.setting for row in mine],
                    y=values,
                    line={"width": 2, "color": atom.colour, "dash": dash},
                    marker={"size": 8, "color": atom.colour},
                    error_y={
                        "type": "data",
                        "symmetric": False,
                        "array": [high - x for (_, high), x in zip(limits, values, strict=True)],
                        "arrayminus": [x - low for (low, _), x in zip(limits, values, strict=True)],
                        "thickness": 1,
                        "width": 3,
                    },
                    hovertext=[
                        f"<b>{atom.label} {value:.3f} bits</b><br>{escape(row.label)}<br>"
                        f"{row.samples:,} samples"
                        for row, value in zip(mine, values, strict=True)
                    ],
                    hoverinfo="text",
                ),
                row=place,
                col=1,
            )
    figure.update_xaxes(type="category", showgrid=False, zeroline=False, fixedrange=True)
    figure.update_xaxes(title_text=setting, row=len(names))
    figure.update_yaxes(
        title_text="Bits",
        fixedrange=True,
        automargin=True,
        zeroline=True,
        zerolinecolor=NEUTRAL,
        rangemode="tozero",
    )
    figure.update_annotations(x=0.0, xanchor="left", font_size=13)
    figure.update_layout(
        height=TOP + BOTTOM + PLOT_PIXELS * len(names),
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 16},
        legend={
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.0 + 30 / (PLOT_PIXELS * len(names)),
            "x": 0,
            "title": {"text": ""},
        },
        hovermode="closest",
        hoverlabel={"align": "left"},
    )
    return figure


def describe(rows: Sequence[AuditRow]) -> str:
    """Say in words what the lines show, for those who do not see them."""
    sentences = [
        f"{row.label}: "
        + ", ".join(f"{atom.label.lower()} {row.atoms[atom.field]:.2f}" for atom in ATOMS)
        + " bits."
        for row in rows
        if row.atoms is not None
    ]
    return " ".join(sentences) or "Nothing is computed yet."
