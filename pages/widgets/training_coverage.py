"""Which checkpoints of each training are measured, and the command that measures the others."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from data_cache.training_runs import TrainingRun
from data_cache.trajectories import Trajectory
from model_runners.again import training_command
from pages.widgets import state
from pages.widgets.empty_states import show_command
from pages.widgets.stored import Stored
from pages.widgets.tables import show_table_frame

COMMANDS_SHOWN = 3
STEPS_NAMED = 6


def show_coverage(
    reading: Stored, runs: Sequence[TrainingRun], unmeasured: Sequence[Trajectory], benchmark: str
) -> None:
    """Show what is measured of all trainings on a benchmark, and how the rest is.

    Parameters
    ----------
    reading
        What the cache holds.
    runs
        All trainings on the benchmark.
    unmeasured
        Trainings of which nothing is measured on it.
    benchmark
        Its name.
    """
    lacking = [one for one in runs if one.missing]
    for one in lacking[:COMMANDS_SHOWN]:
        with st.container(border=True):
            st.text(
                f"{one.trajectory}: {len(one.measured)} of {len(one.points)} checkpoints are "
                f"measured; missing are the steps {_steps(one)}."
            )
            if one.known is not None and one.known.kind != "callback":
                st.text("This measures what is missing, and what is there is not repeated:")
                show_command(training_command(one.known, one.measured[-1].runs[-1]), reading.cache)
    with st.expander(
        "Coverage",
        icon=":material/fact_check:",
        key=state.TRAINING_COVERAGE_OPEN,
        on_change="rerun",
    ) as folded:
        if folded.open:
            show_table_frame(
                coverage_table(runs, unmeasured),
                key="training_coverage",
                alt=f"How many checkpoints of each training are measured on {benchmark}.",
            )
            for one in unmeasured[:COMMANDS_SHOWN]:
                if one.kind != "callback":
                    st.text(f"{one.name} is not measured on {benchmark} yet:")
                    show_command(training_command(one, None, benchmark=benchmark), reading.cache)


def coverage_table(runs: Sequence[TrainingRun], unmeasured: Sequence[Trajectory]) -> pd.DataFrame:
    """Return one row per training."""
    rows = [
        {
            "Training": one.trajectory,
            "Stages": ", ".join(filter(None, one.stages)) or "-",
            "Steps": f"{one.points[0].checkpoint.step:,} to {one.last_step:,}",
            "Checkpoints": len(one.points),
            "Measured": len(one.measured),
            "Samples": _samples(one),
            "Missing steps": _steps(one),
        }
        for one in runs
    ]
    rows += [
        {
            "Training": one.name,
            "Stages": ", ".join(filter(None, one.stages)) or "-",
            "Steps": f"{one.points[0].checkpoint.step:,} to {one.points[-1].checkpoint.step:,}",
            "Checkpoints": len(one.points),
            "Measured": 0,
            "Samples": "0",
            "Missing steps": "all",
        }
        for one in unmeasured
    ]
    return pd.DataFrame(rows)


def _samples(one: TrainingRun) -> str:
    counts = [point.samples for point in one.measured]
    low, high = min(counts, default=0), max(counts, default=0)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _steps(one: TrainingRun) -> str:
    steps = [f"{point.checkpoint.step:,}" for point in one.missing]
    if not steps:
        return "none"
    more = len(steps) - STEPS_NAMED
    return "; ".join(steps[:STEPS_NAMED]) + (f" and {more} more" if more > 0 else "")
