"""One subset of those that estimates are there for; the pooled one is called as on Samples."""

from collections.abc import Sequence

import streamlit as st

from data_cache.estimates import SpectrumRecord
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.sample_choices import choice_of


def choose_subset(records: Sequence[SpectrumRecord], *, first: str | None = None) -> str:
    """Draw the picker and return the subset that is chosen.

    Parameters
    ----------
    records
        Their subsets can be chosen.
    first
        The subset that is offered first, where it is among them.
    """
    subsets = {choice_of(record.subset): record.subset for record in records}
    if first is not None and first in subsets.values():
        subsets = {choice_of(first): first} | subsets
    note_unknown(state.SUBSET, subsets)
    wanted = st.selectbox("Subset", list(subsets), key=state.SUBSET, bind="query-params", width=190)
    return subsets[wanted if wanted in subsets else next(iter(subsets))]
