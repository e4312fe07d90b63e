"""What of the matrix is not measured, what it would take, and the button that measures it."""

from collections.abc import Sequence

import streamlit as st

from data_cache.cells import Cell
from data_cache.permission import refusal
from data_cache.queries import RunRow
from model_runners.benchmark_choice import asked_in, choice_of
from model_runners.cost import estimate_cost
from model_runners.errors import USER_ERRORS
from model_runners.jobs import start
from model_runners.models import runnable
from model_runners.plans.options import PlanOptions
from model_runners.plans.requests import check_names
from model_runners.profile import ProfileOptions
from pages.widgets import state
from pages.widgets.errors import sentence_instead
from pages.widgets.job_words import duration
from pages.widgets.read_benchmarks import read_benchmark
from pages.widgets.stored import Stored
from pages.widgets.wishes import acted

SPLITS = ("test", "train", "all")
MOST_COSTED = 300
"""Of more cells the time is not added up on the page; `run --list` does it."""


def missing(found: Sequence[Cell]) -> list[Cell]:
    """Return the cells that can be measured here and are not, or only in part."""
    here = set(runnable())
    return [
        cell
        for cell in found
        if cell.model in here
        and not cell.imported
        and cell.work != "running"
        and (not cell.measured or cell.is_partial)
    ]


def show_missing(found: Sequence[Cell], reading: Stored) -> None:
    """Offer to measure what is missing as one plan; nothing where nothing is."""
    lacking = missing(found)
    if not lacking or refusal() is not None:
        return
    window = st.expander(
        f"Run what is missing ({_cells(len(lacking))})",
        icon=":material/playlist_play:",
        key=state.MISSING_OPEN,
        on_change="rerun",
    )
    if not window.open:
        return
    with window, sentence_instead("This plan cannot be started."):
        plan = _choose(lacking, reading)
        if plan is None:
            st.text("Choose a model and a benchmark of which something is missing.")
            return
        st.text(_cost(plan, reading))
        if acted(
            f"Run {_cells(len(plan.cells))}",
            key="start_missing",
            type="primary",
            icon=":material/play_arrow:",
        ):
            check_names(plan)
            start(reading.cache, plan)
            st.rerun()


def plan_of_cells(
    cells: Sequence[Cell], runs: Sequence[RunRow], *, split: str, draws: int, layers: bool
) -> PlanOptions | None:
    """Return the plan of some cells, each benchmark asked as its newest run was; None of none.

    Parameters
    ----------
    cells
        What to measure.
    runs
        All runs, which say where each benchmark lies and how it was divided.
    split, draws, layers
        Options of every cell.
    """
    newest = {run.benchmark: run for run in sorted(runs, key=lambda run: run.ingested_at)}
    options = [
        ProfileOptions(
            model=cell.model,
            split=split,
            draws=draws,
            layers=layers,
            **asked_in(newest[cell.benchmark].environment, cell.benchmark),
        )
        for cell in cells
        if cell.benchmark in newest
    ]
    return PlanOptions(cells=tuple(options)) if options else None


def _choose(lacking: Sequence[Cell], reading: Stored) -> PlanOptions | None:
    models = sorted({cell.model for cell in lacking})
    benchmarks = sorted({cell.benchmark for cell in lacking})
    chosen = st.multiselect("Models", models, default=models, key=state.MISSING_MODELS)
    asked = st.multiselect(
        "Benchmarks", benchmarks, default=benchmarks, key=state.MISSING_BENCHMARKS
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = st.segmented_control(
            "Split", SPLITS, default="test", required=True, key=state.MISSING_SPLIT
        )
        draws = st.number_input(
            "Draws of noise", min_value=1, value=4, width=160, key=state.MISSING_DRAWS
        )
        layers = st.checkbox("Every layer, too", key=state.MISSING_LAYERS)
    cells = [cell for cell in lacking if cell.model in chosen and cell.benchmark in asked]
    return plan_of_cells(cells, reading.runs, split=split, draws=int(draws), layers=layers)


def _cost(plan: PlanOptions, reading: Stored) -> str:
    """Say how long the cells take on one device, as far as that is known."""
    if len(plan.cells) > MOST_COSTED:
        return f"{_cells(len(plan.cells))}; `run --list` adds up what they take."
    seconds: list[float | None] = []
    for cell in plan.cells:
        try:
            benchmark = read_benchmark(choice_of(cell))
            seconds.append(estimate_cost(cell, reading.cache, benchmark=benchmark).seconds)
        except USER_ERRORS:  # what is wrong is said when the plan is started
            seconds.append(None)
    known = [one for one in seconds if one is not None]
    unknown = len(seconds) - len(known)
    said = f"About {duration(sum(known))} of one device" if known else ""
    if unknown:
        rest = f"of {_cells(unknown)} the time is not known: no such run was made here"
        said = f"{said}; {rest}" if said else f"O{rest[1:]}"
    return f"{said}. Cells are ordinary jobs; one that fails is tried again twice."


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count:,} cells"
