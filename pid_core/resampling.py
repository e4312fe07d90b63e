"""Estimates from parts of the samples: disjoint quarters, random batches, bootstrap samples."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from pid_core.channels import Channels
from pid_core.errors import PidError
from pid_core.problem import AbstractProblem, OfDraws, Weighted, as_problem, numbers_of
from pid_core.spectrum import ATOMS

Progress = Callable[[int, int], None]
"""Called with how many are done, and of how many."""

BATCHES, BATCH_SIZE = 50, 256
"""Of MI26."""


def disjoint_parts(
    count: int,
    valid: Bool[np.ndarray, "samples candidates"],
    clusters: Int[np.ndarray, " samples"] | None,
    *,
    seed: int,
) -> list[Int[np.ndarray, " members"]]:
    """Split the samples into `count` parts of nearly equal size; no group is divided.

    Groups are dealt out in random order, those with the same candidate set in turn, so that each
    part has each candidate set where there are enough groups of it.

    >>> parts = disjoint_parts(2, np.ones((6, 2), bool), np.array([0, 0, 1, 1, 2, 3]), seed=0)
    >>> sorted(len(part) for part in parts)
    [3, 3]
    """
    n = len(valid)
    member = np.arange(n) if clusters is None else clusters
    pattern = np.unique(valid, axis=0, return_inverse=True)[1].reshape(-1)
    labels, first, sizes = np.unique(member, return_index=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(labels))
    # Large groups first, so that the small ones can even out the sizes.
    order = order[np.lexsort((-sizes[order], pattern[first[order]]))]
    filled = np.zeros((count, int(pattern.max()) + 1))
    part_of = np.empty(len(labels), dtype=np.int64)
    for group in order:
        kind = pattern[first[group]]
        part = int(np.lexsort((filled.sum(axis=1), filled[:, kind]))[0])
        part_of[group] = part
        filled[part, kind] += sizes[group]
    of_sample = part_of[np.searchsorted(labels, member)]
    return [np.flatnonzero(of_sample == part) for part in range(count)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Resampled:
    """Atoms and total over random batches, in bits: the protocol of MI26, for comparison with it.

    The spread is no interval: it is that of one batch, not of the benchmark, and it falls with the
    batches' size alone. The mean carries the bias of an estimate from `batch_size` samples.
    """

    names: tuple[str, ...]
    """`ATOMS` and "total": of the columns."""
    mean: Float[np.ndarray, " numbers"]
    spread: Float[np.ndarray, " numbers"]
    """Standard deviation from batch to batch."""
    batches: int
    batch_size: int


def resample_batches(
    channels: Channels | AbstractProblem,
    estimator: str = "certified",
    *,
    batches: int = BATCHES,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    workers: int = 1,
    progress: Progress | None = None,
    **settings: Any,
) -> Resampled:
    """Average the atoms over random batches, each drawn without replacement.

    Parameters
    ----------
    channels : three predictive distributions per sample, or a problem, which brings its own
        estimator and settings; draws of noise are averaged and not jackknifed, as in MI26.
    batches, batch_size : how many, and of how many samples; 50 of 256 in MI26.
    seed : of the batches.
    workers : processes to share the work; more than 1 needs a script guarded by `__main__`.
    progress : called with batches done and in all.
    settings : passed on to `estimate`.

    Raises
    ------
    PidError
        If there are fewer samples than a batch has.

    References
    ----------
    MI26, K = 50 random batches of 256. docs/method.md section 10 has what is wrong with them.

    Examples
    --------
    >>> copy = [[1, 0], [0, 1]] * 20
    >>> same = Channels(full=copy, only_1=copy, only_2=copy)
    >>> found = resample_batches(same, batches=5, batch_size=40)
    >>> found.mean.round(6).tolist(), found.spread.round(6).tolist()
    ([1.0, 0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.0])
    """
    problem = as_problem(channels, estimator, settings)
    problem = problem.plain() if isinstance(problem, OfDraws) else problem
    n = problem.n_samples
    if batches < 2 or batch_size < 1:
        raise PidError(f"two batches of one sample or more are needed, got {batches}, {batch_size}")
    if batch_size > n:
        raise PidError(f"batches of {batch_size} samples cannot be drawn from {n}; ask for fewer")
    generator = np.random.default_rng(seed)
    chosen = [np.sort(generator.choice(n, batch_size, replace=False)) for _ in range(batches)]
    found = np.stack(list(_mapped(_of_rows, problem, chosen, workers, progress)))
    return Resampled(
        names=(*ATOMS, "total"),
        mean=found.mean(axis=0),
        spread=found.std(axis=0, ddof=1),
        batches=batches,
        batch_size=batch_size,
    )


def bootstrap(
    channels: Channels | AbstractProblem,
    estimator: str = "certified",
    *,
    replicates: int = 200,
    seed: int = 0,
    workers: int = 1,
    progress: Progress | None = None,
    **settings: Any,
) -> Float[np.ndarray, "replicates numbers"]:
    """Estimate from samples drawn with replacement, whole groups of dependent ones at a time.

    Parameters
    ----------
    channels : three predictive distributions per sample, or a problem, which brings its own
        estimator and settings.
    replicates : how often.
    seed : of the draws; the numbers do not depend on `workers`.
    workers : processes to share the work; more than 1 needs a script guarded by `__main__`.
    progress : called with replicates done and in all.
    settings : passed on to `estimate`.

    Returns
    -------
    (replicates, 5) : the four atoms and the total of each, in bits. Their mean is off by more than
    the estimate's own bias, because samples are drawn twice; take their spread only.

    References
    ----------
    Efron 1979; the block of a cluster bootstrap is a `group_id`.

    Examples
    --------
    >>> copy = [[1, 0], [0, 1]] * 20
    >>> same = Channels(full=copy, only_1=copy, only_2=copy)
    >>> found = bootstrap(same, replicates=3)
    >>> found.shape, bool((found[:, 0] > 0.8).all())
    ((3, 5), True)
    """
    if replicates < 2:
        raise PidError(f"a spread needs 2 replicates or more, got {replicates}")
    problem = as_problem(channels, estimator, settings)
    member = np.arange(problem.n_samples) if problem.clusters is None else problem.clusters
    groups = int(member.max()) + 1
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(groups, np.full(groups, 1.0 / groups), size=replicates)
    return np.stack(list(_mapped(_of_weights, problem, drawn[:, member], workers, progress)))


Make = Callable[[AbstractProblem], Weighted]
"""From a problem to a function of one part of it."""


def _of_rows(problem: AbstractProblem) -> Weighted:
    return lambda rows: numbers_of(problem.estimate(rows))


def _of_weights(problem: AbstractProblem) -> Weighted:
    return problem.weighted()


def _mapped(
    make: Make,
    problem: AbstractProblem,
    parts: Iterable[np.ndarray],
    workers: int,
    progress: Progress | None,
) -> Iterator[np.ndarray]:
    """Yield the numbers of each part in order, here or in processes."""
    if workers < 1:
        raise PidError(f"workers is a number of processes, 1 or more, got {workers}")
    listed = list(parts)
    with _mapper(make, problem, min(workers, len(listed))) as mapped:
        for done, numbers in enumerate(mapped(listed), start=1):
            if progress is not None:
                progress(done, len(listed))
            yield numbers


@contextmanager
def _mapper(make: Make, problem: AbstractProblem, workers: int) -> Generator[Any]:
    if workers == 1:
        yield partial(map, make(problem))
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_prepare, initargs=(make, problem)
    ) as pool:

        def mapped(parts: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
            with _without_main(problem):  # all processes are started with the first part
                return pool.map(_solve_one, parts)

        yield mapped


@contextmanager
def _without_main(problem: AbstractProblem) -> Generator[None]:
    """Keep processes that start in the block from running the caller's script again.

    A spawned process imports `__main__`, which is a page in a dashboard and may be anything in a
    notebook. Nothing here needs it but a problem that is defined there.
    """
    caller = sys.modules.get("__main__")
    if caller is None or type(problem).__module__ == "__main__":
        yield
        return
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = caller


_prepared: list[Weighted] = []
"""Of a worker process: made once, called for each part."""


def _prepare(make: Make, problem: AbstractProblem) -> None:
    _prepared[:] = [make(problem)]


def _solve_one(part: np.ndarray) -> np.ndarray:
    return _prepared[0](part)
