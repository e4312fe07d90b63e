"""How strongly each part of the information goes with accuracy over models, with intervals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import isnan

import plotly.graph_objects as go

from data_cache.published import PublishedCorrelation
from model_runners.family_statistics import Correlation
from pages.figures.frame import HOVER, LEGEND, STILL, VALUES, row_axis
from pages.figures.palette import ATOMS, NEUTRAL

ROW_PIXELS = 26
TITLE_PIXELS = 30
TOP, BOTTOM = 64, 48
"""Margins in pixels."""
SURE_BELOW = 0.05
"""Corrected p-values below it are drawn filled."""

OUTCOME_LABELS = {
    "accuracy": "Accuracy",
    "accuracy_forced": "Accuracy, forced choice",
    "d_vision": "D_vision",
}
PART_LABELS = {atom.field: atom.label for atom in ATOMS} | {
    "total": "Total",
    "coinformation": "Co-information",
}
COLOURS = {atom.field: atom.colour for atom in ATOMS}
STUDY_SYMBOLS = {"xiu26": "diamond-open", "mi26": "star-open"}


@dataclass(frozen=True, kw_only=True)
class _Row:
    cell: Correlation
    position: float


def correlation_dots(
    cells: Sequence[Correlation], published: Iterable[PublishedCorrelation] = ()
) -> go.Figure:
    """Draw one row per outcome and part: rho, its interval, and what papers printed.

    Parameters
    ----------
    cells
        In the order of the rows; those without a rho keep an empty row that says why.
    published
        Of the same benchmark, drawn as hollow grey marks beside ours.
    """
    rows, titles, height = _arrange(cells)
    figure = go.Figure()
    for outcome in titles:
        own = [row for row in rows if row.cell.outcome == outcome]
        figure.add_trace(_dots(own))
    for name, symbol in (("p < 0.05, corrected", "circle"), ("not sure", "circle-open")):
        figure.add_trace(_legend_entry(name, symbol))
    figure.add_traces(_published_marks(rows, published))
    ticks = [(place, f"<b>{OUTCOME_LABELS[outcome]}</b>") for outcome, place in titles.items()]
    ticks += [(row.position, PART_LABELS[row.cell.part]) for row in rows]
    figure.update_layout(
        height=round(TOP + BOTTOM + height),
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 16},
        legend=LEGEND | STILL,
        **HOVER,
        dragmode=False,
        xaxis=VALUES
        | {
            "title": {"text": "Spearman's rho over models"},
            "range": [-1.06, 1.06],
            "tickvals": [-1, -0.5, 0, 0.5, 1],
        },
        yaxis=row_axis(ticks, height),
    )
    return figure


def describe(cells: Sequence[Correlation]) -> str:
    """Say in words what the rows show, for those who do not see them."""
    known = [cell for cell in cells if not isnan(cell.found.rho)]
    if not known:
        return "No correlations."
    return " ".join(f"{_name(cell)}: {words_of(cell)}." for cell in known)


def words_of(cell: Correlation) -> str:
    """Return rho, interval, p-values and n in one line."""
    found = cell.found
    if isnan(found.rho):
        return found.note
    line = f"rho {found.rho:+.2f}"
    if not isnan(found.interval[0]):
        line += f" (95 % interval {found.interval[0]:+.2f} to {found.interval[1]:+.2f})"
    return f"{line}, {p_words(found.p_value)}, {p_words(cell.adjusted_p)} corrected, n = {found.n}"


def p_words(p: float) -> str:
    """Return a p-value as papers print it.

    >>> p_words(0.00002), p_words(0.0412)
    ('p < 0.001', 'p = 0.041')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def is_sure(cell: Correlation) -> bool:
    """Tell whether the corrected p-value is below 0.05."""
    return cell.adjusted_p < SURE_BELOW


def _name(cell: Correlation) -> str:
    return f"{PART_LABELS[cell.part]} with {OUTCOME_LABELS[cell.outcome].lower()}"


def _arrange(cells: Sequence[Correlation]) -> tuple[list[_Row], dict[str, float], float]:
    rows: list[_Row] = []
    titles: dict[str, float] = {}
    top = 0.0
    for cell in cells:
        if cell.outcome not in titles:
            titles[cell.outcome] = top + TITLE_PIXELS / 2
            top += TITLE_PIXELS
        rows.append(_Row(cell=cell, position=top + ROW_PIXELS / 2))
        top += ROW_PIXELS
    return rows, titles, max(top, ROW_PIXELS)


def _dots(rows: Sequence[_Row]) -> go.Scatter:
    known = [row for row in rows if not isnan(row.cell.found.rho)]
    colours = [COLOURS.get(row.cell.part, NEUTRAL) for row in known]
    found = [row.cell.found for row in known]
    return go.Scatter(
        name=OUTCOME_LABELS[rows[0].cell.outcome],
        showlegend=False,
        mode="markers",
        x=[one.rho for one in found],
        y=[row.position for row in known],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [_reach(one.rho, one.interval[1]) for one in found],
            "arrayminus": [_reach(one.interval[0], one.rho) for one in found],
            "color": NEUTRAL,
            "thickness": 1.5,
            "width": 0,
        },
        marker={
            "size": 11,
            "opacity": 1,
            "color": colours,
            "symbol": ["circle" if is_sure(row.cell) else "circle-open" for row in known],
            "line": {"width": 2, "color": colours},
        },
        unselected={"marker": {"opacity": 1}},
        customdata=[[row.cell.outcome, row.cell.part] for row in known],
        hovertext=[f"<b>{_name(row.cell)}</b><br>{words_of(row.cell)}" for row in known],
        hoverinfo="text",
    )


def _reach(low: float, high: float) -> float:
    return 0.0 if isnan(low) or isnan(high) else max(high - low, 0.0)


def _published_marks(
    rows: Sequence[_Row], published: Iterable[PublishedCorrelation]
) -> list[go.Scatter]:
    places: Mapping[tuple[str, str], float] = {
        (row.cell.outcome, row.cell.part): row.position for row in rows
    }
    by_study: dict[str, list[PublishedCorrelation]] = {}
    for one in published:
        if (one.outcome, one.quantity) in places:
            by_study.setdefault(one.study.key, []).append(one)
    return [
        go.Scatter(
            name=f"published: {escape(own[0].study.short)}",
            mode="markers",
            x=[one.rho for one in own],
            y=[places[one.outcome, one.quantity] for one in own],
            marker={
                "symbol": STUDY_SYMBOLS.get(study, "square-open"),
                "size": 12,
                "opacity": 1,
                "color": NEUTRAL,
                "line": {"width": 2, "color": NEUTRAL},
            },
            unselected={"marker": {"opacity": 1}},
            hovertext=[
                f"<b>Published, not measured here</b><br>{escape(one.words)}<br>{escape(one.note)}"
                for one in own
            ],
            hoverinfo="text",
        )
        for study, own in by_study.items()
    ]


def _legend_entry(name: str, symbol: str) -> go.Scatter:
    marker = {"symbol": symbol, "color": NEUTRAL, "size": 10, "line": {"width": 2}}
    return go.Scatter(name=name, mode="markers", x=[None], y=[None], marker=marker)
