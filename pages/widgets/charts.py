"""How a figure stands on a page: themed, described, and ready to be saved as a picture."""

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st


def show_figure(
    figure: go.Figure, *, key: str, alt: str, on_click: Callable[[str], None] | None = None
) -> None:
    """Show a figure with one tool, the download as a PNG of twice the size on screen.

    Parameters
    ----------
    figure
        What to show.
    key
        Its name in the session, and in the name of its picture.
    alt
        What it shows, in words.
    on_click
        A callback that is given the key when something in the figure was clicked.
    """
    st.plotly_chart(
        figure,
        key=key,
        alt=alt,
        on_select="ignore" if on_click is None else lambda: on_click(key),
        selection_mode="points",
        config={
            "displaylogo": False,
            "modeBarButtons": [["toImage"]],
            "toImageButtonOptions": {"format": "png", "scale": 2, "filename": f"pidscope-{key}"},
        },
    )
