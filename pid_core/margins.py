"""Moves the two probes to one common p(y), because the decomposition needs equal margins.

A probe is p(y|x_m) measured with the other source masked. Its mean is its own prior, and in general
not the prior pi of the joint run. The set of joint distributions Q with both probes as margins is
empty unless the priors agree; what to do about it is a policy (DESIGN: `marginals`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
from jaxtyping import Bool, Float

from pid_core.errors import ChannelError, UnknownName
from pid_core.information import TINY, log_or_zero, row_divergence

Marginals = Literal["calibrate", "couple", "reference"]
"""The policies: see `align`. Functions take any string and refuse an unknown one by name."""

FLOOR = 1e-12
"""Probability floor of the calibration: no finite weight could move a class at 0."""
AGREE = 1e-12
"""Priors closer than this in every class are equal, and the probe stays as it is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AlignedProbe:
    """One probe after the policy, with what the policy did to it. Information in nats."""

    rows: Float[np.ndarray, "samples classes"]
    """q(y|x_m): rows sum to 1; their mean is pi (under `reference`: the probe itself)."""
    original: Float[np.ndarray, "samples classes"]
    """The rows as they came."""
    before_mixing: Float[np.ndarray, "samples classes"]
    """The rows before the cap mixed them with pi."""
    mixed: float
    """Share of pi in `rows`, 0 where the cap did not act."""
    prior_shift: float
    """KL(mean p_m || pi) of the probe as it came."""
    own_divergence: Float[np.ndarray, " samples"]
    """KL of each original row to the probe's own mean."""
    information: float
    """Mean KL(q_i || pi) after the policy: I(Y; X_m) of the decomposition."""

    @property
    def own_information(self) -> float:
        """Mean KL to the probe's own mean, before the policy."""
        return float(self.own_divergence.mean())


def align(
    probe: Float[np.ndarray, "samples classes"],
    prior: Float[np.ndarray, " classes"],
    offered: Bool[np.ndarray, "samples classes"],
    policy: str,
) -> AlignedProbe:
    """Move one probe to the prior of the joint run.

    Parameters
    ----------
    probe : rows p(y|x_m,i), each a distribution.
    prior : pi, the mean prediction of the joint run over the same samples.
    offered : candidates that a row may put mass on.
    policy :
        ``calibrate``: the smallest change in relative entropy that keeps the rows (one weight per
        class), then mixed with pi until it carries no more information than the probe's own.
        ``couple``: the answer garbled by the maximal coupling of the probe's mean and pi.
        ``reference``: left as it is; every divergence is taken to pi (what the papers' code does).

    Examples
    --------
    >>> always_a = np.tile([1.0, 0.0], (4, 1))
    >>> offered = np.ones((4, 2), dtype=bool)
    >>> align(always_a, np.array([0.5, 0.5]), offered, "calibrate").rows[0].round(6).tolist()
    [0.5, 0.5]
    >>> align(always_a, np.array([0.5, 0.5]), offered, "reference").information  # made of nothing
    0.6931471805599453
    """
    if policy not in _POLICIES:
        raise UnknownName.of("marginals policy", policy, get_args(Marginals))
    mean = probe.mean(axis=0)
    own = row_divergence(probe, mean)
    if policy != "reference" and np.abs(mean - prior).max() < AGREE:
        rows, before, mixed = probe, probe, 0.0
    else:
        rows, before, mixed = _POLICIES[policy](probe, prior, offered, float(own.mean()))
    return AlignedProbe(
        rows=rows,
        original=probe,
        before_mixing=before,
        mixed=mixed,
        prior_shift=float(row_divergence(mean[None, :], prior)[0]),
        own_divergence=own,
        information=float(row_divergence(rows, prior).mean()),
    )


_Moved = tuple[np.ndarray, np.ndarray, float]


def _calibrate(probe: np.ndarray, prior: np.ndarray, offered: np.ndarray, own: float) -> _Moved:
    floored = np.where(offered & (prior > 0.0), np.maximum(probe, FLOOR), 0.0)
    floored = floored / floored.sum(axis=1, keepdims=True)
    tilted = tilt_to_prior(floored, prior)
    if float(row_divergence(tilted, prior).mean()) <= own:
        return tilted, tilted, 0.0
    low, high = 0.0, 1.0  # information falls along the mixture: it is convex and 0 at pi
    for _ in range(60):
        middle = (low + high) / 2.0
        mixture = (1.0 - middle) * tilted + middle * prior
        if float(row_divergence(mixture, prior).mean()) > own:
            low = middle
        else:
            high = middle
    return (1.0 - high) * tilted + high * prior, tilted, high


def _couple(probe: np.ndarray, prior: np.ndarray, offered: np.ndarray, own: float) -> _Moved:
    del offered, own
    mean = probe.mean(axis=0)
    stay = np.minimum(1.0, prior / np.maximum(mean, TINY))
    lacking = np.maximum(prior - mean, 0.0)
    moved = probe * stay + np.outer((probe * (1.0 - stay)).sum(axis=1), lacking / lacking.sum())
    return moved, moved, 0.0


def _reference(probe: np.ndarray, prior: np.ndarray, offered: np.ndarray, own: float) -> _Moved:
    del prior, offered, own
    return probe, probe, 0.0


_POLICIES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, float], _Moved]] = {
    "calibrate": _calibrate,
    "couple": _couple,
    "reference": _reference,
}


def tilt_to_prior(
    rows: Float[np.ndarray, "samples classes"],
    prior: Float[np.ndarray, " classes"],
    tolerance: float = 1e-14,
) -> Float[np.ndarray, "samples classes"]:
    """Weigh the classes so that the mean of the renormalised rows is `prior`.

    q_iy = p_iy exp(t_y) / sum_z p_iz exp(t_z). The weights minimise the convex function
    mean_i log sum_y p_iy exp(t_y) - <pi, t>; its gradient is mean q - pi, its Hessian the mean
    covariance of the rows. Damped Newton steps converge where plain iterative scaling needs
    thousands of sweeps (a probe that always says "A" with a tail of 1e-12).

    Raises
    ------
    ChannelError
        No weights reach the prior: a class with positive prior is offered by no row, for example.
    """
    used = prior > 0.0
    if np.any(used & (rows.sum(axis=0) <= 0.0)):
        raise ChannelError(
            "the probe cannot be moved to the prior of the joint run: a class with positive prior "
            "is offered by no sample of the probe"
        )
    p, target = rows[:, used], prior[used]
    log_p = np.where(p > 0.0, log_or_zero(p), -np.inf)

    def at(weights: np.ndarray) -> tuple[float, np.ndarray]:
        z = log_p + weights
        top = z.max(axis=1, keepdims=True)
        q = np.exp(z - top)
        total = q.sum(axis=1, keepdims=True)
        value = float((np.log(total) + top).mean()) - float(target @ weights)
        return value, q / total

    # Start at the weights that would do for one row, the mean: exact for a constant probe.
    weights = np.log(target) - np.log(np.maximum(p.mean(axis=0), TINY))
    zero = np.zeros_like(weights)
    weights = min((zero, weights), key=lambda t: at(t)[0])
    value, q = at(weights)
    for _ in range(200):
        gradient = q.mean(axis=0) - target
        if np.abs(gradient).max() < tolerance:
            break
        hessian = np.diag(q.mean(axis=0)) - q.T @ q / len(q)
        # Constants are the null space (weights matter up to a factor); a ridge keeps rows that are
        # nearly deterministic, whose covariance vanishes, solvable.
        ridge = 1e-15 + 1e-3 * min(float(np.abs(gradient).max()), 1e-6)
        solvable = hessian + 1.0 / len(target) + ridge * np.eye(len(target))
        newton = cast("np.ndarray", np.linalg.solve(solvable, -gradient))
        step = newton - float(newton.mean())
        longest = np.abs(step).max()
        scale = min(1.0, 4.0 / longest) if longest > 0.0 else 1.0  # e^4 per step at the most
        slope = float(gradient @ step)
        new_value, new_q = value, q
        while scale > 1e-10:
            new_value, new_q = at(weights + scale * step)
            if new_value <= value + 1e-4 * scale * slope + 1e-15 * (1.0 + abs(value)):
                break
            scale /= 2.0
        weights, value, q = weights + scale * step, new_value, new_q
    # The last digit by iterative scaling, so that both probes have exactly the same margins.
    for _ in range(3):
        q = q * (target / np.maximum(q.mean(axis=0), TINY))
        q = q / q.sum(axis=1, keepdims=True)
    missed = float(np.abs(q.mean(axis=0) - target).max())
    if missed > 1e-8:
        raise ChannelError(
            f"the probe cannot be moved to the prior of the joint run: the nearest it comes is "
            f"{missed:.2g} away in one class; use marginals='couple'"
        )
    moved = np.zeros_like(rows)
    moved[:, used] = q
    return moved
