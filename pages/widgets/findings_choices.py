"""Which spectra findings are held to, on their page: tasks, split, estimator, what is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from data_cache.estimates import SpectrumRecord
from model_runners.findings import FINDINGS, Found, judged
from model_runners.findings.kept import Held
from model_runners.findings.kept import hold as hold_kept
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.family_choices import choose_drawn
from pages.widgets.family_correlations import CORRECTIONS
from pages.widgets.spectrum_choices import SPLITS
from pages.widgets.stored import Stored
from pages.widgets.stored_adapters import read_adapters
from pid_core.association import Correction

TASKS = ("benchmarks", "subsets")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the pickers say."""

    benchmark: str | None
    """Its subsets are the tasks; None takes whole benchmarks."""
    split: str
    estimator: str
    by_family: bool
    correction: Correction


def choose_asked(reading: Stored, benchmark: str) -> Asked:
    """Draw the pickers.

    Parameters
    ----------
    reading
        What is stored, with at least one spectrum.
    benchmark
        That of the sidebar.
    """
    benchmarks = {record.benchmark for record in reading.spectra}
    note_unknown(state.TASKS, TASKS)
    wanted = st.segmented_control(
        "Tasks",
        TASKS,
        default="benchmarks" if len(benchmarks) > 1 else "subsets",
        required=True,
        key=state.TASKS,
        bind="query-params",
        help="All benchmarks, each pooled over its subsets; or the subsets of the one in the "
        "sidebar.",
    )
    of = None if wanted == "benchmarks" else benchmark
    here = [record for record in reading.spectra if of in {None, record.benchmark}]
    split, estimator = _choose_kind(here)
    by_family = choose_drawn() == "families"
    correction = st.segmented_control(
        "Correction",
        list(CORRECTIONS),
        default="Holm",
        required=True,
        key=state.CORRECTION,
        bind="query-params",
        help="All statistics below are tested at once. Holm keeps the chance of even one false "
        "verdict below 5 %; Benjamini-Hochberg the expected share of false ones among them.",
    )
    return Asked(
        benchmark=of,
        split=split,
        estimator=estimator,
        by_family=by_family,
        correction=CORRECTIONS.get(correction or "", "holm"),
    )


def _choose_kind(here: Sequence[SpectrumRecord]) -> tuple[str, str]:
    """Draw the pickers for split and estimator."""
    splits = [split for split in SPLITS if any(record.split == split for record in here)]
    if not splits:
        return SPLITS[0], "certified"
    note_unknown(state.SPLIT, splits)
    wanted = st.segmented_control(
        "Split", splits, default=splits[0], required=True, key=state.SPLIT, bind="query-params"
    )
    split = wanted if wanted in splits else splits[0]
    names = sorted(
        {record.estimator for record in here if record.split == split},
        key=lambda name: (name != "certified", name),
    )
    note_unknown(state.ESTIMATOR, names)
    chosen = st.selectbox("Estimator", names, key=state.ESTIMATOR, bind="query-params", width=170)
    return split, chosen if chosen in names else names[0]


def choose_finding(found: Sequence[Found]) -> Found | None:
    """Draw the picker for the finding whose statistics are shown; none where none has any."""
    names = {one.finding.id: one for one in found if one.parts}
    if not names:
        return None
    note_unknown(state.FINDING, [one.id for one in FINDINGS])
    wanted = st.selectbox(
        "Statistics of", list(names), key=state.FINDING, bind="query-params", width=220
    )
    return names.get(wanted or "", next(iter(names.values())))


def hold(reading: Stored, asked: Asked) -> tuple[Held, list[Found]]:
    """Return what is stored and what becomes of the findings."""
    held = _measured(
        str(reading.cache),
        reading.version,
        asked.benchmark,
        asked.split,
        asked.estimator,
        asked.by_family,
        _reading=reading,
    )
    return held, judged(held.measured, correction=asked.correction)


# Not `cache_data`, which would copy thousands of records at every click; nothing changes them.
@st.cache_resource(max_entries=8, show_spinner="Holding the findings to what is stored")
def _measured(
    cache: str,
    version: str,
    benchmark: str | None,
    split: str,
    estimator: str,
    by_family: bool,
    *,
    _reading: Stored,
) -> Held:
    return hold_kept(
        _reading.cache,
        _reading.every_run,
        _reading.every_spectrum,
        split=split,
        estimator=estimator,
        adapters=read_adapters(_reading),
        benchmark=benchmark,
        by_family=by_family,
        seen=_reading.data_version,
    )
