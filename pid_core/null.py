"""Null spectra: what the same estimator finds where there is nothing to find.

Which probe row belongs to which sample cannot matter to ``certified``: p(y), the alignment and I*
are functions of the two *sets* of rows, and the total of the joint run's rows alone, so permuting
the rows of a probe changes no atom, and permuted pairings are no null for it. Three others are:

- ``exchange``: with probability 1/2 the two probes of a sample (of a whole `group_id`) change
  places. Then both sources have rows of one and the same distribution, and nothing is unique to
  either; what unique information is found all the same comes from the finite number of samples,
  bias and chance alike: it is a randomisation test of whether the two sources differ at all.
- ``permute``: the embeddings of each source are dealt out to the samples anew, for estimators that
  pair embeddings with answers. Nothing depends on anything any more; every atom should be 0.
- ``noise`` (`noise_null`): two disjoint halves of the draws with both sources masked stand for the
  two probes. They cannot know anything of the sources; redundancy and unique should be 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, cast

import numpy as np
from jaxtyping import Float

from pid_core.channels import Channels
from pid_core.draws import FEWEST_DRAWS, estimate_over_draws
from pid_core.errors import ChannelError, PidError, UnknownName
from pid_core.problem import AbstractProblem, OfChannels, OfDraws, as_problem, numbers_of
from pid_core.spectrum import ATOMS

KINDS = ("exchange", "permute")
ZERO = {
    "exchange": ("unique_1", "unique_2"),
    "permute": ATOMS,
    "noise": ("redundancy", "unique_1", "unique_2"),
}
"""By kind, which atoms are 0 but for the finite number of samples."""
REPLICATES = 20
NOISE_DRAWS = 2 * FEWEST_DRAWS
"""Draws that can be halved into two that a jackknife can work with."""
SPAN = (0.025, 0.975)
"""Quantiles that are reported."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NullSpectrum:
    """Atoms and total under a null, in bits, columns as in `names`."""

    kind: str
    names: tuple[str, ...]
    """`ATOMS` and "total"."""
    mean: Float[np.ndarray, " numbers"]
    low: Float[np.ndarray, " numbers"]
    """2.5 % quantile over replicates."""
    high: Float[np.ndarray, " numbers"]
    """97.5 % quantile."""
    zero: tuple[str, ...]
    """The atoms that are 0 under this null but for the finite number of samples."""
    replicates: int


def null_spectrum(
    channels: Channels | AbstractProblem,
    estimator: str = "certified",
    *,
    kind: str | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> NullSpectrum:
    """Estimate what is found where nothing is unique, or where nothing depends on anything.

    Parameters
    ----------
    channels : three predictive distributions per sample, or a problem, which brings its own
        estimator and settings.
    kind : ``exchange`` or ``permute``; None takes the one that means something to the estimator.
    replicates : how often; each costs one estimate.
    seed : of the exchanges or permutations.
    progress : called with replicates done and in all.
    settings : passed on to `estimate`.

    Raises
    ------
    UnknownName
        If there is no such kind.
    PidError
        If ``permute`` is asked of ``certified``, which it cannot change.
    ChannelError
        If ``permute`` is asked of channels without features.

    Examples
    --------
    Source 1 knows the answer and source 2 nothing. Exchanged, they know the same.

    >>> copy, half = [[1, 0], [0, 1]] * 100, [[0.5, 0.5]] * 200
    >>> found = null_spectrum(Channels(full=copy, only_1=copy, only_2=half), replicates=5)
    >>> found.kind, found.zero, bool(found.mean[1] < 0.1)
    ('exchange', ('unique_1', 'unique_2'), True)
    """
    problem = as_problem(channels, estimator, settings)
    chosen = kind or ("exchange" if problem.estimator == "certified" else "permute")
    if chosen not in KINDS:
        raise UnknownName.of("kind of null", chosen, KINDS)
    if chosen == "permute" and problem.estimator == "certified":
        raise PidError(
            "permuting the rows of a probe cannot change what 'certified' finds, which depends on "
            "the two sets of rows alone; use kind='exchange'"
        )
    if replicates < 1:
        raise PidError(f"a null needs 1 replicate or more, got {replicates}")
    change = _exchanged if chosen == "exchange" else _permuted
    found: list[np.ndarray] = []
    for done in range(replicates):
        generator = np.random.default_rng([seed, done])
        found.append(numbers_of(change(problem, generator).estimate()))
        if progress is not None:
            progress(done + 1, replicates)
    return _summary(chosen, found)


def noise_null(
    full: object,
    neither: object,
    *,
    valid: object = None,
    group_id: object = None,
    condition: object = None,
    estimator: str = "certified",
    replicates: int = REPLICATES,
    seed: int = 0,
    **settings: Any,
) -> NullSpectrum:
    """Decompose with two halves of the doubly masked draws in the place of the probes.

    Each half is jackknifed as the probes are; of fewer draws, the noise itself would count as
    redundancy (pid_core.draws).

    Parameters
    ----------
    full : (N, K) P-hat of the joint run.
    neither : (N, D, K) P-hat with both sources masked; D = 6 or more.
    valid, group_id, condition : as in `Channels`.
    replicates : ways to halve the draws, at most as many as there are. They overlap, so their
        quantiles are narrow; they are no interval.
    seed : which of them.
    settings : passed on to `estimate`.

    Raises
    ------
    ChannelError
        If there are fewer than six draws.

    Examples
    --------
    >>> copy = np.array([[1.0, 0.0], [0.0, 1.0]] * 4)
    >>> found = noise_null(copy, np.full((8, 6, 2), 0.5))
    >>> found.replicates, found.mean.round(6).tolist()
    (10, [0.0, 0.0, 0.0, 1.0, 1.0])
    """
    draws = np.array(cast("Any", neither), dtype=np.float64)
    if draws.ndim != 3 or draws.shape[1] < NOISE_DRAWS:
        raise ChannelError(
            f"neither must have shape (N, D, K) with {NOISE_DRAWS} draws or more, got "
            f"{draws.shape}; profile with more draws"
        )
    count = int(draws.shape[1])
    halves: list[tuple[int, ...]] = list(combinations(range(count), count // 2))
    if count % 2 == 0:  # a half and its complement are one way
        halves = [half for half in halves if 0 in half]
    order: list[int] = np.random.default_rng(seed).permutation(len(halves)).tolist()
    found: list[np.ndarray] = []
    for place in order[: max(replicates, 1)]:
        first: list[int] = list(halves[place])
        second = [draw for draw in range(count) if draw not in first]
        halved = estimate_over_draws(
            full,
            draws[:, first],
            draws[:, second],
            valid=valid,
            group_id=group_id,
            condition=condition,
            estimator=estimator,
            **settings,
        )
        found.append(numbers_of(halved))
    return _summary("noise", found)


def _summary(kind: str, found: list[np.ndarray]) -> NullSpectrum:
    low, high = np.quantile(np.stack(found), SPAN, axis=0)
    return NullSpectrum(
        kind=kind,
        names=(*ATOMS, "total"),
        mean=np.mean(found, axis=0),
        low=low,
        high=high,
        zero=ZERO[kind],
        replicates=len(found),
    )


def _exchanged(problem: AbstractProblem, generator: np.random.Generator) -> AbstractProblem:
    channels = problem.channels
    member = np.arange(problem.n_samples) if problem.clusters is None else problem.clusters
    swap = (generator.random(int(member.max()) + 1) < 0.5)[member]

    def one_of(kept: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.where(swap.reshape(-1, *(1,) * (kept.ndim - 1)), other, kept)

    swapped = Channels(
        full=channels.full,
        only_1=one_of(channels.only_1, channels.only_2),
        only_2=one_of(channels.only_2, channels.only_1),
        valid=channels.valid,
        group_id=channels.group_id,
        condition=channels.condition,
    )
    if isinstance(problem, OfDraws):
        return replace(
            problem,
            channels=swapped,
            only_1=one_of(problem.only_1, problem.only_2),
            only_2=one_of(problem.only_2, problem.only_1),
        )
    return OfChannels(channels=swapped, estimator=problem.estimator, settings=problem.settings)


def _permuted(problem: AbstractProblem, generator: np.random.Generator) -> AbstractProblem:
    channels = problem.channels
    if channels.features_1 is None or channels.features_2 is None:
        raise ChannelError(
            f"a permutation of embeddings needs them: hand in features_1 and features_2, or use "
            f"kind='exchange' for the probes of {problem.estimator!r}"
        )
    n = problem.n_samples
    dealt = Channels(
        full=channels.full,
        only_1=channels.only_1,
        only_2=channels.only_2,
        features_1=channels.features_1[generator.permutation(n)],
        features_2=channels.features_2[generator.permutation(n)],
        valid=channels.valid,
        group_id=channels.group_id,
        condition=channels.condition,
    )
    return OfChannels(channels=dealt, estimator=problem.estimator, settings=problem.settings)
