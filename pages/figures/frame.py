"""How figures are framed: the legend above, texts beside the mouse, axes that cannot be dragged."""

from collections.abc import Sequence
from typing import Any

from pages.figures.palette import NEUTRAL

LEGEND: dict[str, Any] = {
    "orientation": "h",
    "yanchor": "bottom",
    "y": 1.0,
    "x": 0,
    "xanchor": "left",
    "title": {"text": ""},
}
"""Above the figure, from the left."""
STILL: dict[str, Any] = {"itemclick": False, "itemdoubleclick": False}
"""Of a legend whose entries explain and do not switch anything."""
HOVER: dict[str, Any] = {"hovermode": "closest", "hoverlabel": {"align": "left"}}
CLICKED: dict[str, Any] = {
    "selected": {"marker": {"opacity": 1}},
    "unselected": {"marker": {"opacity": 1}},
}
"""Of points that lead away from the page: nothing fades before it goes."""
VALUES: dict[str, Any] = {
    "showgrid": True,
    "zeroline": True,
    "zerolinewidth": 1,
    "zerolinecolor": NEUTRAL,
    "automargin": True,
    "fixedrange": True,
}
"""An axis of numbers."""


def row_axis(ticks: Sequence[tuple[float, str]], height: float) -> dict[str, Any]:
    """Return an axis of rows with their names, from the top down.

    Parameters
    ----------
    ticks
        Place and name of each row.
    height
        Where the last row ends, on the scale of the places.
    """
    return {
        "tickvals": [place for place, _ in ticks],
        "ticktext": [text for _, text in ticks],
        "range": [height, 0],
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
        "fixedrange": True,
        "ticks": "",
    }
