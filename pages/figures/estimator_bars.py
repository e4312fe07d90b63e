"""The atoms that each estimator finds, under each other, with the truth as a stroke."""

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from model_runners.audit import AuditRow
from pages.figures.frame import CLICKED
from pages.figures.meanings import meaning_below
from pages.figures.palette import ATOMS, NEUTRAL, Atom

ROW_PIXELS = 26
TITLE_PIXELS = 30
TOP, BOTTOM = 44, 48
"""Margins in pixels."""
NEAR = 0.1
"""Share of the longest bar within which the truth would be drawn through a number."""
PALE = 0.45
"""Opacity of rows that others have measured."""


def estimator_bars(
    rows: Sequence[AuditRow],
    truth: Mapping[str, float] | None = None,
    *,
    leads_to: str | None = None,
) -> go.Figure:
    """Draw one bar per atom and estimator, gathered by atom.

    Parameters
    ----------
    rows
        What estimators found; those that refused are left out, published ones are pale.
    truth
        Atoms in bits; None where nobody knows them.
    leads_to
        Key of a stored estimate over the same samples, which a click on a bar leads to.
    """
    drawn = [row for row in rows if row.atoms is not None]
    step = TITLE_PIXELS + ROW_PIXELS * len(drawn)
    ticks: list[tuple[float, str]] = []
    figure = go.Figure()
    for place, atom in enumerate(ATOMS):
        top = place * step
        ticks.append((top + TITLE_PIXELS / 2, f"<b>{atom.label}</b>"))
        positions = [top + TITLE_PIXELS + (index + 0.5) * ROW_PIXELS for index in range(len(drawn))]
        ticks += [(y, escape(row.label)) for y, row in zip(positions, drawn, strict=True)]
        bars = _bars(atom, drawn, positions, truth)
        if leads_to is not None:
            bars.update(customdata=[[leads_to]] * len(drawn), **CLICKED)
        figure.add_trace(bars)
        figure.add_trace(_numbers(atom, drawn, positions, truth))
        if truth is not None and drawn:
            figure.add_trace(_truth(atom, truth[atom.field], positions, first=place == 0))
    figure.update_layout(
        height=round(TOP + BOTTOM + max(step * len(ATOMS), ROW_PIXELS)),
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 44},
        barmode="overlay",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "title": {"text": ""}},
        hovermode="closest",
        hoverlabel={"align": "left"},
        xaxis={
            "title": {"text": "Information about the answer (bits)"},
            "zeroline": True,
            "zerolinecolor": NEUTRAL,
            "zerolinewidth": 1,
            "fixedrange": True,
            "rangemode": "tozero",
            "automargin": True,
        },
        yaxis={
            "tickvals": [position for position, _ in ticks],
            "ticktext": [text for _, text in ticks],
            "range": [step * len(ATOMS), 0],
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
            "ticks": "",
        },
    )
    return figure


def describe(rows: Sequence[AuditRow], truth: Mapping[str, float] | None = None) -> str:
    """Say in words what the bars show, for those who do not see them."""
    sentences: list[str] = []
    if truth is not None:
        sentences.append(f"Truth: {_in_words(truth)} bits.")
    for row in rows:
        if row.atoms is None:
            sentences.append(f"{row.label} refuses.")
        else:
            sentences.append(f"{row.label}: {_in_words(row.atoms)} bits.")
    return " ".join(sentences) or "Nothing is computed yet."


def _in_words(atoms: Mapping[str, float]) -> str:
    return ", ".join(f"{atom.label.lower()} {shown(atoms[atom.field])}" for atom in ATOMS)


def shown(bits: float) -> str:
    """Write bits with two decimals, and nothing as -0.00.

    >>> shown(-0.001), shown(0.5)
    ('0.00', '0.50')
    """
    return f"{round(bits, 2) + 0.0:.2f}"


def _bars(
    atom: Atom,
    rows: Sequence[AuditRow],
    positions: Sequence[float],
    truth: Mapping[str, float] | None,
) -> go.Bar:
    values = [float((row.atoms or {})[atom.field]) for row in rows]
    limits = [row.interval.get(atom.field, (x, x)) for row, x in zip(rows, values, strict=True)]
    return go.Bar(
        name=atom.label,
        showlegend=False,
        orientation="h",
        x=values,
        y=list(positions),
        width=0.68 * ROW_PIXELS,
        marker={
            "color": atom.colour,
            "line": {"width": 0},
            "opacity": [PALE if row.is_published else 1.0 for row in rows],
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(high - x, 0.0) for (_, high), x in zip(limits, values, strict=True)],
            "arrayminus": [max(x - low, 0.0) for (low, _), x in zip(limits, values, strict=True)],
            "color": NEUTRAL,
            "thickness": 1.5,
            "width": 4,
        }
        if truth is None
        else None,
        hovertext=[
            _hover(atom, row, value, truth) for row, value in zip(rows, values, strict=True)
        ],
        **meaning_below(atom.field),
    )


def _numbers(
    atom: Atom,
    rows: Sequence[AuditRow],
    positions: Sequence[float],
    truth: Mapping[str, float] | None,
) -> go.Scatter:
    """Write each value right of zero, its bar and its whisker, and of a truth that is near."""
    values = [float((row.atoms or {})[atom.field]) for row in rows]
    longest = max((abs(x) for row in rows for x in (row.atoms or {}).values()), default=0.0)
    ends: list[float] = []
    for row, value in zip(rows, values, strict=True):
        if truth is None:
            ends.append(max(value, row.interval.get(atom.field, (0.0, value))[1], 0.0))
        else:
            right = truth[atom.field]
            near = value < right < value + NEAR * longest
            ends.append(max(right if near else value, 0.0))
    return go.Scatter(
        mode="text",
        showlegend=False,
        x=ends,
        y=list(positions),
        text=[f"  {shown(value)}" for value in values],
        textposition="middle right",
        textfont={"size": 11},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _truth(atom: Atom, bits: float, positions: Sequence[float], *, first: bool) -> go.Scatter:
    return go.Scatter(
        name="truth",
        legendgroup="truth",
        showlegend=first,
        mode="lines",
        x=[bits, bits],
        y=[positions[0] - ROW_PIXELS / 2, positions[-1] + ROW_PIXELS / 2],
        line={"width": 2.5, "color": NEUTRAL},
        hovertext=f"<b>truth {bits:.3f} bits</b><br>{atom.meaning}",
        hoverinfo="text",
    )


def _hover(atom: Atom, row: AuditRow, value: float, truth: Mapping[str, float] | None) -> str:
    lines = [f"<b>{atom.label} {value:.3f} bits</b>", escape(row.label)]
    if truth is not None:
        lines.append(f"{value - truth[atom.field]:+.3f} bits from the truth")
    elif atom.field in row.interval:
        low, high = row.interval[atom.field]
        lines.append(f"95 % interval {low:.3f} to {high:.3f} bits (sampling only)")
    if row.is_published:
        lines.append("measured by others, on another draw")
    elif row.gap_bits is None:
        lines.append("no certificate")
    else:
        lines.append(f"at most {row.gap_bits:.2g} bits from the exact value")
    return "<br>".join(lines)
