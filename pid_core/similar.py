"""Certified bounds for large problems: merge rows that are nearly alike, solve, spread out again.

Merging rows of X1 garbles that source, and likewise X2, so I* of the merged problem is a lower
bound (data processing). The merged solution, spread over the members of each cluster
(pid_core.spread), is feasible and gives an upper bound. It exceeds the merged I_Q by at most what
the clusters lose, I(Y; X1) - I(Y; I) + I(Y; X2) - I(Y; J), which falls like m^(-2 / (K - 1)) with m
clusters. The dual side gains a little: the merged potentials are feasible for any assignment of
rows to clusters, so every row takes the cluster whose potential is worth most to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pid_core.certificate import data_processing_bound
from pid_core.coupling import ScaledCoupling
from pid_core.information import entropy
from pid_core.multipliers import MultiplierMethod
from pid_core.spread import SpreadCoupling, sum_members

CLUSTERS = 2000
"""Clusters per source: what one solution can have in tens of seconds and 500 MB."""
SHARE_OF_TOLERANCE = 0.5
"""How much of the tolerance the merged solution may use; the rest is for what merging loses."""
LLOYD_STEPS = 15
ROWS_AT_ONCE = 256
"""Rows compared with all clusters at once."""
NEVER = -1e6
"""Stands for a potential of -inf, which has no weight where it is rightly there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MergedSolution:
    """What merging proves. Nats; I*, not F."""

    lower: float
    """Rigorous lower bound on I*."""
    coupling: SpreadCoupling
    """A feasible Q: its I_Q is the upper bound."""
    potential_1: Float[np.ndarray, "rows classes"]
    potential_2: Float[np.ndarray, "columns classes"]
    method: str
    iterations: int
    residual: float
    steps: tuple[tuple[float, float, float], ...]


def solve_merged(
    a: Float[np.ndarray, "rows classes"],
    b: Float[np.ndarray, "columns classes"],
    *,
    tolerance: float,
    max_steps: int,
    clusters: int | None = None,
) -> MergedSolution:
    """Bound I* of a large problem from a merged one.

    Parameters
    ----------
    a, b : p(x1, y) and p(x2, y), every row and class with mass, equal class totals.
    tolerance : of which the merged solution uses a part, in nats. The bounds come out further apart
        where merging loses more than the rest.
    max_steps : proximal steps of the merged solution.
    clusters : per source at the most; None takes `CLUSTERS`.
    """
    clusters = CLUSTERS if clusters is None else clusters
    member_1, member_2 = cluster_rows(a, clusters), cluster_rows(b, clusters)
    merged_1, merged_2 = sum_members(a, member_1), sum_members(b, member_2)
    merged_2 = merged_2 * (merged_1.sum(axis=0) / merged_2.sum(axis=0))
    found = MultiplierMethod(tolerance=SHARE_OF_TOLERANCE * tolerance, max_steps=max_steps).solve(
        merged_1, merged_2
    )
    rounded = ScaledCoupling.rounded(
        merged_1, merged_2, found.best.kernel, found.best.u, found.best.v
    )
    lam, worth_1 = _best_potentials(a, found.potential_1)
    mu, worth_2 = _best_potentials(b, found.potential_2)
    return MergedSolution(
        lower=max(
            data_processing_bound(a, b), found.lower, entropy(a.sum(axis=0)) + worth_1 + worth_2
        ),
        coupling=SpreadCoupling.over(rounded.rows(0, len(merged_1)), a, member_1, b, member_2),
        potential_1=lam,
        potential_2=mu,
        method=f"exponential multipliers on {len(merged_1)} x {len(merged_2)} merged rows",
        iterations=found.iterations,
        residual=found.residual,
        steps=found.steps,
    )


def cluster_rows(
    joint: Float[np.ndarray, "rows classes"], clusters: int, *, seed: int = 0
) -> Int[np.ndarray, " rows"]:
    """Group rows of like conditional distribution: k-means on sqrt(p), the Hellinger distance.

    >>> cluster_rows(np.array([[.2, .0], [.0, .2], [.3, .01], [.0, .29]]), 2).tolist()
    [0, 1, 0, 1]
    """
    points = np.sqrt(joint / joint.sum(axis=1, keepdims=True))
    if len(points) <= clusters:
        return np.arange(len(points))
    # Evenly along the first principal axis: spread out, and the same on every machine.
    centred = points - points.mean(axis=0)
    axis: NDArray[np.float64] = np.linalg.eigh(centred.T @ centred).eigenvectors[:, -1]
    places = np.linspace(0, len(points) - 1, clusters).round().astype(np.int64)
    jitter = np.random.default_rng(seed).permutation(len(points))
    order = jitter[np.argsort((points @ axis)[jitter], kind="stable")]
    centres: NDArray[np.float64] = points[order[places]]
    member = np.zeros(len(points), dtype=np.int64)
    for _ in range(LLOYD_STEPS):
        half_norm = 0.5 * np.sum(centres**2, axis=1)
        for start in range(0, len(points), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            member[part] = (half_norm - points[part] @ centres.T).argmin(axis=1)
        sizes = np.bincount(member, minlength=len(centres))
        sums: NDArray[np.float64] = np.zeros_like(centres)
        np.add.at(sums, member, points)
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
    return np.unique(member, return_inverse=True)[1].reshape(-1)


def _best_potentials(joint: np.ndarray, potentials: np.ndarray) -> tuple[np.ndarray, float]:
    """Give every row the potential that is worth most to it, and tell the sum of their worth."""
    finite = np.where(np.isfinite(potentials), potentials, NEVER)
    chosen = np.empty(len(joint), dtype=np.int64)
    worth = 0.0
    for start in range(0, len(joint), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        value = joint[part] @ finite.T
        chosen[part] = value.argmax(axis=1)
        worth += float(value.max(axis=1).sum())
    return potentials[chosen], worth
