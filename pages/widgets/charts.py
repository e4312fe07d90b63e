"""How a figure stands on a page: themed, described, and ready to be saved as a picture."""

import plotly.graph_objects as go
import streamlit as st


def show_figure(figure: go.Figure, *, key: str, alt: str) -> None:
    """Show a figure with one tool, the download as a PNG of twice the size on screen."""
    st.plotly_chart(
        figure,
        key=key,
        alt=alt,
        config={
            "displaylogo": False,
            "modeBarButtons": [["toImage"]],
            "toImageButtonOptions": {"format": "png", "scale": 2, "filename": f"pidscope-{key}"},
        },
    )
