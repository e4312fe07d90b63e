"""Where the time of runs went, and what would make them shorter."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from data_cache.queries import RunRow
from data_cache.run_times import RunTime, timed_runs, times_of
from model_runners.time_advice import advice, said, shares
from pages.figures.time_shares import TimedRun, describe, time_shares
from pages.widgets import drawn, state
from pages.widgets.charts import show_figure
from pages.widgets.stored import Stored

MOST = 8
"""Runs at once."""
ON_RUN = 5
TITLE = "Where the time of the latest runs went"
NOTE = (
    "Measured by each run when it last computed something, from its start to its end. Encoding "
    "images is “Vision”, the text stack “Language”; what shares a processor with other programs "
    "takes longer than alone."
)


def show_latest_times(reading: Stored) -> None:
    """Show the runs that ended last, folded; nothing where no run has noted its time."""
    keys = _latest(str(reading.cache), reading.version)
    known = {run.run_key: run for run in reading.every_run}
    runs = [known[key] for key in keys if key in known][:ON_RUN]
    if not runs:
        return
    window = st.expander(
        TITLE, icon=":material/timer:", key=state.RUN_TIMES_OPEN, on_change="rerun"
    )
    if window.open:
        with window:
            show_times(runs, reading, key="latest_run_times")


def show_times(runs: Sequence[RunRow], reading: Stored, *, key: str) -> None:
    """Show the runs that have noted their time: a bar and what it says of each.

    Parameters
    ----------
    runs
        The first few of them are shown.
    reading
        What the page has read.
    key
        Of the figure.
    """
    noted = _noted(str(reading.cache), tuple(run.run_key for run in runs), reading.version)
    timed = [
        TimedRun(name=f"{run.model} on {run.benchmark}", entry=noted[run.run_key])
        for run in runs
        if run.run_key in noted
    ][:MOST]
    if not timed:
        return
    show_figure(time_shares(timed), key=key, alt=describe(timed), data=lambda: frame_of(timed))
    drawn.show_caption(NOTE)
    for one in timed:
        for sentence in advice(one.entry):
            st.text(f"{one.name}: {sentence}.")


def frame_of(timed: Sequence[TimedRun]) -> pd.DataFrame:
    """Return one row per run and part."""
    return pd.DataFrame(
        [
            {
                "Run": one.name,
                "Part": said(name),
                "Seconds": round(share * max(one.entry.wall, sum(one.entry.parts.values())), 3),
                "Share (%)": round(100 * share, 2),
            }
            for one in timed
            for name, share in shares(one.entry).items()
        ]
    )


@st.cache_data(max_entries=8, show_spinner=False, ttl=20)
def _latest(cache: str, version: str) -> list[str]:
    del version  # notes of a run that ended without new rows come with the time to live
    return timed_runs(Path(cache))[: 4 * ON_RUN]


@st.cache_data(max_entries=16, show_spinner=False, ttl=20)
def _noted(cache: str, keys: tuple[str, ...], version: str) -> dict[str, RunTime]:
    del version
    found = {key: times_of(Path(cache), key) for key in keys}
    return {key: entries[-1] for key, entries in found.items() if entries}
