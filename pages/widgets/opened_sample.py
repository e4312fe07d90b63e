"""Which sample is opened: the address says it, and so does nothing else."""

import streamlit as st

from pages.widgets import state


def opened_sample() -> str | None:
    """Return the sample that the address names."""
    return st.query_params.get(state.SAMPLE) or None


def open_sample(sample_id: str) -> None:
    """Open a sample; a callback of buttons and tables."""
    st.query_params[state.SAMPLE] = sample_id


def close_sample(page: int) -> None:
    """Go back to the list, to the page that the sample is on; a callback."""
    forget_sample()
    st.session_state[state.PAGE] = page


def forget_sample() -> None:
    """Take the sample out of the address."""
    if state.SAMPLE in st.query_params:
        del st.query_params[state.SAMPLE]
