"""What the model answers in each condition: one bar per option, one group per condition."""

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from data_cache.conditions import Condition
from data_cache.sample_detail import Distribution
from data_cache.samples import letter_of
from pages.figures.palette import CONDITIONS, NEUTRAL

RIGHT = "#56B4E9"
"""Of Okabe and Ito (2008), and the colour of no atom."""
BAR_PIXELS = 15
TITLE_PIXELS = 26
LONGEST_OPTION = 48


def distribution_bars(
    distributions: Mapping[Condition, Distribution], *, options: Sequence[str], answer: int
) -> go.Figure:
    """Draw the probabilities of the options in each condition, with the range over the draws.

    Parameters
    ----------
    distributions
        One group of bars each.
    options
        The texts of the options.
    answer
        Index of the right one.
    """
    figure = go.Figure()
    places: list[float] = []
    ticks: list[tuple[float, str]] = []
    top = 0.0
    for right in (True, False):
        figure.add_trace(
            go.Bar(
                name="right option" if right else "other options",
                x=[None],
                y=[None],
                orientation="h",
                marker={"color": RIGHT if right else NEUTRAL, "line": {"width": 0}},
            )
        )
    for condition, found in distributions.items():
        ticks.append((top + TITLE_PIXELS / 2, f"<b>{_title(condition, found)}</b>"))
        top += TITLE_PIXELS
        places = [top + (option + 0.5) * BAR_PIXELS for option in range(len(options))]
        ticks += [
            (place, letter_of(option) + (" ✓" if option == answer else ""))
            for option, place in enumerate(places)
        ]
        top += len(options) * BAR_PIXELS
        figure.add_trace(_bars(condition, found, places, options, answer))
        figure.add_trace(_percents(found, places))
    figure.update_layout(
        height=round(top + 90),
        margin={"t": 32, "b": 48, "l": 8, "r": 40},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "title": {"text": ""}},
        barmode="overlay",
        hovermode="closest",
        hoverlabel={"align": "left"},
        xaxis={
            "title": {"text": "Probability (%)"},
            "range": [0, 104],
            "tickvals": [0, 25, 50, 75, 100],
            "fixedrange": True,
            "zeroline": False,
        },
        yaxis={
            "tickvals": [place for place, _ in ticks],
            "ticktext": [text for _, text in ticks],
            "range": [top, 0],
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
            "ticks": "",
        },
    )
    return figure


def describe(distributions: Mapping[Condition, Distribution]) -> str:
    """Say in words what the bars show, for those who do not see them."""
    return " ".join(
        f"{CONDITIONS[str(condition)]}: "
        + ", ".join(
            f"{letter_of(option)} {probability:.0%}"
            for option, probability in enumerate(found.probabilities)
        )
        + "."
        for condition, found in distributions.items()
    )


def _title(condition: Condition, found: Distribution) -> str:
    name = CONDITIONS[str(condition)]
    fell = int(found.fallback.sum())
    if not fell:
        return name
    if len(found.fallback) == 1:
        return f"{name}: named no option"
    return f"{name}: {fell} of {len(found.fallback)} draws named no option"


def _bars(
    condition: Condition,
    found: Distribution,
    places: Sequence[float],
    options: Sequence[str],
    answer: int,
) -> go.Bar:
    lengths = 100 * found.probabilities
    draws = len(found.draws)
    whiskers = None
    if draws > 1:
        whiskers = {
            "type": "data",
            "symmetric": False,
            "array": 100 * found.draws.max(axis=0) - lengths,
            "arrayminus": lengths - 100 * found.draws.min(axis=0),
            "color": NEUTRAL,
            "thickness": 1.2,
            "width": 3,
        }
    return go.Bar(
        name=CONDITIONS[str(condition)],
        showlegend=False,
        orientation="h",
        x=lengths,
        y=list(places),
        width=0.8 * BAR_PIXELS,
        marker={
            "color": [RIGHT if option == answer else NEUTRAL for option in range(len(options))],
            "line": {"width": 0},
        },
        error_x=whiskers,
        hovertext=[_hover(condition, found, option, text) for option, text in enumerate(options)],
        hoverinfo="text",
    )


def _percents(found: Distribution, places: Sequence[float]) -> go.Scatter:
    """Write the numbers behind the whiskers, which would cross them out nearer to the bars."""
    return go.Scatter(
        mode="text",
        showlegend=False,
        x=100 * found.draws.max(axis=0),
        y=list(places),
        text=[f" {100 * probability:.0f}" for probability in found.probabilities],
        textposition="middle right",
        textfont={"size": 11},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _hover(condition: Condition, found: Distribution, option: int, text: str) -> str:
    cut = text if len(text) <= LONGEST_OPTION else f"{text[: LONGEST_OPTION - 1]}…"
    lines = [
        f"<b>{found.probabilities[option]:.1%}</b> {letter_of(option)}: {escape(cut)}",
        CONDITIONS[str(condition)],
    ]
    if len(found.draws) > 1:
        column = found.draws[:, option]
        lines.append(f"{column.min():.1%} to {column.max():.1%} over {len(column)} draws of noise")
    return "<br>".join(lines)
