"""The BROJA minimum between two sets of predictive distributions, with what proves it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from pid_core.binary import join
from pid_core.certificate import data_processing_bound, dual_bound
from pid_core.coupling import AbstractCoupling, ScaledCoupling, Terms
from pid_core.errors import MarginError
from pid_core.information import TINY, entropy, log_or_zero
from pid_core.multipliers import MultiplierMethod, Start
from pid_core.similar import solve_merged
from pid_core.spread import SpreadCoupling
from pid_core.threads import one_thread

SAME_ROW_DECIMALS = 12
"""Rows that agree to this many decimals are one row with their joint weight."""
SPECK = 1e-14
"""Conditional probabilities below this are 0 for the solver: they are beyond double rounding."""
LARGE_PROBLEM = 3000**2
"""Above this many pairs of rows, rows that are nearly alike are merged (pid_core.similar): the full
problem would take minutes and several GB."""
SMALL_PROBLEM = 1024
"""Problems with at most this many pairs of rows take milliseconds whatever the tolerance ..."""
SMALL_PROBLEM_NATS = 1e-6
"""... and are solved to this gap even if a wider one was asked for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MergedRows:
    """Distinct rows of one source, without the empty ones."""

    joint: Float[np.ndarray, "distinct classes"]
    """p(row, y), summed over the rows that are alike."""
    member: Int[np.ndarray, " rows"]
    """For each original row its distinct row; -1 where the row had no mass."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WarmStart:
    """A solution to begin from, for a problem of some of the same rows with other weights."""

    end: Start
    """Where the solver came to rest, over distinct rows."""
    log_mass: tuple[Float[np.ndarray, " distinct_1"], Float[np.ndarray, " distinct_2"]]
    """Logarithms of their masses."""
    member: tuple[Int[np.ndarray, " rows"], Int[np.ndarray, " columns"]]
    """For each row handed in its distinct row; -1 where it had no mass."""
    classes: Int[np.ndarray, " used"]

    def at(self, rows: Int[np.ndarray, " chosen"]) -> WarmStart:
        """Return the start of a problem over these of the rows, the same ones on both sides."""
        return replace(self, member=(self.member[0][rows], self.member[1][rows]))


@dataclass(frozen=True, kw_only=True, eq=False)
class BrojaSolution:
    """I* between its bounds, with the Q and the potentials that prove them. Nats."""

    information: float
    """I_Q at the feasible Q of `coupling`: an upper bound on I*."""
    lower: float
    """Rigorous lower bound on I*."""
    coupling: AbstractCoupling
    """Q over distinct rows and columns, restricted to the classes in use."""
    classes: Int[np.ndarray, " used"]
    """The classes in use: those with positive prior."""
    rows_1: MergedRows
    rows_2: MergedRows
    potential_1: Float[np.ndarray, "distinct_1 used"]
    """lam, feasible for the dual; -inf where the margin is 0."""
    potential_2: Float[np.ndarray, "distinct_2 used"]
    """mu."""
    terms: Terms
    method: str
    """"constant", "closed form", "exponential multipliers", or that with merged rows."""
    iterations: int
    residual: float
    """Margin error before rounding (after rounding it is 0 to machine precision)."""
    tolerance: float
    """The gap that was asked for."""
    warm: WarmStart | None = None
    """To solve a similar problem from here; None where that would not save time."""
    steps: tuple[tuple[float, float, float], ...] = ()
    """After each step of the iterative engine: seconds, best upper and best lower bound on I*."""

    @property
    def gap(self) -> float:
        """Upper minus lower bound."""
        return max(0.0, self.information - self.lower)

    @property
    def merged(self) -> bool:
        """Rows that are nearly alike were merged (pid_core.similar)."""
        return isinstance(self.coupling, SpreadCoupling) and len(self.classes) > 2

    @property
    def converged(self) -> bool:
        """The gap is within the tolerance."""
        return self.gap <= self.tolerance


def merge_rows(joint: Float[np.ndarray, "rows classes"]) -> MergedRows:
    """Sum the rows whose predictive distribution is the same; drop rows without mass.

    >>> merged = merge_rows(np.array([[.1, .1], [0, 0], [.2, .2], [.3, .1]]))
    >>> merged.member.tolist(), merged.joint.round(3).tolist()
    ([0, -1, 0, 1], [[0.3, 0.3], [0.3, 0.1]])
    """
    mass = joint.sum(axis=1)
    member = np.full(len(joint), -1)
    kept = np.flatnonzero(mass > 0.0)
    alike = (joint[kept] / mass[kept, None]).round(SAME_ROW_DECIMALS)
    if joint.shape[1] == 2:  # the second column follows from the first, and one sorts fast
        member[kept] = np.unique(alike[:, 0], return_inverse=True)[1]
    else:
        member[kept] = np.unique(alike, axis=0, return_inverse=True)[1].reshape(-1)
    distinct = np.zeros((int(member.max()) + 1, joint.shape[1]))
    np.add.at(distinct, member[kept], joint[kept])
    return MergedRows(joint=distinct, member=member)


def solve_broja(
    joint_1: Float[np.ndarray, "rows classes"],
    joint_2: Float[np.ndarray, "columns classes"],
    *,
    tolerance: float,
    max_steps: int = 60,
    warm: WarmStart | None = None,
) -> BrojaSolution:
    """Minimise I_Q(Y; X1, X2) over all Q(x1, x2, y) with the given margins (x1, y) and (x2, y).

    One thread, whatever BLAS would take (pid_core.threads).

    Parameters
    ----------
    joint_1, joint_2 : non-negative, each summing to 1, with the same class totals.
    tolerance : stop when the bounds are this close, in nats.
    max_steps : proximal steps of the iterative engine.
    warm : a solution to begin from (`BrojaSolution.warm`, through `WarmStart.at`).

    Raises
    ------
    MarginError
        The class totals differ: no Q exists.
    """
    with one_thread():
        return _solve(joint_1, joint_2, tolerance=tolerance, max_steps=max_steps, warm=warm)


def _solve(
    joint_1: np.ndarray,
    joint_2: np.ndarray,
    *,
    tolerance: float,
    max_steps: int,
    warm: WarmStart | None,
) -> BrojaSolution:
    prior = joint_1.sum(axis=0)
    missed = float(np.abs(prior - joint_2.sum(axis=0)).max())
    if missed > 1e-9:
        raise MarginError(
            f"the class totals of the two sources differ by {missed:.3g}, so no joint distribution "
            "has both margins; align the sources first (marginals='calibrate')"
        )
    joint_1, joint_2 = _without_specks(joint_1), _without_specks(joint_2)
    classes = np.flatnonzero((joint_1.sum(axis=0) > 0.0) & (joint_2.sum(axis=0) > 0.0))
    rows_1, rows_2 = merge_rows(joint_1[:, classes]), merge_rows(joint_2[:, classes])
    a, b = rows_1.joint, rows_2.joint
    b = b * (a.sum(axis=0) / b.sum(axis=0))  # equal to the last digit, as the solvers assume

    kept: WarmStart | None = None
    steps: tuple[tuple[float, float, float], ...] = ()
    if len(classes) == 2:
        pair = join(a, b)
        coupling: AbstractCoupling = pair.coupling
        lower, lam, mu = pair.information, pair.potential_1, pair.potential_2
        method, iterations, residual = "closed form", 0, 0.0
    elif len(classes) == 1 or min(len(a), len(b)) == 1:
        # The answer or a source is constant: X1 and X2 independent given Y is optimal.
        coupling = ScaledCoupling.rounded(
            a, b, np.outer(a.sum(axis=1), b.sum(axis=1)), *_independent_factors(a, b)
        )
        with np.errstate(divide="ignore"):
            lam, mu = (np.log(factor) for factor in _independent_factors(a, b))
        log_t = np.log(np.maximum(np.exp(lam) @ np.exp(mu).T, TINY))
        _, down, across = dual_bound(a, b, lam, mu, log_t)
        lam, mu = lam - down[:, None], mu - across[:, None]
        lower = data_processing_bound(a, b)
        method, iterations, residual = "constant", 0, 0.0
    elif len(a) * len(b) > LARGE_PROBLEM:
        merged = solve_merged(a, b, tolerance=tolerance, max_steps=max_steps)
        coupling, lower = merged.coupling, merged.lower
        lam, mu = merged.potential_1, merged.potential_2
        method, iterations, residual = merged.method, merged.iterations, merged.residual
        steps = merged.steps
    else:
        # Aim a little inside: rounding to double precision comes on top of the method's own gap.
        aim = 0.99 * min(tolerance, SMALL_PROBLEM_NATS if len(a) * len(b) <= SMALL_PROBLEM else 1.0)
        member = (rows_1.member, rows_2.member)
        log_mass = (np.log(a.sum(axis=1)), np.log(b.sum(axis=1)))
        start = None if warm is None else _carried_over(warm, member, log_mass, classes)
        result = MultiplierMethod(tolerance=aim, max_steps=max_steps).solve(a, b, start)
        kept = WarmStart(end=result.end, log_mass=log_mass, member=member, classes=classes)
        steps = result.steps
        coupling = ScaledCoupling.rounded(a, b, result.best.kernel, result.best.u, result.best.v)
        lower, lam, mu = result.lower, result.potential_1, result.potential_2
        method, iterations = "exponential multipliers", result.iterations
        residual = result.residual

    terms = coupling.terms(
        log_or_zero(a / a.sum(axis=1, keepdims=True)), log_or_zero(b / b.sum(axis=1, keepdims=True))
    )
    return BrojaSolution(
        information=float(terms.log_ratio_1.sum()) + entropy(a.sum(axis=0)),
        lower=lower,
        coupling=coupling,
        classes=classes,
        rows_1=rows_1,
        rows_2=MergedRows(joint=b, member=rows_2.member),
        potential_1=lam,
        potential_2=mu,
        terms=terms,
        method=method,
        iterations=iterations,
        residual=residual,
        tolerance=tolerance,
        warm=kept,
        steps=steps,
    )


REWOUND = 0.1
"""A warm start begins with this share of the last step length: its multipliers are only nearly
right, and short steps are cheap."""


def _carried_over(
    warm: WarmStart,
    member: tuple[np.ndarray, np.ndarray],
    log_mass: tuple[np.ndarray, np.ndarray],
    classes: np.ndarray,
) -> Start | None:
    """Read the start of each distinct row off a row that it is made of; None if they do not fit."""
    if not np.array_equal(classes, warm.classes):
        return None
    old: list[np.ndarray] = []
    for now, before in zip(member, warm.member, strict=True):
        place = np.empty(int(now.max()) + 1, dtype=np.int64)
        place[now[now >= 0]] = before[now >= 0]
        if (place < 0).any():
            return None
        old.append(place)
    first, second = old
    shift_1, shift_2 = (
        mass - then[place] for mass, then, place in zip(log_mass, warm.log_mass, old, strict=True)
    )
    return Start(
        log_u=warm.end.log_u[first],
        log_v=warm.end.log_v[second],
        log_r=warm.end.log_r[np.ix_(first, second)] + shift_1[:, None] + shift_2[None, :],
        eta=max(2.0, REWOUND * warm.end.eta),
    )


def _without_specks(joint: np.ndarray) -> np.ndarray:
    """Set what is below `SPECK` of its row to 0 and keep the mass of the row.

    Probabilities of 1e-30 carry no information that a double could hold (p log p < 1e-28), but
    their potentials span hundreds of nats and make every linear system singular.
    """
    mass = joint.sum(axis=1, keepdims=True)
    cleaned = np.where(joint < SPECK * mass, 0.0, joint)
    left = cleaned.sum(axis=1, keepdims=True)
    return cleaned * np.divide(mass, left, out=np.zeros_like(mass), where=left > 0.0)


def _independent_factors(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return a / a.sum(axis=1, keepdims=True), b / (b.sum(axis=1, keepdims=True) * a.sum(axis=0))
