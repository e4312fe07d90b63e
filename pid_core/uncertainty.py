"""How sure an estimate is: its spread over samples, and its bias from disjoint quarters.

From N samples I* comes out too large, because finite sets of rows look more different than the
distributions they come from. The bias falls like 1 / sqrt(N) for near-equal channels, so a quarter
of the samples has twice of it and the mean over four disjoint quarters minus the whole is the
bias itself; where it falls like 1 / N the difference is three times the bias. To first order the
mean over the quarters is the whole, so the difference is far less noisy than the estimate. The
value is not moved; the interval spans it and what remains without the bias.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pid_core.channels import Channels
from pid_core.errors import PidError
from pid_core.interval import Uncertainty, clustered_deviation
from pid_core.problem import AbstractProblem, as_problem, numbers_of
from pid_core.resampling import Progress, bootstrap, disjoint_parts
from pid_core.spectrum import ATOMS, COLUMNS, Spectrum

QUARTERS = 4
FEWEST = 16
"""Groups. With fewer, a quarter of them is no estimate of anything."""


def uncertainty(
    channels: Channels | AbstractProblem,
    spectrum: Spectrum,
    estimator: str = "certified",
    *,
    quarters: bool = True,
    replicates: int = 0,
    seed: int = 0,
    workers: int = 1,
    progress: Progress | None = None,
    **settings: Any,
) -> Uncertainty:
    """Measure bias and sampling error of a spectrum.

    Parameters
    ----------
    channels : what the spectrum was estimated from; or a problem (pid_core.problem), which brings
        its own estimator and settings, and with draws of noise their jackknife: the quarters are
        then jackknifed too, since it is the bias of that estimate which is asked for.
    spectrum : the estimate from all samples.
    quarters : measure the bias; costs about a quarter of the estimate.
    replicates : 0 for the first-order deviation, which costs nothing; else bootstrap samples.
    seed : of the quarters and of the bootstrap.
    workers : processes for the bootstrap.
    progress : called with replicates done and in all.
    settings : passed on to `estimate`; those of the spectrum.

    Returns
    -------
    Uncertainty
        Columns `COLUMNS`: four atoms, total, four shares.

    References
    ----------
    Jaeckel 1972 (infinitesimal jackknife); Quenouille 1949 (bias from parts). docs/method.md.

    Examples
    --------
    Source 1 knows the answer, source 2 nothing; a hundred samples say so without error.

    >>> from pid_core import Channels, estimate
    >>> copy, half = [[1, 0], [0, 1]] * 50, [[0.5, 0.5]] * 100
    >>> channels = Channels(full=copy, only_1=copy, only_2=half)
    >>> found = uncertainty(channels, estimate(channels))
    >>> found.method, found.groups, found.quarters, round(found.of("unique_1")[0], 6)
    ('first order', 100, 4, 1.0)
    """
    problem = as_problem(channels, estimator, settings)
    n = len(spectrum.influence)
    if n != problem.n_samples:
        raise PidError(
            f"the spectrum was made of {n} samples and {problem.n_samples} were handed in; hand in "
            "the same"
        )
    groups = n if spectrum.clusters is None else int(spectrum.clusters.max()) + 1
    notes: list[str] = []
    bias = np.full(len(COLUMNS), np.nan)
    if quarters and groups < FEWEST:
        notes.append(
            f"{groups} groups of samples are too few to measure the bias; at least {FEWEST} are "
            "needed"
        )
    elif quarters:
        bias = _bias(problem, spectrum, seed)
    else:
        notes.append("the bias was not measured")
    if replicates > 0:
        found = bootstrap(
            problem, replicates=replicates, seed=seed, workers=workers, progress=progress
        )
        deviation = _spread(found) * (groups / (groups - 1)) ** 0.5 if groups > 1 else bias * np.nan
    else:
        deviation = clustered_deviation(spectrum.influences, spectrum.clusters)
    if groups == 1:
        notes.append("all samples are of one group, which says nothing about another")
    return Uncertainty(
        names=COLUMNS,
        value=spectrum.values,
        bias=bias,
        deviation=deviation,
        method="bootstrap" if replicates > 0 else "first order",
        replicates=replicates,
        groups=groups,
        quarters=0 if np.isnan(bias[0]) else QUARTERS,
        note="; ".join(notes),
    )


def with_uncertainty(
    spectrum: Spectrum,
    channels: Channels | AbstractProblem,
    estimator: str = "certified",
    **options: Any,
) -> Spectrum:
    """Return the spectrum with its `uncertainty`, which its intervals then use.

    The arguments are those of `uncertainty`.

    >>> from pid_core import Channels, estimate
    >>> copy = [[1, 0], [0, 1]] * 50
    >>> channels = Channels(full=copy, only_1=copy, only_2=copy)
    >>> found = with_uncertainty(estimate(channels), channels)
    >>> [round(end, 3) for end in found.interval_of("redundancy_share")]
    [1.0, 1.0]
    """
    return replace(spectrum, uncertainty=uncertainty(channels, spectrum, estimator, **options))


def _bias(problem: AbstractProblem, spectrum: Spectrum, seed: int) -> np.ndarray:
    parts = disjoint_parts(QUARTERS, problem.valid, problem.clusters, seed=seed)
    weight = np.array([len(part) for part in parts]) / problem.n_samples
    mean = weight @ np.stack([numbers_of(problem.estimate(part)) for part in parts])
    whole = numbers_of(spectrum)
    return np.concatenate([mean - whole, _shares(mean) - _shares(whole)])


def _spread(replicates: np.ndarray) -> np.ndarray:
    return np.std(np.hstack([replicates, _shares(replicates)]), axis=0, ddof=1)


def _shares(numbers: np.ndarray) -> np.ndarray:
    total = numbers[..., len(ATOMS) :]
    with np.errstate(invalid="ignore", divide="ignore"):
        return numbers[..., : len(ATOMS)] / np.where(total == 0.0, np.nan, total)
