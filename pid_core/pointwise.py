"""Splits the atoms over the samples, so that the values of each sample average to them exactly.

Three rules. All use mi_m[i] = KL(p(y|x_m,i) || pi) and mi_12[i] = KL(p(y|x1_i,x2_i) || pi); they
differ in how I* is shared out.

- ``own``: each unique atom is anchored at its own source,
  u_1[i] = E_{Q(x2|x1_i)} KL(Q(y|x1_i,x2) || p(y|x2)), u_2 mirrored at x2_i; never negative. Then
  r = ((mi_1 - u_1) + (mi_2 - u_2)) / 2 and s = mi_12 - r - u_1 - u_2.
- ``half``: mi_q[i] = half the terms of I_Q anchored at x1_i plus half those anchored at x2_i;
  r = mi_1 + mi_2 - mi_q, u_1 = mi_q - mi_2, u_2 = mi_q - mi_1, s = mi_12 - mi_q.
- ``x1``: the same with mi_q anchored at x1_i only (the papers' reference code).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from pid_core.broja import BrojaSolution
from pid_core.information import TINY, row_divergence

Pointwise = Literal["own", "half", "x1"]
"""How I* is shared out over samples; `own` is the default."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleValues:
    """Per-sample quantities of one candidate group, in nats."""

    information_1: Float[np.ndarray, " samples"]
    information_2: Float[np.ndarray, " samples"]
    information_12: Float[np.ndarray, " samples"]
    atoms: Float[np.ndarray, "samples 4"]


def split_over_samples(
    rule: str,
    solution: BrojaSolution,
    rows_1: Float[np.ndarray, "samples classes"],
    rows_2: Float[np.ndarray, "samples classes"],
    rows_12: Float[np.ndarray, "samples classes"],
    prior: Float[np.ndarray, " classes"],
) -> SampleValues:
    """Apply one rule to the feasible Q of a solution.

    `rows_1` and `rows_2` are the aligned probes whose informations count as I1 and I2; the samples
    weigh 1/N each.
    """
    n = len(rows_12)
    mi_1, mi_2 = row_divergence(rows_1, prior), row_divergence(rows_2, prior)
    mi_12 = row_divergence(rows_12, prior)
    terms = solution.terms
    log_prior = np.log(np.maximum(prior[solution.classes], TINY))

    def per_sample(values: np.ndarray, member: np.ndarray) -> np.ndarray:
        """Share the sum of a merged row equally among its samples, times N."""
        counts = np.bincount(member, minlength=len(values))
        return n * (values / counts)[member]

    member_1, member_2 = solution.rows_1.member, solution.rows_2.member
    if rule == "own":
        u_1 = per_sample(terms.log_ratio_1 - terms.cross_1, member_1)
        u_2 = per_sample(terms.log_ratio_2 - terms.cross_2, member_2)
        r = ((mi_1 - u_1) + (mi_2 - u_2)) / 2.0
        s = mi_12 - r - u_1 - u_2
    else:
        mi_q = per_sample(terms.log_ratio_1 - solution.rows_1.joint @ log_prior, member_1)
        if rule == "half":
            other = per_sample(terms.log_ratio_2 - solution.rows_2.joint @ log_prior, member_2)
            mi_q = (mi_q + other) / 2.0
        r, u_1, u_2, s = mi_1 + mi_2 - mi_q, mi_q - mi_2, mi_q - mi_1, mi_12 - mi_q
    return SampleValues(
        information_1=mi_1,
        information_2=mi_2,
        information_12=mi_12,
        atoms=np.stack([r, u_1, u_2, s], axis=1),
    )
