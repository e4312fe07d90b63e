"""Made-up benchmarks and what made-up models answer on them, for `large_cache`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_cache.conditions import NOISY, PROBED, Condition
from data_cache.runs import hash_text
from model_runners.registry import ModelEntry

IN_PART = ("instructblip-vicuna-7b", "mmstar")
"""One model and the benchmark of which it has a third."""
PER_GROUP = 4
"""Samples that share a picture."""
MASS, LITTLE_MASS = 0.97, 0.1
"""What the options have together of the model's first token, and what in one of fifty cases."""
RARELY = 0.02


@dataclass(frozen=True, kw_only=True)
class MadeBenchmark:
    """A benchmark and its samples' places, answers and parts."""

    name: str
    key: str
    subsets: tuple[str, ...]
    options: int
    ids: tuple[str, ...]
    answer: NDArray[np.int64]
    """(N,)"""
    subset: NDArray[np.int64]
    """(N,) index into `subsets`."""
    is_test: NDArray[np.bool_]
    """(N,) a quarter, by groups."""
    hardness: NDArray[np.float64]
    """(N,) what is taken off the right option's score in every run."""


@dataclass(frozen=True, kw_only=True)
class MadeRun:
    """What a model made of a benchmark: log-likelihoods by condition, (N, D, K) each."""

    key: str
    model: str
    family: str
    parameters: float
    skill: float
    """0 to 1."""
    benchmark: MadeBenchmark
    measured: int
    """The first so many samples."""
    scores: dict[Condition, NDArray[np.float32]]
    choices: dict[Condition, NDArray[np.int64]]
    """(N, D) the option that is the first token; -1 where none is."""


_ABILITIES = (
    "action_recognition", "attribute_comparison", "attribute_recognition", "celebrity_recognition",
    "function_reasoning", "future_prediction", "identity_reasoning", "image_emotion",
    "image_quality", "image_scene", "image_style", "image_topic", "nature_relation",
    "object_localization", "ocr", "physical_property_reasoning", "physical_relation",
    "social_relation", "spatial_relationship", "structuralized_imagetext_understanding",
)  # fmt: skip
_FIELDS = ("art", "business", "science", "medicine", "humanities", "engineering")
_SKILLS = ("coarse", "fine-grained", "instances", "logic", "science", "math")
SIZES: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "mmbench": (4329, 4, _ABILITIES),
    "mmmu": (900, 4, _FIELDS),
    "mmstar": (1500, 4, _SKILLS),
    "pmc_vqa": (2000, 4, ("all",)),
    "pope": (3000, 2, ("adversarial",)),
    "reefknot": (2150, 4, ("perception",)),
}
"""Samples, options and subsets."""


def make_benchmark(name: str, share: float) -> MadeBenchmark:
    """Make a benchmark with a share of the samples of the real one."""
    whole, options, subsets = SIZES[name]
    count = max(round(whole * share), 8 * len(subsets))
    random = np.random.default_rng([*name.encode()])
    groups = np.arange(count) // PER_GROUP
    return MadeBenchmark(
        name=name,
        key=hash_text(f"{name} {count}", 16),
        subsets=subsets,
        options=options,
        ids=tuple(f"{name}-{number:05d}" for number in range(count)),
        answer=random.integers(options, size=count),
        subset=groups % len(subsets),
        is_test=groups // len(subsets) % 4 == 1,
        hardness=random.normal(size=count),
    )


def make_run(name: str, entry: ModelEntry, benchmark: MadeBenchmark, draws: int) -> MadeRun:
    """Let a model answer: the larger, the more often right."""
    parameters = entry.parameters or 1e9
    skill = float(np.clip((np.log10(parameters) - 8.5) / 2.5, 0.1, 0.95))
    measured = len(benchmark.ids) // (3 if (name, benchmark.name) == IN_PART else 1)
    random = np.random.default_rng([*f"{name} {benchmark.key}".encode()])
    strength = {
        Condition.FULL: 1.0 + 3.5 * skill,
        Condition.ONLY_1: 0.4 + 0.6 * skill,
        Condition.ONLY_2: 0.3 + 1.2 * skill,
        Condition.NEITHER: 0.0,
        Condition.NO_IMAGE: 0.3 + 1.0 * skill,
    }
    scores: dict[Condition, NDArray[np.float32]] = {}
    choices: dict[Condition, NDArray[np.int64]] = {}
    for condition in PROBED:
        held = draws if condition in NOISY else 1
        logits = random.normal(size=(measured, held, benchmark.options))
        right = strength[condition] - 1.2 * benchmark.hardness[:measured, None]
        if condition is Condition.NEITHER:
            right = np.zeros((measured, 1))
        places = np.arange(measured)[:, None], np.arange(held)[None, :]
        logits[(*places, benchmark.answer[:measured, None])] += right
        mass = np.where(random.random((measured, held, 1)) < RARELY, LITTLE_MASS, MASS)
        total = np.log(np.exp(logits).sum(2, keepdims=True))
        scores[condition] = (logits - total + np.log(mass)).astype(np.float32)
        nothing = random.random((measured, held)) < RARELY
        choices[condition] = np.where(nothing, -1, scores[condition].argmax(2))
    return MadeRun(
        key=hash_text(f"{name} on {benchmark.key}", 16),
        model=name,
        family=entry.family or "",
        parameters=parameters,
        skill=skill,
        benchmark=benchmark,
        measured=measured,
        scores=scores,
        choices=choices,
    )
