"""Audio-visual synergy against unique video: where models that watch and listen stand (MI26)."""

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord
from pages.figures.frame import HOVER, LEGEND, VALUES
from pages.figures.model_styles import ModelStyle
from pages.figures.palette import NEUTRAL
from pages.figures.rows import subset_label

HEIGHT = 420
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")


def sensory_plane(records: Sequence[SpectrumRecord], styles: Mapping[str, ModelStyle]) -> go.Figure:
    """Draw one point per model and subset, with 95 % intervals; above the line fusion leads.

    Parameters
    ----------
    records
        Of video and audio.
    styles
        How each model is drawn; the subset decides the symbol.
    """
    figure = go.Figure()
    figure.update_layout(
        height=HEIGHT, margin={"t": 72, "b": 56, "l": 64, "r": 16}, legend=LEGEND, **HOVER
    )
    symbols = _symbols(records)
    for number, record in enumerate(records):
        style = styles[record.model]
        first = all(one.model != record.model for one in records[:number])
        figure.add_trace(
            go.Scatter(
                x=[record.unique_1],
                y=[record.synergy],
                error_x=_error(record, "unique_1", style.colour),
                error_y=_error(record, "synergy", style.colour),
                mode="markers",
                marker={"size": 12, "color": style.colour, "symbol": symbols[record.subset]},
                name=escape(record.model),
                legendgroup=record.model,
                showlegend=first,
                hovertext=[_words(record)],
                hoverinfo="text",
                customdata=[[record.estimate_key]],
            )
        )
    for subset, symbol in symbols.items():
        figure.add_trace(
            go.Scatter(
                x=[None],
                y=[None],
                mode="markers",
                marker={"size": 10, "color": NEUTRAL, "symbol": symbol},
                name=escape(subset_label(subset)),
            )
        )
    most = max([0.1, *(one.unique_1 for one in records), *(one.synergy for one in records)])
    figure.add_trace(
        go.Scatter(
            x=[0, most],
            y=[0, most],
            mode="lines",
            line={"color": NEUTRAL, "width": 1, "dash": "dot"},
            name="as much of one as of the other",
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(title={"text": "Unique video, U_vis (bits)"}, **VALUES)
    figure.update_yaxes(title={"text": "Audio-visual synergy, S_av (bits)"}, **VALUES)
    return figure


def describe(records: Sequence[SpectrumRecord]) -> str:
    """Say in words what the points show."""
    told = [
        f"{one.model} on {subset_label(one.subset)}: unique video {one.unique_1:.2f}, synergy "
        f"{one.synergy:.2f} bits."
        for one in records[:12]
    ]
    if len(records) > 12:
        told.append(f"And {len(records) - 12} more points, listed in the table.")
    return " ".join(told) or "No points."


def _symbols(records: Sequence[SpectrumRecord]) -> dict[str, str]:
    subsets = dict.fromkeys(record.subset for record in records)
    return {subset: SYMBOLS[place % len(SYMBOLS)] for place, subset in enumerate(subsets)}


def _error(record: SpectrumRecord, name: str, colour: str) -> dict[str, object]:
    value = getattr(record, name)
    low, high = record.interval.get(name, (value, value))
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(high - value, 0.0)],
        "arrayminus": [max(value - low, 0.0)],
        "color": colour,
        "thickness": 1,
        "width": 3,
    }


def _words(record: SpectrumRecord) -> str:
    return (
        f"<b>{escape(record.model)}</b>, {escape(subset_label(record.subset))}<br>"
        f"unique video {record.unique_1:.3f} bits<br>synergy {record.synergy:.3f} bits"
    )
