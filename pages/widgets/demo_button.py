"""The demo in one click: what ships with PIDscope is put into the cache while one watches."""

from pathlib import Path

import streamlit as st

from data_cache import shipped
from model_runners.deriving import derive
from pages.widgets.errors import sentence_instead
from pages.widgets.wishes import acted


def show_demo_button(cache: Path) -> None:
    """Draw the button; what it loads is shown as soon as it is there."""
    if not acted("Load the demo", key="load_demo", type="primary", icon=":material/download:"):
        return
    bar = st.progress(0.0, text="Copying the demo")

    def copied(done: int, total: int) -> None:
        words = "Reading it into the database" if done == total else "Copying the demo"
        bar.progress(done / total, text=f"{words}: {done:,} of {total:,} files")

    def computing(what: str) -> None:
        bar.progress(1.0, text=f"Computing {what}")

    with sentence_instead("The demo cannot be loaded."):
        shipped.load_demo(cache, source=shipped.DEMO_DIRECTORY, progress=copied)
        derive(cache, say=computing)
        st.rerun()
