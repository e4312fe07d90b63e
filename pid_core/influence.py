"""First-order effect of each sample on the atoms, for confidence intervals without resampling.

Write an estimate as a function of the weights of the samples. Its derivative when the weight of
sample i grows is the influence of i; the variance of the estimate is the variance of the influences
divided by N. For I(Y; X1, X2) it is KL(p_i || pi), because the effect through pi vanishes. For I*
it is <q1_i, lam> + <q2_i, mu> - <p12_i, log pi>, because the potentials are the derivatives of the
minimum (envelope theorem). Aligning the margins moves *every* row a little when pi moves: with
weights t the rows change by q_j (t - <q_j, t>), and C t = p12_i - q_i keeps the margins equal,
where C is the mean covariance of the rows; that adds G.t_i, with G the derivative along the
weights. This makes the result independent of the free constant in the potentials.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pid_core.broja import BrojaSolution
from pid_core.information import log_or_zero, row_divergence
from pid_core.margins import AlignedProbe

SINGULAR = 1e-4
"""Below this share of its largest eigenvalue a probe's covariance does not determine weights."""


def influence_on_atoms(
    solution: BrojaSolution,
    probe_1: AlignedProbe,
    probe_2: AlignedProbe,
    rows_12: Float[np.ndarray, "samples classes"],
    prior: Float[np.ndarray, " classes"],
    *,
    tilted: bool,
) -> Float[np.ndarray, "samples 4"]:
    """Contributions in nats, columns as in `ATOMS`; their mean is the atoms but for the gap.

    Parameters
    ----------
    tilted : the margins were aligned by class weights (policy ``calibrate``); otherwise the
        alignment is linearised as one common shift of all rows.
    """
    used = solution.classes
    log_prior = log_or_zero(prior)
    lam, mu = (
        np.where(np.isfinite(potential), potential, 0.0)[merged.member]
        for potential, merged in (
            (solution.potential_1, solution.rows_1),
            (solution.potential_2, solution.rows_2),
        )
    )
    on_star = -(rows_12 @ log_prior)
    informations: list[np.ndarray] = []
    for probe, potential in ((probe_1, lam), (probe_2, mu)):
        q = probe.rows[:, used]
        respond = _Response(probe, rows_12, prior, used, tilted=tilted)
        on_star = on_star + np.sum(q * potential, axis=1) + respond.along(potential)
        own = log_or_zero(q) - log_prior[used]
        informations.append(row_divergence(probe.rows, prior) + respond.along(own))
    on_1, on_2 = informations
    on_12 = row_divergence(rows_12, prior)
    return np.stack(
        [on_1 + on_2 - on_star, on_star - on_2, on_star - on_1, on_12 - on_star], axis=1
    )


class _Response:
    """How all rows of a probe move when one sample's weight grows and the margins stay equal."""

    def __init__(
        self,
        probe: AlignedProbe,
        rows_12: np.ndarray,
        prior: np.ndarray,
        used: np.ndarray,
        *,
        tilted: bool,
    ) -> None:
        self.q = probe.before_mixing[:, used]
        self.kept = 1.0 - probe.mixed
        self.pull = rows_12[:, used] - prior[used]
        self.miss = rows_12[:, used] - self.q
        covariance = np.diag(self.q.mean(axis=0)) - self.q.T @ self.q / len(self.q)
        spread = np.linalg.eigvalsh(covariance)
        self.tilted = tilted and len(spread) > 1 and bool(spread[1] > SINGULAR * spread[-1])
        self.inverse = np.linalg.pinv(covariance, rcond=SINGULAR / 10, hermitian=True)

    def along(self, gradient: np.ndarray) -> np.ndarray:
        """Change of a function with this gradient in each row (times 1/N), per sample."""
        mean = gradient.mean(axis=0)
        if not self.tilted:
            return self.kept * (self.miss @ mean) + (1.0 - self.kept) * (self.pull @ mean)
        centred = gradient - np.sum(gradient * self.q, axis=1, keepdims=True)
        along_weights = np.mean(self.q * centred, axis=0)
        return self.kept * (self.miss @ self.inverse @ along_weights) + (1.0 - self.kept) * (
            self.pull @ mean
        )
