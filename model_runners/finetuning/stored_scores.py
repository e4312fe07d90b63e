"""What a training would weigh how, as far as stored spectra of the train split tell, before it.

Nothing is run for it: where no spectrum of the train split is stored, nothing is known. The
training itself estimates anew from exactly the samples and draws that it takes; with the same ones
its scores are these.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from data_cache import estimates
from data_cache.conditions import Condition
from data_cache.estimates import SpectrumRecord
from data_cache.plan import OUTPUT_LAYER
from data_cache.predictions import predictions
from data_cache.samples import Benchmark, Sample
from model_runners.finetuning.material import Part, part_of
from model_runners.finetuning.objective import refuse_other_splits
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.requests import training_samples
from model_runners.finetuning.scores import COLUMNS, audio_atom, right_answers
from model_runners.models import resolve_model
from model_runners.strategies import SampleScores, check_strategy

ANSWERS = ("answer", "answer_without_image")
"""Scores that come from answers and not from an estimate."""


def estimates_behind(
    options: FinetuneOptions,
    spectra: Iterable[SpectrumRecord],
    benchmark_keys: Mapping[str, str],
    benchmark: Benchmark,
) -> tuple[SpectrumRecord, ...]:
    """Return the stored estimates of the base on the train split, one of each subset.

    Those with as many draws as the training would take come first, then the newest.

    Parameters
    ----------
    options
        What to train.
    spectra
        The estimates of the cache.
    benchmark_keys
        Of each run, the key of its benchmark: another content or split does not count.
    benchmark
        As the options ask for it.

    Raises
    ------
    ModelNotFound, UnsupportedModel
        If there is no such model.
    """
    name = resolve_model(options.model).name
    subsets = benchmark.subsets if options.subset is None else (options.subset,)
    found: dict[str, SpectrumRecord] = {}
    for one in spectra:
        wanted = (name, benchmark.name, "train", OUTPUT_LAYER, "certified")
        if (one.model, one.benchmark, one.split, one.layer, one.estimator) != wanted:
            continue
        if one.subset not in subsets or benchmark_keys.get(one.run_key) != benchmark.key:
            continue
        before = found.get(one.subset)
        if before is None or _rank(one, options) > _rank(before, options):
            found[one.subset] = one
    return tuple(found[subset] for subset in sorted(found))


def preview(
    options: FinetuneOptions,
    behind: Sequence[SpectrumRecord],
    cache: Path,
    benchmark: Benchmark,
    *,
    tagged: frozenset[str] = frozenset(),
    configs: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Part | None:
    """Weigh the training samples of a benchmark by what is stored; None where nothing is.

    Samples whose scores are not stored are left out: the training measures them first.

    Parameters
    ----------
    options
        What to train.
    behind
        From `estimates_behind`.
    cache
        The cache folder.
    benchmark
        As the options ask for it.
    tagged
        Ids of those that carry the tag, for the strategy that needs one.
    configs
        Of the runs behind the estimates, which say whether one of their sources is sound.

    Raises
    ------
    SplitLeak
        If a sample is of another split.
    NoGapSamples, BadOption
        If the strategy finds nothing to lift among these samples, as the training would say.
    """
    samples = training_samples(benchmark, options)
    refuse_other_splits(samples)
    entry = check_strategy(options.strategy)
    if not entry.needs_scores:
        scores = SampleScores.unknown(tuple(one.id for one in samples), tagged=tagged)
        return part_of(benchmark, scores, options)
    heard = {one.run_key: audio_atom(configs.get(one.run_key, {})) for one in behind}
    rows = _rows(behind, cache, heard)
    known = tuple(one for one in samples if one.id in rows)
    if not known:
        return None
    scores = _scores(
        known,
        rows,
        behind,
        cache,
        answers=entry.ranks_by in ANSWERS,
        hears=all(heard.values()),
    )
    return part_of(benchmark, scores, options)


def _rank(one: SpectrumRecord, options: FinetuneOptions) -> tuple[bool, str, str]:
    return one.settings.get("draws") == options.draws, one.created, one.estimate_key


def _rows(
    behind: Sequence[SpectrumRecord], cache: Path, heard: Mapping[str, str | None]
) -> dict[str, tuple[float, ...]]:
    rows: dict[str, tuple[float, ...]] = {}
    for one in behind:
        found = estimates.pointwise(cache, one.estimate_key)
        columns = [found[name].to_numpy(float) for name in COLUMNS]
        atom = heard[one.run_key]
        columns.append(found[atom].to_numpy(float) if atom else np.full(len(found), np.nan))
        rows |= dict(zip(found["sample_id"], zip(*columns, strict=True), strict=True))
    return rows


def _scores(
    samples: Sequence[Sample],
    rows: Mapping[str, tuple[float, ...]],
    behind: Sequence[SpectrumRecord],
    cache: Path,
    *,
    answers: bool,
    hears: bool,
) -> SampleScores:
    table = np.array([rows[one.id] for one in samples])
    by_name = {name: table[:, place] for place, name in enumerate(COLUMNS)}
    right = {name: np.full(len(samples), np.nan) for name in ANSWERS}
    if answers:
        for key in sorted({one.run_key for one in behind}):
            held = predictions(cache, key, split="train", draws=1)
            for name, condition in zip(ANSWERS, (Condition.FULL, Condition.NO_IMAGE), strict=True):
                found = right_answers(held, condition, samples)
                right[name] = np.where(np.isnan(right[name]), found, right[name])
    return SampleScores(
        sample_ids=tuple(one.id for one in samples),
        gap_score=by_name["gap_score"],
        shortcut=by_name["shortcut"],
        fusion_potential=by_name["fusion_potential"],
        synergy_ratio=by_name["synergy_ratio"],
        answer=right["answer"],
        answer_without_image=right["answer_without_image"],
        audio_unique=table[:, len(COLUMNS)] if hears else None,
    )
