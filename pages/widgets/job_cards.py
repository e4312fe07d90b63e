"""The jobs of this cache: what runs, how far it is, how it ended, and what can be done about it."""

from collections.abc import Callable
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import streamlit as st

from data_cache import jobs
from data_cache.job_rows import PRIORITIES, JobRow
from model_runners.jobs import cancel, resume, set_priority
from model_runners.lens_requests import options_of
from pages.widgets import state
from pages.widgets.errors import sentence_instead
from pages.widgets.job_words import (
    STATES,
    is_worked_on,
    moment,
    outcome_of,
    progress_of,
    share_done,
    state_of,
)
from pages.widgets.left_out import show_bad_rows_of, show_left_out
from pages.widgets.run_choices import prepare_lens
from pages.widgets.running_jobs import EVERY_SECONDS, rerun_when_changed
from pages.widgets.self_tests import show_self_test
from pages.widgets.stored import Stored
from pages.widgets.wishes import acted, clicked, forget

PER_PAGE = 10
LOG_LINES = 40
SPECTRA_PAGE = "pages/spectra.py"
LORA_PAGE = "pages/lora.py"
LAYERS_PAGE = "pages/layers.py"
RUN_PAGE = "pages/run.py"
KINDS = {
    "profile": "profile",
    "lens": "tuned lens",
    "patch": "causal check",
    "selftest": "self-test",
    "finetune": "LoRA-PID",
    "study": "LoRA-PID, several",
    "plan": "plan",
}
"""What a person reads for the kind of a job."""
TRAINS = ("finetune", "study")
"""Kinds of jobs that train adapters."""
More = Callable[[JobRow, Stored], None]
"""What else a page draws into the card of a job."""


def show_jobs(
    reading: Stored,
    *,
    kind: str | tuple[str, ...] | None = None,
    more: More | None = None,
    buttons_follow: bool = False,
) -> None:
    """Show the jobs, the newest first; up to date while something runs.

    Parameters
    ----------
    reading
        Where they are.
    kind
        Only those of a kind, one of `KINDS`, or of several, the one that gives the rest their name
        first; None shows all, and says the kind of each.
    more
        Drawn into each card below its progress.
    buttons_follow
        The page draws other buttons below the jobs, and forgets lost clicks itself.
    """
    every = EVERY_SECONDS if st.session_state[state.WORKING] else None
    st.fragment(_show, run_every=every)(reading, kind, more)
    if not buttons_follow:
        forget()


def _show(reading: Stored, kind: str | tuple[str, ...] | None, more: More | None) -> None:
    with sentence_instead("The list of jobs cannot be shown."):
        everything = jobs.jobs(reading.cache)
        rerun_when_changed(everything)
        wanted = (kind,) if isinstance(kind, str) else kind
        rows = [row for row in everything if wanted is None or row.kind in wanted]
        if not rows:
            what = "job" if wanted is None else f"{KINDS.get(wanted[0], wanted[0])} job"
            st.text(f"No {what} has been started in this cache yet.")
            return
        rows.sort(key=lambda row: not is_worked_on(row))  # stable: the newest first within each
        pages = ceil(len(rows) / PER_PAGE)
        number = st.pagination(pages, key=state.JOBS_PAGE) if pages > 1 else 1
        for row in rows[(number - 1) * PER_PAGE : number * PER_PAGE]:
            _show_job(row, reading, with_kind=kind is None, more=more)


def _show_job(job: JobRow, reading: Stored, *, with_kind: bool, more: More | None) -> None:
    label, colour = STATES[state_of(job)]
    with st.container(border=True, key=f"job_{job.job_key}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(label, color=colour)
            if with_kind and job.kind != "profile":
                st.badge(KINDS.get(job.kind, "other"), color="violet")
            if job.waits_for and job.priority != "normal":
                st.badge(f"{job.priority} priority", color="gray")
            st.text(job.title)
        # Of one that waits, the message says for what, and behind whom.
        if not job.waits_for and (is_worked_on(job) or (job.state != "done" and job.total)):
            st.progress(share_done(job), text=progress_of(job))
        if outcome_of(job):
            st.text(outcome_of(job))
        for sentence in job.result.get("without_spectrum", []):
            st.text(f"No spectrum of {sentence}")
        show_left_out(job)
        show_bad_rows_of(job)
        show_self_test(job.result.get("self_test", {}), key=f"self_test_{job.job_key}")
        if more is not None:
            more(job, reading)
        with st.container(horizontal=True, vertical_alignment="center"):
            _show_buttons(job, reading)
            st.text(_dates(job))
        _show_log(job, reading.cache)


def _show_buttons(job: JobRow, reading: Stored) -> None:
    key = job.job_key
    if is_worked_on(job):
        stopping = job.cancel_requested
        if job.waits_for:
            _show_order(job, reading)
        _act("Cancel", "stop", cancel, key, reading.cache, disabled=stopping)
        if stopping:
            _act("Stop at once", "dangerous", _cancel_now, key, reading.cache)
        return
    if job.state != "done":
        _act("Resume", "play_arrow", resume, key, reading.cache)
        return
    if job.result.get("bad_sample_count"):
        _act("Run those left out again", "replay", resume, key, reading.cache)
    stored = {run.run_key for run in reading.runs}
    if job.kind == "lens":
        _show_way_to_its_layers(job)
    elif all(one.get("run_key") in stored for one in _results(job)):
        _show_ways_on(job)


def _show_order(job: JobRow, reading: Stored) -> None:
    """Draw the buttons that let a job that waits go sooner or later than others."""
    for label, icon, step in (("Sooner", "arrow_upward", 1), ("Later", "arrow_downward", -1)):
        priority = job.terms.priority + step
        act = partial(_set_priority, priority=priority)
        stuck = priority not in PRIORITIES.values()
        _act(label, icon, act, job.job_key, reading.cache, disabled=stuck)


def _set_priority(cache: Path, key: str, *, priority: int) -> JobRow:
    return set_priority(cache, key, priority)


def _results(job: JobRow) -> list[dict[str, Any]]:
    """Return what a job measured: the result itself, or one of each training of a study."""
    return job.result.get("trainings") or [job.result]


def _show_ways_on(job: JobRow) -> None:
    """Draw the buttons that lead to what a job has found."""
    result, key = job.result, job.job_key
    adapted = [one["model"] for one in _results(job)]
    models = [result["base"]] if job.kind in TRAINS else []
    if models and clicked(
        "Show before and after",
        key=f"show_adapter_{key}",
        first=partial(_choose_adapter, adapted[0]),
        icon=":material/model_training:",
    ):
        st.switch_page(LORA_PAGE, query_params={state.ADAPTER: adapted[0]})
    if (job.kind == "patch" or job.request.get("layers")) and clicked(
        "Show layers",
        key=f"show_layers_{key}",
        first=partial(choose_models, result["benchmark"], result["model"]),
        icon=":material/layers:",
    ):
        st.switch_page(LAYERS_PAGE, query_params={})
    if job.kind != "patch" and clicked(
        "Show spectra",
        key=f"show_spectra_{key}",
        first=partial(choose_models, result["benchmark"], *models, *adapted),
        icon=":material/stacked_bar_chart:",
    ):
        st.switch_page(SPECTRA_PAGE, query_params={})


def _show_way_to_its_layers(job: JobRow) -> None:
    """Draw the button that prepares a run through the lens that a job has trained."""
    if clicked(
        "Read layers through it",
        key=f"read_through_{job.job_key}",
        first=partial(prepare_lens, str(job.result["lens"]), options_of(job.request).asked),
        icon=":material/layers:",
    ):
        st.switch_page(RUN_PAGE, query_params={})


def _act(
    label: str,
    icon: str,
    action: Callable[[Path, str], JobRow],
    key: str,
    cache: Path,
    *,
    disabled: bool = False,
) -> None:
    name = label.lower().replace(" ", "_")
    if acted(label, key=f"{name}_{key}", icon=f":material/{icon}:", disabled=disabled):
        with sentence_instead("This cannot be done."):
            action(cache, key)
            st.rerun()


def _cancel_now(cache: Path, key: str) -> JobRow:
    return cancel(cache, key, now=True)


def choose_models(benchmark: str, *models: str) -> None:
    """Choose what a job measured; a callback, so that it comes before the pickers."""
    chosen: list[str] = st.session_state.get(state.MODELS, [])
    if st.session_state.get(state.BENCHMARK) != benchmark:
        st.session_state[state.BENCHMARK] = benchmark
        chosen = []
    st.session_state[state.MODELS] = [*chosen, *(one for one in models if one not in chosen)]


def _choose_adapter(name: str) -> None:
    st.session_state[state.ADAPTER] = name


def _dates(job: JobRow) -> str:
    began = ("asked for", job.created) if job.started is None else ("started", job.started)
    times = [began, ("ended", job.finished)]
    parts = [f"{word} {moment(when)}" for word, when in times if when is not None]
    return ", ".join([*parts, f"job {job.job_key}"])


def _show_log(job: JobRow, cache: Path) -> None:
    """Offer the end of the log; it is read only while it is open."""
    log = st.expander("Log", key=f"log_{job.job_key}", on_change="rerun", type="compact")
    if log.open:
        with log:
            lines = jobs.tail(cache, job.job_key, LOG_LINES)
            if lines:
                st.code("\n".join(lines), language=None, wrap_lines=True, height=240)
            else:
                st.text("Nothing has been written yet.")
