"""Which two to four models are compared, on which subset: the pickers of the Compare page."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from data_cache.estimates import SpectrumRecord
from data_cache.paired import Pair
from pages.figures.pair_bars import LETTERS
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


@dataclass(frozen=True, kw_only=True)
class Together:
    """Two to four estimates on one subset of a benchmark, the baseline first."""

    records: tuple[SpectrumRecord, ...]

    @property
    def estimate_keys(self) -> tuple[str, ...]:
        """Their keys."""
        return tuple(record.estimate_key for record in self.records)

    @property
    def pairs(self) -> tuple[Compared, ...]:
        """The baseline with each other one."""
        return tuple(Compared(a=self.records[0], b=other) for other in self.records[1:])

    def lettered(self) -> list[tuple[str, SpectrumRecord]]:
        """Return each with its letter."""
        return list(zip(LETTERS, self.records, strict=False))


def comparable(reading: Stored, benchmark: str) -> list[str]:
    """Return the models that have a spectrum on a benchmark."""
    found = {one.model for one in reading.spectra if one.benchmark == benchmark}
    return sorted(found, key=natural_order)


def choose_models(models: Sequence[str], selection: Selection) -> tuple[str, ...]:
    """Draw the pickers for A to D and the button that swaps A and B; at least two models are there.

    A and B begin with the first two models of the sidebar that can be compared, the others with
    none.
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
            width=230,
            help="The baseline: the others are compared with it." if place == 0 else None,
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
    for place, (label, key) in enumerate((("C", state.MODEL_C), ("D", state.MODEL_D)), start=2):
        # D stands beside C, not beside a gap.
        if len(models) <= place or len(chosen) < place:
            break
        note_unknown(key, models)
        other = st.selectbox(
            label,
            list(models),
            index=None,
            key=key,
            bind="query-params",
            width=230,
            placeholder="none",
        )
        if other is not None and other in models:
            chosen.append(other)
    return tuple(chosen)


def twice(chosen: Sequence[str]) -> str:
    """Say which two of the chosen models are one; empty where all differ.

    >>> twice(["m", "n", "m"]), twice(["m", "n"])
    ('A and C are both m; choose another model for one of them.', '')
    """
    for place, model in enumerate(chosen):
        before = list(chosen[:place])
        if model in before:
            letters = f"{LETTERS[before.index(model)]} and {LETTERS[place]}"
            return f"{letters} are both {model}; choose another model for one of them."
    return ""


def choose_compared(
    reading: Stored, benchmark: str, models: Sequence[str]
) -> tuple[Together | None, tuple[SpectrumRecord, ...]]:
    """Draw the pickers for the estimates and the subset.

    Returns
    -------
    What is compared, None where the models share no subset; and all spectra that fit the pickers.
    """
    records = choose_records(reading.spectra, Selection(benchmark=benchmark, models=tuple(models)))
    held = {(record.model, record.subset): record for record in records}
    common = [
        record
        for record in records
        if record.model == models[0] and all((model, record.subset) in held for model in models)
    ]
    if not common:
        return None, records
    subset = choose_subset(common)
    return Together(records=tuple(held[model, subset] for model in models)), records


def _swap(a: str, b: str) -> None:
    st.session_state[state.MODEL_A], st.session_state[state.MODEL_B] = b, a
