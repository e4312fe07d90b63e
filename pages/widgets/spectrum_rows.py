"""What the rows of Spectra are: models on the sidebar's benchmark, or benchmarks of one model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import streamlit as st

from data_cache.estimates import SpectrumRecord
from pages.figures.rows import POOLED
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.sample_choices import ALL_POOLED, EACH, choice_of
from pages.widgets.sidebar import Selection, natural_order
from pages.widgets.spectrum_choices import choose_kind, choose_records
from pages.widgets.stored import Stored

Rows = Literal["models", "benchmarks"]
Breakdown = Literal["whole", "subsets"]
SUBSETS_AT_FIRST = 12
"""With more, the rows of eight models take a browser seconds to draw, and many screens to read."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What is shown, in the order in which it was chosen."""

    records: tuple[SpectrumRecord, ...]
    """By benchmark, then by subset, the pooled one last."""
    name: str
    """Of the file of its numbers."""
    model: str = ""
    """Where rows are benchmarks: whose."""
    missing: tuple[str, ...] = ()
    """Benchmarks that were chosen, without a spectrum that fits the pickers."""


def choose_rows(reading: Stored) -> Rows:
    """Draw the picker for what rows are; there is none where one benchmark has spectra."""
    if len({record.benchmark for record in reading.spectra}) < 2:
        return "models"
    note_unknown(state.ROWS, get_args(Rows))
    wanted = st.segmented_control(
        "Rows",
        get_args(Rows),
        default="models",
        required=True,
        key=state.ROWS,
        bind="query-params",
        help="Models on the benchmark of the sidebar, or benchmarks of one model.",
    )
    return "benchmarks" if wanted == "benchmarks" else "models"


def choose_models(reading: Stored, selection: Selection) -> Chosen:
    """Draw the pickers of models on a benchmark: kind of estimate, and one subset or all."""
    records = choose_records(reading.spectra, selection)
    subsets = {choice_of(record.subset): record.subset for record in records}
    if len(subsets) < 2:
        return Chosen(records=records, name=selection.benchmark)
    options = [EACH, *subsets]
    note_unknown(state.ONLY, options)
    wanted = st.selectbox(
        "Subset",
        options,
        index=first_option(options),
        key=state.ONLY,
        bind="query-params",
        width=190,
    )
    if wanted in subsets:
        records = tuple(record for record in records if record.subset == subsets[wanted])
    return Chosen(records=records, name=selection.benchmark)


def first_option(options: Sequence[str]) -> int:
    """Return the place of what is shown before anyone chose: every subset, unless these are many.

    >>> first_option(["every subset", "left", "right", "all, pooled"])
    0
    >>> first_option(["every subset", *map(str, range(20)), "all, pooled"])
    21
    """
    if len(options) > SUBSETS_AT_FIRST and ALL_POOLED in options:
        return options.index(ALL_POOLED)
    return 0


def choose_benchmarks(reading: Stored, selection: Selection) -> Chosen:
    """Draw the pickers of benchmarks of a model: the model, which of them, and the breakdown."""
    models = sorted({record.model for record in reading.spectra}, key=natural_order)
    first = next((name for name in selection.models if name in models), models[0])
    note_unknown(state.MODEL, models)
    wanted = st.selectbox(
        "Model",
        models,
        index=models.index(first),
        key=state.MODEL,
        bind="query-params",
        width=220,
    )
    model = wanted if wanted in models else first
    here = [one for one in reading.spectra if one.model == model and one.layer == -1]
    names = sorted({record.benchmark for record in here}, key=natural_order)
    note_unknown(state.BENCHMARKS, names)
    chosen = st.multiselect(
        "Benchmarks",
        names,
        key=state.BENCHMARKS,
        bind="query-params",
        placeholder="All of them",
        width=260,
    )
    shown = [name for name in chosen if name in names] or names
    fitting = choose_kind([record for record in here if record.benchmark in shown])
    note_unknown(state.BREAKDOWN, get_args(Breakdown))
    breakdown = st.segmented_control(
        "Each benchmark",
        get_args(Breakdown),
        default="whole",
        required=True,
        key=state.BREAKDOWN,
        bind="query-params",
        help="Its pooled estimate, where there is one, or every subset.",
    )
    records = by_benchmark(fitting, shown, whole=breakdown != "subsets")
    found = {record.benchmark for record in records}
    return Chosen(
        records=records,
        name=model.rstrip("/").rsplit("/", 1)[-1],
        model=model,
        missing=tuple(name for name in shown if name not in found),
    )


def by_benchmark(
    records: Iterable[SpectrumRecord], benchmarks: Sequence[str], *, whole: bool
) -> tuple[SpectrumRecord, ...]:
    """Put records in the order of their benchmarks.

    Parameters
    ----------
    records
        One per benchmark and subset.
    benchmarks
        From top to bottom.
    whole
        Take the pooled estimate only, where a benchmark has one; else its subsets stand for it.
    """
    gathered: dict[str, list[SpectrumRecord]] = {name: [] for name in benchmarks}
    for record in records:
        gathered[record.benchmark].append(record)
    ordered: list[SpectrumRecord] = []
    for own in gathered.values():
        pooled = [record for record in own if record.subset == POOLED]
        ordered += pooled if whole and pooled else sorted(own, key=_subset_order)
    return tuple(ordered)


def _subset_order(record: SpectrumRecord) -> tuple[bool, str]:
    return record.subset == POOLED, record.subset
