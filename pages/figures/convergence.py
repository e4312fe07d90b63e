"""How estimators close in on I*: their bounds over time, and what is left between them."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from model_runners.audit import AuditRow
from pages.figures.model_styles import ModelStyle, model_styles
from pages.figures.palette import NEUTRAL
from pid_core.spectrum import TraceStep

PLOT_PIXELS = 208
TOP, BOTTOM = 56, 48
"""Margins in pixels."""
LEAST_GAP = 1e-9
"""Bits; less is drawn as so much, because a logarithm has no zero."""


def convergence(rows: Sequence[AuditRow], names: Sequence[str]) -> go.Figure:
    """Draw the bounds on I* of each step above their distance, both over seconds.

    Parameters
    ----------
    rows
        Those without a trace are left out.
    names
        All estimators in a fixed order, shown or not: then no choice changes a colour.
    """
    drawn = traced(rows)
    plots = 2 if any(_with_gap(row) for row in drawn) else 1
    figure = make_subplots(rows=plots, cols=1, shared_xaxes=True, vertical_spacing=0.1)
    styles = model_styles(list(names))
    for row in drawn:
        style = styles[row.estimator]
        for trace in _bounds(row, style):
            figure.add_trace(trace, row=1, col=1)
        if _with_gap(row):
            figure.add_trace(_gap(row, style), row=2, col=1)
    axis = {"fixedrange": True, "automargin": True, "zerolinecolor": NEUTRAL}
    figure.update_xaxes(showgrid=False, zeroline=False, fixedrange=True)
    figure.update_xaxes(title_text="Seconds", row=plots)
    figure.update_yaxes(title_text="I* (bits)", row=1, exponentformat="power", **axis)
    if plots == 2:
        figure.update_yaxes(
            title_text="Gap (bits)", type="log", exponentformat="power", dtick=1, row=2, **axis
        )
    figure.update_layout(
        height=TOP + BOTTOM + plots * PLOT_PIXELS,
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 16},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "title": {"text": ""}},
        hovermode="closest",
        hoverlabel={"align": "left"},
    )
    return figure


def traced(rows: Sequence[AuditRow]) -> list[AuditRow]:
    """Return the rows that say how they converged."""
    return [row for row in rows if row.trace]


def describe(rows: Sequence[AuditRow]) -> str:
    """Say in words how each estimator ended, for those who do not see the curves."""
    sentences: list[str] = []
    for row in traced(rows):
        last = row.trace[-1]
        ends = [
            f"{name} {bits:.4f}"
            for name, bits in (("at least", last.lower_bits), ("at most", last.upper_bits))
            if bits is not None
        ]
        sentences.append(
            f"{row.label}: I* is {' and '.join(ends)} bits after {len(row.trace)} steps and "
            f"{last.seconds:.2g} s."
        )
    return " ".join(sentences) or "No estimator recorded how it converged."


def _bounds(row: AuditRow, style: ModelStyle) -> list[go.Scatter]:
    traces: list[go.Scatter] = []
    for name, dash in (("upper_bits", "solid"), ("lower_bits", "dot")):
        steps = [step for step in row.trace if getattr(step, name) is not None]
        if not steps:
            continue
        traces.append(
            go.Scatter(
                name=escape(row.label),
                legendgroup=row.label,
                showlegend=name == "upper_bits",
                mode="lines+markers",
                x=[step.seconds for step in steps],
                y=[getattr(step, name) for step in steps],
                line={"width": 2, "color": style.colour, "dash": dash},
                marker={"symbol": style.symbol, "size": 7, "color": style.colour},
                hovertext=[_hover(row, step) for step in steps],
                hoverinfo="text",
            )
        )
    return traces


def _with_gap(row: AuditRow) -> list[tuple[TraceStep, float]]:
    return [
        (step, step.upper_bits - step.lower_bits)
        for step in row.trace
        if step.upper_bits is not None and step.lower_bits is not None
    ]


def _gap(row: AuditRow, style: ModelStyle) -> go.Scatter:
    known = _with_gap(row)
    return go.Scatter(
        name=escape(row.label),
        legendgroup=row.label,
        showlegend=False,
        mode="lines+markers",
        x=[step.seconds for step, _ in known],
        y=[max(gap, LEAST_GAP) for _, gap in known],
        line={"width": 2, "color": style.colour},
        marker={"symbol": style.symbol, "size": 7, "color": style.colour},
        hovertext=[_hover(row, step) for step, _ in known],
        hoverinfo="text",
    )


def _hover(row: AuditRow, step: TraceStep) -> str:
    lines = [f"<b>{escape(row.label)}</b>", f"step {step.step}, {step.seconds:.2g} s"]
    if step.upper_bits is not None:
        lines.append(f"I* at most {step.upper_bits:.5f} bits")
    if step.lower_bits is not None:
        lines.append(f"I* at least {step.lower_bits:.5f} bits")
    return "<br>".join(lines)
