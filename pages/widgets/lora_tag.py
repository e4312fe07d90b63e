"""Which tag is lifted: the picker of the strategy that needs one, and what it comes to."""

from pathlib import Path

import streamlit as st

from data_cache import tags
from data_cache.samples import Benchmark
from pages.widgets import state


def choose_tag(cache: Path, benchmark: Benchmark) -> str | None:
    """Draw the picker for a tag of a benchmark and return its name; None where there is none."""
    there = {one.name: one for one in tags.tags(cache) if one.benchmark_key == benchmark.key}
    if not there:
        return None
    if st.session_state.get(state.LORA_TAG) not in there:
        st.session_state.pop(state.LORA_TAG, None)
    wanted = st.selectbox(
        "Tag",
        list(there),
        format_func=lambda name: f"{name} ({there[name].samples:,})",
        key=state.LORA_TAG,
        persist_state="session",
        width=240,
        help="Its samples of the train split weigh more; those of the test split are left out.",
    )
    return wanted if wanted in there else next(iter(there))
