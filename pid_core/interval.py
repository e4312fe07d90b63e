"""What is known of the error of an estimate: its spread over samples and its bias at this N."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Int

from pid_core.errors import PidError, UnknownName


def reach_of(level: float) -> float:
    """Return how many standard errors a two-sided normal interval reaches to either side.

    >>> round(reach_of(0.95), 3)
    1.96
    """
    if not 0.0 < level < 1.0:
        raise PidError(f"level is a coverage strictly between 0 and 1, got {level}")
    return NormalDist().inv_cdf(0.5 + level / 2.0)


def clustered_deviation(
    influence: Float[np.ndarray, "samples columns"],
    clusters: Int[np.ndarray, " samples"] | None = None,
) -> Float[np.ndarray, " columns"]:
    """Return the standard error of each column's mean, samples of one cluster summed first.

    nan where all samples are of one cluster: it says nothing about another.

    >>> clustered_deviation(np.array([[0.0], [2.0]])).tolist()
    [1.0]
    >>> clustered_deviation(np.array([[0.0], [2.0]]), np.array([0, 0])).tolist()
    [nan]
    """
    n = len(influence)
    centred = influence - influence.mean(axis=0)
    count = n
    if clusters is not None:
        count = int(clusters.max()) + 1
        sums = np.zeros((count, influence.shape[1]))
        np.add.at(sums, clusters, centred)
        centred = sums
    correction = count / (count - 1) if count > 1 else float("nan")
    return np.sqrt(correction * np.sum(centred**2, axis=0)) / n


def hull_interval(
    value: Float[np.ndarray, " columns"],
    bias: Float[np.ndarray, " columns"],
    deviation: Float[np.ndarray, " columns"],
    level: float,
) -> Float[np.ndarray, "columns 2"]:
    """Return what spans the value and the value without its bias, widened by sampling error.

    An unknown bias (nan) is left out; an unknown deviation leaves nothing known.

    >>> one = np.array([1.0])
    >>> hull_interval(one, 0.5 * one, 0.1 * one, 0.95).round(3).tolist()
    [[0.304, 1.196]]
    """
    corrected = value - np.where(np.isnan(bias), 0.0, bias)
    reach = reach_of(level) * deviation
    low, high = np.minimum(value, corrected) - reach, np.maximum(value, corrected) + reach
    return np.stack([low, high], axis=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Uncertainty:
    """How far the numbers of a spectrum may be from those of infinitely many samples.

    Bits; shares as fractions of the total. The value stays what N samples say; the interval spans
    it and what remains when the estimated bias is taken off, and adds the sampling error to both.
    """

    names: tuple[str, ...]
    """Of the columns: `ATOMS`, "total", and "<atom>_share"."""
    value: Float[np.ndarray, " columns"]
    bias: Float[np.ndarray, " columns"]
    """Mean of the quarters minus the value: an estimate of the bias where it falls like
    1 / sqrt(N), and of three times as much where it falls like 1 / N; nan where unknown."""
    deviation: Float[np.ndarray, " columns"]
    """Standard error over samples; nan where it is unknown."""
    method: str
    """"first order" or "bootstrap": where the deviation comes from."""
    replicates: int = 0
    """Bootstrap samples; 0 for first order."""
    groups: int
    """Groups of dependent samples; as many as samples where these are independent."""
    quarters: int = 0
    """Disjoint parts that the bias comes from; 0 where there are none."""
    note: str = ""
    """Why something is unknown; empty where nothing is."""

    def interval(self, level: float = 0.95) -> Mapping[str, tuple[float, float]]:
        """Return low and high of every column by name.

        Parameters
        ----------
        level : coverage, strictly between 0 and 1.

        Examples
        --------
        >>> one = np.array([1.0])
        >>> found = Uncertainty(
        ...     names=("total",), value=one, bias=0 * one, deviation=one, method="first order",
        ...     groups=9,
        ... )
        >>> [round(end, 2) for end in found.interval(0.95)["total"]]
        [-0.96, 2.96]
        """
        ends = hull_interval(self.value, self.bias, self.deviation, level).tolist()
        return MappingProxyType(
            {name: (low, high) for name, (low, high) in zip(self.names, ends, strict=True)}
        )

    def of(self, name: str) -> tuple[float, float, float]:
        """Return value, bias and deviation of one column."""
        if name not in self.names:
            raise UnknownName.of("number of a spectrum", name, self.names)
        place = self.names.index(name)
        return float(self.value[place]), float(self.bias[place]), float(self.deviation[place])
