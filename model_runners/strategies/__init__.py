"""The table of strategies: which training samples weigh how much; one line and one file each."""

import importlib
from dataclasses import dataclass, fields, replace
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
        lifts="drawn samples",
        lowers="other drawn samples",
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
    "audio": StrategyEntry(
        module="model_runners.strategies.audio",
        summary="samples whose answer only the sound tells weigh more: a control for models that "
        "hear",
        lifts="samples that need the sound",
        lowers=None,
        ranks_by="audio_unique",
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
    audio_unique: np.ndarray | None = None
    """Bits that only the audio tells; None where the model hears nothing."""
    tagged: frozenset[str] = frozenset()
    """Ids of those that carry the tag, where one was given."""

    def part(self, rows: "np.ndarray") -> "SampleScores":
        """Return the scores of some of the samples, given by their rows."""
        arrays = {
            one.name: None if (value := getattr(self, one.name)) is None else value[rows]
            for one in fields(self)
            if one.name not in {"sample_ids", "tagged"}
        }
        ids = tuple(self.sample_ids[row] for row in rows)
        return replace(self, sample_ids=ids, **arrays)

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
    """(N,) positive, or 0 where a sample is left out."""
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


def weigh(
    name: str,
    scores: SampleScores,
    *,
    top: int,
    seed: int = 0,
    select: Literal["all", "topk"] = "all",
) -> Weighting:
    """Weigh samples by a strategy.

    Parameters
    ----------
    name
        A line of `STRATEGIES`.
    scores
        Of the training samples of one benchmark.
    top
        How many samples to lift at most, and how many to lower.
    seed
        For strategies that draw.
    select
        `topk` gives those that are neither lifted nor lowered the weight 0. A strategy that lifts
        none then keeps as many as `random` would, the same ones, so that it stays comparable.

    Raises
    ------
    NoGapSamples
        If the strategy finds no sample to lift.
    BadOption
        If what it ranks by was not measured.
    """
    entry = check_strategy(name)
    module = importlib.import_module(entry.module)
    found: Weighting = module.weigh(scores, top=top, seed=seed)
    if select == "all":
        return found
    kept = np.array([role != "rest" for role in found.roles])
    if entry.lifts is None:
        kept[drawn(len(kept), seed)[: 2 * top]] = True
    return replace(found, weights=np.where(kept, found.weights, 0.0))


def drawn(n: int, seed: int) -> np.ndarray:
    """Return the rows of N samples in the order in which a seed draws them."""
    return np.random.default_rng(seed).permutation(n)


def in_order(values: np.ndarray, scores: SampleScores) -> np.ndarray:
    """Return the rows of N values, the highest first, equal ones by the ids of their samples.

    A sample's id does not depend on the order in which a benchmark was read.
    """
    return np.lexsort((np.array(scores.sample_ids), -values))


def highest(values: np.ndarray, top: int, scores: SampleScores) -> np.ndarray:
    """Return the rows of the highest `top` values above 0."""
    order = in_order(values, scores)[:top]
    return order[values[order] > 0]


def ranked(values: np.ndarray, top: int, scores: SampleScores) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the highest `top` values and of the lowest."""
    return in_order(values, scores)[:top], in_order(-values, scores)[:top]


def weighting(
    n: int, *, gap: np.ndarray, shortcut: np.ndarray, warnings: tuple[str, ...] = ()
) -> Weighting:
    """Weigh N samples by the rows of those to lift and to lower; a sample in both is lifted."""
    weights = np.full(n, REST_WEIGHT)
    roles: list[Role] = ["rest"] * n
    for index in shortcut:
        weights[index], roles[index] = SHORTCUT_WEIGHT, "shortcut"
    for index in gap:
        weights[index], roles[index] = GAP_WEIGHT, "gap"
    return Weighting(weights=weights, roles=tuple(roles), warnings=warnings)
