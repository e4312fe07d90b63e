"""An expected error on a page: its one sentence, and no traceback."""

import streamlit as st

from data_cache.errors import CacheBusy


def show_error(error: Exception) -> None:
    """Show the sentence that the error carries, as plain text."""
    if isinstance(error, CacheBusy):
        st.info("The cache is being written to.", icon=":material/hourglass:")
        st.text(str(error))
        st.button("Try again", key="try_again")
        return
    st.error("This cannot be shown.", icon=":material/error:")
    st.text(str(error))
