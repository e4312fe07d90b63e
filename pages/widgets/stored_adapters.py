"""The adapters of the cache, the estimates of before and after, and what their samples weighed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import streamlit as st

from data_cache import adapters as store
from data_cache import paired, queries
from data_cache.adapters import AdapterRecord
from data_cache.errors import CacheError
from data_cache.estimates import ATOMS, SpectrumRecord
from data_cache.jobs import JobRow
from data_cache.queries import StoredSample
from pages.figures.before_after import Pair
from pages.figures.rows import POOLED
from pages.widgets.pair_choices import Compared
from pages.widgets.pair_numbers import differences_of
from pages.widgets.spectrum_choices import newest_of_each
from pages.widgets.stored import Stored

SPLIT = "test"
"""Before and after are compared on samples that no training has seen."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What the train samples of an adapter weighed, and the texts of some of them."""

    frame: pd.DataFrame
    shown: tuple[StoredSample, ...]
    """The first gap samples, as far as the cache has their text."""


def read_adapters(reading: Stored) -> tuple[AdapterRecord, ...]:
    """Return the adapters of the cache, the newest first."""
    return tuple(store.adapters(reading.cache))


def adapter_of(job: JobRow, adapters: Iterable[AdapterRecord]) -> AdapterRecord | None:
    """Return the adapter that a job trains or has trained; None before it began to."""
    for one in adapters:
        # The request may leave the rate open; the record says which one was taken.
        asked = {**one.options, "learning_rate": job.request.get("learning_rate")}
        if one.key == job.result.get("adapter") or (
            asked == job.request
            and asked["learning_rate"] in (None, one.options.get("learning_rate"))
        ):
            return one
    return None


def read_pairs(reading: Stored, adapter: AdapterRecord) -> tuple[Pair, ...]:
    """Return before and after, with the interval of each difference where it is known."""
    return tuple(
        replace(pair, intervals=_intervals(str(reading.cache), reading.version, pair))
        for pair in pairs_of(adapter, reading.spectra)
    )


def pairs_of(adapter: AdapterRecord, spectra: Iterable[SpectrumRecord]) -> tuple[Pair, ...]:
    """Return before and after for each subset that both runs have an estimate of, test split.

    Where the run of before has several estimates of a subset, the one with the settings of after
    is taken, else the newest. The subset that was trained on comes first.
    """
    here = [one for one in spectra if one.split == SPLIT and one.layer == -1]
    before = [one for one in here if one.run_key == adapter.base_run_key]
    pairs: list[Pair] = []
    for after in newest_of_each(one for one in here if one.run_key == adapter.run_key):
        same = [one for one in before if one.subset == after.subset]
        same = [one for one in same if one.estimator == after.estimator] or same
        same = [one for one in same if one.settings == after.settings] or same
        if same:
            pairs.append(Pair(before=newest_of_each(same)[0], after=after))
    own = adapter.options.get("subset")
    return tuple(
        sorted(
            pairs,
            key=lambda pair: (
                pair.after.subset != own,
                pair.after.subset == POOLED,
                pair.after.subset,
            ),
        )
    )


def read_weights(
    reading: Stored, adapter: AdapterRecord, score: str, *, shown: int
) -> Weights | None:
    """Return what the train samples weighed and the first gap samples by a score; None if unknown.

    Parameters
    ----------
    reading, adapter
        Where, and of which adapter.
    score
        The column that the gap samples are sorted by.
    shown
        How many of them are read with text and image.
    """
    keys = [run.benchmark_key for run in reading.runs if run.run_key == adapter.base_run_key]
    return _weights(
        str(reading.cache),
        reading.version,
        adapter.key,
        adapter.created,
        keys[0] if keys else None,
        score,
        shown,
    )


def gap_samples(frame: pd.DataFrame, score: str) -> pd.DataFrame:
    """Return the gap samples, the highest score first."""
    gap = frame.loc[frame["role"] == "gap"]
    return gap.sort_values(by=score, ascending=False, kind="stable")


@st.cache_data(
    max_entries=64,
    show_spinner="Comparing before and after",
    hash_funcs={Pair: lambda pair: (pair.before.estimate_key, pair.after.estimate_key)},
)
def _intervals(cache: str, version: str, pair: Pair) -> dict[str, tuple[float, float]]:
    """Return the 95 % interval of after minus before by atom; empty where it is not known."""
    compared = Compared(a=pair.before, b=pair.after)
    found = differences_of(compared, paired.paired_rows(Path(cache), compared.pair))
    return {
        name: one.interval for name, one in found.parts.items() if one.interval and name in ATOMS
    }


@st.cache_data(max_entries=16, show_spinner="Reading the weights")
def _weights(
    cache: str,
    version: str,
    key: str,
    created: str,
    benchmark_key: str | None,
    score: str,
    shown: int,
) -> Weights | None:
    try:
        frame = store.sample_weights(Path(cache), key)
    except CacheError:
        return None
    ids: Sequence[str] = gap_samples(frame, score)["sample_id"].head(shown).tolist()
    found = queries.samples(Path(cache), benchmark_key, ids) if benchmark_key and ids else []
    return Weights(frame=frame, shown=tuple(found))
