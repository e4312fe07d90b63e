"""Whether two models that answered the same questions are right equally often: an exact test.

If neither is better, which of the two is right where only one of them is was settled by a fair
coin. So the signs of the differences are flipped in every possible way, and the p-value is the
share of ways that give as large a sum as was found (Fisher's randomisation test, Pitman 1937).
Questions of one group (orders of the same options, questions about one image) are not independent:
their differences are added up first and flipped together. Repeats, such as the seeds of two
trainings, are added up within their question too. With one question a group and one repeat this is
the exact test of McNemar (1947).

All sums are whole numbers, so the distribution over all ways is a product of polynomials: nothing
is drawn, and the same answers give the same p-value.

What it takes as given is the models. That a training with another seed would have given another
model is no part of it; `pid_core.repeats` speaks of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, log, sqrt
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pid_core.errors import PidError

EXACT_UP_TO = 20_000
"""The largest sum of absolute differences whose distribution is computed, in a tenth of a second.
Beyond it a normal distribution with the same variance is as good."""


@dataclass(frozen=True, kw_only=True)
class SignFlip:
    """Second against first."""

    difference: float
    """Mean of second minus first over questions and repeats, -1 to 1."""
    won: int
    """Answers, over all repeats, that only the second has right."""
    lost: int
    """Answers that only the first has right."""
    groups: int
    """Groups whose sums differ from 0: the test rests on these."""
    p_value: float
    """Two-sided."""
    method: Literal["exact", "normal"]


def sign_flip(first: object, second: object, group_id: object = None) -> SignFlip:
    """Compare right answers of two models question by question.

    Parameters
    ----------
    first, second : (N,) or (N, repeats), 1 where the answer is right, else 0; row by row the same
        question, column by column repeats that belong together.
    group_id : (N,), which questions are not independent; None takes each on its own.

    Raises
    ------
    PidError
        If the shapes do not fit, there is no question, or a value is neither 0 nor 1.

    Examples
    --------
    Of eight questions that only one of them has right, the second has seven: McNemar's exact test.

    >>> found = sign_flip([0, 0, 0, 0, 0, 0, 0, 1, 1, 0], [1, 1, 1, 1, 1, 1, 1, 0, 1, 0])
    >>> found.won, found.lost, round(found.p_value, 4)
    (7, 1, 0.0703)
    """
    one, two = _right(first, "first"), _right(second, "second")
    if one.shape != two.shape:
        raise PidError(
            "first and second must have one row per common question and the same repeats, got "
            f"{one.shape} and {two.shape}"
        )
    differences = two - one
    sums = _by_group(differences.sum(axis=1), group_id)
    p_value, method = _p_value(sums)
    return SignFlip(
        difference=float(differences.mean()),
        won=int((differences > 0).sum()),
        lost=int((differences < 0).sum()),
        groups=int(np.count_nonzero(sums)),
        p_value=p_value,
        method=method,
    )


def _p_value(sums: NDArray[np.int64]) -> tuple[float, Literal["exact", "normal"]]:
    sizes = np.abs(sums[sums != 0])
    found = abs(int(sums.sum()))
    total = int(sizes.sum())
    if found == 0:
        return 1.0, "exact"
    if total > EXACT_UP_TO:
        deviation = sqrt(float((sizes.astype(np.float64) ** 2).sum()))
        # The sums lie two common divisors apart; half of that is the correction for continuity.
        nearest = found - int(np.gcd.reduce(sizes))
        return min(1.0, erfc(nearest / deviation / sqrt(2.0))), "normal"
    # Place j stands for the sum 2 j - total.
    chances: NDArray[np.float64] = np.ones(1)
    for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
        spread = np.zeros(int(size) * int(count) + 1)
        spread[:: int(size)] = _coins(int(count))
        chances = np.convolve(chances, spread)
    upper = float(chances[(total + found) // 2 :].sum())
    return min(1.0, 2.0 * upper), "exact"


def _coins(n: int) -> NDArray[np.float64]:
    """Return (n + 1,) probabilities of so many heads among n fair coins."""
    from scipy.special import gammaln  # a tenth of what scipy.stats takes to load

    heads = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(heads + 1) - gammaln(n - heads + 1)
    return np.exp(ways - n * log(2.0))


def _by_group(values: NDArray[np.int64], group_id: object) -> NDArray[np.int64]:
    if group_id is None:
        return values
    labels = np.asarray(cast("Any", group_id))
    if labels.shape != values.shape:
        raise PidError(
            f"group_id must name the group of each of {len(values)} rows, got {labels.shape}"
        )
    places = np.unique(labels, return_inverse=True)[1].reshape(-1)
    sums = np.zeros(int(places.max()) + 1, dtype=np.int64)
    np.add.at(sums, places, values)
    return sums


def _right(values: object, name: str) -> NDArray[np.int64]:
    array = np.asarray(cast("Any", values), dtype=np.float64)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or 0 in array.shape:
        raise PidError(
            f"{name} must have shape (N,) or (N, repeats), no axis empty; got {array.shape}"
        )
    bad = np.flatnonzero(~np.isin(array, (0.0, 1.0)).all(axis=1))
    if len(bad):
        raise PidError(f"{name} has values in row {bad[0]} that are not 0 or 1: {array[bad[0]]}")
    return array.astype(np.int64)
