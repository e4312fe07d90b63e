"""Where an adapter was measured: the benchmark and the subset that its results are shown of."""

from dataclasses import dataclass

import streamlit as st

from data_cache.adapters import AdapterRecord
from model_runners.finetuning.standings import on_benchmark
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.stored import Stored
from pages.widgets.stored_adapters import pairs_of

EVERY = "every subset"
"""All test questions of the benchmark together."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What of an adapter's results is shown."""

    adapter: AdapterRecord
    """With its runs of before and after on the benchmark."""
    benchmark: str
    subset: str | None
    """None is every one of them."""


def benchmarks_of(adapter: AdapterRecord) -> list[str]:
    """Return where an adapter was measured, the benchmark that it was trained on first."""
    return list(dict.fromkeys((adapter.benchmark, *(one.benchmark for one in adapter.measured))))


def choose_benchmark(adapter: AdapterRecord) -> AdapterRecord:
    """Draw the picker where there are several; returns the adapter as measured there."""
    names = benchmarks_of(adapter)
    if len(names) < 2:
        return adapter
    note_unknown(state.MEASURED, names)
    wanted = st.selectbox(
        "Measured on benchmark",
        names,
        key=state.MEASURED,
        bind="query-params",
        width=260,
        help="The first one is the benchmark that it was trained on.",
    )
    return on_benchmark(adapter, wanted if wanted in names else names[0]) or adapter


def choose_subset(adapter: AdapterRecord, reading: Stored) -> Shown:
    """Draw the picker for one subset, or all questions together."""
    subsets = [pair.after.subset for pair in pairs_of(adapter, reading.spectra)]
    if len(subsets) < 2:
        return Shown(
            adapter=adapter, benchmark=adapter.benchmark, subset=subsets[0] if subsets else None
        )
    names = [EVERY, *subsets]
    note_unknown(state.LORA_PART, names)
    wanted = st.selectbox(
        "Measured on",
        names,
        key=state.LORA_PART,
        bind="query-params",
        width=220,
        help="Test questions of one subset, or of all together.",
    )
    return Shown(
        adapter=adapter,
        benchmark=adapter.benchmark,
        subset=wanted if wanted in subsets else None,
    )
