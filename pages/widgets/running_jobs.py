"""Jobs at work, in the sidebar of every page; when one ends, the page is drawn again with its news.

The timer runs only while something is worked on.
"""

import time
from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from data_cache import jobs
from data_cache.errors import DataError
from data_cache.jobs import JobRow
from data_cache.location import cache_directory
from pages.widgets import state
from pages.widgets.job_words import is_worked_on, progress_of, share_done
from pages.widgets.stored import Stored

EVERY_SECONDS = 1.0
MOST_SHOWN = 3


def look() -> list[JobRow]:
    """Return the jobs that ended since this page was drawn last, and note those at work.

    To be called before the cache is read: what they found is then part of that reading.
    """
    before: frozenset[str] = st.session_state.get(state.WORKING, frozenset())
    try:
        rows = jobs.jobs(cache_directory(None))
    except DataError:  # the Run page says it; spectra can be looked at without
        rows = []
    st.session_state[state.WORKING] = keys_at_work(rows)
    return [row for row in rows if row.job_key in before and row.state == "done"]


def choose_results(ended: Iterable[JobRow], reading: Stored) -> None:
    """Add the models of jobs that have just ended to those that are shown."""
    chosen: list[str] | None = st.session_state.get(state.MODELS)
    if chosen is None:
        return
    stored = {(run.model, run.benchmark) for run in reading.runs}
    for row in ended:
        model, benchmark = row.result.get("model"), row.result.get("benchmark")
        is_shown = benchmark == st.session_state.get(state.BENCHMARK)
        if is_shown and (model, benchmark) in stored and model not in chosen:
            chosen = [*chosen, str(model)]
            st.session_state[state.MODELS] = chosen


def show_running(reading: Stored) -> None:
    """Show what is worked on, kept up to date, at the end of the sidebar."""
    at_work = bool(st.session_state[state.WORKING])
    every = EVERY_SECONDS if at_work or reading.is_stale else None
    with st.sidebar:
        st.fragment(_show, run_every=every)(reading.cache, reading.is_stale, time.monotonic())


def rerun_when_changed(rows: Iterable[JobRow]) -> None:
    """Draw the whole page again, once, when a job began or ended."""
    if keys_at_work(rows) != st.session_state.get(state.WORKING):
        st.rerun()


def keys_at_work(rows: Iterable[JobRow]) -> frozenset[str]:
    """Return the jobs that a process is at."""
    return frozenset(row.job_key for row in rows if is_worked_on(row))


def _show(cache: Path, is_stale: bool, drawn: float) -> None:
    try:
        rows = jobs.jobs(cache)
    except DataError:
        return
    if is_stale and time.monotonic() - drawn >= EVERY_SECONDS / 2:
        st.rerun()  # the cache was busy when this page was drawn
    rerun_when_changed(rows)
    working = [row for row in rows if is_worked_on(row)]
    for row in working[:MOST_SHOWN]:
        with st.container(border=True, gap="xsmall"):
            st.text(row.title)
            st.progress(share_done(row), text=progress_of(row))
    if len(working) > MOST_SHOWN:
        st.text(f"and {len(working) - MOST_SHOWN} more")
