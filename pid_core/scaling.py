"""What size changes: from one model to the next larger one, over one benchmark or several.

On one benchmark both sizes answered the same questions, so what a step changes and how sure that is
comes from `pid_core.paired`. Over several benchmarks there are two questions. Would other questions
of *these* benchmarks say the same? The steps of the benchmarks are then fixed, and their errors
average out. Would *other benchmarks* of the kind say the same? Then a step on each benchmark is one
draw, and its spread over benchmarks, which holds the error over questions too, is what counts; with
two or three benchmarks little can be said, and the interval is as wide as that.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pid_core.errors import PidError
from pid_core.interval import hull_interval
from pid_core.repeats import repeated

FEWEST_BENCHMARKS = 2


@dataclass(frozen=True, kw_only=True)
class Change:
    """By how much one number differs between a size and the next, mean over benchmarks."""

    value: float
    """Larger minus smaller, in the unit of what was given."""
    over_samples: tuple[float, float]
    """95 %, or as asked: the same benchmarks with other questions; nan where one is unknown."""
    over_benchmarks: tuple[float, float]
    """95 %, or as asked: other benchmarks of the kind; nan with fewer than two."""
    deviation: float
    """Standard error over samples; nan where it is unknown."""
    bias: float
    """Mean difference of the biases; nan where none is known."""
    benchmarks: int


def mean_change(
    values: object,
    deviations: object,
    biases: object = None,
    *,
    level: float = 0.95,
) -> Change:
    r"""Average what a step in size changes on each of several benchmarks.

    Parameters
    ----------
    values : (B,), larger minus smaller on each benchmark.
    deviations : (B,), standard errors of these over samples, from `pid_core.paired`; nan where one
        is unknown. Questions of different benchmarks are different questions: independent.
    biases : (B,), estimated biases of the values; None or nan is unknown and counts as 0.
    level : of both intervals, strictly between 0 and 1.

    Raises
    ------
    PidError
        If there is no benchmark, the shapes do not fit, a value is not finite, or an error is
        negative.

    Notes
    -----
    With d_b the change on benchmark b and s_b its standard error, the mean is
    :math:`\bar d = \sum_b d_b / B`; over samples it has the standard error
    :math:`\sqrt{\sum_b s_b^2} / B`, and the interval spans the mean with and without its bias, as
    everywhere. Over benchmarks it is Student's, :math:`\bar d \pm t_{B-1}\, \mathrm{sd}(d) /
    \sqrt{B}`.

    References
    ----------
    Xiu26, table 3, which gives such means without intervals.

    Examples
    --------
    >>> found = mean_change([10.0, 20.0], [3.0, 4.0])
    >>> found.value, found.deviation, found.benchmarks
    (15.0, 2.5, 2)
    >>> [round(end, 1) for end in found.over_samples]
    [10.1, 19.9]
    >>> [round(end, 1) for end in found.over_benchmarks]
    [-48.5, 78.5]
    """
    d, s, b = _checked(values, deviations, biases)
    count = len(d)
    mean = float(d.mean())
    deviation = float(np.sqrt(np.sum(s**2))) / count
    bias = nan if np.isnan(b).all() else float(np.where(np.isnan(b), 0.0, b).mean())
    ends = hull_interval(np.array([mean]), np.array([bias]), np.array([deviation]), level)
    low, high = ends[0].tolist()
    others = (nan, nan)
    if count >= FEWEST_BENCHMARKS:
        over = repeated(d, level=level)
        others = (over.low, over.high)
    return Change(
        value=mean,
        over_samples=(low, high),
        over_benchmarks=others,
        deviation=deviation,
        bias=bias,
        benchmarks=count,
    )


def _checked(
    values: object, deviations: object, biases: object
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    d = np.array(cast("Any", values), dtype=np.float64)
    s = np.array(cast("Any", deviations), dtype=np.float64)
    b = np.full(d.shape, nan) if biases is None else np.array(cast("Any", biases), dtype=np.float64)
    if d.ndim != 1 or not len(d) or d.shape != s.shape or d.shape != b.shape:
        raise PidError(
            "a change has one value and one error per benchmark, and at least one benchmark; got "
            f"shapes {d.shape}, {s.shape} and {b.shape}"
        )
    if not np.isfinite(d).all() or np.isinf(s).any() or np.isinf(b).any() or (s < 0).any():
        raise PidError(
            f"changes must be finite and their errors 0 or more, got {d.tolist()} and {s.tolist()}"
        )
    return d, s, b
