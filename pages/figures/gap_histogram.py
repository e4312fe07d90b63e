"""How the scores of the train samples are spread, and from which on a sample weighs more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10

import numpy as np
import plotly.graph_objects as go

from pages.figures.frame import CLICKED
from pages.figures.palette import NEUTRAL
from pages.figures.scores import Score

HEIGHT = 240
BINS = 40


@dataclass(frozen=True, kw_only=True)
class Role:
    """What a strategy takes a train sample for."""

    name: str
    """Its name at rest."""
    label: str
    colour: str


ROLES = (
    Role(name="gap", label="gap samples", colour="#CC79A7"),
    Role(name="shortcut", label="shortcut samples", colour="#009E73"),
    Role(name="rest", label="the rest", colour=NEUTRAL),
)


def gap_histogram(
    scores: Mapping[str, Sequence[float]], score: Score, roles: Sequence[Role] = ROLES
) -> go.Figure:
    """Draw how many train samples have which score, by role.

    Parameters
    ----------
    scores
        Scores of the samples of each role; undefined ones left out. The stroke stands where the
        role `gap` begins, if the score alone decides it.
    score
        Which score it is: the one that the strategy sorts by.
    roles
        What the strategy calls them.
    """
    low, high, size = bins(scores)
    edges = [_short(low + place * size) for place in range(round((high - low) / size) + 1)]
    ends = list(pairwise(edges))
    figure = go.Figure()
    for role in roles:
        values = list(scores.get(role.name, ()))
        if not values:
            continue
        # Counted here: a page of 100,000 scores would else send them all.
        counts = np.bincount(
            np.floor((np.asarray(values) - low) / size + 1e-9).astype(int), minlength=len(ends)
        ).tolist()
        figure.add_trace(
            go.Bar(
                name=f"{role.label} ({len(values):,})",
                x=[(start + end) / 2 for start, end in ends],
                y=counts,
                width=size,
                marker={"color": role.colour, "line": {"width": 0}},
                customdata=ends,
                hovertext=[
                    f"{role.label}: {count:,} sample{'' if count == 1 else 's'} "
                    f"from {start:g} to {end:g} {score.unit}".rstrip()
                    for count, (start, end) in zip(counts, ends, strict=True)
                ],
                hoverinfo="text",
                **CLICKED,
            )
        )
    limit = threshold(scores)
    if limit is not None:
        figure.add_vline(x=limit, line={"color": NEUTRAL, "width": 2, "dash": "dot"})
    figure.update_layout(
        height=HEIGHT,
        barmode="stack",
        bargap=0.05,
        margin={"t": 32, "b": 48, "l": 8, "r": 16},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "title": {"text": ""}},
        hoverlabel={"align": "left"},
        xaxis={"title": {"text": score.title}, "fixedrange": True, "showgrid": False},
        yaxis={"title": {"text": "Train samples"}, "fixedrange": True, "automargin": True},
    )
    return figure


def bins(scores: Mapping[str, Sequence[float]]) -> tuple[float, float, float]:
    """Return where the bins begin and end, and how wide each is: ends that can be read.

    >>> bins({"gap": [0.31, 1.2], "rest": [0.07]})
    (0.05, 1.25, 0.05)
    """
    known = [value for values in scores.values() for value in values]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    wanted = max(high - low, 1e-6) / BINS
    power = 10.0 ** floor(log10(wanted))
    size = next(step * power for step in (1, 2, 5, 10) if step * power >= wanted * (1 - 1e-9))
    start = floor(low / size + 1e-9)
    end = max(floor(high / size + 1e-9) + 1, start + 1)
    return _short(start * size), _short(end * size), _short(size)


def _short(value: float) -> float:
    """Drop what only the arithmetic added."""
    return float(f"{value:.9g}") + 0.0


def threshold(scores: Mapping[str, Sequence[float]]) -> float | None:
    """Return the smallest score of a gap sample; None where others have a higher one, or none has.

    >>> threshold({"gap": [0.5, 0.25], "rest": [0.1]})
    0.25
    """
    limit = min(scores.get("gap", ()), default=None)
    others = [value for role in ("shortcut", "rest") for value in scores.get(role, ())]
    return limit if limit is not None and limit >= max(others, default=limit) else None


def describe(
    scores: Mapping[str, Sequence[float]], score: Score, roles: Sequence[Role] = ROLES
) -> str:
    """Say in words what the bars show, for those who do not see them."""
    counts = ", ".join(f"{len(scores.get(role.name, ())):,} {role.label}" for role in roles)
    limit = threshold(scores)
    return f"{score.label} of train samples: {counts}." + (
        ""
        if limit is None
        else f" {roles[0].label.capitalize()} begin at {limit:.3f} {score.unit}".rstrip() + "."
    )
