"""Which train samples an adapter learned more from, and which less."""

from collections.abc import Iterable

import streamlit as st

from data_cache.adapters import AdapterRecord
from data_cache.estimates import SpectrumRecord
from data_cache.plan import OUTPUT_LAYER
from pages.figures.rows import POOLED
from pages.widgets.spectrum_choices import newest_of_each
from pages.widgets.stored import Stored
from pages.widgets.stored_adapters import read_weights
from pages.widgets.strategy_words import rank_of
from pages.widgets.weights_shown import SHOWN, show_roles


def show_weights(adapter: AdapterRecord, reading: Stored) -> None:
    """Show how many samples had which role and weight, and the first of those that were lifted."""
    st.subheader("What it learned from", anchor=False)
    score = rank_of(adapter.strategy)
    field = None if score is None else score.field
    weights = read_weights(reading, adapter, field, shown=SHOWN)
    if weights is None:
        st.text("The train samples have not been weighed yet.")
        return
    show_roles(
        weights,
        adapter.strategy,
        key="learned",
        note=f"Mean weight {adapter.mean_weight:.3f}. All of them are of the train split.",
        behind=train_estimates(adapter, reading.spectra),
    )


def train_estimates(
    adapter: AdapterRecord, spectra: Iterable[SpectrumRecord]
) -> tuple[SpectrumRecord, ...]:
    """Return the base's newest estimates on the train split of what the adapter was trained on.

    One where that is a subset, or where there are no subsets.
    """
    newest = newest_of_each(
        one
        for one in spectra
        if (one.model, one.benchmark, one.split) == (adapter.base, adapter.benchmark, "train")
        and one.layer == OUTPUT_LAYER
        and one.estimator == "certified"
    )
    wanted = adapter.options.get("subset")
    if wanted is not None:
        return tuple(one for one in newest if one.subset == wanted)
    return tuple(one for one in newest if one.subset != POOLED) or tuple(newest)
