"""First-order effect of each sample on the atoms, for confidence intervals without resampling.

Write an estimate as a function of the weights of the samples. Its derivative when the weight of
sample i grows is the influence of i; the variance of the estimate is the variance of the influences
divided by N. For I(Y; X1, X2) it is KL(p12_i || pi), because the effect through pi vanishes. For I*
it is <q1_i, lam> + <q2_i, mu> - <p12_i, log pi>, because the potentials are the derivatives of the
minimum (envelope theorem). Aligning the margins moves *every* row a little when one sample weighs
more; that part comes from `pid_core.response`, and with it the result does not depend on the free
constant in the potentials.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pid_core.broja import BrojaSolution
from pid_core.information import TINY, log_or_zero, row_divergence
from pid_core.margins import AlignedProbe
from pid_core.response import respond


def influence_on_atoms(
    solution: BrojaSolution,
    probe_1: AlignedProbe,
    probe_2: AlignedProbe,
    rows_12: Float[np.ndarray, "samples classes"],
    prior: Float[np.ndarray, " classes"],
    policy: str,
) -> Float[np.ndarray, "samples 4"]:
    """Contributions in nats, columns as in `ATOMS`; their mean is the atoms but for the gap."""
    used = solution.classes
    log_prior = np.log(np.maximum(prior[used], TINY))
    lam, mu = (
        np.where(np.isfinite(potential), potential, 0.0)[merged.member]
        for potential, merged in (
            (solution.potential_1, solution.rows_1),
            (solution.potential_2, solution.rows_2),
        )
    )
    on_12 = row_divergence(rows_12, prior)
    if policy == "reference":
        on_1, on_2, on_star = _with_unequal_margins(
            probe_1.rows, probe_2.rows, rows_12, prior, used, lam, mu
        )
    else:
        on_star = -(rows_12[:, used] @ log_prior)
        informations: list[np.ndarray] = []
        for probe, potential in ((probe_1, lam), (probe_2, mu)):
            q = probe.rows[:, used]
            on_star = on_star + np.sum(q * potential, axis=1)
            on_star = on_star + respond(policy, probe, rows_12, prior, used, potential)
            slope = log_or_zero(q) - log_prior
            moved = respond(policy, probe, rows_12, prior, used, slope)
            informations.append(row_divergence(probe.rows, prior) + moved)
        on_1, on_2 = informations
    atoms = [on_1 + on_2 - on_star, on_star - on_2, on_star - on_1, on_12 - on_star]
    return np.stack(atoms, axis=1)


def _with_unequal_margins(
    rows_1: np.ndarray,
    rows_2: np.ndarray,
    rows_12: np.ndarray,
    prior: np.ndarray,
    used: np.ndarray,
    lam: np.ndarray,
    mu: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Policy ``reference``: the rows stay, source 2 is scaled per class to source 1's totals."""
    pull = rows_12 - prior
    on_1, on_2 = (
        row_divergence(rows, prior) - pull @ (rows.mean(axis=0) / np.maximum(prior, TINY))
        for rows in (rows_1, rows_2)
    )
    p1, p2 = rows_1[:, used], rows_2[:, used]
    scale = p1.mean(axis=0) / p2.mean(axis=0)
    level = np.mean(p2 * mu, axis=0) / p2.mean(axis=0)
    on_star = np.sum(p1 * lam + p2 * scale * mu, axis=1) + (p1 - p2 * scale) @ level
    on_star = on_star - p1 @ np.log(np.maximum(prior[used], TINY))
    on_star = on_star - pull[:, used] @ (p1.mean(axis=0) / np.maximum(prior[used], TINY))
    return on_1, on_2, on_star
