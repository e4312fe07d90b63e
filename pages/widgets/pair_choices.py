"""Which two models are compared, on which subset: the pickers of the Compare page."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from data_cache.disagreement import Pair
from data_cache.estimates import SpectrumRecord
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.sidebar import Selection, natural_order
from pages.widgets.spectrum_choices import choose_records
from pages.widgets.stored import Stored
from pages.widgets.subset_choice import choose_subset


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Two estimates on one subset of a benchmark."""

    a: SpectrumRecord
    b: SpectrumRecord

    @property
    def pair(self) -> Pair:
        """Their keys."""
        return Pair(a=self.a.estimate_key, b=self.b.estimate_key)


def comparable(reading: Stored, benchmark: str) -> list[str]:
    """Return the models that have a spectrum on a benchmark."""
    found = {one.model for one in reading.spectra if one.benchmark == benchmark}
    return sorted(found, key=natural_order)


def choose_two(models: Sequence[str], selection: Selection) -> tuple[str, str]:
    """Draw the pickers for A and B and the button that swaps them; at least two models are there.

    They begin with the first two models of the sidebar that can be compared.
    """
    first = [model for model in selection.models if model in models]
    first += [model for model in models if model not in first]
    chosen: list[str] = []
    for place, (label, key) in enumerate((("A", state.MODEL_A), ("B", state.MODEL_B))):
        note_unknown(key, models)
        wanted = st.selectbox(
            label,
            list(models),
            index=list(models).index(first[place]),
            key=key,
            bind="query-params",
            width=260,
        )
        chosen.append(wanted if wanted in models else first[place])
    st.button(
        "Swap",
        key="swap",
        icon=":material/swap_horiz:",
        on_click=_swap,
        args=(chosen[0], chosen[1]),
        help="A becomes B, and B becomes A.",
    )
    return chosen[0], chosen[1]


def choose_compared(
    reading: Stored, benchmark: str, models: tuple[str, str]
) -> tuple[Compared | None, tuple[SpectrumRecord, ...]]:
    """Draw the pickers for the estimates and the subset.

    Returns
    -------
    What is compared, None where the two share no subset; and all spectra that fit the pickers.
    """
    records = choose_records(reading.spectra, Selection(benchmark=benchmark, models=models))
    held = {(record.model, record.subset): record for record in records}
    common = [
        record
        for record in records
        if record.model == models[0] and (models[1], record.subset) in held
    ]
    if not common:
        return None, records
    subset = choose_subset(common)
    return Compared(a=held[models[0], subset], b=held[models[1], subset]), records


def _swap(a: str, b: str) -> None:
    st.session_state[state.MODEL_A], st.session_state[state.MODEL_B] = b, a
