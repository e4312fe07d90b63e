"""What must be downloaded before a model of the hub can run, and how much room there is."""

import streamlit as st

from model_runners import hub
from model_runners.errors import RunnerError
from model_runners.models import resolve_model

ASK_SECONDS = 5.0
"""How long the page waits for the hub."""
FRESH_SECONDS = 300
"""How long its answer is shown before it is asked again."""


def show_download(model: str) -> None:
    """Say how large a download is, or why there cannot be one; nothing for what is here.

    Raises
    ------
    model_runners.errors.RunnerError
        If there is no such model.
    """
    source = resolve_model(model)
    if source.is_local or hub.stored_model(source.location) is not None:
        return
    st.text(_asked(source.location))


@st.cache_data(ttl=FRESH_SECONDS, max_entries=50, show_spinner="Asking the hub")
def _asked(hub_id: str) -> str:
    try:
        return f"{hub.look(hub_id, timeout=ASK_SECONDS).described}."
    except RunnerError as error:
        return str(error)
