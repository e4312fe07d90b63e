"""Addresses that mean another page: old ones of Spectra, and the overview's by its name."""

import streamlit as st

from pages.widgets import state

OVERVIEW_PAGE, SPECTRA_PAGE = "pages/overview.py", "pages/spectra.py"
OF_SPECTRA = (
    *(state.BENCHMARK, state.MODELS, state.SPLIT, state.ESTIMATOR, state.SETTINGS),
    *(state.UNIT, state.BARS, state.GROUP),
)
"""The overview has none of these parameters: it shows every model on every benchmark."""


def follow_first_address(*, is_overview: bool) -> None:
    """Open Spectra if the first address of a session is the overview's with parameters of Spectra.

    To be called once a run, before the page is drawn.
    """
    is_first = state.OPENED not in st.session_state
    st.session_state[state.OPENED] = True
    if is_first and is_overview and any(name in st.query_params for name in OF_SPECTRA):
        parameters = {name: st.query_params.get_all(name) for name in st.query_params}
        st.switch_page(SPECTRA_PAGE, query_params=parameters)


def open_overview() -> None:
    """Open the overview; the page behind its name."""
    st.switch_page(OVERVIEW_PAGE, query_params={})
