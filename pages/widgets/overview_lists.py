"""What else an overview shows in few lines: numbers, newest runs, jobs, adapters, room on disk."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from data_cache import jobs as stored_jobs
from data_cache.adapters import AdapterRecord
from data_cache.disk import DiskUse, disk_use
from data_cache.errors import DataError
from data_cache.jobs import JobRow
from data_cache.queries import RunRow
from model_runners.hub import written_bytes
from pages.widgets import empty_states, state
from pages.widgets.coverage_view import open_spectra
from pages.widgets.demo_button import show_demo_button
from pages.widgets.errors import show_error
from pages.widgets.imported_runs import is_imported
from pages.widgets.job_words import (
    STATES,
    is_worked_on,
    moment,
    outcome_of,
    progress_of,
    share_done,
    state_of,
)
from pages.widgets.running_jobs import EVERY_SECONDS, rerun_when_changed
from pages.widgets.stored import Stored
from pages.widgets.stored_adapters import read_adapters
from pages.widgets.tables import show_table_frame

NEWEST = 5
JOBS_SHOWN = 4
RUN_PAGE, LORA_PAGE = "pages/run.py", "pages/lora.py"


def show_first_steps(reading: Stored) -> None:
    """Say what can be done where the cache holds nothing."""
    with st.container(border=True):
        st.subheader("Nothing to show yet", anchor=False)
        st.text(empty_states.nothing_in(reading.cache))
        st.text(
            "The demo: seventeen small models with real weights on handwritten digits, measured "
            "already. It ships with PIDscope (about 34 MB), nothing is downloaded, and it takes "
            "seconds."
        )
        show_demo_button(reading.cache)
        st.text("The same from a terminal:")
        empty_states.show_command("demo load", reading.cache)
        st.text("Or measure a model of your own, or import predictions computed elsewhere:")
        st.page_link(RUN_PAGE, label="Start a run or an import", icon=":material/play_circle:")


def show_numbers(reading: Stored) -> None:
    """Show what the cache holds in a few numbers."""
    use = _disk_use(str(reading.cache), reading.version)
    numbers = [
        ("Models", f"{len({run.model for run in reading.runs}):,}", None),
        ("Benchmarks", f"{len({run.benchmark for run in reading.runs}):,}", None),
        ("Runs", f"{len(reading.runs):,}", "A model on a benchmark, with one set of settings."),
        ("Spectra", f"{len(reading.spectra):,}", "Estimates, without those of single layers."),
        ("On disk", written_bytes(use.total), _parts(use)),
    ]
    with st.container(horizontal=True, gap="medium", key="overview_numbers"):
        for label, value, meaning in numbers:
            with st.container(width="content", gap="xxsmall"):
                st.caption(label, help=meaning)
                st.text(value)


def show_newest_runs(runs: Sequence[RunRow]) -> None:
    """List the runs that changed last, each with a way to its spectra."""
    st.subheader("Newest runs", anchor=False)
    newest = sorted(runs, key=lambda run: run.ingested_at, reverse=True)[:NEWEST]
    for run in newest:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                "Spectra",
                key=f"newest_{run.run_key}",
                icon=":material/stacked_bar_chart:",
                on_click=partial(open_spectra, run.model, run.benchmark),
            )
            with st.container(gap="xxsmall", width="stretch"):
                st.text(f"{run.model} on {run.benchmark}")
                st.text(run_in_words(run))
    if len(runs) > NEWEST:
        st.caption(f"And {len(runs) - NEWEST:,} older ones.")


def run_in_words(run: RunRow) -> str:
    """Say how large a run is and when it changed last."""
    layers = sum(layer >= 0 for layer in run.layers)
    parts = [
        f"{run.n_samples:,} samples",
        "imported" if is_imported(run) else f"{run.draws} draws" if run.draws > 1 else "1 draw",
        f"{layers} layers" if layers else "",
        moment(run.ingested_at.timestamp()),
    ]
    return ", ".join(part for part in parts if part)


def read_jobs(cache: Path) -> list[JobRow]:
    """Return the jobs; none where their file cannot be read, which the Run page says."""
    try:
        return stored_jobs.jobs(cache)
    except DataError:
        return []


def show_jobs(reading: Stored) -> None:
    """Show the jobs at work and those that ended last; up to date while something runs."""
    st.subheader("Jobs", anchor=False)
    every = EVERY_SECONDS if st.session_state[state.WORKING] else None
    st.fragment(_show_jobs, run_every=every)(reading.cache)
    st.page_link(RUN_PAGE, label="All jobs, and a new run", icon=":material/play_circle:")


def show_adapters(reading: Stored) -> None:
    """List the adapters; nothing where there are none."""
    found = read_adapters(reading)
    if not found:
        return
    st.subheader("Adapters", anchor=False)
    show_table_frame(
        adapter_frame(found[:NEWEST]), key="adapter_table", alt="Adapters trained here."
    )
    if len(found) > NEWEST:
        st.caption(f"And {len(found) - NEWEST:,} older ones.")
    st.page_link(
        LORA_PAGE, label="Before and after, and training", icon=":material/model_training:"
    )


def adapter_frame(found: Sequence[AdapterRecord]) -> pd.DataFrame:
    """Return one row an adapter."""
    return pd.DataFrame(
        [
            {
                "Adapter": one.name,
                "Benchmark": one.benchmark,
                "Strategy": one.strategy,
                "State": one.state,
                "Steps": f"{one.steps:,} of {one.total_steps:,}",
                "Begun": one.created[:16].replace("T", " "),
            }
            for one in found
        ]
    )


def _show_jobs(cache: Path) -> None:
    try:
        rows = stored_jobs.jobs(cache)
    except DataError as error:
        show_error(error)
        return
    rerun_when_changed(rows)
    if not rows:
        st.text("No job has been started in this cache yet.")
    rows.sort(key=lambda row: not is_worked_on(row))
    for row in rows[:JOBS_SHOWN]:
        label, colour = STATES[state_of(row)]
        with st.container(horizontal=True, vertical_alignment="top", gap="small"):
            st.badge(label, color=colour)
            with st.container(gap="xxsmall", width="stretch"):
                st.text(row.title)
                if is_worked_on(row):
                    st.progress(share_done(row), text=progress_of(row))
                elif row.state in {"failed", "lost"}:
                    st.text(outcome_of(row))
    if len(rows) > JOBS_SHOWN:
        st.caption(f"And {len(rows) - JOBS_SHOWN:,} more.")


def _parts(use: DiskUse) -> str:
    return (
        f"Chunks {written_bytes(use.chunks)}, database {written_bytes(use.database)}, adapters "
        f"{written_bytes(use.adapters)}, images and the rest {written_bytes(use.rest)}; "
        f"{written_bytes(use.free)} are free."
    )


@st.cache_data(max_entries=4, ttl=60, show_spinner=False)
def _disk_use(cache: str, version: str) -> DiskUse:
    return disk_use(Path(cache))
