"""Where the time of runs went: one bar a run, divided into what the run did."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from data_cache.run_times import RunTime
from model_runners.time_advice import shares
from pages.figures.frame import HOVER, LEGEND, STILL, VALUES, row_axis
from pages.figures.palette import NEUTRAL

ROW_PIXELS = 60
TOP, BOTTOM = 88, 48
"""Margins in pixels."""
LEAST = 0.5
"""Per cent: what is smaller in every run has no colour of its own."""
GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Loading and tests", NEUTRAL, ("loading", "testing", "statistics")),
    ("Pre-processing", "#E69F00", ("preprocessing", "waiting")),
    ("Vision", "#56B4E9", ("vision",)),
    ("Noise", "#CC79A7", ("masking",)),
    ("Language", "#0072B2", ("language",)),
    ("Head", "#009E73", ("heads",)),
    ("Writing", "#D55E00", ("writing", "ingest")),
    ("Other", "#B0B0B0", ("other",)),
)
"""What a bar is divided into: its name, its colour (Okabe and Ito 2008), the parts in it."""


@dataclass(frozen=True, kw_only=True)
class TimedRun:
    """A run and where its time went."""

    name: str
    """Of model and benchmark; text of others."""
    entry: RunTime


def grouped(entry: RunTime) -> dict[str, float]:
    """Return the share of each group in per cent of the wall time."""
    share = shares(entry)
    return {name: 100 * sum(share.get(part, 0.0) for part in parts) for name, _, parts in GROUPS}


def time_shares(runs: Sequence[TimedRun]) -> go.Figure:
    """Draw one bar a run, from top to bottom, 100 % wide."""
    figure = go.Figure()
    of_runs = [grouped(run.entry) for run in runs]
    for name, colour, _ in GROUPS:
        if max((of[name] for of in of_runs), default=0.0) < LEAST:
            continue
        figure.add_trace(
            go.Bar(
                name=name,
                orientation="h",
                x=[of[name] for of in of_runs],
                y=[_position(row) for row in range(len(runs))],
                width=ROW_PIXELS * 0.4,
                marker={"color": colour, "line": {"width": 0}},
                hovertext=[
                    f"<b>{escape(run.name)}</b><br>{name}: {of[name]:.1f} %, "
                    f"{of[name] / 100 * run.entry.wall:.1f} s of {run.entry.wall:.1f} s"
                    for run, of in zip(runs, of_runs, strict=True)
                ],
                hoverinfo="text",
            )
        )
    height = ROW_PIXELS * max(len(runs), 1)
    figure.update_layout(
        height=TOP + BOTTOM + height,
        barmode="stack",
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 16},
        legend=LEGEND | STILL | {"traceorder": "normal", "entrywidth": 110},
        **HOVER,
        dragmode=False,
        xaxis=VALUES | {"title": {"text": "Share of the run's time (%)"}, "range": [0, 100]},
        yaxis=row_axis([], height),
    )
    for row, run in enumerate(runs):  # above its bar: beside it, a phone has no room for both
        figure.add_annotation(
            text=f"{escape(run.name)}, {run.entry.wall:.1f} s",
            x=0,
            xanchor="left",
            y=_position(row) - ROW_PIXELS * 0.2,
            yanchor="bottom",
            showarrow=False,
            align="left",
        )
    return figure


def describe(runs: Sequence[TimedRun]) -> str:
    """Say in words what the bars show, for those who do not see them."""
    sentences = []
    for run in runs:
        large = sorted(grouped(run.entry).items(), key=lambda one: -one[1])[:3]
        parts = ", ".join(f"{name.lower()} {share:.0f} %" for name, share in large if share >= 1)
        sentences.append(f"{run.name}: {run.entry.wall:.1f} s, of it {parts}.")
    return " ".join(sentences) or "No runs."


def _position(row: int) -> float:
    return ROW_PIXELS * (row + 0.5)
