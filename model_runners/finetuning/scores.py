"""The scores of the training samples: a profile and spectra of the base on the train split only."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from data_cache import estimates
from data_cache.conditions import Condition
from data_cache.predictions import Predictions, predictions
from data_cache.samples import Benchmark, Sample
from model_runners.errors import Cancelled, SplitLeak
from model_runners.estimation import EstimateOptions, choose_run, estimate_run
from model_runners.finetuning.objective import refuse_other_splits
from model_runners.finetuning.options import FinetuneOptions
from model_runners.loading import LoadedModel
from model_runners.profile import ProfileOptions, Progress, profile
from model_runners.strategies import SampleScores

COLUMNS = ("gap_score", "shortcut", "fusion_potential", "synergy_ratio")
AUDIO = "audio"


def profile_options(options: FinetuneOptions, *, model: str, split: str) -> ProfileOptions:
    """Return the profile that a fine-tuning needs of a split.

    The train split is profiled as far as it is trained on, the test split always whole.
    """
    train = split == "train"
    return ProfileOptions(
        model=model,
        benchmark=options.benchmark,
        data=options.data,
        split_policy=options.split_policy,
        circular=options.circular,
        frames=options.frames,
        max_bad_rows=options.max_bad_rows,
        subset=options.subset if train else None,
        limit=options.limit if train else None,
        split=split,
        draws=options.draws,
        device=options.device,
        dtype=options.dtype,
        device_map=options.device_map,
        quantise=options.quantise,
        trust_remote_code=options.trust_remote_code,
    )


def score(
    options: FinetuneOptions,
    samples: Sequence[Sample],
    cache: Path,
    *,
    benchmark: Benchmark,
    loaded: LoadedModel,
    progress: Progress,
    stop: Callable[[], bool],
) -> SampleScores:
    """Profile the base on the training samples, where that is not stored yet, and score them.

    Spectra are made per subset, from just these samples and draws, so that what else lies in the
    cache changes nothing.

    Raises
    ------
    Cancelled
        If `stop` said so.
    SplitLeak
        If a sample is not of the train split.
    """
    refuse_other_splits(samples)
    report = profile(
        profile_options(options, model=options.model, split="train"),
        cache,
        progress=progress,
        stop=stop,
        benchmark=benchmark,
        loaded=loaded,
    )
    run = choose_run(cache, model=report.model, benchmark=report.benchmark, run_key=report.run_key)
    bad = {one["sample_id"] for one in report.bad_samples}
    samples = [sample for sample in samples if sample.id not in bad]
    rows: dict[str, tuple[float, ...]] = {}
    heard = audio_atom(run.config)
    columns_read = (*COLUMNS, *([heard] if heard else ()))
    for subset in sorted({sample.subset for sample in samples}):
        if stop():
            raise Cancelled("stopped before the training")
        progress.stage(f"scores: {subset}")
        members = sum(sample.subset == subset for sample in samples)
        (record,) = estimate_run(
            cache,
            run,
            EstimateOptions(
                split="train",
                by="none",
                subset=None if subset == "all" else subset,
                limit=members if options.limit else None,
                draws=options.draws,
            ),
            reuse=True,
        )
        if record.split != "train":
            raise SplitLeak(f"the estimate {record.estimate_key} is of the {record.split} split")
        found = estimates.pointwise(cache, record.estimate_key)
        columns = [found[name].to_numpy(float) for name in columns_read]
        rows |= dict(zip(found["sample_id"], zip(*columns, strict=True), strict=True))
    odd = {sample.id for sample in samples} ^ set(rows)
    if odd:
        raise SplitLeak(f"scores and training samples differ, for example in {sorted(odd)[0]!r}")
    held = predictions(cache, run.run_key, split="train", draws=1)
    table = np.array([rows[sample.id] for sample in samples])
    by_name = {name: table[:, column] for column, name in enumerate(columns_read)}
    return SampleScores(
        sample_ids=tuple(sample.id for sample in samples),
        gap_score=by_name["gap_score"],
        shortcut=by_name["shortcut"],
        fusion_potential=by_name["fusion_potential"],
        synergy_ratio=by_name["synergy_ratio"],
        answer=right_answers(held, Condition.FULL, samples),
        answer_without_image=right_answers(held, Condition.NO_IMAGE, samples),
        audio_unique=by_name[heard] if heard else None,
    )


def audio_atom(config: Mapping[str, Any]) -> str | None:
    """Return which atom of a run is what only the audio tells; None where audio is no source.

    Parameters
    ----------
    config
        Of the run. Its two sources are vision and language where `sources` does not name others.

    >>> audio_atom({"sources": ["video", "audio"]})
    'unique_2'
    """
    sources = list(config.get("sources", ("vision", "language")))
    return f"unique_{sources.index(AUDIO) + 1}" if AUDIO in sources else None


def right_answers(
    held: Predictions, condition: Condition, samples: Sequence[Sample]
) -> Float[np.ndarray, " samples"]:
    """Return the probability of each sample's right answer among its options, 0 to 1.

    NaN where the condition was not run.
    """
    if condition not in held.scores:
        return np.full(len(samples), np.nan)
    scores = held.scores[condition][:, 0]
    likelihood = np.exp(scores - scores.max(axis=1, keepdims=True))
    right = likelihood[np.arange(len(scores)), held.answers] / likelihood.sum(axis=1)
    known = dict(zip(held.sample_ids.tolist(), right.tolist(), strict=True))
    return np.array([known.get(sample.id, np.nan) for sample in samples])
