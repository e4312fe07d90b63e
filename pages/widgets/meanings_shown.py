"""What the numbers of a page mean, and when not to trust them, below them."""

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from pages.figures.meanings import MEANINGS


def show_meanings(keys: Iterable[str]) -> None:
    """Offer the meanings of some quantities; they are drawn while they are open."""
    shown = st.expander(
        "What these numbers mean, and when not to trust them",
        key="meanings",
        icon=":material/help:",
        on_change="rerun",
    )
    if shown.open:
        with shown:
            st.table(
                pd.DataFrame(
                    [
                        {
                            "": MEANINGS[key].title,
                            "What it says": MEANINGS[key].says,
                            "When not to trust it": MEANINGS[key].doubt,
                        }
                        for key in keys
                    ]
                ).set_index("")
            )
