"""Where numbers come from: the run behind each, what it was measured with, and how to repeat it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from data_cache import jobs
from data_cache.errors import DataError
from data_cache.queries import RunRow
from model_runners.again import profile_command
from pages.widgets import state
from pages.widgets.stored import Stored
from pages.widgets.tables import note_table, show_table_frame
from pages.widgets.times_shown import show_times

NAME, TITLE = "runs_behind", "The runs behind these numbers"
ALT = "One row per run: model, weights, benchmark, template, versions, device, self-test, time."
IF_ANY = ("Revision", "Adapter")
"""Columns that are left out where no run has such a thing."""
MOST_COMMANDS = 12
"""More runs than that are in the table, and their commands in the export."""


def frame_of(runs: Iterable[RunRow], speeds: dict[str, tuple[float, float | None]]) -> pd.DataFrame:
    """Return one row per run with all that its predictions depend on.

    Parameters
    ----------
    runs
        The runs.
    speeds
        Run key -> seconds of inference and samples per second of the last job that computed some.
    """
    frame = pd.DataFrame([_row(run, speeds.get(run.run_key)) for run in runs])
    return frame.drop(columns=[name for name in IF_ANY if not "".join(frame[name])])


def show_runs(run_keys: Iterable[str], *, within: bool = False) -> None:
    """Show the runs behind what is on the page, folded unless it stands in something folded.

    Parameters
    ----------
    run_keys
        Of the runs; each is shown once.
    within
        Draw it where the caller is, without a window of its own.
    """
    found = _found(run_keys)
    if found is None:
        return
    if within:
        _draw(*found)
        return
    window = st.expander(
        TITLE, icon=":material/history:", key=state.RUNS_BEHIND_OPEN, on_change="rerun"
    )
    if not window.open:
        _note(*found)
        return
    with window:
        _draw(*found)


def note_runs(run_keys: Iterable[str]) -> None:
    """Keep the table for exports and the report without drawing it."""
    found = _found(run_keys)
    if found is not None:
        _note(*found)


def _found(run_keys: Iterable[str]) -> tuple[list[RunRow], Stored] | None:
    reading: Stored | None = st.session_state.get(state.READING)
    wanted = set(run_keys)
    stored = () if reading is None else (*reading.every_run, *reading.swap_runs)
    runs = [run for run in stored if run.run_key in wanted]
    return (runs, reading) if reading is not None and runs else None


def _note(runs: list[RunRow], reading: Stored) -> None:
    note_table(frame_of(runs, _speeds(reading)), name=NAME, alt=ALT)


def _draw(runs: list[RunRow], reading: Stored) -> None:
    st.text(TITLE)
    show_table_frame(frame_of(runs, _speeds(reading)), key=f"{NAME}_table", name=NAME, alt=ALT)
    commands = [profile_command(run, cache=str(reading.cache)) for run in runs[:MOST_COMMANDS]]
    st.text("Measured again with" + ("" if len(runs) <= MOST_COMMANDS else ", the first runs"))
    st.code("\n".join(commands), language=None, wrap_lines=True)
    show_times(runs, reading, key="time_of_runs")


def _row(run: RunRow, speed: tuple[float, float | None] | None) -> dict[str, Any]:
    config, around = run.config, run.environment
    checks = run.self_test.get("checks") or ()
    passed = sum(bool(check.get("passed")) for check in checks)
    return {
        "Model": run.model,
        "Benchmark": run.benchmark,
        "Run": run.run_key,
        "Weights": str(config.get("weights") or "not known"),
        "Revision": str(around.get("revision") or config.get("revision") or ""),
        "Adapter": str(config.get("adapter") or ""),
        "Benchmark's hash": run.benchmark_key,
        "Template's hash": str(config.get("template") or ""),
        "Precision": str(config.get("dtype") or ""),
        "Attention": str(config.get("attention") or ""),
        "Masking": _masking(run),
        "Self-test": f"{passed} of {len(checks)} checks passed" if checks else "none: imported",
        "Device": " ".join(
            str(around[name]) for name in ("device", "device_name") if around.get(name)
        ),
        "Versions": ", ".join(
            f"{name} {around[name]}"
            for name in ("python", "torch", "transformers")
            if name in around
        ),
        "Samples": run.n_samples,
        "Inference (s)": None if speed is None else round(speed[0], 1),
        "Samples per second": None if speed is None or speed[1] is None else round(speed[1], 1),
        "Last ingested (UTC)": run.ingested_at.strftime("%Y-%m-%d %H:%M"),
    }


def _masking(run: RunRow) -> str:
    seed = run.config.get("seed", "")
    if run.config.get("probe") == "swap":
        return f"none: images swapped, seed {seed}, {run.draws} partners"
    return f"{run.config.get('probe', '')}, seed {seed}, {run.draws} draws"


def _speeds(reading: Stored) -> dict[str, tuple[float, float | None]]:
    return _read_speeds(str(reading.cache), reading.version)


@st.cache_data(max_entries=4, show_spinner=False)
def _read_speeds(cache: str, version: str) -> dict[str, tuple[float, float | None]]:
    del version  # of the cache: a job that ended has changed it
    try:
        found = jobs.jobs(Path(cache), kind="profile", limit=-1)
    except DataError:
        return {}  # without its jobs a cache still has its numbers
    return {
        str(job.result["run_key"]): (float(job.result["seconds"]), job.result.get("rate"))
        for job in reversed(found)
        if job.result.get("computed") and "run_key" in job.result
    }
