"""The spectrum of each record as a bar of redundancy, unique information and synergy."""

from collections.abc import Sequence
from html import escape
from typing import Literal

import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord
from pages.figures.exactness import within
from pages.figures.meanings import meaning_below
from pages.figures.null_marks import Mark, null_marks, null_of
from pages.figures.palette import ATOMS, HATCH_ABOVE, NEUTRAL, Atom, atoms_of
from pages.figures.row_chart import Layout, arrange_rows, empty_row_chart
from pages.figures.rows import Group, Row, row_names, subset_label

Unit = Literal["bits", "shares"]

SMALLEST_TOTAL = 0.01
"""Bits. Below it a share is noise divided by noise, and none is drawn."""
HATCHING = {"fillmode": "overlay", "size": 7, "solidity": 0.35}
HATCH_LABEL = f"over {HATCH_ABOVE:.0%} fell back"
BAR_FILLS = 0.72
"""Share of a row's height."""
NULL_FILLS = 0.13
"""Share of a row's height, below the stack."""
NULL_INSIDE = 0.35
"""Share of the height of a separate bar."""


def spectrum_bars(
    records: Sequence[SpectrumRecord],
    *,
    unit: Unit = "bits",
    layout: Layout = "stacked",
    group: Group = "subset",
) -> go.Figure:
    """Draw the four atoms of each record.

    Parameters
    ----------
    records
        One bar each, in this order.
    unit
        Bits, or shares of the total in per cent.
    layout
        `stacked`: one bar per record, negative atoms to the left of zero. `separate`: one bar per
        atom with its 95 % interval.
    group
        What the rows are gathered by.
    """
    arrangement = arrange_rows(records, layout=layout, group=group)
    atoms = atoms_of(records)
    stacked = layout == "stacked"
    figure = empty_row_chart(
        arrangement,
        x_title="Information about the answer (bits)" if unit == "bits" else "Share of total (%)",
    )
    figure.update_layout(
        barmode="relative" if stacked else "group",
        # A number stands inside its bar where it fits, and nowhere where it does not.
        uniformtext={"mode": "hide", "minsize": 10},
    )
    thickness = BAR_FILLS * arrangement.row_pixels
    for place, atom in enumerate(atoms):
        trace = _bars(atom, arrangement.rows, unit=unit, with_intervals=not stacked)
        if stacked:
            trace.update(width=thickness, offset=-thickness / 2)
        else:
            width = thickness / len(ATOMS)
            trace.update(width=0.9 * width, offset=place * width - thickness / 2)
        figure.add_trace(trace)
    for atom in atoms:
        figure.add_trace(_legend_entry(atom.label, colour=atom.colour, group=atom.field))
    if any(is_hatched(record) for record in records):
        figure.add_trace(_legend_entry(HATCH_LABEL, colour=NEUTRAL, pattern="/"))
    if stacked and unit == "bits":
        figure.add_trace(_totals(arrangement.rows))
    marks = [
        mark for row in arrangement.rows for mark in _nulls(row, unit, thickness, stacked=stacked)
    ]
    figure.add_traces(null_marks(marks))
    return figure


def describe(records: Sequence[SpectrumRecord]) -> str:
    """Say in words what the bars show, for those who do not see them."""
    if not records:
        return "No spectra."
    sentences: list[str] = []
    names, atoms = row_names(records), atoms_of(records)
    for record in records[:12]:
        told = ", ".join(
            f"{atom.label.lower()} {getattr(record, atom.field):.2f}" for atom in atoms
        )
        sentences.append(f"{names[record.estimate_key]}: {told} bits.")
    if len(records) > 12:
        sentences.append(f"And {len(records) - 12} more rows, listed in the table.")
    return " ".join(sentences)


def is_hatched(record: SpectrumRecord) -> bool:
    """Tell whether a condition fell back to uniform too often to take the bar at its word."""
    return max(record.fallback_rate.values(), default=0.0) > HATCH_ABOVE


def scale(record: SpectrumRecord, unit: Unit) -> float | None:
    """Return the factor from bits to the unit; None where a share means nothing."""
    if unit == "bits":
        return 1.0
    return 100.0 / record.total if record.total >= SMALLEST_TOTAL else None


def synergy_at_most(record: SpectrumRecord) -> float:
    """Return the largest synergy, in bits, that any way of splitting the total could find."""
    return record.total - max(record.information_1, record.information_2)


def covers(record: SpectrumRecord) -> str:
    """Say what the intervals of a record cover."""
    measured = record.diagnostics.get("uncertainty", {}).get("quarters")
    return "sampling and the bias of few samples" if measured else "sampling only"


def _bars(atom: Atom, rows: Sequence[Row], *, unit: Unit, with_intervals: bool) -> go.Bar:
    number = "{:.2f}" if unit == "bits" else "{:.0f} %"
    lengths: list[float | None] = []
    texts: list[str] = []
    above: list[float] = []
    below: list[float] = []
    for row in rows:
        factor, value = scale(row.record, unit), getattr(row.record, atom.field)
        lengths.append(None if factor is None else value * factor)
        texts.append("" if factor is None else number.format(value * factor))
        low, high = row.record.interval.get(atom.field, (value, value))
        above.append(max(high - value, 0.0) * (factor or 0.0))
        below.append(max(value - low, 0.0) * (factor or 0.0))
    whiskers = {
        "type": "data",
        "symmetric": False,
        "array": above,
        "arrayminus": below,
        "color": NEUTRAL,
        "thickness": 1.5,
        "width": 4,
    }
    return go.Bar(
        name=atom.label,
        legendgroup=atom.field,
        showlegend=False,
        orientation="h",
        x=lengths,
        y=[row.position for row in rows],
        text=texts,
        textposition="none" if with_intervals else "inside",
        insidetextanchor="middle",
        textangle=0,
        constraintext="inside",
        textfont={"color": "white" if atom.field in {"redundancy", "unique_2"} else "black"},
        marker={
            "color": atom.colour,
            "line": {"width": 0},
            "pattern": HATCHING
            | {"shape": ["/" if is_hatched(row.record) else "" for row in rows]},
        },
        error_x=whiskers if with_intervals else None,
        customdata=[[row.record.estimate_key] for row in rows],
        hovertext=[_hover(row.record, atom) for row in rows],
        **meaning_below(atom.field),
    )


def _nulls(row: Row, unit: Unit, thickness: float, *, stacked: bool) -> list[Mark]:
    """Place the nulls of a row: below the stack, each where its atom begins; or in its own bar."""
    factor = scale(row.record, unit)
    marks: list[Mark] = []
    reached = {True: 0.0, False: 0.0}
    for place, atom in enumerate(ATOMS):
        value, null = getattr(row.record, atom.field), null_of(row.record, atom.field)
        start = reached[value >= 0.0]
        reached[value >= 0.0] += value
        if null is None or factor is None:
            continue
        if stacked:
            top = row.position + thickness / 2
            height = NULL_FILLS * thickness / BAR_FILLS
        else:
            width = thickness / len(ATOMS)
            height = NULL_INSIDE * width
            top = row.position - thickness / 2 + (place + 0.9) * width - height
        marks.append(
            Mark(
                record=row.record,
                atom=atom.label,
                null=null,
                start=factor * start if stacked else 0.0,
                factor=factor,
                top=top,
                bottom=top + height,
            )
        )
    return marks


def _legend_entry(name: str, *, colour: str, group: str = "", pattern: str = "") -> go.Bar:
    """Draw nothing but a legend entry: that of the bars would be hatched where the first bar is."""
    return go.Bar(
        name=name,
        legendgroup=group or name,
        x=[None],
        y=[None],
        orientation="h",
        marker={"color": colour, "line": {"width": 0}, "pattern": HATCHING | {"shape": pattern}},
    )


def _totals(rows: Sequence[Row]) -> go.Scatter:
    return go.Scatter(
        name="Total",
        mode="markers",
        x=[row.record.total for row in rows],
        y=[row.position for row in rows],
        marker={"symbol": "line-ns", "size": 24, "line": {"width": 2.5, "color": NEUTRAL}},
        customdata=[[row.record.estimate_key] for row in rows],
        hovertext=[
            f"<b>Total {row.record.total:.3f} bits</b><br>"
            f"vision alone {row.record.information_1:.3f}, "
            f"language alone {row.record.information_2:.3f} bits<br>{_where(row.record)}"
            for row in rows
        ],
        **meaning_below("total"),
    )


def _hover(record: SpectrumRecord, atom: Atom) -> str:
    value = getattr(record, atom.field)
    lines = [f"<b>{atom.label} {value:.3f} bits</b>"]
    if record.total >= SMALLEST_TOTAL:
        lines[0] += f" ({100 * value / record.total:.1f} % of {record.total:.3f})"
    if atom.field in record.interval:
        low, high = record.interval[atom.field]
        lines.append(f"95 % interval {low:.3f} to {high:.3f} bits ({covers(record)})")
    if atom.field == "synergy":
        lines.append(f"no method could find more than {synergy_at_most(record):.3f} bits here")
    lines.append(within(record.gap_bits))
    if is_hatched(record):
        lines.append(
            f"hatched: up to {max(record.fallback_rate.values()):.0%} fell back to uniform"
        )
    lines.append(_where(record))
    return "<br>".join(lines)


def _where(record: SpectrumRecord) -> str:
    return (
        f"{escape(record.model)}, {escape(record.benchmark)}, "
        f"{escape(subset_label(record.subset))}, {record.estimator}<br>"
        f"{record.n} samples of {record.candidates} options"
    )
