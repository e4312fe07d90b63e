"""From an opened sample to the same sample across models."""

import streamlit as st

from data_cache.estimates import SpectrumRecord
from pages.widgets import state
from pages.widgets.pair_choices import LETTERS, comparable
from pages.widgets.sample_choices import choice_of
from pages.widgets.sidebar import Selection
from pages.widgets.stored import Stored

COMPARE_PAGE = "pages/compare.py"
KEYS = (state.MODEL_A, state.MODEL_B, state.MODEL_C, state.MODEL_D)


def show_button(
    reading: Stored, selection: Selection, record: SpectrumRecord, sample_id: str
) -> None:
    """Draw the button that leads from a sample to what up to four models make of it.

    Parameters
    ----------
    reading
        What the cache holds.
    selection
        The models of the sidebar: they stand beside the one whose sample is opened.
    record
        The estimate that the opened sample's numbers belong to.
    sample_id
        The sample.
    """
    models = models_beside(record.model, selection.models, comparable(reading, record.benchmark))
    if len(models) > 1:
        st.button(
            "Across models",
            key="across",
            icon=":material/view_column:",
            on_click=_remember,
            args=(record, models, sample_id),
            help="This sample with what the models of the sidebar make of it, side by side.",
        )


def models_beside(model: str, chosen: tuple[str, ...], known: list[str]) -> tuple[str, ...]:
    """Return a model and up to three others, those that are chosen first.

    >>> models_beside("b", ("a", "b"), ["a", "b", "c", "d", "e"])
    ('b', 'a')
    >>> models_beside("b", ("b",), ["a", "b", "c", "d", "e"])
    ('b', 'a', 'c', 'd')
    """
    others = [one for one in chosen if one in known and one != model]
    others = others or [one for one in known if one != model]
    return (model, *others)[: len(LETTERS)]


def follow_across() -> None:
    """Go to the sample across models if that was asked for; one of the first calls of a page."""
    sent = st.session_state.pop(state.SET_SIDE, None)
    if sent is None:
        return
    models, sample_id = sent
    for place, key in enumerate(KEYS):
        # What was compared before would come back.
        st.session_state[key] = models[place] if place < len(models) else None
    chosen = dict(zip(KEYS, models, strict=False))
    st.switch_page(COMPARE_PAGE, query_params={**chosen, state.SAMPLE: sample_id})


def _remember(record: SpectrumRecord, models: tuple[str, ...], sample_id: str) -> None:
    # Both pages have a picker for the subset, which nobody else may write into the address.
    st.session_state[state.SUBSET] = choice_of(record.subset)
    st.session_state[state.SET_SIDE] = (models, sample_id)
