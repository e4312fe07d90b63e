"""How much of the full run's answer a state brings along, per layer, and whether S says where.

The effect of a patch on one sample is the change, in probability, of the answer that the full run
prefers. It has a sign (towards that answer or away from it), lies between -1 and 1 whatever the
model's confidence, and is linear in the draws of noise. Bits would not do: a confident wrong
distribution has probabilities of 1e-9, and a few such samples would decide every mean. Beside it
stands the total variation, half the sum of all candidates' changes: how far the answer moved at
all. No effect exceeds it, and where the two agree all that moved went to the full run's answer.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from data_cache.patch_scores import PatchScores, PointwiseAtoms
from pid_core import predictive
from pid_core.association import (
    FEWEST,
    Association,
    Closer,
    bootstrap_counts,
    closer,
    expanded_interval,
    spearman,
)
from pid_core.predictive import DEFAULT_TAU

RESAMPLES = 200
SMALLEST_WHOLE = 0.02
"""Below so large a whole effect no share of it is given: it would be noise over noise."""
SMALLEST_MOVED = 0.005
"""Below so small a mean total variation no correlation is given: ranks of rounding look like any
others."""
NOTHING = (float("nan"), float("nan"))


@dataclass(frozen=True, kw_only=True)
class SampleEffects:
    """What patching did to each of N samples, in probability; means over draws."""

    sample_ids: tuple[str, ...]
    layers: tuple[int, ...]
    effect: np.ndarray
    """(N, L), -1 to 1; nan where a sample was not patched at a layer."""
    moved: np.ndarray
    """(N, L), total variation, 0 to 1; nan as above."""
    whole: np.ndarray
    """(N,): of the full run itself in place of a patch; what the last layer must reach."""
    draws: int


@dataclass(frozen=True, kw_only=True)
class LayerEffect:
    """The effect of patching one layer, over samples."""

    layer: int
    n: int
    effect: float
    """Mean change of the probability of the full run's answer, -1 to 1."""
    interval: tuple[float, float]
    """95 %, bootstrap over groups of samples; nan with fewer than four groups."""
    moved: float
    """Mean total variation, 0 to 1."""
    moved_interval: tuple[float, float]
    share: float
    """Of the whole effect; nan where that is below `SMALLEST_WHOLE`."""
    synergy: Association | None
    """Rank correlation of the samples' effects with their pointwise synergy; None without atoms, or
    where hardly anything moved (`SMALLEST_MOVED`)."""
    unique_1: Association | None
    """And with what they hold of the image's own information."""
    closer: Closer | None
    """By how much the first of the two exceeds the second."""


@dataclass(frozen=True, kw_only=True)
class PatchCourse:
    """The effects of all patched layers."""

    layers: tuple[LayerEffect, ...]
    whole: float
    """Mean of the full run's own effect: what there is to bring along."""
    whole_interval: tuple[float, float]
    n: int
    groups: int
    draws: int

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; what is unknown is None."""
        return _known(asdict(self))


def sample_effects(
    scores: PatchScores, *, tau: float = DEFAULT_TAU, draws: int | None = None
) -> SampleEffects:
    """Turn candidate scores into effects per sample.

    Parameters
    ----------
    scores
        Of the full run, of the run without its image, and patched.
    tau
        As of the estimate that the effects are held against: the same P-hat.
    draws
        At most so many draws of noise; None takes all.

    Returns
    -------
    SampleEffects
        The full run's answer is its most likely candidate, before tau.
    """
    masked = scores.masked[:, :draws]
    answer = np.where(scores.valid, scores.full, -np.inf).argmax(axis=1)
    rows = np.arange(len(answer))
    full = predictive(scores.full, scores.valid, tau).mean()
    without = predictive(masked, scores.valid, tau).mean()
    shape = (len(answer), len(scores.layers))
    effect, moved = np.full(shape, np.nan), np.full(shape, np.nan)
    for place in range(len(scores.layers)):
        patched = scores.patched[:, place, :draws]
        held = ~np.isnan(patched[:, :, 0]).any(axis=1)
        if not held.any():
            continue
        found = predictive(patched[held], scores.valid[held], tau).mean()
        change = found - without[held]
        effect[held, place] = change[rows[: held.sum()], answer[held]]
        moved[held, place] = np.abs(change).sum(axis=1) / 2
    return SampleEffects(
        sample_ids=scores.sample_ids,
        layers=scores.layers,
        effect=effect,
        moved=moved,
        whole=(full - without)[rows, answer],
        draws=masked.shape[1],
    )


def patch_course(
    effects: SampleEffects,
    *,
    groups: Sequence[str] | None = None,
    atoms: PointwiseAtoms | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> PatchCourse:
    """Average effects over samples, with intervals, and correlate them with pointwise atoms.

    Parameters
    ----------
    effects
        N samples.
    groups
        (N,): samples of one group are drawn together; None takes those of the atoms, else each
        sample for itself.
    atoms
        Of an estimate; every sample of the effects must be in it. None gives no correlations.
    resamples, seed
        Of the bootstrap, which draws the same groups for all layers.
    """
    synergy = unique_1 = None
    if atoms is not None:
        place = {one: row for row, one in enumerate(atoms.sample_ids)}
        rows = [place[one] for one in effects.sample_ids]
        synergy, unique_1 = atoms.synergy[rows], atoms.unique_1[rows]
        groups = atoms.group_ids[rows].tolist() if groups is None else groups
    n = len(effects.sample_ids)
    counts, units = bootstrap_counts(n, groups, resamples=resamples, seed=seed)

    def mean(values: np.ndarray) -> tuple[float, tuple[float, float]]:
        held = ~np.isnan(values)
        drawn = counts[:, held].sum(axis=1)
        if units < FEWEST or not (drawn > 0).all():
            return float(values[held].mean()), NOTHING
        means = counts[:, held] @ values[held] / drawn
        return float(values[held].mean()), expanded_interval(means, 0.95, units)

    whole, whole_interval = mean(effects.whole)
    found: list[LayerEffect] = []
    for column, layer in enumerate(effects.layers):
        effect, interval = mean(effects.effect[:, column])
        moved, moved_interval = mean(effects.moved[:, column])
        settings: dict[str, Any] = {"groups": groups, "resamples": resamples, "seed": seed}
        of_samples = effects.effect[:, column]
        known = synergy is not None and unique_1 is not None and moved >= SMALLEST_MOVED
        found.append(
            LayerEffect(
                layer=layer,
                n=int((~np.isnan(of_samples)).sum()),
                effect=effect,
                interval=interval,
                moved=moved,
                moved_interval=moved_interval,
                share=effect / whole if whole >= SMALLEST_WHOLE else float("nan"),
                synergy=spearman(of_samples, synergy, **settings) if known else None,
                unique_1=spearman(of_samples, unique_1, **settings) if known else None,
                closer=closer(of_samples, synergy, unique_1, **settings) if known else None,
            )
        )
    return PatchCourse(
        layers=tuple(found),
        whole=whole,
        whole_interval=whole_interval,
        n=n,
        groups=units,
        draws=effects.draws,
    )


def _known(value: Any) -> Any:
    """Return a value with None where a number is nan."""
    if isinstance(value, dict):
        return {name: _known(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_known(one) for one in value]
    return None if isinstance(value, float) and np.isnan(value) else value
