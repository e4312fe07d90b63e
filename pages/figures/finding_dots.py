"""The statistics of one finding: ours with its interval, what papers printed, and the threshold."""

from collections.abc import Mapping, Sequence
from html import escape
from math import isnan
from textwrap import wrap

import plotly.graph_objects as go

from model_runners.findings.parts import Finding, Unit
from model_runners.findings.report import Found, JudgedPart
from pages.figures.frame import HOVER, LEGEND, STILL, VALUES, row_axis
from pages.figures.palette import NEUTRAL
from pid_core.claims import Verdict

ROW_PIXELS = 44
TOP, BOTTOM = 64, 72
"""Margins in pixels."""
LINE = 46
"""Letters of a line of the axis' title."""
LOOKS: Mapping[Verdict, tuple[str, str]] = {
    "supported": ("#0072B2", "circle"),
    "contradicted": ("#D55E00", "x"),
    "not enough data": (NEUTRAL, "circle-open"),
}
"""Colour and symbol."""
UNITS: Mapping[Unit, str] = {"rho": "", "points": " points", "bits": " bits", "%": " %"}
DIGITS: Mapping[Unit, int] = {"rho": 2, "points": 1, "bits": 3, "%": 0}


def finding_dots(found: Found) -> go.Figure:
    """Draw one row per statistic; those without a value keep an empty row.

    Parameters
    ----------
    found
        A finding with at least one statistic.
    """
    finding = found.finding
    figure = go.Figure()
    rows = [(ROW_PIXELS * (place + 0.5), part) for place, part in enumerate(found.parts)]
    for verdict, (colour, symbol) in LOOKS.items():
        own = [
            (position, one)
            for position, one in rows
            if one.judged.verdict == verdict and not isnan(one.part.evidence.value)
        ]
        if own:
            figure.add_trace(_dots(own, finding, verdict, colour, symbol))
    printed = [(position, one) for position, one in rows if one.part.published_value is not None]
    if printed:
        figure.add_trace(_published(printed, finding))
    height = ROW_PIXELS * max(len(rows), 1)
    unit = "" if finding.unit == "rho" else f" ({finding.unit})"
    title = "<br>".join(wrap(finding.number + unit, LINE))
    span = {"range": [-1.06, 1.06]} if _is_rho_alone(found) else {}
    figure.update_layout(
        height=TOP + BOTTOM + height,
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 16},
        legend=LEGEND | STILL,
        **HOVER,
        dragmode=False,
        xaxis=VALUES | {"title": {"text": title}, "zeroline": finding.against == 0.0} | span,
        yaxis=row_axis([(position, _label(one.part.about)) for position, one in rows], height),
    )
    if finding.against:
        figure.add_vline(x=finding.against, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    return figure


def describe(found: Found) -> str:
    """Say in words what the rows show, for those who do not see them."""
    rows = [f"{one.part.about}: {words_of(one, found.finding.unit)}" for one in found.parts]
    return f"{found.finding.claim} {found.verdict.capitalize()}. " + " ".join(
        f"{row}." for row in rows
    )


def words_of(one: JudgedPart, unit: Unit) -> str:
    """Return value, interval, n and verdict in one line."""
    evidence = one.part.evidence
    if isnan(evidence.value):
        return f"no value, {one.why or 'nothing is known'}"
    line = value_words(evidence.value, unit)
    if not isnan(evidence.interval[0]):
        line += f" (95 % interval {ends_words(evidence.interval, unit)})"
    return f"{line}, {evidence.n:,} {evidence.unit}, {one.judged.verdict}"


def value_words(value: float, unit: Unit, *, signed: bool | None = None) -> str:
    """Return a number with its unit.

    >>> value_words(0.5, "rho"), value_words(-3.25, "points"), value_words(75.0, "%")
    ('+0.50', '-3.2 points', '75 %')
    """
    plus = "+" if (unit != "%" if signed is None else signed) else ""
    # 0.0 is added so that nothing is shown as -0.0.
    shown = round(value, DIGITS[unit]) + 0.0
    return f"{shown:{plus}.{DIGITS[unit]}f}{UNITS[unit]}"


def ends_words(interval: Sequence[float], unit: Unit) -> str:
    """Return an interval without its unit.

    >>> ends_words((0.1, 0.9), "rho"), ends_words((float("nan"), float("nan")), "rho")
    ('+0.10 to +0.90', '')
    """
    if isnan(interval[0]) or isnan(interval[1]):
        return ""
    low, high = (value_words(end, unit).removesuffix(UNITS[unit]) for end in interval)
    return f"{low} to {high}"


def _dots(
    rows: Sequence[tuple[float, JudgedPart]],
    finding: Finding,
    verdict: Verdict,
    colour: str,
    symbol: str,
) -> go.Scatter:
    evidence = [one.part.evidence for _, one in rows]
    return go.Scatter(
        name=verdict,
        mode="markers",
        x=[one.value for one in evidence],
        y=[position for position, _ in rows],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [_reach(one.value, one.interval[1]) for one in evidence],
            "arrayminus": [_reach(one.interval[0], one.value) for one in evidence],
            "color": colour,
            "thickness": 1.5,
            "width": 0,
        },
        marker={"size": 11, "color": colour, "symbol": symbol, "line": {"width": 2}},
        hovertext=[_hover(one, finding) for _, one in rows],
        hoverinfo="text",
    )


def _published(rows: Sequence[tuple[float, JudgedPart]], finding: Finding) -> go.Scatter:
    return go.Scatter(
        name=f"published: {escape(finding.paper)}",
        mode="markers",
        x=[one.part.published_value for _, one in rows],
        y=[position for position, _ in rows],
        marker={
            "symbol": "diamond-open",
            "size": 12,
            "color": NEUTRAL,
            "line": {"width": 2, "color": NEUTRAL},
        },
        hovertext=[
            f"<b>Published, not measured here</b><br>{escape(one.part.published)}"
            for _, one in rows
        ],
        hoverinfo="text",
    )


def _hover(one: JudgedPart, finding: Finding) -> str:
    lines = [f"<b>{escape(one.part.about)}</b>", escape(words_of(one, finding.unit))]
    if one.why:
        lines.append(escape(one.why))
    return "<br>".join(lines)


def _label(about: str) -> str:
    """Return the name of a row, a model and a task below each other."""
    lines = [line for part in about.split(", ") for line in wrap(part, 28)[:2]]
    return "<br>".join(escape(line) for line in lines)


def _is_rho_alone(found: Found) -> bool:
    """Whether all values are correlations, not differences of two."""
    if found.finding.unit != "rho":
        return False
    ends = [
        end
        for one in found.parts
        for end in (*one.part.evidence.interval, one.part.evidence.value)
        if not isnan(end)
    ]
    values = [*ends, *(one.part.published_value or 0.0 for one in found.parts)]
    return all(abs(value) <= 1.0 for value in values)


def _reach(low: float, high: float) -> float:
    return 0.0 if isnan(low) or isnan(high) else max(high - low, 0.0)
