"""From a chart or a list to its samples: a click opens the Samples page."""

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from data_cache.estimates import SpectrumRecord
from data_cache.sample_filters import SampleFilters
from pages.widgets import state
from pages.widgets.sample_choices import choice_of
from pages.widgets.spectrum_choices import settings_choice
from pages.widgets.stored import current_reading
from pages.widgets.where import where_of

SAMPLES_PAGE = "pages/samples.py"
KINDS = (state.SPLIT, state.ESTIMATOR)
"""What the pickers for a kind of estimate hold, on most pages."""


def remember_click(key: str) -> None:
    """Note which estimate was clicked; a chart's callback."""
    clicked = estimate_of(st.session_state[key])
    # A checkpoint is listed on the other page once its address names it.
    spectra = current_reading().every_spectrum
    record = next((one for one in spectra if one.estimate_key == clicked), None)
    if record is not None:
        _remember(record, spectra)


def remember_sample(record: SpectrumRecord, sample_id: str) -> None:
    """Note which sample of which estimate is to be opened; a button's callback."""
    _show_all()
    _remember(record, current_reading().spectra)
    st.session_state[state.CLICKED][state.SAMPLE] = sample_id


def remember_filtered(record: SpectrumRecord, filters: SampleFilters, *, subset: str) -> None:
    """Note which samples are to be listed; a chart's callback.

    Parameters
    ----------
    record
        An estimate that they belong to.
    filters
        Which of them.
    subset
        What the picker for the subset has to hold.
    """
    _show_all()
    _remember(record, current_reading().spectra)
    st.session_state[state.CLICKED] |= {state.SUBSET: subset, state.WHERE: where_of(filters)}


def _show_all() -> None:
    """Take away what was filtered on the Samples page before: it must not hide what is sought."""
    for picker, everything in ((state.ANSWERS, "all"), (state.PART, "both")):
        if picker in st.session_state:
            st.session_state[picker] = everything


def _remember(record: SpectrumRecord, spectra: Iterable[SpectrumRecord]) -> None:
    _choose_models(record)
    for picker, value in ((state.SPLIT, record.split), (state.ESTIMATOR, record.estimator)):
        st.session_state[picker] = value
    settings = settings_choice(record, spectra)
    if settings is not None:
        # The names of settings depend on the estimates beside them: there are fewer on the other
        # page.
        st.session_state[state.SETTINGS] = settings
    st.session_state[state.CLICKED] = {
        state.MODEL: record.model,
        state.SUBSET: choice_of(record.subset),
    }


def _choose_models(record: SpectrumRecord) -> None:
    """Choose benchmark and model in the sidebar: the other page offers what is chosen there."""
    chosen: list[str] = list(st.session_state.get(state.MODELS, ()))
    if st.session_state.get(state.BENCHMARK, record.benchmark) != record.benchmark:
        there = {run.model for run in current_reading().runs if run.benchmark == record.benchmark}
        chosen = [model for model in chosen if model in there]
        st.session_state[state.BENCHMARK] = record.benchmark
    if record.model not in chosen:
        st.session_state[state.MODELS] = [*chosen, record.model]


def follow_click(
    *, held: Iterable[str] = (), kinds: Iterable[str] = KINDS, undrawn: Iterable[str] = ()
) -> None:
    """Go to the Samples page if something was clicked; one of the first calls of a page.

    What the pickers of both pages hold (split, estimator, settings) comes along by itself.

    Parameters
    ----------
    held
        Which of the model, the subset and the sample this page has a picker for: those are set as
        the picker would, because Streamlit lets nobody else write its parameter.
    kinds
        Which of the split and the estimator it has a picker for; the address names the others.
    undrawn
        Which pickers of the sidebar this page does not draw; the address names what they hold.
    """
    parameters = st.session_state.pop(state.CLICKED, None)
    if parameters is None:
        return
    for key in held:
        if key in parameters:
            st.session_state[key] = parameters.pop(key)
    for key in set(KINDS) - set(kinds):
        if key in st.session_state:
            parameters[key] = st.session_state[key]
    for key in undrawn:
        if key in st.session_state:
            parameters[key] = st.session_state.pop(key)
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
