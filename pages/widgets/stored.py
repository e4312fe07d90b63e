"""What the cache holds, read once per data version and shared by all sessions."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import streamlit as st

from data_cache import estimates, queries
from data_cache.errors import CacheBusy
from data_cache.estimates import SpectrumRecord
from data_cache.location import cache_directory
from data_cache.queries import RunRow
from pages.widgets import state


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One consistent reading of the cache."""

    cache: Path
    version: str
    condition: str
    """`missing`, `empty` or `ready`."""
    read_at: datetime
    is_stale: bool = False
    """The cache was busy, and this is the reading before."""
    runs: tuple[RunRow, ...] = ()
    spectra: tuple[SpectrumRecord, ...] = ()


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
        reading = _read(str(cache), str(queries.data_version(cache)))
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
        return Stored(cache=folder, version=version, condition=condition, read_at=datetime.now())
    return Stored(
        cache=folder,
        version=version,
        condition=condition,
        read_at=datetime.now(),
        runs=tuple(queries.runs(folder)),
        spectra=tuple(estimates.load(folder)),
    )
