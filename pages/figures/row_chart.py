"""The frame that charts of rows share, so that two of them side by side stay in line."""

from typing import Literal

import plotly.graph_objects as go

from pages.figures.palette import NEUTRAL
from pages.figures.rows import Arrangement

Layout = Literal["stacked", "separate"]
"""One bar per row, or four under each other; a chart without bars follows the one beside it."""
ROW_PIXELS: dict[Layout, int] = {"stacked": 34, "separate": 64}
TOP, BOTTOM = 64, 48
"""Margins in pixels; the legend (up to three lines) stands in the top one."""


def empty_row_chart(arrangement: Arrangement, *, x_title: str, layout: Layout) -> go.Figure:
    """Return a figure with the rows' labels and titles and nothing drawn in it.

    Parameters
    ----------
    arrangement
        Rows and titles.
    x_title
        Quantity and unit of the horizontal axis.
    layout
        Decides the height of a row.
    """
    figure = go.Figure()
    for text, position in arrangement.titles:
        figure.add_annotation(
            text=f"<b>{text}</b>",
            xref="paper",
            x=0,
            xanchor="left",
            y=position,
            yanchor="middle",
            showarrow=False,
            align="left",
        )
    figure.update_layout(
        height=round(TOP + BOTTOM + arrangement.height * ROW_PIXELS[layout]),
        margin={"t": TOP, "b": BOTTOM, "l": 8, "r": 16},
        legend={
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.0,
            "x": 0,
            "xanchor": "left",
            "traceorder": "normal",
            "title": {"text": ""},
        },
        hovermode="closest",
        hoverlabel={"align": "left"},
        xaxis={
            "title": {"text": x_title},
            "zeroline": True,
            "zerolinewidth": 1,
            "zerolinecolor": NEUTRAL,
            "automargin": True,
            "fixedrange": True,
        },
        yaxis={
            "tickvals": [row.position for row in arrangement.rows],
            "ticktext": [row.label for row in arrangement.rows],
            "range": [arrangement.height - 0.25, -0.75],
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
            "ticks": "",
        },
    )
    return figure
