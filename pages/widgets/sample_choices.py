"""Which samples are shown, and how: the pickers above them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import streamlit as st

from data_cache.estimates import SpectrumRecord
from data_cache.samples import SPLITS
from data_cache.samples_view import SampleOrder
from pages.figures.rows import POOLED
from pages.figures.scores import SORTABLE, Score
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.sample_filter import read_filters
from pages.widgets.sidebar import Selection
from pages.widgets.spectrum_choices import choose_records
from pages.widgets.stored import Stored
from pages.widgets.stored_samples import read_subsets

EACH = "every subset"
"""All samples, each with the numbers of its own subset's estimate."""
ALL_POOLED = "all, pooled"
"""All samples, with the numbers of the estimate over all of them."""
Answers = Literal["all", "right", "wrong"]
Direction = Literal["highest", "lowest"]
View = Literal["grid", "table"]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Which samples are listed, and how."""

    order: SampleOrder
    score: Score
    """What they are sorted by."""
    view: View


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the samples of a choice of subset and their numbers come from."""

    estimate_keys: tuple[str, ...]
    subset: str | None = None
    """A filter, where the estimate holds other subsets too."""


def choose_model(selection: Selection) -> Selection:
    """Draw the picker for one of the chosen models."""
    note_unknown(state.MODEL, selection.models)
    wanted = st.selectbox(
        "Model", selection.models, key=state.MODEL, bind="query-params", width=200
    )
    model = wanted if wanted in selection.models else selection.models[0]
    return Selection(benchmark=selection.benchmark, models=(model,))


def choose_estimates(reading: Stored, selection: Selection) -> tuple[SpectrumRecord, ...]:
    """Draw the pickers for the estimates of one model, as on the Spectra page."""
    return choose_records(reading.spectra, selection)


def choose_listing(reading: Stored, records: Sequence[SpectrumRecord]) -> Listing:
    """Draw the pickers for subset, answers, order and view."""
    sources = sources_of(reading, records)
    note_unknown(state.SUBSET, sources)
    wanted = st.selectbox(
        "Subset",
        list(sources),
        key=state.SUBSET,
        bind="query-params",
        width=190,
    )
    source = sources[wanted if wanted in sources else next(iter(sources))]
    part = _choose_part(records)
    answers = _choose("Answers", state.ANSWERS, get_args(Answers), "Of the full prompt.")
    labels = {score.label: score for score in SORTABLE}
    note_unknown(state.SORT, labels)
    label = st.selectbox("Sort by", list(labels), key=state.SORT, bind="query-params", width=190)
    score = labels.get(label, SORTABLE[0])
    direction = _choose("First", state.DIRECTION, get_args(Direction))
    view = _choose("View", state.VIEW, get_args(View))
    # The benchmark's own order begins with its first sample.
    descending = (direction == "highest") != (score.field == "position")
    return Listing(
        order=SampleOrder(
            estimate_keys=source.estimate_keys,
            order_by=score.field,
            descending=descending,
            subset=source.subset,
            split=part if part in SPLITS else None,
            correct=None if answers == "all" else answers == "right",
            filters=read_filters(reading, records),
        ),
        score=score,
        view="table" if view == "table" else "grid",
    )


def choice_of(subset: str) -> str:
    """Return what the picker has to hold to show the samples of an estimate of that subset."""
    return ALL_POOLED if subset == POOLED else subset


def sources_of(reading: Stored, records: Sequence[SpectrumRecord]) -> dict[str, Source]:
    """Return every choice of subset with the estimates that it stands for.

    A sample's numbers are those of its own subset's estimate, unless the pooled one is chosen or is
    the only one.
    """
    own = {record.subset: record.estimate_key for record in records if record.subset != POOLED}
    pooled = next((record.estimate_key for record in records if record.subset == POOLED), None)
    sources: dict[str, Source] = {}
    if len(own) > 1:
        sources[EACH] = Source(estimate_keys=tuple(own.values()))
    if pooled is not None:
        sources[ALL_POOLED] = Source(estimate_keys=(pooled,))
        for subset in read_subsets(reading, (pooled,)):
            sources.setdefault(subset, Source(estimate_keys=(pooled,), subset=subset))
    for subset, key in own.items():
        sources[subset] = Source(estimate_keys=(key,))
    return sources


def _choose_part(records: Sequence[SpectrumRecord]) -> str:
    """Draw the picker for one part of the samples where the estimates took both."""
    if {record.split for record in records} != {"all"}:
        return "both"
    return _choose("Part", state.PART, ("both", *SPLITS))


def _choose(label: str, key: str, options: Sequence[str], help: str | None = None) -> str:
    note_unknown(key, options)
    wanted = st.segmented_control(
        label,
        options,
        default=options[0],
        required=True,
        key=key,
        bind="query-params",
        help=help,
    )
    return wanted if wanted in options else options[0]
