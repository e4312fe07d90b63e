"""What all pages share: the benchmark, the models, and which cache they come from."""

import re
from dataclasses import dataclass

import streamlit as st

from pages.widgets import state
from pages.widgets.address import begin_notes, note_unknown
from pages.widgets.stored import Stored

MODELS_AT_FIRST = 8
"""So many models are shown before anyone chose; more make the first page slow to read."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What the person chose in the sidebar."""

    benchmark: str
    models: tuple[str, ...]


def choose(reading: Stored, *, pickers: bool = True) -> None:
    """Draw the sidebar and keep what is chosen for the page.

    Parameters
    ----------
    reading
        What the cache holds.
    pickers
        Whether the page shows some models on one benchmark. A page that shows all has no pickers;
        Streamlit keeps what they held for when they come back, because they are in the address.
    """
    begin_notes()
    with st.sidebar:
        st.session_state[state.SELECTION] = _pickers(reading) if pickers else None
        _source(reading)


def current_selection() -> Selection:
    """Return what is chosen in the sidebar; a page asks after it found the cache to hold runs."""
    return st.session_state[state.SELECTION]


def natural_order(name: str) -> list[tuple[int, str]]:
    """Sort key by which 7B comes before 13B.

    >>> sorted(["m-13B", "m-7B"], key=natural_order)
    ['m-7B', 'm-13B']
    """
    parts = re.split(r"(\d+)", name.casefold())
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]


def _pickers(reading: Stored) -> Selection | None:
    benchmarks = sorted({run.benchmark for run in reading.runs})
    if not benchmarks:
        return None
    note_unknown(state.BENCHMARK, benchmarks)
    wanted = st.selectbox("Benchmark", benchmarks, key=state.BENCHMARK, bind="query-params")
    benchmark = wanted if wanted in benchmarks else benchmarks[0]
    models = sorted(
        {run.model for run in reading.runs if run.benchmark == benchmark}, key=natural_order
    )
    before = st.session_state.get(state.MODELS)
    if before and not set(before) & set(models):
        # Another benchmark was chosen, and none of the models was run on it.
        st.session_state[state.MODELS] = models[:MODELS_AT_FIRST]
    note_unknown(state.MODELS, models)
    chosen = st.multiselect(
        "Models",
        models,
        default=models[:MODELS_AT_FIRST],
        key=state.MODELS,
        bind="query-params",
        placeholder="Choose models",
    )
    return Selection(benchmark=benchmark, models=tuple(name for name in chosen if name in models))


def _source(reading: Stored) -> None:
    with st.expander("Cache", icon=":material/database:"):
        st.text(str(reading.cache))
        st.text(f"{len(reading.every_run)} runs, {len(reading.every_spectrum)} spectra")
        st.text(f"read {reading.read_at:%H:%M:%S}")
    if reading.is_stale:
        st.info(
            f"The cache is being written to; showing what it held at {reading.read_at:%H:%M:%S}.",
            icon=":material/hourglass:",
        )
