"""How two numbers of the same models go together: rank correlation, its p-value and its interval.

Spearman's rho is the correlation of ranks. Its p-value asks whether as large a rho would be common
if the two had nothing to do with each other: exactly, over all orders, for few models; by the
t distribution, as usual, for more. Its interval comes from a bootstrap over models: what would
other models of the same kind have said? Models of one family are relatives, not independent
draws; with `groups` whole families are drawn, and the interval says how far other families may
differ.

Over a table of many correlations some p-values are small by chance: `adjusted` corrects for that.
Which of two numbers goes more closely with a third is a question about the difference of two
correlations that share their models: `closer` draws the same models for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations
from math import sqrt
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pid_core.errors import PidError

FEWEST = 4
"""Models. With three even a perfect order has p = 1/3, and resampling says nothing."""
EXACT_UP_TO = 8
"""Models whose 40,320 orders are all gone through; from nine on the t distribution is close."""
RESAMPLES = 2000
RESAMPLES_OF_DIFFERENCES = 10_000
"""Their p-values come from the bootstrap alone, and many of them are corrected together."""

Correction = Literal["holm", "bh"]


@dataclass(frozen=True, kw_only=True)
class Association:
    """Spearman's rank correlation of two columns over models."""

    rho: float
    """-1 to 1; nan where it is not defined."""
    p_value: float
    """Two-sided, not corrected for other correlations; nan where rho is."""
    interval: tuple[float, float]
    """95 %, or as asked; nan where it is unknown."""
    n: int
    """Models that have both numbers."""
    method: str
    """"exact" or "t": where the p-value comes from; empty where there is none."""
    note: str = ""
    """Why something is unknown; empty where nothing is."""


@dataclass(frozen=True, kw_only=True)
class Closer:
    """By how much one number's rank correlation with an outcome exceeds another's."""

    difference: float
    """rho of the first minus rho of the second, -2 to 2; nan where one is not defined."""
    first: float
    second: float
    p_value: float
    """Two-sided, from the bootstrap; nan where it is unknown."""
    interval: tuple[float, float]
    """95 %, or as asked; nan where it is unknown."""
    n: int
    """Models that have all three numbers."""
    note: str = ""
    """Why something is unknown; empty where nothing is."""


def spearman(
    x: object,
    y: object,
    *,
    groups: object = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Association:
    r"""Correlate the ranks of two columns over the models that have both.

    Parameters
    ----------
    x, y : (N,), one number per model; nan where a model has none. Ties get their mean rank.
    groups : (N,), whole groups are drawn in the bootstrap; None draws models.
    level : coverage of the interval, strictly between 0 and 1.
    resamples : bootstrap samples.
    seed : of the bootstrap; the same for all pairs of a table draws the same models for all.

    Returns
    -------
    Association
        With fewer than four models, or where a column is constant, rho is nan and `note` says why.
        A perfect order has no interval: every bootstrap sample repeats it.

    Raises
    ------
    PidError
        If the columns do not fit or a number is infinite.

    Notes
    -----
    :math:`\rho = \mathrm{corr}(\mathrm{rank}\,x, \mathrm{rank}\,y)`; p from all N! orders up to
    N = 8, else from :math:`t = \rho \sqrt{(N - 2) / (1 - \rho^2)}` with N - 2 degrees of freedom.
    The interval takes the bootstrap's quantiles, further out than the level says where there are
    few models (`expanded_tail`).

    References
    ----------
    Spearman 1904; Efron and Tibshirani 1993, chapter 13; Hesterberg 2015, doi
    10.1080/00031305.2015.1089789.

    Examples
    --------
    >>> found = spearman([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])
    >>> round(found.rho, 6), round(found.p_value, 4), found.n, found.method
    (0.8, 0.1333, 5, 'exact')
    """
    one, two, members = _common(x, y, groups)
    n = len(one)
    nothing = (float("nan"), float("nan"))
    if n < FEWEST:
        note = f"{n} models have both numbers; at least {FEWEST} are needed"
        return Association(
            rho=nothing[0], p_value=nothing[0], interval=nothing, n=n, method="", note=note
        )
    ranks_1, ranks_2 = _centred_ranks(one), _centred_ranks(two)
    if not ranks_1.any() or not ranks_2.any():
        note = "all models have the same number, so there is no order to compare"
        return Association(
            rho=nothing[0], p_value=nothing[0], interval=nothing, n=n, method="", note=note
        )
    rho = _correlation(ranks_1, ranks_2)
    exact = n <= EXACT_UP_TO
    p_value = _exact_p(ranks_1, ranks_2) if exact else _t_p(rho, n)
    counted, units = bootstrap_counts(n, members, resamples=resamples, seed=seed)
    note = ""
    interval = nothing
    if abs(rho) == 1.0:
        note = "the order is perfect, so that drawing models again cannot tell how sure it is"
    elif units < FEWEST:
        note = f"{units} groups say nothing about others; at least {FEWEST} are needed"
    else:
        drawn = _resampled(one, two, counted)
        interval = expanded_interval(drawn[np.isfinite(drawn)], level, units)
    return Association(
        rho=rho,
        p_value=p_value,
        interval=interval,
        n=n,
        method="exact" if exact else "t",
        note=note,
    )


def closer(
    outcome: object,
    first: object,
    second: object,
    *,
    groups: object = None,
    level: float = 0.95,
    resamples: int = RESAMPLES_OF_DIFFERENCES,
    seed: int = 0,
) -> Closer:
    """Say whether the first of two columns goes more closely with an outcome than the second.

    Parameters
    ----------
    outcome, first, second : (N,), one number per model; nan where a model has none.
    groups, level, resamples, seed : as in `spearman`.

    Returns
    -------
    Closer
        With fewer than four models or groups, or a constant column, something is nan and `note`
        says why.

    Raises
    ------
    PidError
        If the columns do not fit or a number is infinite.

    Notes
    -----
    The two correlations share the outcome and the models, so their errors go together: each
    bootstrap sample gives both, and the interval is that of their difference. Its quantiles are
    taken as far out as few units need (`expanded_tail`).

    References
    ----------
    Efron and Tibshirani 1993, chapters 6 and 13; the questions are those of Xiu26, table 2 and
    finding 4.

    Examples
    --------
    >>> found = closer([1, 2, 3, 4, 5], [1, 2, 4, 3, 5], [5, 1, 4, 2, 3])
    >>> round(found.difference, 6), round(found.first, 6), round(found.second, 6), found.n
    (1.2, 0.9, -0.3, 5)
    """
    nothing = float("nan")
    outcomes = np.array(cast("Any", outcome), dtype=np.float64)
    columns = [np.array(cast("Any", column), dtype=np.float64) for column in (first, second)]
    if any(column.shape != outcomes.shape for column in columns):
        raise PidError(
            "an outcome and two columns are one number per model each, got shapes "
            f"{outcomes.shape}, {columns[0].shape} and {columns[1].shape}"
        )
    # What one of the two does not have, the other must not use.
    missing = np.isnan(columns[0]) | np.isnan(columns[1])
    held = np.where(missing, np.nan, outcomes)
    kept = [_common(column, held, groups) for column in columns]
    n = len(kept[0][0])
    note = ""
    if n < FEWEST:
        note = f"{n} models have all three numbers; at least {FEWEST} are needed"
    elif any(len(np.unique(one)) < 2 for two in kept for one in two[:2]):
        note = "all models have the same number, so there is no order to compare"
    if note:
        return Closer(
            difference=nothing,
            first=nothing,
            second=nothing,
            p_value=nothing,
            interval=(nothing, nothing),
            n=n,
            note=note,
        )
    rhos = [_correlation(_centred_ranks(one), _centred_ranks(two)) for one, two, _ in kept]
    counted, units = bootstrap_counts(n, kept[0][2], resamples=resamples, seed=seed)
    p_value, interval = nothing, (nothing, nothing)
    if units < FEWEST:
        note = f"{units} groups say nothing about others; at least {FEWEST} are needed"
    else:
        one, two = (_resampled(column, known, counted) for column, known, _ in kept)
        drawn = (one - two)[np.isfinite(one - two)]
        interval = expanded_interval(drawn, level, units)
        p_value = bootstrap_p(drawn, units)
    return Closer(
        difference=rhos[0] - rhos[1],
        first=rhos[0],
        second=rhos[1],
        p_value=p_value,
        interval=interval,
        n=n,
        note=note,
    )


def adjusted(p_values: object, correction: Correction = "holm") -> NDArray[np.float64]:
    """Correct p-values for how many there are.

    Parameters
    ----------
    p_values : (M,), each 0 to 1; nan is passed through and not counted.
    correction : "holm" keeps the chance of even one false finding below the threshold, whatever the
        dependence; "bh" (Benjamini and Hochberg) the expected share of false ones among the
        findings, where the tests are independent or go together.

    Raises
    ------
    PidError
        If a value is no probability.

    References
    ----------
    Holm 1979; Benjamini and Hochberg 1995.

    Examples
    --------
    >>> adjusted([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    >>> adjusted([0.01, 0.04, 0.03], "bh").round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    values = np.array(cast("Any", p_values), dtype=np.float64).reshape(-1)
    known = np.flatnonzero(~np.isnan(values))
    if ((values[known] < 0) | (values[known] > 1)).any():
        raise PidError(f"p-values lie between 0 and 1, got {values.tolist()}")
    order = known[np.argsort(values[known], kind="stable")]
    count = len(order)
    places = np.arange(count)
    if correction == "holm":
        stepped = np.maximum.accumulate((count - places) * values[order])
    else:
        scaled = values[order] * count / (places + 1)
        stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    result = values.copy()
    result[order] = np.minimum(stepped, 1.0)
    return result


def bootstrap_counts(
    n: int, groups: object = None, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[NDArray[np.float64], int]:
    """Return how often each of n models is drawn in each bootstrap sample, and what is drawn.

    Parameters
    ----------
    n : models.
    groups : (N,), whole groups are drawn; None draws models.

    Returns
    -------
    counts, units
        (resamples, N), and how many models or groups there are to draw from.

    >>> counts, units = bootstrap_counts(3, resamples=2)
    >>> counts.sum(axis=1).tolist(), units
    ([3.0, 3.0], 3)
    """
    generator = np.random.default_rng(seed)
    if groups is None:
        drawn = generator.multinomial(n, np.full(n, 1.0 / n), size=resamples)
        return drawn.astype(np.float64), n
    labels = np.asarray(cast("Any", groups))
    if labels.shape != (n,):
        raise PidError(f"groups must name the group of each of {n} models, got {labels.shape}")
    places = np.unique(labels, return_inverse=True)[1].reshape(-1)
    units = int(places.max()) + 1
    drawn = generator.multinomial(units, np.full(units, 1.0 / units), size=resamples)
    return drawn[:, places].astype(np.float64), units


def expanded_tail(level: float, units: int) -> float:
    r"""Return the tail probability of a percentile interval that allows for few units.

    Bootstrap quantiles of n units are too narrow twice: they spread by n - 1 where the variance
    divides by n, and they have normal tails where Student's are due. Quantiles at
    :math:`\Phi(-t_{n-1} \sqrt{n / (n - 1)})` make up for both.

    >>> round(expanded_tail(0.95, 26), 4), round(expanded_tail(0.95, 10_000), 3)
    (0.0179, 0.025)
    """
    if not 0.0 < level < 1.0:
        raise PidError(f"level is a coverage strictly between 0 and 1, got {level}")
    from scipy.special import ndtr, stdtrit  # when something is computed, not when it is shown

    student = float(stdtrit(units - 1, 0.5 + level / 2))
    return float(ndtr(-student * sqrt(units / (units - 1))))


def expanded_interval(drawn: NDArray[np.float64], level: float, units: int) -> tuple[float, float]:
    """Return the quantiles of a bootstrap, as far out as so few units need."""
    tail = expanded_tail(level, units)
    low, high = np.quantile(drawn, [tail, 1.0 - tail])
    return float(low), float(high)


def bootstrap_p(drawn: NDArray[np.float64], units: int, *, against: float = 0.0) -> float:
    """Return the two-sided p-value that goes with `expanded_interval`.

    It is the largest 1 - level at which that interval still holds `against`, so that the interval
    of any level and the p-value never contradict each other. With B draws none is below what a
    share of 1 / (B + 1) means.

    >>> drawn = np.linspace(-1.0, 9.0, 1001)
    >>> p = bootstrap_p(drawn, 20)
    >>> low, _ = expanded_interval(drawn, 1.0 - p, 20)
    >>> round(low, 1)
    0.0
    """
    if units < 2:
        return float("nan")
    below = float(np.count_nonzero(drawn < against))
    level_with = float(np.count_nonzero(drawn == against)) / 2.0
    share = min(below + level_with, len(drawn) - below - level_with)
    share = max(share, 1.0) / (len(drawn) + 1.0)
    if share >= 0.5:
        return 1.0
    from scipy.special import ndtri, stdtr

    student = -float(ndtri(share)) * sqrt((units - 1) / units)
    return float(min(2.0 * stdtr(units - 1, -student), 1.0))


def _common(
    x: object, y: object, groups: object
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[Any] | None]:
    one, two = (np.array(cast("Any", column), dtype=np.float64) for column in (x, y))
    if one.ndim != 1 or one.shape != two.shape:
        raise PidError(
            f"two columns of one number per model are correlated, got shapes {one.shape} and "
            f"{two.shape}"
        )
    if np.isinf(one).any() or np.isinf(two).any():
        raise PidError("an infinite number has no place in a correlation; use nan for unknown")
    known = ~(np.isnan(one) | np.isnan(two))
    if groups is None:
        return one[known], two[known], None
    labels = np.asarray(cast("Any", groups))
    if labels.shape != one.shape:
        raise PidError(f"groups must name the group of each of {len(one)} models")
    return one[known], two[known], labels[known]


def _centred_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)  # the rank of the last of those that are equal
    return (last - (counts - 1) / 2)[place.reshape(-1)] - (len(values) + 1) / 2


def _correlation(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    return min(max(float(one @ two) / sqrt(float(one @ one) * float(two @ two)), -1.0), 1.0)


def _t_p(rho: float, n: int) -> float:
    if abs(rho) >= 1.0:
        return 0.0
    from scipy.special import stdtr

    return float(2.0 * stdtr(n - 2, -abs(rho) * sqrt((n - 2) / (1.0 - rho * rho))))


def _exact_p(ranks_1: NDArray[np.float64], ranks_2: NDArray[np.float64]) -> float:
    """Return the share of all orders whose rho is as far from 0 as this one."""
    products = ranks_1[_orders(len(ranks_1))] @ ranks_2
    # Sums of multiples of 1/4: equal ones differ by rounding only.
    return float(np.mean(np.abs(products) >= abs(float(ranks_1 @ ranks_2)) - 1e-9))


@cache
def _orders(n: int) -> NDArray[np.int64]:
    return np.array(list(permutations(range(n))), dtype=np.int64)


def _resampled(
    one: NDArray[np.float64], two: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return rho of each bootstrap sample; nan where a column became constant.

    The mean rank of a model in a sample is how many drawn ones lie below it and half of those
    beside it. One order serves all samples, so that running sums along it rank them all at once,
    thousands of rows as well.
    """
    drawn = counts.sum(axis=1, keepdims=True)
    centred: list[NDArray[np.float64]] = []
    for values in (one, two):
        order = np.argsort(values, kind="stable")
        _, starts, place = np.unique(values[order], return_index=True, return_inverse=True)
        beside = np.add.reduceat(counts[:, order], starts, axis=1)
        among = np.empty_like(place.reshape(-1))
        among[order] = place.reshape(-1)
        centred.append((beside.cumsum(axis=1) - beside / 2)[:, among] - drawn / 2)
    ranks_1, ranks_2 = centred
    weighted = counts * ranks_1
    scale = np.sqrt((weighted * ranks_1).sum(axis=1) * (counts * ranks_2 * ranks_2).sum(axis=1))
    covered = (weighted * ranks_2).sum(axis=1)
    defined = scale > 1e-9
    return np.where(defined, np.clip(covered / np.where(defined, scale, 1.0), -1, 1), np.nan)
