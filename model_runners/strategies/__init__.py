"""The table of strategies: which training samples weigh how much; one line and one file each."""

import importlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from model_runners.errors import BadOption
from pid_core.errors import did_you_mean

Role = Literal["gap", "shortcut", "rest"]
GAP_WEIGHT, SHORTCUT_WEIGHT, REST_WEIGHT = 3.0, 0.5, 1.0
"""Weights of MI26."""


@dataclass(frozen=True, kw_only=True)
class StrategyEntry:
    """One line of the table."""

    module: str
    """Module with `weigh(scores, *, top, seed) -> Weighting`."""
    summary: str
    """One sentence for lists and pickers."""
    needs_scores: bool = True
    """False spares the profile of the train split."""
    needs_tag: bool = False
    """True: the samples of a tag are lifted, and one has to be given."""
    lifts: str | None = "lifted samples"
    """What the samples are called that weigh more; None where none do."""
    lowers: str | None = "lowered samples"
    """And those that weigh less."""
    ranks_by: str = ""
    """What decides, a field of `SampleScores`; empty where no score does."""


STRATEGIES: dict[str, StrategyEntry] = {
    "pid": StrategyEntry(
        module="model_runners.strategies.pid",
        summary="samples that could be fused and are not weigh more, language shortcuts less",
        lifts="gap samples",
        lowers="shortcut samples",
        ranks_by="gap_score",
    ),
    "uniform": StrategyEntry(
        module="model_runners.strategies.uniform",
        summary="every sample weighs the same: ordinary LoRA, to compare with",
        needs_scores=False,
        lifts=None,
        lowers=None,
    ),
    "fp": StrategyEntry(
        module="model_runners.strategies.fp",
        summary="samples with much to gain from fusion weigh more, used or not: a control for pid",
        lifts="samples with much to gain from fusion",
        lowers=None,
        ranks_by="fusion_potential",
    ),
    "random": StrategyEntry(
        module="model_runners.strategies.random",
        summary="the weights of pid on samples that are drawn: a control for the choice of samples",
        needs_scores=False,
        lifts="samples drawn to weigh more",
        lowers="samples drawn to weigh less",
    ),
    "accuracy": StrategyEntry(
        module="model_runners.strategies.accuracy",
        summary="samples that the model gets wrong weigh more, easy ones less: a control for pid",
        lifts="hard samples",
        lowers="easy samples",
        ranks_by="answer",
    ),
    "ablation": StrategyEntry(
        module="model_runners.strategies.ablation",
        summary="samples that need the image weigh more, those that do not less: a control for pid",
        lifts="samples that need the image",
        lowers="samples that do not need it",
        ranks_by="answer_without_image",
    ),
    "tag": StrategyEntry(
        module="model_runners.strategies.tag",
        summary="samples of a tag of yours weigh more: your own choice, not that of a score",
        needs_scores=False,
        needs_tag=True,
        lifts="samples of the tag",
        lowers=None,
    ),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleScores:
    """Scores of N training samples, in the benchmark's order; NaN where none are needed."""

    sample_ids: tuple[str, ...]
    gap_score: np.ndarray
    shortcut: np.ndarray
    fusion_potential: np.ndarray
    synergy_ratio: np.ndarray
    answer: np.ndarray
    """Probability of the right answer among the options, with image and text; 0 to 1."""
    answer_without_image: np.ndarray
    """The same where the image is removed; NaN where that was not run."""
    tagged: frozenset[str] = frozenset()
    """Ids of those that carry the tag, where one was given."""

    @classmethod
    def unknown(
        cls, sample_ids: tuple[str, ...], *, tagged: frozenset[str] = frozenset()
    ) -> "SampleScores":
        """Return what a strategy gets that needs no scores."""
        nothing = np.full(len(sample_ids), np.nan)
        return cls(
            sample_ids=sample_ids,
            gap_score=nothing,
            shortcut=nothing,
            fusion_potential=nothing,
            synergy_ratio=nothing,
            answer=nothing,
            answer_without_image=nothing,
            tagged=tagged,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Weighting:
    """What each of N samples weighs, and as what."""

    weights: np.ndarray
    """(N,) positive."""
    roles: tuple[Role, ...]
    warnings: tuple[str, ...] = ()
    """Sentences."""


def check_strategy(name: str) -> StrategyEntry:
    """Return the line of a strategy.

    Raises
    ------
    BadOption
        If there is none; the message has the nearest name and the list.
    """
    entry = STRATEGIES.get(name)
    if entry is None:
        raise BadOption(f"there is no strategy {name!r}; {did_you_mean(name, STRATEGIES)}")
    return entry


def weigh(name: str, scores: SampleScores, *, top: int, seed: int = 0) -> Weighting:
    """Weigh samples by a strategy.

    Parameters
    ----------
    name
        A line of `STRATEGIES`.
    scores
        Of the training samples.
    top
        How many samples to lift at most, and how many to lower.
    seed
        For strategies that draw.

    Raises
    ------
    NoGapSamples
        If the strategy finds no sample to lift.
    BadOption
        If what it ranks by was not measured.
    """
    module = importlib.import_module(check_strategy(name).module)
    return module.weigh(scores, top=top, seed=seed)


def highest(values: np.ndarray, top: int) -> np.ndarray:
    """Return the indices of the highest `top` values above 0, the first of equals first.

    >>> highest(np.array([0.0, 2.0, 1.0, 2.0]), 2).tolist()
    [1, 3]
    """
    order = np.argsort(-values, kind="stable")[:top]
    return order[values[order] > 0]


def ranked(values: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the highest and of the lowest `top` values; of equals, the first.

    >>> [one.tolist() for one in ranked(np.array([0.1, 0.9, 0.5, 0.9]), 1)]
    [[1], [0]]
    """
    return np.argsort(-values, kind="stable")[:top], np.argsort(values, kind="stable")[:top]


def weighting(
    n: int, *, gap: np.ndarray, shortcut: np.ndarray, warnings: tuple[str, ...] = ()
) -> Weighting:
    """Weigh N samples by the indices of those to lift and to lower; a sample in both is lifted."""
    weights = np.full(n, REST_WEIGHT)
    roles: list[Role] = ["rest"] * n
    for index in shortcut:
        weights[index], roles[index] = SHORTCUT_WEIGHT, "shortcut"
    for index in gap:
        weights[index], roles[index] = GAP_WEIGHT, "gap"
    return Weighting(weights=weights, roles=tuple(roles), warnings=warnings)
