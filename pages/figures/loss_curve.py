"""How the training loss falls: every step light, its mean strong, and the learning rate."""

from collections.abc import Sequence
from math import isfinite

import plotly.graph_objects as go

from data_cache.adapters import LossPoint
from pages.figures.palette import NEUTRAL

COLOUR = "#3B7DD8"
"""Stands out on the light and on the dark background."""
HEIGHT = 260
SHARE = 20
"""The moving average takes one in so many of the steps drawn, and at least `LEAST`."""
LEAST = 5
MOST = 1000
"""Points that are drawn at most, evenly spaced; the moving average takes all steps."""


def loss_curve(
    points: Sequence[LossPoint], *, log: bool = False, total: int | None = None
) -> go.Figure:
    """Draw the weighted objective of each step.

    Parameters
    ----------
    points
        The steps so far, in their order; a loss that is no number is left out and marked.
    log
        A logarithmic axis; a loss of zero or less is not drawn on it.
    total
        Steps of the whole training: the axis is as long as that from the beginning.
    """
    drawn = [one for one in points if isfinite(one.loss) and (one.loss > 0 or not log)]
    broken = [one for one in points if not isfinite(one.loss)]
    losses = [one.loss for one in drawn]
    width = window(len(losses))
    places = spaced(len(drawn))
    averages = moving_average(losses, width)
    shown = [drawn[place] for place in places]
    steps = [one.step for one in shown]
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            name="each step",
            mode="lines" if len(shown) > 1 else "markers",
            x=steps,
            y=[one.loss for one in shown],
            line={"width": 1, "color": COLOUR},
            marker={"color": COLOUR},
            opacity=0.6,
            hovertext=[
                f"<b>loss {one.loss:.4g}</b><br>step {one.step:,}, epoch {one.epoch:.2f}"
                for one in shown
            ],
            hoverinfo="text",
        )
    )
    figure.add_trace(
        go.Scatter(
            name=f"mean of {width} steps",
            mode="lines",
            x=steps,
            y=[averages[place] for place in places],
            line={"width": 3, "color": COLOUR},
            hoverinfo="skip",
        )
    )
    if broken:
        figure.add_trace(
            go.Scatter(
                name="no number",
                mode="markers",
                x=[one.step for one in broken],
                y=[losses[-1] if losses else 1.0] * len(broken),
                marker={"symbol": "x", "size": 10, "color": "#D55E00"},
                hovertext=[f"the loss of step {one.step:,} is no number" for one in broken],
                hoverinfo="text",
            )
        )
    figure.add_trace(
        go.Scatter(
            name="learning rate",
            mode="lines",
            x=steps,
            y=[one.rate for one in shown],
            yaxis="y2",
            line={"width": 1.5, "color": NEUTRAL, "dash": "dot"},
            hovertext=[f"learning rate {one.rate:.3g}<br>step {one.step:,}" for one in shown],
            hoverinfo="text",
        )
    )
    figure.update_layout(
        height=HEIGHT,
        margin={"t": 32, "b": 48, "l": 8, "r": 16},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "title": {"text": ""}},
        hovermode="closest",
        hoverlabel={"align": "left"},
        xaxis={
            "title": {"text": "Step"},
            "range": None if total is None else [0, max(total, 1) * 1.02],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={
            "title": {"text": "Weighted loss (nats)"},
            "type": "log" if log else "linear",
            "rangemode": "normal" if log else "tozero",
            "fixedrange": True,
            "automargin": True,
            "zerolinecolor": NEUTRAL,
        },
        yaxis2={
            "title": {"text": "Learning rate"},
            "overlaying": "y",
            "side": "right",
            "rangemode": "tozero",
            "tickformat": ".1e",
            "nticks": 4,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
    )
    return figure


def spaced(count: int) -> list[int]:
    """Return the places of the steps that are drawn, the last one among them.

    >>> spaced(3), len(spaced(5000)) <= MOST, spaced(5000)[-1]
    ([0, 1, 2], True, 4999)
    """
    return list(range(count - 1, -1, -(-(-count // MOST) or 1)))[::-1]


def window(count: int) -> int:
    """Return how many steps the moving average takes.

    >>> window(3), window(1000)
    (5, 50)
    """
    return max(count // SHARE, LEAST)


def moving_average(values: Sequence[float], width: int) -> list[float]:
    """Return the mean of each value and up to `width - 1` before it.

    >>> moving_average([1.0, 3.0, 5.0], 2)
    [1.0, 2.0, 4.0]
    """
    averages: list[float] = []
    total = 0.0
    for place, value in enumerate(values):
        total += value - (values[place - width] if place >= width else 0.0)
        averages.append(total / min(place + 1, width))
    return averages


def describe(points: Sequence[LossPoint]) -> str:
    """Say in words what the curve shows, for those who do not see it."""
    known = [one for one in points if isfinite(one.loss)]
    if not known:
        return "No step has been taken yet."
    return (
        f"Loss {known[0].loss:.3g} at step {known[0].step:,}, "
        f"{known[-1].loss:.3g} at step {known[-1].step:,}."
    )
