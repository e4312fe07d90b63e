"""From a bar to its samples: a click on a chart of Spectra opens the Samples page."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.widgets import state
from pages.widgets.sample_choices import choice_of
from pages.widgets.spectrum_choices import settings_choice
from pages.widgets.stored import current_reading

SAMPLES_PAGE = "pages/samples.py"


def remember_click(key: str) -> None:
    """Note which estimate was clicked; a chart's callback."""
    clicked = estimate_of(st.session_state[key])
    spectra = current_reading().spectra
    record = next((one for one in spectra if one.estimate_key == clicked), None)
    if record is None:
        return
    settings = settings_choice(record, spectra)
    if settings is not None:
        # The names of settings depend on the estimates beside them: there are fewer on the other
        # page.
        st.session_state[state.SETTINGS] = settings
    st.session_state[state.CLICKED] = {
        state.MODEL: record.model,
        state.SUBSET: choice_of(record.subset),
    }


def follow_click() -> None:
    """Go to the Samples page if a bar was clicked; one of the first calls of a page.

    What the pickers of both pages hold (split, estimator, settings) comes along by itself.
    """
    parameters = st.session_state.pop(state.CLICKED, None)
    if parameters is not None:
        st.switch_page(SAMPLES_PAGE, query_params=parameters)


def estimate_of(event: Mapping[str, Any]) -> str | None:
    """Return the estimate that a clicked point belongs to.

    Charts carry it in `customdata`: the number of a point is wrong once a figure was drawn again.

    >>> estimate_of({"selection": {"points": [{"customdata": ["0123"]}]}})
    '0123'
    >>> estimate_of({"selection": {"points": [{"point_index": 3}]}})
    """
    for point in event["selection"]["points"]:
        data = point.get("customdata")
        if data:
            return str(data[0])
    return None
