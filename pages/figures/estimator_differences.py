"""By how much a second estimator of the same cells differs from the first, atom by atom."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord
from pages.figures.exactness import within
from pages.figures.frame import CLICKED, STILL
from pages.figures.meanings import meaning_below
from pages.figures.palette import ATOMS, Atom
from pages.figures.row_chart import Layout, arrange_rows, empty_row_chart
from pages.figures.rows import Arrangement, Group, row_names
from pages.figures.spectrum_bars import Unit, scale

SMALLEST_REACH = {"bits": 0.05, "shares": 5.0}
"""What the axis shows on either side at least: less would blow noise up."""
SYMBOLS = {
    "redundancy": "circle",
    "unique_1": "triangle-up",
    "unique_2": "triangle-down",
    "synergy": "diamond",
}
"""Shape and colour both tell the atoms apart."""
APART = 0.17
"""Between the atoms of one pair, as a share of a row's height."""


@dataclass(frozen=True, kw_only=True)
class EstimatorPair:
    """Two estimates of the same cell from the same run."""

    first: SpectrumRecord
    second: SpectrumRecord

    def difference(self, atom: str, unit: Unit) -> float | None:
        """Return second minus first in bits or in points of share; None where a share is none."""
        one, two = scale(self.first, unit), scale(self.second, unit)
        if one is None or two is None:
            return None
        return two * getattr(self.second, atom) - one * getattr(self.first, atom)


def estimator_differences(
    pairs: Sequence[EstimatorPair],
    rows: Sequence[SpectrumRecord],
    *,
    unit: Unit = "bits",
    layout: Layout = "stacked",
    group: Group = "subset",
) -> go.Figure:
    """Draw the second estimate minus the first, one mark per atom, between the two rows.

    Parameters
    ----------
    pairs
        What is compared.
    rows
        The rows of the chart beside it, in its order: then the two stay in line.
    unit
        Bits, or points of the share of the total.
    layout, group
        As in the chart beside it.
    """
    arrangement = arrange_rows(rows, layout=layout, group=group)
    names = sorted({pair.second.estimator for pair in pairs})
    first = sorted({pair.first.estimator for pair in pairs})
    words = "bits" if unit == "bits" else "points of share"
    figure = empty_row_chart(
        arrangement, x_title=f"{', '.join(names)} minus {', '.join(first)} ({words})"
    )
    figure.update_yaxes(showticklabels=False)
    figure.update_layout(legend=STILL)
    ends = [
        abs(value)
        for pair in pairs
        for atom in ATOMS
        if (value := pair.difference(atom.field, unit)) is not None
    ]
    reach = 1.1 * max([*ends, SMALLEST_REACH[unit]])
    figure.update_xaxes(range=[-reach, reach])
    figure.add_trace(_labels(arrangement, -reach))
    for place, atom in enumerate(ATOMS):
        figure.add_trace(_marks(atom, place, pairs, arrangement, unit))
    return figure


def describe(pairs: Sequence[EstimatorPair]) -> str:
    """Say in words what the marks show, for those who do not see them."""
    names = row_names([pair.first for pair in pairs])
    sentences = [
        f"{names[pair.first.estimate_key]}: {pair.second.estimator} minus {pair.first.estimator}, "
        + ", ".join(
            f"{atom.label.lower()} {pair.difference(atom.field, 'bits'):+.3f}" for atom in ATOMS
        )
        + " bits."
        for pair in pairs[:12]
    ]
    if len(pairs) > 12:
        sentences.append(f"And {len(pairs) - 12} more rows, listed in the table.")
    return " ".join(sentences) or "No differences."


def _labels(arrangement: Arrangement, left: float) -> go.Scatter:
    """Name titles and first rows at the left end: on a narrow screen no chart stands beside."""
    rows = [row for row in arrangement.rows if not row.label.startswith("<i>")]
    return go.Scatter(
        mode="text",
        showlegend=False,
        x=[left] * (len(rows) + len(arrangement.titles)),
        y=[row.position - 3 for row in rows] + [place for _, place in arrangement.titles],
        text=[row.label for row in rows] + [f"<b>{title}</b>" for title, _ in arrangement.titles],
        textposition=["top right"] * len(rows) + ["middle right"] * len(arrangement.titles),
        textfont={"size": 11},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _marks(
    atom: Atom,
    place: int,
    pairs: Sequence[EstimatorPair],
    arrangement: Arrangement,
    unit: Unit,
) -> go.Scatter:
    positions = {row.record.estimate_key: row.position for row in arrangement.rows}
    offset = (place - (len(ATOMS) - 1) / 2) * APART * arrangement.row_pixels
    shown = [(pair, pair.difference(atom.field, unit)) for pair in pairs]
    known = [(pair, value) for pair, value in shown if value is not None]
    return go.Scatter(
        name=atom.label,
        mode="markers",
        x=[value for _, value in known],
        y=[
            offset + (positions[pair.first.estimate_key] + positions[pair.second.estimate_key]) / 2
            for pair, _ in known
        ],
        marker={"symbol": SYMBOLS[atom.field], "size": 9, "color": atom.colour},
        cliponaxis=False,
        customdata=[[pair.second.estimate_key] for pair, _ in known],
        hovertext=[_hover(atom, pair, value, unit) for pair, value in known],
        **meaning_below(atom.field),
        **CLICKED,
    )


def _hover(atom: Atom, pair: EstimatorPair, value: float, unit: Unit) -> str:
    digits, words = (3, "bits") if unit == "bits" else (1, "points of share")
    lines = [f"<b>{atom.label} {value:+.{digits}f} {words}</b>"]
    lines += [
        f"{escape(one.estimator)}: {getattr(one, atom.field):.3f} bits, {within(one.gap_bits)}"
        for one in (pair.first, pair.second)
    ]
    name = row_names([pair.first])[pair.first.estimate_key]
    lines.append(f"{escape(name)}, {pair.first.n} samples")
    return "<br>".join(lines)
