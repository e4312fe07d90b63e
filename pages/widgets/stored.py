"""What the cache holds, read once per data version and shared by all sessions."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import streamlit as st

from data_cache import estimates, queries
from data_cache.checkpoints import is_of_checkpoint
from data_cache.errors import CacheBusy
from data_cache.estimates import SpectrumRecord
from data_cache.location import cache_directory
from data_cache.queries import RunRow
from pages.widgets import state

PICKERS = (
    *(state.MODELS, state.MODEL, state.MODEL_A, state.MODEL_B, state.MODEL_C, state.MODEL_D),
)
"""What may hold the name of a model."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One consistent reading of the cache."""

    cache: Path
    version: str
    """What is kept of this reading is kept by it: data version and listed checkpoints."""
    data_version: str = ""
    """Of the cache when it was read; what is computed from another one is not kept on disk."""
    condition: str
    """`missing`, `empty` or `ready`."""
    read_at: datetime
    is_stale: bool = False
    """The cache was busy, and this is the reading before."""
    runs: tuple[RunRow, ...] = ()
    spectra: tuple[SpectrumRecord, ...] = ()
    """Without checkpoints that the address does not name: a training has dozens of them."""
    swap_runs: tuple[RunRow, ...] = ()
    """Runs that swap images: beside the others, and in no list of theirs."""
    swapped: tuple[SpectrumRecord, ...] = ()
    """Their spectra."""
    checkpoint_runs: tuple[RunRow, ...] = ()
    checkpoint_spectra: tuple[SpectrumRecord, ...] = ()
    """Of all checkpoints."""

    @property
    def every_run(self) -> tuple[RunRow, ...]:
        """All runs, each once."""
        listed = {run.run_key for run in self.runs}
        return (
            *self.runs,
            *(run for run in self.checkpoint_runs if run.run_key not in listed),
        )

    @property
    def every_spectrum(self) -> tuple[SpectrumRecord, ...]:
        """All spectra of models' own outputs, each once."""
        listed = {record.estimate_key for record in self.spectra}
        return (
            *self.spectra,
            *(one for one in self.checkpoint_spectra if one.estimate_key not in listed),
        )


def read_stored() -> Stored:
    """Read the cache, or repeat this session's last reading while somebody is writing to it.

    Raises
    ------
    data_cache.errors.CacheBusy
        If the cache is busy and this session has read nothing yet.
    data_cache.errors.DataError
        If the cache cannot be used at all.
    """
    cache = cache_directory(None)
    last: Stored | None = st.session_state.get(state.READING)
    try:
        version = str(queries.data_version(cache))
        reading = _with_named(str(cache), version, _named(_read(str(cache), version)))
    except CacheBusy:
        if last is None or last.cache != cache:
            raise
        return replace(last, is_stale=True)
    st.session_state[state.READING] = reading
    return reading


def current_reading() -> Stored:
    """Return what app.py read at the start of this run."""
    return st.session_state[state.READING]


# Not `cache_data`, which would copy thousands of records at every click; nothing changes them.
@st.cache_resource(max_entries=2, show_spinner="Reading the cache")
def _read(cache: str, version: str) -> Stored:
    folder = Path(cache)
    condition = queries.state(folder)
    if condition != "ready":
        return Stored(
            cache=folder,
            version=version,
            data_version=version,
            condition=condition,
            read_at=datetime.now(),
        )
    runs, spectra = queries.runs(folder), estimates.load(folder)
    apart = {run.run_key for run in runs if is_of_checkpoint(run.config)}
    return Stored(
        cache=folder,
        version=version,
        data_version=version,
        condition=condition,
        read_at=datetime.now(),
        runs=tuple(run for run in runs if run.run_key not in apart),
        swap_runs=tuple(queries.runs(folder, probe="swap")),
        swapped=tuple(estimates.load(folder, estimator=estimates.INTERVENTIONAL)),
        spectra=tuple(record for record in spectra if record.run_key not in apart),
        checkpoint_runs=tuple(run for run in runs if run.run_key in apart),
        checkpoint_spectra=tuple(record for record in spectra if record.run_key in apart),
    )


def _named(whole: Stored) -> tuple[str, ...]:
    """Return the checkpoints that are listed as other models are, by name.

    They are those that the address or a picker names, and all where there is nothing else.
    """
    models = {run.model for run in whole.checkpoint_runs}
    if not models or not whole.runs:
        return tuple(sorted(models))
    said = {value for name in st.query_params for value in st.query_params.get_all(name)}
    for picker in PICKERS:
        held = st.session_state.get(picker) or ()
        said |= {held} if isinstance(held, str) else set(held)
    return tuple(sorted(models & said))


# As `_read`; one reading per choice of checkpoints.
@st.cache_resource(max_entries=8, show_spinner=False)
def _with_named(cache: str, version: str, models: tuple[str, ...]) -> Stored:
    whole = _read(cache, version)
    if not models:
        return whole
    runs = [run for run in whole.checkpoint_runs if run.model in models]
    spectra = [record for record in whole.checkpoint_spectra if record.model in models]
    return replace(
        whole,
        # Whatever a page keeps of a reading is kept by its version.
        version=f"{version} with {', '.join(models)}",
        runs=tuple(sorted((*whole.runs, *runs), key=lambda run: (run.model, run.benchmark))),
        spectra=tuple(
            sorted(
                (*whole.spectra, *spectra),
                key=lambda one: (one.model, one.benchmark, one.subset),
            )
        ),
    )
