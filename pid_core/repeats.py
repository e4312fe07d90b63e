"""The mean of a few repeats, such as the seeds of a training, and how far it may be off.

Repeats are few and their spread is not known, so the interval is Student's (1908) of the mean. Two
conditions that were repeated with the same seeds are compared seed by seed: what a seed does to
both falls out of the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from jaxtyping import Float

from pid_core.errors import PidError

FEWEST = 2
"""Repeats that an interval takes."""


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """A mean over repeats, in the unit of the values."""

    mean: float
    low: float
    """Lower end of the interval; nan for a single repeat."""
    high: float
    n: int


def repeated(values: Float[np.ndarray, " repeats"], *, level: float = 0.95) -> Repeated:
    """Return the mean over repeats with Student's interval.

    Parameters
    ----------
    values
        One number of each repeat, finite.
    level
        Probability with which the interval covers the mean over all repeats that there could be,
        if they are normally distributed; between 0 and 1.

    Raises
    ------
    PidError
        If there is no value, one is not finite, or the level is not between 0 and 1.

    >>> one = repeated(np.array([1.0, 2.0, 3.0]))
    >>> round(one.mean, 3), round(one.low, 3), round(one.high, 3)
    (2.0, -0.484, 4.484)
    """
    from scipy.special import stdtrit

    if not values.size or not np.isfinite(values).all():
        raise PidError("a mean over repeats takes at least one number, and all of them finite")
    if not 0.0 < level < 1.0:
        raise PidError(f"the level of an interval lies between 0 and 1, not at {level}")
    mean, n = float(values.mean()), len(values)
    if n < FEWEST:
        return Repeated(mean=mean, low=nan, high=nan, n=n)
    reach = float(stdtrit(n - 1, 0.5 + level / 2)) * float(values.std(ddof=1)) / sqrt(n)
    return Repeated(mean=mean, low=mean - reach, high=mean + reach, n=n)
