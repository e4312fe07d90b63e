"""An expected error on a page: its one sentence, and no traceback."""

from collections.abc import Generator
from contextlib import contextmanager

import streamlit as st

from data_cache.errors import CacheBusy
from model_runners.errors import USER_ERRORS


def show_error(error: Exception) -> None:
    """Show the sentence that the error carries, as plain text."""
    if isinstance(error, CacheBusy):
        st.info("The cache is being written to.", icon=":material/hourglass:")
        st.text(str(error))
        st.button("Try again", key="try_again")
        return
    st.error("This cannot be shown.", icon=":material/error:")
    st.text(str(error))


@contextmanager
def sentence_instead(headline: str) -> Generator[None]:
    """Show an expected error of the block in its place; the rest of the page stays as it is.

    A fragment needs it: when it runs on its own, app.py is not there to catch anything.
    """
    try:
        yield
    except USER_ERRORS as error:
        st.error(headline, icon=":material/error:")
        st.text(str(error))
