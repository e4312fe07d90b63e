"""How a figure stands on a page: themed, described, and ready to be saved as a picture."""

from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.report.parts import Figure
from pages.widgets import drawn, state

PICTURES = {"PNG": "png", "SVG": "svg"}
"""What the button of a figure saves, by the words for it."""


def show_figure(
    figure: go.Figure,
    *,
    key: str,
    alt: str,
    on_click: Callable[[str], None] | None = None,
    data: Callable[[], pd.DataFrame] | None = None,
) -> None:
    """Show a figure with one tool, the download as a PNG of twice the size on screen, or as an SVG.

    Parameters
    ----------
    figure
        What to show.
    key
        Its name in the session, and in the name of its files.
    alt
        What it shows, in words.
    on_click
        A callback that is given the key when something in the figure was clicked.
    data
        Makes the records behind the figure, for the export; called only when somebody wants them,
        and not by the page's own thread: it must not ask Streamlit for anything.
    """
    drawn.note(Figure(name=key, figure=figure, alt=alt, data=data))
    picture = PICTURES.get(st.session_state.get(state.PICTURE_FORMAT) or "PNG", "png")
    st.plotly_chart(
        figure,
        key=key,
        alt=alt,
        on_select="ignore" if on_click is None else lambda: on_click(key),
        selection_mode="points",
        config={
            "displaylogo": False,
            "modeBarButtons": [["toImage"]],
            "toImageButtonOptions": {
                "format": picture,
                "scale": 2 if picture == "png" else 1,
                "filename": f"pidscope-{key}",
            },
        },
    )
