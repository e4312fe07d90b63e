"""What a training is on: samples of the train split, some held out, scored and weighed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from data_cache.adapters import SampleWeight
from data_cache.samples import Benchmark, Sample
from model_runners.benchmark_choice import load_asked
from model_runners.errors import BadOption
from model_runners.finetuning.mixing import weights_of
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.plan import TrainingPlan
from model_runners.finetuning.requests import on_benchmark, training_samples
from model_runners.profile import ProfileReport
from model_runners.profile_job import Spectra
from model_runners.strategies import SampleScores, Weighting, weigh
from model_runners.vision import VisionCache

HELD_OUT_SHARE = 0.1
"""Of the training samples, where a training may stop early."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shared:
    """What several trainings of one base need alike; each of them fills what is missing."""

    benchmarks: dict[str, Benchmark] = field(default_factory=dict)
    """By the name that the options give them."""
    scores: dict[str, SampleScores] = field(default_factory=dict)
    """Of their training samples, held-out ones among them."""
    before: dict[str, tuple[ProfileReport, Spectra]] = field(default_factory=dict)
    """Of the base on their test split."""
    images: VisionCache = field(default_factory=VisionCache)
    """What the base's tower makes of images; nothing before the text stack is trained."""

    def benchmark(self, name: str, options: FinetuneOptions, cache: Path) -> Benchmark:
        """Return a benchmark of the options, read once.

        Raises
        ------
        BenchmarkError
            If it cannot be read.
        """
        if name not in self.benchmarks:
            self.benchmarks[name] = load_asked(on_benchmark(options, name), cache)
        return self.benchmarks[name]


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The training samples of one benchmark."""

    benchmark: Benchmark
    samples: tuple[Sample, ...]
    """In the benchmark's order."""
    held_out: tuple[Sample, ...]
    """Of the train split too, and not trained on."""
    scores: SampleScores
    """Of `samples`."""
    weighting: Weighting
    """Of `samples`."""

    def rows(self) -> list[SampleWeight]:
        """Return what is kept of each training sample."""
        scores, weighting = self.scores, self.weighting
        heard = scores.audio_unique
        return [
            SampleWeight(
                sample_id=sample.id,
                subset=sample.subset,
                benchmark=self.benchmark.name,
                weight=float(weighting.weights[row]),
                role=weighting.roles[row],
                gap_score=float(scores.gap_score[row]),
                shortcut=float(scores.shortcut[row]),
                fusion_potential=float(scores.fusion_potential[row]),
                synergy_ratio=float(scores.synergy_ratio[row]),
                answer=float(scores.answer[row]),
                answer_without_image=float(scores.answer_without_image[row]),
                audio_unique=None if heard is None else float(heard[row]),
            )
            for row, sample in enumerate(self.samples)
        ]


def part_of(benchmark: Benchmark, scores: SampleScores, options: FinetuneOptions) -> Part:
    """Return the scored samples of a benchmark, some held out, the others weighed.

    Raises
    ------
    NoGapSamples
        If the strategy finds nothing to lift.
    BadOption
        If what it ranks by was not measured.
    """
    row_of = {one: row for row, one in enumerate(scores.sample_ids)}
    samples = [one for one in training_samples(benchmark, options) if one.id in row_of]
    out = held_out(samples) if options.early_stop else frozenset()
    kept = tuple(one for one in samples if one.id not in out)
    own = scores.part(np.array([row_of[one.id] for one in kept], int))
    weighting = weigh(
        options.strategy,
        own,
        top=options.top_of(len(kept)),
        seed=options.seed,
        select=options.select,
    )
    return Part(
        benchmark=benchmark,
        samples=kept,
        held_out=tuple(one for one in samples if one.id in out),
        scores=own,
        weighting=weighting,
    )


def held_out(samples: Sequence[Sample]) -> frozenset[str]:
    """Return the ids of the tenth that is held out: whole groups, the same for every training.

    Raises
    ------
    BadOption
        If all samples are of one group.
    """

    def place(group: str) -> str:
        return hashlib.sha256(group.encode()).hexdigest()

    groups = sorted({one.group_id for one in samples}, key=place)
    if len(groups) < 2:
        raise BadOption(
            f"the {len(samples)} training samples are one group, so that none can be held out to "
            "tell when to stop; leave out --early-stop"
        )
    chosen: set[str] = set()
    count = 0
    for group in groups[:-1]:
        if count >= max(1, HELD_OUT_SHARE * len(samples)):
            break
        chosen.add(group)
        count += sum(one.group_id == group for one in samples)
    return frozenset(one.id for one in samples if one.group_id in chosen)


def plan_of(parts: Sequence[Part], options: FinetuneOptions, rate: float) -> TrainingPlan:
    """Return what is done at each step.

    Parameters
    ----------
    parts
        One for each benchmark that is trained on.
    options
        How it is trained.
    rate
        The peak learning rate.

    Raises
    ------
    SplitLeak
        If a sample is not of the train split.
    """
    several = len(parts) > 1
    return TrainingPlan(
        samples=tuple(one for part in parts for one in part.samples),
        weights=np.concatenate([part.weighting.weights for part in parts]),
        epochs=options.epochs,
        batch_size=options.batch_size,
        micro_batch=min(options.micro_batch or options.batch_size, options.batch_size),
        rate=rate,
        seed=options.seed,
        blocks=tuple(i for i, part in enumerate(parts) for _ in part.samples) if several else None,
        shares=tuple(weights_of(options.benchmark, options.mix).values()),
        held_out=tuple(one for part in parts for one in part.held_out),
        patience=options.early_stop,
    )
