"""The frame that charts of rows share, so that two of them side by side stay in line."""

from collections.abc import Sequence
from typing import Literal

import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord
from pages.figures.frame import HOVER, LEGEND, VALUES, row_axis
from pages.figures.rows import Arrangement, Group, arrange

Layout = Literal["stacked", "separate"]
"""One bar per row, or four under each other; a chart without bars follows the one beside it."""
ROW_PIXELS: dict[Layout, int] = {"stacked": 34, "separate": 64}
TOP, BOTTOM = 80, 48
"""Margins in pixels; the legend (up to three lines) stands in the top one."""


def arrange_rows(records: Sequence[SpectrumRecord], *, layout: Layout, group: Group) -> Arrangement:
    """Arrange the records in rows that are as high as the layout needs."""
    return arrange(records, group=group, row_pixels=ROW_PIXELS[layout])


def empty_row_chart(arrangement: Arrangement, *, x_title: str) -> go.Figure:
    """Return a figure with the rows' labels and titles and nothing drawn in it.

    Parameters
    ----------
    arrangement
        Rows and titles.
    x_title
        Quantity and unit of the horizontal axis.
    """
    ticks = [(place, f"<b>{title}</b>") for title, place in arrangement.titles]
    ticks += [(row.position, row.label) for row in arrangement.rows]
    figure = go.Figure()
    figure.update_layout(
        height=round(TOP + BOTTOM + arrangement.height),
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 16},
        legend=LEGEND | {"traceorder": "normal"},
        **HOVER,
        xaxis=VALUES | {"title": {"text": x_title}},
        yaxis=row_axis(ticks, arrangement.height),
    )
    return figure
