"""Whether a claim holds: a number, its interval, its p-value, and one rule for all claims.

A claim says on which side of a threshold a number lies, for example that a correlation is above 0.
The evidence is the number, an interval and a two-sided p-value for the threshold. It is *supported*
where the whole 95 % interval lies on the side that the claim says and *contradicted* where it lies
on the other, in both cases only if the p-value, corrected for how many claims are tested, is below
0.05 too; in all other cases there is *not enough data* to say. A number without an interval is
judged by its corrected p-value alone (a perfect order over models has no bootstrap interval).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, isnan, nan
from statistics import NormalDist
from typing import Any, Literal, cast

import numpy as np

from pid_core.association import (
    FEWEST,
    RESAMPLES,
    Association,
    Closer,
    Correction,
    adjusted,
    bootstrap_counts,
    expanded_interval,
)
from pid_core.errors import PidError
from pid_core.interval import clustered_deviation

Verdict = Literal["supported", "contradicted", "not enough data"]
Side = Literal["above", "below"]
SURE_BELOW = 0.05
"""Corrected p-value below which a side is taken."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of one number that a claim is about."""

    value: float
    """nan where there is none."""
    interval: tuple[float, float]
    """95 %; nan where it is unknown."""
    p_value: float
    """Two-sided, for the threshold of the claim, not corrected; nan where it is unknown."""
    n: int
    """Of what `unit` says."""
    unit: str
    """What n counts: models, families, steps, samples."""
    note: str = ""
    """Why something is unknown; empty where nothing is."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the rule says of one claim."""

    verdict: Verdict
    adjusted_p: float
    """Corrected over all claims that were judged together; nan where there is no p-value."""


def judge(
    evidence: Sequence[Evidence],
    sides: Sequence[Side],
    *,
    against: Sequence[float] | None = None,
    correction: Correction = "holm",
) -> list[Judged]:
    """Judge claims together.

    Parameters
    ----------
    evidence : one per claim.
    sides : where the number lies by the claim, "above" the threshold or "below".
    against : thresholds, in the unit of the numbers; None is 0 for all.
    correction : how p-values are corrected over all of them, see `pid_core.association.adjusted`.

    Raises
    ------
    PidError
        If there are not as many sides and thresholds as evidence.

    Examples
    --------
    >>> one = Evidence(value=0.8, interval=(0.5, 0.9), p_value=0.01, n=12, unit="models")
    >>> [judge([one], [side])[0].verdict for side in ("above", "below")]
    ['supported', 'contradicted']
    >>> {found.verdict for found in judge([one] * 6, ["above"] * 6)}  # six at once
    {'not enough data'}
    """
    thresholds = [0.0] * len(evidence) if against is None else list(against)
    if not len(evidence) == len(sides) == len(thresholds):
        raise PidError(
            f"{len(evidence)} claims need as many sides and thresholds, got {len(sides)} and "
            f"{len(thresholds)}"
        )
    corrected = adjusted([one.p_value for one in evidence], correction).tolist()
    return [
        Judged(verdict=_verdict(one, side, threshold, p), adjusted_p=p)
        for one, side, threshold, p in zip(evidence, sides, thresholds, corrected, strict=True)
    ]


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """Return what several statistics of one claim say: one that contradicts it is enough.

    >>> together(["supported", "not enough data"]), together(["supported", "contradicted"])
    ('supported', 'contradicted')
    >>> together([])
    'not enough data'
    """
    for verdict in ("contradicted", "supported"):
        if verdict in verdicts:
            return verdict
    return "not enough data"


def of_association(found: Association, *, unit: str = "models") -> Evidence:
    """Return a rank correlation as evidence; its p-value is that of the permutations or of t."""
    return Evidence(
        value=found.rho,
        interval=found.interval,
        p_value=found.p_value,
        n=found.n,
        unit=unit,
        note=_of(found.note, unit),
    )


def of_closer(found: Closer, *, unit: str = "models") -> Evidence:
    """Return a difference of two rank correlations as evidence."""
    return Evidence(
        value=found.difference,
        interval=found.interval,
        p_value=found.p_value,
        n=found.n,
        unit=unit,
        note=_of(found.note, unit),
    )


def of_mean(
    values: object,
    *,
    groups: object = None,
    against: float = 0.0,
    unit: str = "models",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evidence:
    """Return a mean over models as evidence: bootstrap interval and Student's p-value.

    Quantiles of a bootstrap end where its draws end, which many claims at once would need to see
    past; Student's t of the same groups does not. Both must agree before a side is taken.

    Parameters
    ----------
    values : (N,), finite; with fewer than four models or groups there is no interval.
    groups : (N,), whole groups are drawn; None draws models.
    against : the threshold of the claim.
    unit : what is drawn.
    resamples, seed : of the bootstrap.

    Raises
    ------
    PidError
        If the shape is another or a number is not finite.

    Examples
    --------
    >>> found = of_mean([0.2, 0.4, 0.6, 0.8])
    >>> round(found.value, 6), found.n, [round(end, 1) for end in found.interval]
    (0.5, 4, [0.2, 0.8])
    """
    rows = np.array(cast("Any", values), dtype=np.float64)
    if rows.ndim != 1 or not np.isfinite(rows).all():
        raise PidError(f"values must be finite and one per model, got {rows.tolist()}")
    if not len(rows):
        note = f"there are no {unit}"
        return Evidence(value=nan, interval=(nan, nan), p_value=nan, n=0, unit=unit, note=note)
    counts, units = bootstrap_counts(len(rows), groups, resamples=resamples, seed=seed)
    mean = float(rows.mean())
    if units < FEWEST:
        note = f"{units} {unit} say nothing about others; at least {FEWEST} are needed"
        return Evidence(
            value=mean, interval=(nan, nan), p_value=nan, n=len(rows), unit=unit, note=note
        )
    drawn = (counts @ (rows - mean)) / counts.sum(axis=1) + mean
    return Evidence(
        value=mean,
        interval=expanded_interval(drawn, 0.95, units),
        p_value=_student_p(rows, groups, units, against),
        n=len(rows),
        unit=unit,
    )


def of_difference(
    value: float,
    deviation: float,
    bias: float = nan,
    *,
    against: float = 0.0,
    n: int,
    unit: str = "samples",
) -> Evidence:
    """Return a paired difference as evidence: normal, and its interval spans the bias.

    Parameters
    ----------
    value, deviation, bias : as `pid_core.paired.PairedDifference` has them.
    against : the threshold of the claim.
    n, unit : how many of what were paired.

    Examples
    --------
    >>> found = of_difference(0.3, 0.1, n=100)
    >>> [round(end, 2) for end in found.interval], round(found.p_value, 4)
    ([0.1, 0.5], 0.0027)
    >>> of_difference(0.3, 0.1, 0.4, n=100).p_value  # without its bias it is below 0
    1.0
    """
    corrected = value - (0.0 if isnan(bias) else bias)
    low, high = sorted((value, corrected))
    if isnan(deviation):
        note = f"how far it varies over {unit} is not known"
        return Evidence(value=value, interval=(nan, nan), p_value=nan, n=n, unit=unit, note=note)
    reach = NormalDist().inv_cdf(0.975) * deviation
    away = max(low - against, against - high, 0.0)
    if deviation == 0.0:
        p_value = 0.0 if away else 1.0
    else:
        p_value = min(2.0 * NormalDist().cdf(-away / deviation), 1.0)
    return Evidence(
        value=value, interval=(low - reach, high + reach), p_value=p_value, n=n, unit=unit
    )


def of_share(hits: int, n: int, *, against: float = 0.5, unit: str = "models") -> Evidence:
    """Return how many of n have a property as evidence, exactly (Clopper and Pearson 1934).

    >>> found = of_share(9, 10)
    >>> found.value, [round(end, 3) for end in found.interval], round(found.p_value, 4)
    (0.9, [0.555, 0.997], 0.0215)
    >>> of_share(0, 0).note
    'there are no models'
    """
    if not 0 <= hits <= n:
        raise PidError(f"{hits} of {n} {unit} cannot be")
    if not n:
        note = f"there are no {unit}"
        return Evidence(value=nan, interval=(nan, nan), p_value=nan, n=0, unit=unit, note=note)
    from scipy.special import betaincinv  # when a share is judged, not when it is shown

    low = 0.0 if hits == 0 else float(betaincinv(hits, n - hits + 1, 0.025))
    high = 1.0 if hits == n else float(betaincinv(hits + 1, n - hits, 0.975))
    chances = [comb(n, k) * against**k * (1.0 - against) ** (n - k) for k in range(n + 1)]
    tail = min(sum(chances[: hits + 1]), sum(chances[hits:]))
    return Evidence(
        value=hits / n, interval=(low, high), p_value=min(2.0 * tail, 1.0), n=n, unit=unit
    )


def _of(note: str, unit: str) -> str:
    """Say of other units what a note says of models.

    >>> _of("2 models have both numbers", "families")
    '2 families have both numbers'
    """
    return note.replace("models", unit)


def _student_p(rows: np.ndarray, groups: object, units: int, against: float) -> float:
    """Return the two-sided p-value of a mean, what groups have in common summed first."""
    members = None
    if groups is not None:
        members = np.unique(np.asarray(cast("Any", groups)), return_inverse=True)[1].reshape(-1)
    deviation = float(clustered_deviation(rows[:, None], members)[0])
    away = abs(float(rows.mean()) - against)
    if deviation == 0.0:
        return 0.0 if away else 1.0
    from scipy.special import stdtr

    return float(min(2.0 * stdtr(units - 1, -away / deviation), 1.0))


def _verdict(one: Evidence, side: Side, threshold: float, p: float) -> Verdict:
    if isnan(one.value) or isnan(p) or p >= SURE_BELOW:
        return "not enough data"
    low, high = one.interval
    if isnan(low) or isnan(high):
        low = high = one.value
    if low > threshold:
        return "supported" if side == "above" else "contradicted"
    if high < threshold:
        return "supported" if side == "below" else "contradicted"
    return "not enough data"
