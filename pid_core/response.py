"""How aligning the margins moves all rows of a probe when one sample gets more weight.

For each policy of `pid_core.margins`, the derivative of mean_j f(q_j) through the rows q_j alone,
given the gradient of f in each row; the direct effect of the sample's own row is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from pid_core.information import TINY, log_or_zero
from pid_core.margins import AGREE, AlignedProbe

SINGULAR = 1e-4
"""Below this share of its largest eigenvalue a probe's covariance does not determine weights."""


def respond(
    policy: str,
    probe: AlignedProbe,
    rows_12: Float[np.ndarray, "samples classes"],
    prior: Float[np.ndarray, " classes"],
    used: Int[np.ndarray, " used"],
    gradient: Float[np.ndarray, "samples used"],
) -> Float[np.ndarray, " samples"]:
    """Change of mean_j f(q_j) per unit of weight on each sample, through the alignment.

    Parameters
    ----------
    policy : ``calibrate`` or ``couple``.
    used : the classes with positive prior, to which `gradient` is restricted.
    gradient : of f in the rows; 0 where a row has no mass.
    """
    return _RESPONSES[policy](probe, rows_12[:, used], prior[used], used, gradient)


def _calibrate(
    probe: AlignedProbe,
    rows_12: np.ndarray,
    prior: np.ndarray,
    used: np.ndarray,
    gradient: np.ndarray,
) -> np.ndarray:
    """Class weights exp(t) move a row by q (t - <q, t>); C t = p12_i - q_i keeps the margins equal.

    C is the mean covariance of the rows. Where the cap mixes the rows with pi, its share moves too,
    so that the information stays the probe's own.
    """
    q = probe.before_mixing[:, used]
    covariance = np.diag(q.mean(axis=0)) - q.T @ q / len(q)
    spread = np.linalg.eigvalsh(covariance)
    if len(spread) < 2 or spread[1] <= SINGULAR * max(spread[-1], SINGULAR):
        return _shift(probe, rows_12, prior, used, gradient)
    # Weights are free up to a constant: pin the constant by adding the matrix of ones.
    weights = np.linalg.solve(covariance + 1.0 / len(prior), (rows_12 - q).T).T

    def with_share_fixed(slope: np.ndarray) -> np.ndarray:
        centred = slope - np.sum(slope * q, axis=1, keepdims=True)
        tilt = weights @ np.mean(q * centred, axis=0)
        pull = (rows_12 - prior) @ slope.mean(axis=0)
        return (1.0 - probe.mixed) * tilt + probe.mixed * pull

    moved = with_share_fixed(gradient)
    if probe.mixed > 0.0:
        rows = probe.rows[:, used]
        slope = log_or_zero(rows) - np.log(np.maximum(prior, TINY))
        info = np.sum(rows * slope, axis=1) + with_share_fixed(slope)
        per_share = float(np.mean(slope * (prior - q)) * len(prior))
        if per_share < 0.0:
            own = probe.own_divergence
            share = ((own - own.mean()) - (info - info.mean())) / per_share
            moved = moved + share * float(np.mean(gradient * (prior - q)) * len(prior))
    return moved


def _couple(
    probe: AlignedProbe,
    rows_12: np.ndarray,
    prior: np.ndarray,
    used: np.ndarray,
    gradient: np.ndarray,
) -> np.ndarray:
    """Differentiate the maximal coupling, class by class on its two sides of mean = pi."""
    p = probe.original[:, used]
    mean = p.mean(axis=0)
    lacking = np.maximum(prior - mean, 0.0)
    total = float(lacking.sum())
    if total < AGREE or probe.original.sum() > p.sum() + AGREE:
        return _shift(probe, rows_12, prior, used, gradient)
    over = prior < mean
    refill = lacking / total
    lost = np.sum(p * np.where(over, 1.0 - prior / np.maximum(mean, TINY), 0.0), axis=1)
    move_mean, move_prior = p - mean, rows_12 - prior
    stay = np.where(
        over, (move_prior - move_mean * prior / np.maximum(mean, TINY)) / np.maximum(mean, TINY), 0
    )
    lack = np.where(over, 0.0, move_prior - move_mean)
    refilled = (lack - np.outer(lack.sum(axis=1), refill)) / total
    on_stay = np.mean(p * (gradient - (gradient @ refill)[:, None]), axis=0)
    on_refill = np.mean(gradient * lost[:, None], axis=0)
    return stay @ on_stay + refilled @ on_refill


def _shift(
    probe: AlignedProbe,
    rows_12: np.ndarray,
    prior: np.ndarray,
    used: np.ndarray,
    gradient: np.ndarray,
) -> np.ndarray:
    """One common shift of all rows: where the policy has no derivative (rows all deterministic)."""
    del prior
    return (rows_12 - probe.rows[:, used]) @ gradient.mean(axis=0)


_RESPONSES: dict[
    str, Callable[[AlignedProbe, np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
] = {"calibrate": _calibrate, "couple": _couple}
