"""Which of the stored spectra are shown, and how: the pickers above the bars."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import streamlit as st

from data_cache.estimates import SpectrumRecord
from model_runners.lens_options import LOGIT
from pages.figures.row_chart import Layout
from pages.figures.row_order import AS_CHOSEN, SORTABLE, RowOrder
from pages.figures.rows import POOLED, Group
from pages.figures.spectrum_bars import Unit
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.asked import in_words
from pages.widgets.sidebar import Selection

SPLITS = ("test", "train", "all")
NEWEST = "newest of each"
USUAL = {"lens": LOGIT}
"""What a setting is where an estimate does not name it."""
First = Literal["highest", "lowest"]


@dataclass(frozen=True, kw_only=True)
class View:
    """How the chosen spectra are drawn."""

    unit: Unit
    layout: Layout
    group: Group
    order: RowOrder


def choose_records(
    spectra: Iterable[SpectrumRecord], selection: Selection, *, apart: Collection[str] = ()
) -> tuple[SpectrumRecord, ...]:
    """Draw the pickers for split, estimator and settings, and return the spectra that fit.

    Spectra that differ in a setting of `apart` are kept beside each other.
    """
    here = [
        record
        for record in spectra
        if record.benchmark == selection.benchmark
        and record.model in selection.models
        and record.layer == -1
    ]
    return in_order(choose_kind(here, apart=apart), selection.models)


def choose_kind(
    here: Sequence[SpectrumRecord], *, apart: Collection[str] = ()
) -> list[SpectrumRecord]:
    """Draw the pickers for split, estimator and settings, and return the newest that fit.

    One per benchmark, model, subset and value of the settings of `apart`; none, and no pickers,
    where there is nothing to choose.
    """
    splits = [split for split in SPLITS if any(record.split == split for record in here)]
    if not splits:
        return []
    wanted = st.segmented_control(
        "Split", splits, default=splits[0], required=True, key=state.SPLIT, bind="query-params"
    )
    # What was chosen for other models may not exist for these.
    split = wanted if wanted in splits else splits[0]
    here = [record for record in here if record.split == split]
    names = sorted(
        {record.estimator for record in here}, key=lambda name: (name != "certified", name)
    )
    wanted = st.selectbox("Estimator", names, key=state.ESTIMATOR, bind="query-params", width=170)
    estimator = wanted if wanted in names else names[0]
    here = [record for record in here if record.estimator == estimator]
    variants = settings_labels(here, without=apart)
    if len(set(variants.values())) > 1:
        wanted = st.selectbox(
            "Settings",
            [NEWEST, *sorted(set(variants.values()))],
            key=state.SETTINGS,
            bind="query-params",
            width=240,
        )
        if wanted != NEWEST:
            here = [record for record in here if variants[record.estimate_key] == wanted]
    return newest_of_each(here, apart=apart)


def choose_view(records: Sequence[SpectrumRecord]) -> View:
    """Draw the pickers for the unit, the layout and the order of the bars.

    What rows are gathered under can be chosen where there are several models and several subsets.
    """
    unit = st.segmented_control(
        "Unit",
        get_args(Unit),
        default="bits",
        required=True,
        key=state.UNIT,
        bind="query-params",
        help="Bits, or the share of the total in per cent.",
    )
    layout = st.segmented_control(
        "Bars",
        get_args(Layout),
        default="stacked",
        required=True,
        key=state.BARS,
        bind="query-params",
        help="Separate bars carry 95 % intervals.",
    )
    several = all(len({getattr(one, side) for one in records}) > 1 for side in get_args(Group))
    group = "subset"
    if several and len({record.benchmark for record in records}) == 1:
        group = st.segmented_control(
            "Titles",
            get_args(Group),
            default="subset",
            required=True,
            key=state.GROUP,
            bind="query-params",
            help="What rows are gathered under.",
        )
    return View(
        unit=unit or "bits",
        layout=layout or "stacked",
        group=group or "subset",
        order=_choose_order(),
    )


def _choose_order() -> RowOrder:
    note_unknown(state.ROW_ORDER, SORTABLE)
    label = st.selectbox(
        "Sort rows by",
        SORTABLE,
        key=state.ROW_ORDER,
        bind="query-params",
        width=190,
        help="Within each title. Atoms are sorted in the unit that is shown.",
    )
    if label == AS_CHOSEN or label not in SORTABLE:
        return RowOrder()
    first = st.segmented_control(
        "First",
        get_args(First),
        default="highest",
        required=True,
        key=state.ROW_FIRST,
        bind="query-params",
    )
    return RowOrder(label=label, highest_first=first != "lowest")


def settings_labels(
    records: Sequence[SpectrumRecord], *, without: Collection[str] = ()
) -> dict[str, str]:
    """Name each estimate's settings by those that differ between the estimates.

    Parameters
    ----------
    records
        All of a kind.
    without
        Settings that are not named.

    Returns
    -------
    Estimate key to label; the labels are empty where all settings are the same.
    """
    settings = [in_words(record.settings) for record in records]
    keys = sorted({key for one in settings for key in one}.difference(without))
    differing = [key for key in keys if len({str(one.get(key)) for one in settings}) > 1]
    return {
        record.estimate_key: ", ".join(
            f"{key} {one.get(key, USUAL.get(key, 'unset'))}" for key in differing
        )
        for record, one in zip(records, settings, strict=True)
    }


def settings_choice(record: SpectrumRecord, spectra: Iterable[SpectrumRecord]) -> str | None:
    """Return what the picker for settings has to say so that this estimate is shown for its model.

    None where it is not drawn: all estimates of the kind have the same settings.
    """
    here = [
        one
        for one in spectra
        if (one.benchmark, one.model, one.split, one.estimator, one.layer)
        == (record.benchmark, record.model, record.split, record.estimator, record.layer)
    ]
    labels = settings_labels(here)
    if len(set(labels.values())) < 2:
        return None
    newest = {one.estimate_key for one in newest_of_each(here)}
    return NEWEST if record.estimate_key in newest else labels[record.estimate_key]


def newest_of_each(
    records: Iterable[SpectrumRecord], *, apart: Collection[str] = ()
) -> list[SpectrumRecord]:
    """Keep the newest estimate of each benchmark, model, subset and value of some settings."""
    newest: dict[tuple[str, ...], SpectrumRecord] = {}
    for record in sorted(records, key=lambda record: (record.created, record.estimate_key)):
        differing = (str(record.settings.get(name)) for name in apart)
        newest[record.benchmark, record.model, record.subset, *differing] = record
    return list(newest.values())


def in_order(
    records: Iterable[SpectrumRecord], models: Sequence[str]
) -> tuple[SpectrumRecord, ...]:
    """Sort by subset (the pooled one last), then by the order in which the models were chosen."""
    rank = {model: place for place, model in enumerate(models)}
    return tuple(
        sorted(
            records,
            key=lambda record: (record.subset == POOLED, record.subset, rank[record.model]),
        )
    )
