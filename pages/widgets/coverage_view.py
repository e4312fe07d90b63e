"""The matrix of models by benchmarks: read, drawn, and where a click on a cell leads."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from data_cache import coverage as stored_coverage
from data_cache.benchmarks import BENCHMARKS
from data_cache.cells import Cell, cells
from data_cache.coverage import RunCoverage
from data_cache.errors import CacheBusy
from data_cache.jobs import JobRow
from model_runners.models import runnable, shown_name
from pages.figures import cell_words, coverage_matrix
from pages.widgets import drawn, state
from pages.widgets.benchmark_choices import VARIANT
from pages.widgets.charts import show_figure
from pages.widgets.run_choices import OTHER
from pages.widgets.stored import Stored, current_reading
from pages.widgets.tables import note_table, show_table_frame

SPECTRA_PAGE, RUN_PAGE = "pages/spectra.py", "pages/run.py"
MATRIX = "coverage"


def read_cells(reading: Stored, jobs: Sequence[JobRow]) -> list[Cell]:
    """Return every model on every benchmark, with what is known of it.

    Raises
    ------
    data_cache.errors.CacheBusy
        If the cache is busy and this session has read no coverage yet.
    """
    try:
        covered = _coverage(str(reading.cache), reading.version)
    except CacheBusy:
        covered = st.session_state.get(state.COVERED)
        if covered is None:
            raise
    st.session_state[state.COVERED] = covered
    return cells(reading.runs, covered, reading.spectra, [_named(job) for job in jobs])


def show_matrix(found: Sequence[Cell]) -> None:
    """Draw the matrix; a click is followed by `follow_cell` in the next run."""
    show_figure(
        coverage_matrix.coverage_matrix(found),
        key=MATRIX,
        alt=cell_words.describe(found),
        data=partial(as_frame, found),
        on_click=_remember,
    )
    drawn.show_caption(
        "A number is how many samples are measured, per cent how much where it is not all; the "
        "thin bar is the train split. Click a cell to see its spectra, or to measure it."
    )


def show_table(found: Sequence[Cell]) -> None:
    """Offer the same as a table and as a file."""
    frame = as_frame(found)
    alt = "What of each benchmark each model is measured on."
    window = st.expander(
        "As a table",
        icon=":material/table:",
        key=state.COVERAGE_TABLE_OPEN,
        type="compact",
        on_change="rerun",
    )
    if not window.open:
        note_table(frame, name="coverage_cells_table", alt=alt)
        return
    with window:
        show_table_frame(frame, key="coverage_cells_table", alt=alt)
        st.download_button(
            "Download (CSV)",
            frame.to_csv(index=False),
            file_name="coverage.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="download_coverage",
        )


def as_frame(found: Sequence[Cell]) -> pd.DataFrame:
    """Return one row a cell."""
    return pd.DataFrame(
        [
            {
                "Family": cell.family,
                "Model": cell.model,
                "Benchmark": cell.benchmark,
                "Samples": cell.measured,
                "Test": cell.by_split["test"] if cell.split else None,
                "of test": cell.of["test"],
                "Train": cell.by_split["train"] if cell.split else None,
                "of train": cell.of["train"],
                "Inner layers": cell.inner_layers,
                "Spectra": cell.estimates,
                "Of splits": ", ".join(cell.splits_with_spectra),
                "Layers with spectra": cell.layers_with_spectra,
                "Runs": cell.runs,
                "Notes": "; ".join(notes_of(cell)),
                "Run": cell.run_key,
            }
            for cell in found
        ]
    )


def notes_of(cell: Cell) -> list[str]:
    """Return what is wrong or going on with a cell, in words."""
    notes = {
        "not measured": not cell.measured,
        "measured in part": cell.is_partial,
        "no spectra": cell.measured > 0 and cell.spectra == "none",
        "spectra of fewer samples than measured": cell.spectra == "behind",
        "another edition of the benchmark": cell.other_edition,
        "imported": cell.imported,
        "at work": cell.work == "running",
        "stopped": cell.work == "stopped",
    }
    return [words for words, is_so in notes.items() if is_so]


def follow_cell() -> None:
    """Go where the clicked cell leads; one of the first calls of the page."""
    going = st.session_state.pop(state.GOING, None)
    if going is not None:
        page, parameters = going
        st.switch_page(page, query_params=parameters)


def cell_of(event: Mapping[str, Any]) -> tuple[str, str, bool] | None:
    """Return model and benchmark of the clicked cell, and whether it is measured.

    >>> cell_of({"selection": {"points": [{"customdata": ["m", "b", True]}]}})
    ('m', 'b', True)
    >>> cell_of({"selection": {"points": []}})
    """
    for point in event["selection"]["points"]:
        data = point.get("customdata")
        if data:
            return str(data[0]), str(data[1]), bool(data[2])
    return None


def open_spectra(model: str, benchmark: str) -> None:
    """Note that Spectra is to be opened with one model on one benchmark; a callback."""
    parameters = {state.BENCHMARK: benchmark, state.MODELS: [model]}
    st.session_state[state.GOING] = (SPECTRA_PAGE, parameters)


def prepare_run(model: str, benchmark: str) -> None:
    """Choose on the Run page what a cell lacks, and note that it is to be opened."""
    if model in runnable():
        st.session_state[state.RUN_MODEL] = model
    else:
        st.session_state[state.RUN_MODEL] = OTHER
        st.session_state[state.RUN_OTHER_MODEL] = model
    name, _, variant = benchmark.partition(":")
    if name in BENCHMARKS:
        st.session_state[state.RUN_BENCHMARK] = name
        if variant:
            st.session_state[f"{state.RUN_BENCHMARK}{VARIANT}_{name}"] = variant
    st.session_state[state.GOING] = (RUN_PAGE, {})


def _named(job: JobRow) -> JobRow:
    """Return a job whose request has the name under which the model's results are stored."""
    asked = job.request.get("model")
    if asked is None or "model" in job.result:
        return job
    return replace(job, request={**job.request, "model": shown_name(str(asked))})


def _remember(key: str) -> None:
    clicked = cell_of(st.session_state[key])
    known = {(run.model, run.benchmark) for run in current_reading().runs}
    if clicked is None:
        return
    model, benchmark, _ = clicked
    if (model, benchmark) in known:
        open_spectra(model, benchmark)
    else:
        prepare_run(model, benchmark)


@st.cache_data(max_entries=4, show_spinner="Reading the cache")
def _coverage(cache: str, version: str) -> dict[str, RunCoverage]:
    return stored_coverage.coverage(Path(cache))
