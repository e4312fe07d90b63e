"""What is estimated in the lab, and by whom: the pickers at its top."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from data_cache.queries import RunRow
from model_runners.audit import (
    SOLVER,
    AuditOptions,
    AuditRow,
    AuditTask,
    problem_tasks,
    published_rows,
    why_not,
)
from model_runners.audit_runs import run_tasks
from model_runners.estimation import EstimateOptions, choose_run
from pages.figures.palette import ATOMS
from pages.figures.rows import POOLED, subset_label
from pages.widgets import empty_states, state
from pages.widgets.address import note_unknown
from pages.widgets.sample_choices import choice_of
from pages.widgets.sidebar import current_selection
from pages.widgets.spectrum_choices import SPLITS
from pages.widgets.stored import Stored
from pages.widgets.stored_runs import has_features, read_subsets
from pid_core import ESTIMATORS
from pid_core.bank import Problem, family, gates, hard_cases, predictive_cases, prior_cases

BANK: dict[str, Callable[[], Sequence[Problem]]] = {
    "logic gate": gates,
    "predictive case": predictive_cases,
    "two unique atoms": hard_cases,
    "skewed priors": prior_cases,
}
"""Problems of the bank by the word of the picker, which the address says too."""
FAMILY = "synthetic family"
RUN = "cached run"
KINDS = (*BANK, FAMILY, RUN)
SIZES = (64, 256, 1024, 4096)
"""Draws of a synthetic family."""
CODES = (16, 64, 256)
TOLERANCES = (1e-2, 1e-3, 1e-4)
"""Bits."""
FIRST = (SOLVER,)
"""Estimators that are chosen before anyone chose."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One problem, whether of the bank or of the cache."""

    name: str
    title: str
    note: str
    """What it is, and what it shows."""
    tasks: Callable[[Sequence[str], AuditOptions], list[AuditTask]]
    """The rows for these estimators, still to be computed."""
    obstacles: Mapping[str, str]
    """Estimators that cannot run here, and why."""
    policies: tuple[str, ...] = ("calibrate",)
    truth: Mapping[str, float] | None = None
    within: float = 0.0
    """How well the truth is known, in bits."""
    is_population: bool = False
    """The truth is that of a population, of which the samples are some draws."""
    published: tuple[AuditRow, ...] = ()
    run: RunRow | None = None
    asked: EstimateOptions | None = None
    """For a run: which samples."""
    cache: Path | None = None


def choose_source(reading: Stored) -> Source | None:
    """Draw the pickers for the problem; None where a cached run is wanted and there is none."""
    note_unknown(state.LAB, KINDS)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.selectbox(
            "Problem",
            KINDS,
            key=state.LAB,
            bind="query-params",
            width=200,
        )
        kind = wanted if wanted in KINDS else KINDS[0]
        if kind == FAMILY:
            return _of_problem(_choose_family())
        if kind in BANK:
            return _of_problem(_choose_case(BANK[kind]()))
    return _choose_run(reading)


def choose_estimators(source: Source) -> list[str]:
    """Draw the picker for the estimators that can run here."""
    able = [name for name in ESTIMATORS if name not in source.obstacles]
    note_unknown(state.LAB_ESTIMATORS, able)
    chosen = st.multiselect(
        "Estimators",
        able,
        default=[name for name in FIRST if name in able],
        key=state.LAB_ESTIMATORS,
        bind="query-params",
        placeholder="Choose estimators",
        help="Those that train a network take seconds to minutes.",
        width=420,
    )
    return [name for name in able if name in chosen]


def show_obstacles(source: Source) -> None:
    """Name the estimators that cannot run here, with the reason."""
    reasons: dict[str, list[str]] = {}
    for name, why in source.obstacles.items():
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        st.caption(f"Not possible here: {', '.join(names)} ({why}).")


def choose_options(source: Source) -> AuditOptions:
    """Draw the pickers for what estimators can be told."""
    tolerance = st.selectbox(
        "Gap to accept (bits)",
        TOLERANCES,
        index=TOLERANCES.index(1e-3),
        format_func=lambda bits: f"{bits:g}",
        key=state.LAB_TOLERANCE,
        width=170,
        disabled=source.run is not None,
        help="The solver stops when its certified bounds are so close. A cached run is solved as "
        "its stored spectra are, to 0.001 bits.",
    )
    codes = st.selectbox(
        "Codes",
        CODES,
        index=CODES.index(64),
        key=state.LAB_CODES,
        width=110,
        help="Codes per source, for estimators that cluster embeddings.",
    )
    return AuditOptions(tolerance_bits=tolerance, clusters=codes, policies=source.policies)


def _choose_case(cases: Sequence[Problem]) -> Problem:
    named = {one.name.split("/", 1)[1]: one for one in cases}
    note_unknown(state.LAB_PROBLEM, named)
    wanted = st.selectbox(
        "Which", list(named), key=state.LAB_PROBLEM, bind="query-params", width=220
    )
    return named[wanted] if wanted in named else cases[0]


def _choose_family() -> Problem:
    atoms: dict[str, float] = {}
    for atom, default in zip(ATOMS, (0.5, 0.3, 0.2, 0.8), strict=True):
        atoms[atom.field] = st.slider(
            f"{atom.label} (bits)",
            0.0,
            1.0,
            default,
            0.05,
            key=state.LAB_ATOMS[atom.field],
            bind="query-params",
            width=170,
        )
    n = st.select_slider("Samples", SIZES, 1024, key=state.LAB_SIZE, bind="query-params", width=170)
    seed = st.number_input("Seed", 0, 999, 0, key=state.LAB_SEED, bind="query-params", width=120)
    return family(**atoms, n=int(n), seed=int(seed))


def _of_problem(problem: Problem) -> Source:
    return Source(
        name=problem.name,
        title=problem.title,
        note=problem.note,
        tasks=lambda names, options: problem_tasks(problem, names, options),
        obstacles=_obstacles(has_features=True),
        policies=("calibrate", "reference") if problem.kind == "prior" else ("calibrate",),
        truth=problem.truth,
        within=problem.truth_within,
        is_population=problem.kind == "family",
        published=tuple(published_rows(problem)),
    )


def _choose_run(reading: Stored) -> Source | None:
    if reading.condition != "ready":
        empty_states.nothing_stored(reading)
        return None
    selection = current_selection()
    if not selection.models:
        empty_states.nothing_selected()
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        note_unknown(state.MODEL, selection.models)
        wanted = st.selectbox(
            "Model", selection.models, key=state.MODEL, bind="query-params", width=220
        )
        model = wanted if wanted in selection.models else selection.models[0]
        run = choose_run(reading.cache, model=model, benchmark=selection.benchmark)
        subsets = {choice_of(one): one for one in read_subsets(reading, run)}
        note_unknown(state.SUBSET, subsets)
        chosen = st.selectbox(
            "Subset", list(subsets), key=state.SUBSET, bind="query-params", width=200
        )
        subset = subsets.get(chosen, POOLED)
        note_unknown(state.SPLIT, SPLITS)
        split = st.segmented_control(
            "Split", SPLITS, default="test", required=True, key=state.SPLIT, bind="query-params"
        )
    asked = EstimateOptions(
        by="none", subset=None if subset == POOLED else subset, split=split or "test"
    )

    def tasks(names: Sequence[str], options: AuditOptions) -> list[AuditTask]:
        each = [
            replace(asked, estimator=name, seed=options.seed, clusters=options.clusters)
            for name in names
        ]
        return run_tasks(reading.cache, run, each)

    return Source(
        name=f"{selection.benchmark}/{subset}",
        title=f"{model} on {selection.benchmark}, {subset_label(subset).lower()}",
        note=f"{asked.split.capitalize()} split, {run.draws} draws. Nobody knows the atoms of a "
        "model, so there is no error here; a certificate and other settings take its place. "
        "Nothing of this is stored.",
        tasks=tasks,
        obstacles=_obstacles(has_features=has_features(reading, run)),
        run=run,
        asked=asked,
        cache=reading.cache,
    )


def _obstacles(*, has_features: bool) -> dict[str, str]:
    found = {name: why_not(name, has_features=has_features) for name in ESTIMATORS}
    return {name: why for name, why in found.items() if why is not None}
