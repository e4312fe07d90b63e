"""Couplings Q_ijy = exp(scores_ijy) u_iy v_jy of a scoring network: their margins, value, slope.

BATCH lets a network score every pair of samples per class and scales exp(scores) to the margins.
Here is what follows from the scores: the scaling, the exact slope of I_Q through it, and a feasible
Q, at which I_Q is a rigorous upper bound on I*. Nats. Classes come first in arrays of pairs,
(classes, rows, columns), so that every sweep is a product of matrices.

Scores of `pid_core.batch_network` lie within 2.85 of 0, so exp(scores) neither over- nor underflows
and the scaling works on it as it is; u and v may be as small as the margins are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pid_core.broja import BrojaSolution, MergedRows, Terms
from pid_core.certificate import data_processing_bound, dual_bound
from pid_core.coupling import AbstractCoupling, blocks
from pid_core.information import TINY, entropy, log_or_zero

SWEEPS = 2000
"""Most sweeps over rows and columns; scores within 2.85 need 10 to 100."""
DENSE_ENTRIES = 64_000_000
"""Entries of exp(scores) that are kept: 512 MB. More are made anew in every sweep, much slower."""
BLOCK_ENTRIES = 4_000_000
"""Entries that are made at once then."""
DUAL_PAIRS = 20_000_000
"""Pairs of samples up to which the dual bound is evaluated; beyond, only data processing."""

Scores = Callable[[slice], np.ndarray]
"""From a slice of the rows to their scores with every column, (classes, block, columns)."""


class Kernel:
    """exp(scores) of every pair, kept if it fits; products with it.

    >>> kernel = Kernel.of(np.array([[[4.0, 1.0], [1.0, 1.0]]]))
    >>> kernel.across(np.ones((1, 2))).tolist(), kernel.down(np.array([[1.0, 2.0]])).tolist()
    ([[5.0, 2.0]], [[6.0, 3.0]])
    """

    def __init__(self, scores: Scores, shape: tuple[int, int, int]) -> None:
        self._scores, self.shape = scores, shape
        classes, rows, columns = shape
        whole = classes * rows * columns <= DENSE_ENTRIES
        self._size = rows if whole else max(1, BLOCK_ENTRIES // (classes * columns))
        self._kept = np.exp(scores(slice(0, rows))) if whole else None

    @classmethod
    def of(cls, values: Float[np.ndarray, "classes rows columns"]) -> Kernel:
        """Return the kernel with these values."""
        classes, rows, columns = values.shape
        return cls(lambda part: np.log(values[:, part]), (classes, rows, columns))

    def rows(self, part: slice) -> Float[np.ndarray, "classes block columns"]:
        """Values of some of the rows."""
        return np.exp(self._scores(part)) if self._kept is None else self._kept[:, part]

    def _blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        for start in range(0, self.shape[1], self._size):
            part = slice(start, min(start + self._size, self.shape[1]))
            yield part, self.rows(part)

    def across(self, v: Float[np.ndarray, "classes columns"]) -> Float[np.ndarray, "classes rows"]:
        """Sum over columns with weights v."""
        return np.concatenate([_times(values, v) for _, values in self._blocks()], axis=1)

    def down(self, u: Float[np.ndarray, "classes rows"]) -> Float[np.ndarray, "classes columns"]:
        """Sum over rows with weights u."""
        parts = [_times(values.transpose(0, 2, 1), u[:, part]) for part, values in self._blocks()]
        return np.sum(parts, axis=0)


def _times(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.matmul(matrices, vectors[:, :, None])[:, :, 0]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scaling:
    """Factors that bring a kernel to its margins."""

    u: Float[np.ndarray, "classes rows"]
    v: Float[np.ndarray, "classes columns"]
    sweeps: int
    error: float
    """Largest relative error of a row margin; column margins are met."""


def scale(
    kernel: Kernel,
    a: Float[np.ndarray, "classes rows"],
    b: Float[np.ndarray, "classes columns"],
    *,
    tolerance: float,
) -> Scaling:
    """Scale rows and columns in turn until no positive margin misses by more than `tolerance`.

    The test is relative: an entry of 1e-9 counts as much as one of 0.9. Margins of 0 are met
    exactly, by a factor of 0.

    >>> half = np.array([[0.5, 0.5]])
    >>> found = scale(Kernel.of(np.array([[[4.0, 1.0], [1.0, 1.0]]])), half, half, tolerance=1e-9)
    >>> (found.u.T * [[4.0, 1.0], [1.0, 1.0]] * found.v).round(6).tolist()
    [[0.333333, 0.166667], [0.166667, 0.333333]]
    """
    asked = a > 0.0
    u, v = asked.astype(np.float64), (b > 0.0).astype(np.float64)
    row, error, sweeps = kernel.across(v), np.inf, 0
    while sweeps < SWEEPS and error > tolerance:
        u = a / np.maximum(row, TINY)
        v = b / np.maximum(kernel.down(u), TINY)
        row = kernel.across(v)
        error = float(np.abs(u * row / np.where(asked, a, 1.0) - asked).max())
        sweeps += 1
    return Scaling(u=u, v=v, sweeps=sweeps, error=error)


def split_additively(
    kernel: Kernel,
    scaling: Scaling,
    a: Float[np.ndarray, "classes rows"],
    b: Float[np.ndarray, "classes columns"],
    row_sums: Float[np.ndarray, "classes rows"],
    column_sums: Float[np.ndarray, "classes columns"],
    *,
    tolerance: float,
) -> tuple[Float[np.ndarray, "classes rows"], Float[np.ndarray, "classes columns"]]:
    """Return the lam_iy + mu_jy nearest to a function G of pairs in mean square under Q.

    It solves a lam + Q mu = row_sums and Q' lam + b mu = column_sums, the sums of Q G; both are 0
    where the margin is 0. Whoever moves Q without leaving its margins sees only G - lam - mu, and
    whoever moves the margins sees only lam and mu: they are the slopes of sum Q G.
    """
    u, v = scaling.u, scaling.v
    by_row = np.divide(1.0, a, out=np.zeros_like(a), where=a > 0.0)
    by_column = np.divide(1.0, b, out=np.zeros_like(b), where=b > 0.0)
    lam, mu = np.zeros_like(a), np.zeros_like(b)
    for _ in range(SWEEPS):
        lam = (row_sums - u * kernel.across(v * mu)) * by_row
        before, mu = mu, (column_sums - v * kernel.down(u * lam)) * by_column
        if np.abs(mu - before).max() <= tolerance:
            break
    return lam, mu


@dataclass(frozen=True, kw_only=True, eq=False)
class Slope:
    """I_Q of the pairs of a batch and how it changes with their scores."""

    information: float
    """I_Q, nats."""
    gradient: Float[np.ndarray, "classes rows columns"]
    sweeps: int


def slope(
    scores: Float[np.ndarray, "classes rows columns"],
    a: Float[np.ndarray, "classes rows"],
    b: Float[np.ndarray, "classes columns"],
    *,
    tolerance: float,
) -> Slope:
    """Scale exp(scores) to the margins and differentiate I_Q through the scaling.

    When the scores move by d, Q moves by Q (d - P d), where P d is the nearest additive function
    under Q, because the margins stay. The slope of I_Q at Q is G = log Q(y|i,j), so that of the
    scores is Q (G - P G): exact at the fixed point, with no sweep to be kept or differentiated.
    """
    kernel = Kernel.of(np.exp(scores))
    scaling = scale(kernel, a, b, tolerance=tolerance)
    q = scaling.u[:, :, None] * np.exp(scores) * scaling.v[:, None, :]
    log_given = log_or_zero(q) - log_or_zero(q.sum(axis=0))
    weighted = q * log_given
    lam, mu = split_additively(
        kernel,
        scaling,
        a,
        b,
        weighted.sum(axis=2),
        weighted.sum(axis=1),
        tolerance=tolerance,
    )
    return Slope(
        information=float(weighted.sum()) + entropy(q.sum(axis=(1, 2))),
        gradient=weighted - q * (lam[:, :, None] + mu[:, None, :]),
        sweeps=scaling.sweeps,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class PairCoupling(AbstractCoupling):
    """Q_ijy = kernel u v, plus a product per class that fills the margins exactly."""

    kernel: Kernel
    u: Float[np.ndarray, "classes rows"]
    v: Float[np.ndarray, "classes columns"]
    missing_rows: Float[np.ndarray, "classes rows"]
    """What the scaled kernel lacks in each row."""
    missing_columns: Float[np.ndarray, "classes columns"]
    """What it lacks in each column, divided by the class total: the product fills both."""

    @classmethod
    def rounded(
        cls,
        kernel: Kernel,
        scaling: Scaling,
        a: Float[np.ndarray, "classes rows"],
        b: Float[np.ndarray, "classes columns"],
    ) -> PairCoupling:
        """Round factors whose margins are nearly right (Altschuler, Weed, Rigollet 2017)."""
        u, v = scaling.u, scaling.v
        u = u * np.minimum(1.0, a / np.maximum(u * kernel.across(v), TINY))
        v = v * np.minimum(1.0, b / np.maximum(v * kernel.down(u), TINY))
        lack_rows = np.maximum(a - u * kernel.across(v), 0.0)
        lack_columns = np.maximum(b - v * kernel.down(u), 0.0)
        total = lack_columns.sum(axis=1, keepdims=True)
        shares = np.divide(lack_columns, total, out=np.zeros_like(lack_columns), where=total > 0.0)
        return cls(kernel=kernel, u=u, v=v, missing_rows=lack_rows, missing_columns=shares)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of rows, columns and classes."""
        return self.u.shape[1], self.v.shape[1], self.u.shape[0]

    def rows(self, start: int, stop: int) -> Float[np.ndarray, "block columns classes"]:
        """Q for the rows start..stop-1."""
        part = slice(start, stop)
        q = self.u[:, part, None] * self.kernel.rows(part) * self.v[:, None, :]
        q += self.missing_rows[:, part, None] * self.missing_columns[:, None, :]
        return np.moveaxis(q, 0, 2)


def solution_of(
    scores: Scores,
    joint_1: Float[np.ndarray, "rows classes"],
    joint_2: Float[np.ndarray, "columns classes"],
    *,
    tolerance: float,
) -> BrojaSolution:
    """Couple all samples at once by their scores, and prove what I_Q of that coupling is worth.

    Parameters
    ----------
    scores : for all classes, also those that no row uses.
    joint_1, joint_2 : p(x_m, y) with equal class totals.
    tolerance : the gap to call converged, in nats.

    Notes
    -----
    The upper bound is I_Q at a feasible Q. The lower bound is the better of data processing and the
    dual value of the additive part of log Q(y|i,j), which at the optimum is all of it.
    """
    used = np.flatnonzero((joint_1.sum(axis=0) > 0.0) & (joint_2.sum(axis=0) > 0.0))
    a, b = joint_1[:, used], joint_2[:, used]
    b = b * (a.sum(axis=0) / b.sum(axis=0))  # equal to the last digit
    a_first, b_first = np.ascontiguousarray(a.T), np.ascontiguousarray(b.T)
    kernel = Kernel(lambda part: scores(part)[used], (len(used), len(a), len(b)))
    scaling = scale(kernel, a_first, b_first, tolerance=1e-10)
    coupling = PairCoupling.rounded(kernel, scaling, a_first, b_first)
    terms, row_sums, column_sums = _terms(coupling, a, b)
    lam, mu = split_additively(
        kernel, scaling, a_first, b_first, row_sums.T, column_sums.T, tolerance=1e-10
    )
    prior_entropy = entropy(a.sum(axis=0))
    lower, lam, mu = _lower_bound(a, b, lam.T, mu.T, prior_entropy)
    return BrojaSolution(
        information=float(terms.log_ratio_1.sum()) + prior_entropy,
        lower=lower,
        coupling=coupling,
        classes=used,
        rows_1=_all_rows(a),
        rows_2=_all_rows(b),
        potential_1=lam,
        potential_2=mu,
        terms=terms,
        method="trained network",
        iterations=scaling.sweeps,
        residual=scaling.error,
        tolerance=tolerance,
    )


def _all_rows(joint: np.ndarray) -> MergedRows:
    return MergedRows(joint=joint, member=np.arange(len(joint)))


def _lower_bound(
    a: np.ndarray, b: np.ndarray, lam: np.ndarray, mu: np.ndarray, prior_entropy: float
) -> tuple[float, np.ndarray, np.ndarray]:
    processed = data_processing_bound(a, b)
    if len(a) * len(b) > DUAL_PAIRS:
        return processed, lam, mu
    lam = np.where(a > 0.0, lam, -np.inf)
    mu = np.where(b > 0.0, mu, -np.inf)
    log_t = np.log(np.maximum(np.exp(lam) @ np.exp(mu).T, TINY))
    value, _, _ = dual_bound(a, b, lam, mu, log_t)
    return max(processed, value + prior_entropy), lam, mu


def _terms(
    coupling: PairCoupling, a: np.ndarray, b: np.ndarray
) -> tuple[Terms, Float[np.ndarray, "rows classes"], Float[np.ndarray, "columns classes"]]:
    """Sum over Q what the pointwise values are made of, and Q log Q(y|i,j) per class."""
    log_1 = log_or_zero(a / a.sum(axis=1, keepdims=True))
    log_2 = log_or_zero(b / b.sum(axis=1, keepdims=True))
    row_sums, column_sums = np.zeros_like(a), np.zeros_like(b)
    cross_1, cross_2 = np.zeros(len(a)), np.zeros(len(b))
    for part, q in blocks(coupling):
        weighted = q * (log_or_zero(q) - log_or_zero(q.sum(axis=2, keepdims=True)))
        row_sums[part] = weighted.sum(axis=1)
        column_sums += weighted.sum(axis=0)
        cross_1[part] = np.einsum("ijy,jy->i", q, log_2)
        cross_2 += np.einsum("ijy,iy->j", q, log_1[part])
    terms = Terms(
        log_ratio_1=row_sums.sum(axis=1),
        log_ratio_2=column_sums.sum(axis=1),
        cross_1=cross_1,
        cross_2=cross_2,
    )
    return terms, row_sums, column_sums


def batch_margins(
    rows_1: Float[np.ndarray, "samples classes"],
    rows_2: Float[np.ndarray, "samples classes"],
    prior: Float[np.ndarray, " classes"],
) -> tuple[
    Int[np.ndarray, " used"], Float[np.ndarray, "used samples"], Float[np.ndarray, "used samples"]
]:
    """Return the classes in use and margins of some of the samples that a coupling can have.

    The two probes agree on the class totals over all samples and not over a few; each is weighed
    per class to the totals of all, without the classes that one of them lacks.

    >>> rows = np.array([[1.0, 0.0], [0.5, 0.5]])
    >>> batch_margins(rows, rows, np.array([0.5, 0.5]))[1].round(3).tolist()
    [[0.333, 0.167], [0.0, 0.5]]
    """
    totals = rows_1.sum(axis=0), rows_2.sum(axis=0)
    used = np.flatnonzero((totals[0] > 0.0) & (totals[1] > 0.0) & (prior > 0.0))
    wanted = prior[used] / prior[used].sum()
    first, second = (
        np.ascontiguousarray((rows[:, used] * (wanted / total[used])).T)
        for rows, total in ((rows_1, totals[0]), (rows_2, totals[1]))
    )
    return used, first, second
