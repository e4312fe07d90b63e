"""Every page is entered through app.py, whatever address a fresh server is asked for first."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def enter_through_app() -> None:
    """Begin again with app.py if Streamlit runs this page on its own; the first call of a page.

    A folder called `pages` beside app.py makes Streamlit run its scripts one by one, until some
    visitor's run has reached `st.navigation`. A link to a page, opened on a server just started,
    would else show that page without the sidebar and without what app.py reads for it. There is no
    public switch for this as of Streamlit 1.67.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
