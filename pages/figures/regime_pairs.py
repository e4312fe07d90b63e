"""Where the median of each family stands under each regime, joined by a line."""

from collections.abc import Mapping
from html import escape

import plotly.graph_objects as go

from model_runners.family_statistics import Strategies
from pages.figures.family_scatter import FAMILY
from pages.figures.frame import CLICKED, HOVER, LEGEND, STILL, VALUES
from pages.figures.model_styles import ModelStyle
from pages.figures.palette import NEUTRAL
from pages.figures.spectrum_bars import Unit

HEIGHT = 460
FILLED = "synergy-driven"
"""The other one is drawn hollow."""


def regime_pairs(found: Strategies, styles: Mapping[str, ModelStyle], *, unit: Unit) -> go.Figure:
    """Draw two marks per family in the plane of unique language and synergy.

    Parameters
    ----------
    found
        Medians by regime and family.
    styles
        How each family is drawn.
    unit
        Of the medians.
    """
    figure = go.Figure()
    families = sorted({family for own in found.synergy.values() for family in own})
    for family in families:
        style = styles[family]
        own = [regime for regime in found.synergy if family in found.synergy[regime]]
        figure.add_trace(
            go.Scatter(
                name=escape(family),
                mode="lines+markers",
                x=[found.unique_2[regime][family] for regime in own],
                y=[found.synergy[regime][family] for regime in own],
                line={"color": style.tint(0.7), "width": 1.5, "dash": "dot"},
                marker={
                    "symbol": [
                        style.symbol if regime == FILLED else f"{style.symbol}-open"
                        for regime in own
                    ],
                    "size": 13,
                    "opacity": 1,
                    "color": style.colour,
                    "line": {"width": 2, "color": style.colour},
                },
                customdata=[[FAMILY, family]] * len(own),
                hovertext=[_hover(found, regime, family, unit) for regime in own],
                hoverinfo="text",
                **CLICKED,
                showlegend=False,
            )
        )
        marker = {"symbol": style.symbol, "size": 11, "color": style.colour}
        figure.add_trace(
            go.Scatter(name=escape(family), mode="markers", x=[None], y=[None], marker=marker)
        )
    for regime, symbol in ((FILLED, "circle"), ("knowledge-driven", "circle-open")):
        marker = {"symbol": symbol, "size": 11, "color": NEUTRAL, "line": {"width": 2}}
        figure.add_trace(
            go.Scatter(
                name=f"{regime.removesuffix('-driven')} tasks",
                mode="markers",
                x=[None],
                y=[None],
                marker=marker,
            )
        )
    words = "bits" if unit == "bits" else "% of total"
    figure.update_layout(
        height=HEIGHT,
        margin={"t": 96, "b": 48, "l": 8, "r": 24},
        # Else a narrow screen has one family per line, and no room for the plane.
        legend=LEGEND | STILL | {"entrywidth": 104, "font": {"size": 11}},
        **HOVER,
        dragmode=False,
        xaxis=VALUES | {"title": {"text": f"Median unique language ({words})"}},
        yaxis=VALUES | {"title": {"text": f"Median synergy ({words})"}},
    )
    return figure


def describe(found: Strategies, *, unit: Unit) -> str:
    """Say in words what the marks show, for those who do not see them."""
    digits, words = (3, "bits") if unit == "bits" else (1, "% of total")
    return " ".join(
        f"{family} on {regime} tasks: median synergy {value:.{digits}f}, unique language "
        f"{found.unique_2[regime][family]:.{digits}f} {words}."
        for regime, own in found.synergy.items()
        for family, value in own.items()
    )


def _hover(found: Strategies, regime: str, family: str, unit: Unit) -> str:
    digits, words = (3, "bits") if unit == "bits" else (1, "% of total")
    count = found.models[regime][family]
    return "<br>".join(
        [
            f"<b>{escape(family)}</b>, {regime} tasks",
            f"median synergy {found.synergy[regime][family]:.{digits}f} {words}",
            f"median unique language {found.unique_2[regime][family]:.{digits}f} {words}",
            f"{count} model{'' if count == 1 else 's'}",
        ]
    )
