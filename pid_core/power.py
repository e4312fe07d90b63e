"""How many samples it takes to tell two models apart, or an atom from a given value."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import NormalDist

import numpy as np

from pid_core.errors import PidError, UnknownName
from pid_core.interval import clustered_deviation, reach_of
from pid_core.spectrum import COLUMNS, Spectrum


@dataclass(frozen=True, kw_only=True)
class SampleSize:
    """An answer of `samples_needed`."""

    samples: int
    """Needed, per model."""
    assumption: str
    """What it rests on, in words."""

    def __int__(self) -> int:
        """Return the number alone."""
        return self.samples


def samples_needed(
    spectrum_a: Spectrum,
    spectrum_b: Spectrum | None = None,
    *,
    delta: float = 0.05,
    atom: str = "synergy",
    level: float = 0.95,
    power: float = 0.8,
) -> SampleSize:
    """Say from how many samples on two models that differ by `delta` are told apart.

    Parameters
    ----------
    spectrum_a : a pilot; its samples and groups are taken as typical.
    spectrum_b : of another model. Over the same samples in the same order the two are compared
        pair by pair, which mostly takes far fewer; None supposes a model like the first.
    delta : difference to detect, bits (of a share: a fraction).
    atom : one of `COLUMNS`.
    level : of the two-sided interval that must leave zero out.
    power : probability that it does.

    Raises
    ------
    PidError
        If a number is out of range, or the pilot says nothing about its own spread.

    Notes
    -----
    N = v ((z_level + z_power) / delta)^2, with v the variance of what one sample adds: to the
    difference where the two are paired, to each of both where they are not. First order: a bias
    that the two models do not share does not fall like 1 / sqrt(N) times their spread.

    Examples
    --------
    >>> from pid_core import Channels, estimate
    >>> copy, half = [[1, 0], [0, 1]] * 20, [[0.5, 0.5]] * 40
    >>> pilot = estimate(Channels(full=copy[:20] + half[:20], only_1=half, only_2=half))
    >>> round(pilot.synergy, 3)  # half of the samples are worth one bit each
    0.5
    >>> found = samples_needed(pilot, delta=0.1)
    >>> found.samples, found.assumption
    (403, 'two models like this one, on samples of their own')
    """
    if atom not in COLUMNS:
        raise UnknownName.of("number of a spectrum", atom, COLUMNS)
    if not delta > 0.0:
        raise PidError(f"delta is a difference above 0, got {delta}")
    if not 0.0 < power < 1.0:
        raise PidError(f"power is a probability strictly between 0 and 1, got {power}")
    variance, assumption = _variance(spectrum_a, spectrum_b, COLUMNS.index(atom))
    if not np.isfinite(variance):
        raise PidError(
            f"the pilot does not say how much {atom} varies over samples; it needs two groups of "
            "samples and some information"
        )
    return SampleSize(
        samples=samples_for(variance, delta=delta, level=level, power=power),
        assumption=assumption,
    )


def samples_for(
    variance: float, *, delta: float = 0.05, level: float = 0.95, power: float = 0.8
) -> int:
    """Return from how many samples on a mean of `delta` is told from 0.

    Parameters
    ----------
    variance : of what one sample adds, in the square of the unit of `delta`.
    delta, level, power : as in `samples_needed`.

    >>> samples_for(1.0, delta=0.5)  # (1.96 + 0.84)^2 / 0.25
    32
    """
    distance = reach_of(level) + NormalDist().inv_cdf(power)
    return max(1, ceil(variance * (distance / delta) ** 2 - 1e-9))


def _variance(first: Spectrum, second: Spectrum | None, column: int) -> tuple[float, str]:
    """Return the variance of a difference, times its number of samples."""
    own = _own_variance(first, column)
    if second is None:
        return 2.0 * own, "two models like this one, on samples of their own"
    if _clusters(first) == _clusters(second):
        difference = second.influences[:, [column]] - first.influences[:, [column]]
        spread = clustered_deviation(difference, first.clusters)
        return float(spread[0]) ** 2 * len(difference), "both models on the same samples"
    return own + _own_variance(second, column), "each model on samples of its own"


def _own_variance(spectrum: Spectrum, column: int) -> float:
    n = len(spectrum.influence)
    if n == 0:
        raise PidError("a joint distribution has no samples, so it is no pilot")
    spread = clustered_deviation(spectrum.influences[:, [column]], spectrum.clusters)
    return float(spread[0]) ** 2 * n


def _clusters(spectrum: Spectrum) -> list[int]:
    if spectrum.clusters is None:
        return list(range(len(spectrum.influence)))
    return [int(cluster) for cluster in spectrum.clusters]
