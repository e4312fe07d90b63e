"""The least that Streamlit and plotly can be asked for: one chart, one choice, no work."""

import plotly.graph_objects as go
import streamlit as st

ATOMS = ("R", "U1", "U2", "S")
MODELS = [f"model {number}" for number in range(26)]

unit = st.segmented_control("Unit", ("bits", "shares"), default="bits", required=True, key="unit")
scale = 1.0 if unit == "bits" else 100.0
st.plotly_chart(
    go.Figure(
        [
            go.Bar(
                name=atom,
                y=MODELS,
                x=[scale * (1 + number + place) / 100 for number in range(len(MODELS))],
                orientation="h",
            )
            for place, atom in enumerate(ATOMS)
        ],
        go.Layout(barmode="stack", height=700),
    )
)
