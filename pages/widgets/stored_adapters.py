"""The adapters of the cache, the estimates of before and after, and what their samples weighed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from data_cache import adapters as store
from data_cache import paired, queries
from data_cache.adapters import AdapterRecord
from data_cache.errors import CacheError
from data_cache.estimates import SpectrumRecord
from data_cache.jobs import JobRow
from data_cache.queries import StoredSample
from model_runners.finetuning.options import StudyOptions
from model_runners.finetuning.study import DIFFER
from pages.figures.before_after import Pair
from pages.figures.rows import POOLED
from pages.widgets.pair_choices import Compared
from pages.widgets.pair_numbers import differences_of
from pages.widgets.spectrum_choices import newest_of_each
from pages.widgets.stored import Stored
from pages.widgets.strategy_words import with_ranks

STUDY = StudyOptions.kind
OF_A_STUDY = {"strategies", "seeds"}
"""Options that its trainings do not have."""
SPLIT = "test"
"""Before and after are compared on samples that no training has seen."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What the train samples of an adapter weighed, and the texts of some of them."""

    frame: pd.DataFrame
    shown: tuple[StoredSample, ...]
    """The first of those that weigh more, as far as the cache has their text."""


def read_adapters(reading: Stored) -> tuple[AdapterRecord, ...]:
    """Return the adapters of the cache, the newest first."""
    return tuple(store.adapters(reading.cache))


def adapter_of(job: JobRow, adapters: Iterable[AdapterRecord]) -> AdapterRecord | None:
    """Return the adapter that a job trains or has trained; None before it began to.

    Of a study the one that is trained now, else the one that was begun last.
    """
    found = [one for one in adapters if _is_of(job, one)]
    return next((one for one in found if one.state == "training"), next(iter(found), None))


def _is_of(job: JobRow, adapter: AdapterRecord) -> bool:
    result, request = job.result, job.request
    if adapter.key in (result.get("adapter"), *result.get("adapters", ())):
        return True
    # A request may leave the rate and alpha open; the record says which ones were taken.
    free = {name for name in ("learning_rate", "alpha") if request.get(name) is None}
    if job.kind == STUDY:
        free |= DIFFER | OF_A_STUDY
        first, seeds = request.get("seed", 0), request.get("seeds", 1)
        if adapter.strategy not in request.get("strategies", ()):
            return False
        if not first <= adapter.options.get("seed", 0) < first + seeds:
            return False

    def rest(options: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if name not in free}

    return rest(adapter.options) == rest(request)


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
    reading: Stored, adapter: AdapterRecord, score: str | None, *, shown: int
) -> Weights | None:
    """Return what the train samples weighed and the first that weigh more; None if unknown.

    Parameters
    ----------
    reading, adapter
        Where, and of which adapter.
    score
        The column that these are sorted by; None leaves them in the benchmark's order.
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


def lifted_samples(frame: pd.DataFrame, score: str | None) -> pd.DataFrame:
    """Return the samples that weigh more, the highest score first."""
    lifted = frame.loc[frame["role"] == "gap"]
    if score is None or score not in frame:
        return lifted
    return lifted.sort_values(by=score, ascending=False, kind="stable")


@st.cache_data(
    max_entries=64,
    show_spinner="Comparing before and after",
    hash_funcs={Pair: lambda pair: (pair.before.estimate_key, pair.after.estimate_key)},
)
def _intervals(cache: str, version: str, pair: Pair) -> dict[str, tuple[float, float]]:
    """Return the 95 % interval of after minus before by atom or rate; those that are known."""
    compared = Compared(a=pair.before, b=pair.after)
    rows = paired.paired_rows(Path(cache), compared.pair, answers=True)
    found = differences_of(compared, rows)
    return {
        name: one.interval
        for name, one in (found.parts | found.rates).items()
        if one.interval and name != "total"
    }


@st.cache_data(max_entries=16, show_spinner="Reading the weights")
def _weights(
    cache: str,
    version: str,
    key: str,
    created: str,
    benchmark_key: str | None,
    score: str | None,
    shown: int,
) -> Weights | None:
    try:
        frame = with_ranks(store.sample_weights(Path(cache), key))
    except CacheError:
        return None
    ids: Sequence[str] = lifted_samples(frame, score)["sample_id"].head(shown).tolist()
    found = queries.samples(Path(cache), benchmark_key, ids) if benchmark_key and ids else []
    return Weights(frame=frame, shown=tuple(found))
