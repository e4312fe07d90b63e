"""Which trainings are shown, and along what: the pickers above the plots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import streamlit as st

from data_cache.checkpoints import Checkpoint
from data_cache.estimates import SpectrumRecord
from data_cache.training_runs import TrainingRun
from pages.figures.rows import POOLED
from pages.figures.training_curves import ALONGS, Along, Curve
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.layer_choices import ALL_POOLED
from pages.widgets.sidebar import natural_order
from pages.widgets.spectrum_choices import choose_kind
from pages.widgets.stored import Stored

Panels = Literal["trainings", "atoms"]
"""A plot per training with all atoms in it, or a plot per atom with all trainings in it."""
TRAININGS_AT_FIRST = 2
"""So many are shown side by side before anyone chose."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is drawn."""

    benchmark: str
    subset: str
    curves: tuple[Curve, ...]
    """In the order in which the trainings were chosen; those with a spectrum that fits."""
    panels: Panels
    along: Along


def choose_trainings(runs: Sequence[TrainingRun]) -> tuple[str, list[TrainingRun]]:
    """Draw the pickers for the benchmark and the trainings; there is one of each at least."""
    benchmarks = sorted({one.benchmark for one in runs})
    note_unknown(state.BENCHMARK, benchmarks)
    wanted = st.selectbox(
        "Benchmark", benchmarks, key=state.BENCHMARK, bind="query-params", width=190
    )
    benchmark = wanted if wanted in benchmarks else benchmarks[0]
    here = {one.trajectory: one for one in runs if one.benchmark == benchmark}
    names = sorted(here, key=natural_order)
    before = st.session_state.get(state.TRAININGS)
    if before and not set(before) & set(names):
        # Another benchmark was chosen, and none of the trainings was measured on it.
        st.session_state[state.TRAININGS] = names[:TRAININGS_AT_FIRST]
    note_unknown(state.TRAININGS, names)
    chosen = st.multiselect(
        "Trainings",
        names,
        default=names[:TRAININGS_AT_FIRST],
        key=state.TRAININGS,
        bind="query-params",
        placeholder="Choose trainings",
        width=560,
    )
    return benchmark, [here[name] for name in chosen if name in here]


def choose_curves(reading: Stored, benchmark: str, chosen: Sequence[TrainingRun]) -> Shown:
    """Draw the pickers for split, estimator, settings, subset and axes, and join the spectra."""
    keys = {run.run_key for one in chosen for point in one.points for run in point.runs}
    records = choose_kind([one for one in reading.checkpoint_spectra if one.run_key in keys])
    subsets = {
        ALL_POOLED if subset == POOLED else subset: subset
        for subset in sorted({record.subset for record in records}, key=lambda name: name != POOLED)
    }
    subset = ""
    if subsets:
        note_unknown(state.SUBSET, subsets)
        wanted = st.selectbox(
            "Subset", list(subsets), key=state.SUBSET, bind="query-params", width=190
        )
        subset = subsets[wanted if wanted in subsets else next(iter(subsets))]
    note_unknown(state.PANELS, get_args(Panels))
    panels = st.segmented_control(
        "Plots of",
        get_args(Panels),
        default="trainings",
        required=True,
        key=state.PANELS,
        bind="query-params",
        help="Trainings side by side with all atoms in each, or one plot per atom with all "
        "trainings in it.",
    )
    note_unknown(state.ALONG, ALONGS)
    along = st.segmented_control(
        "Along",
        ALONGS,
        default="steps",
        required=True,
        key=state.ALONG,
        bind="query-params",
        help="Steps since the beginning of the training, or the share of it in per cent, to "
        "compare trainings of different length.",
    )
    found = [record for record in records if record.subset == subset]
    return Shown(
        benchmark=benchmark,
        subset=subset,
        curves=tuple(curve for one in chosen if (curve := curve_of(one, found)) is not None),
        panels="atoms" if panels == "atoms" else "trainings",
        along="share" if along == "share" else "steps",
    )


def curve_of(one: TrainingRun, records: Sequence[SpectrumRecord]) -> Curve | None:
    """Join a training to its spectra; None where it has none.

    Parameters
    ----------
    one
        The training.
    records
        Spectra of one kind and subset, one per model; those of other trainings are passed over.
    """
    by_model: Mapping[str, SpectrumRecord] = {record.model: record for record in records}
    points: list[tuple[Checkpoint, SpectrumRecord]] = [
        (point.checkpoint, by_model[point.checkpoint.model])
        for point in one.measured
        if point.checkpoint.model in by_model
    ]
    if not points:
        return None
    return Curve(
        name=one.trajectory,
        points=tuple(points),
        stages=one.stages,
        boundaries=one.boundaries,
        last_step=one.last_step,
    )
