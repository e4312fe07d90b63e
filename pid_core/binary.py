"""Two classes in closed form: the join of the two probes in the Blackwell order.

For a binary answer the order is a lattice. A channel is its Lorenz (ROC) curve: sort the rows by
p(y = 1 | row) from high to low and draw the running sums of (mass of y = 0, mass of y = 1). One
channel can be garbled into another exactly when its curve lies above, so the upper concave envelope
of both curves is the curve of their join J, the least channel above both. Every feasible Q is a
channel above both, hence above J: I* >= I(Y; J). Garble J into X1 and, independently, into X2: that
is a feasible Q with I_Q <= I(Y; J). So I* = I(Y; J), in O(N log N).

References
----------
Bertschinger, Rauh, ISIT 2014 (Blackwell order and BROJA); docs/method.md section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from pid_core.coupling import AbstractCoupling, GluedCoupling
from pid_core.errors import MarginError
from pid_core.information import mutual_information
from pid_core.spread import SpreadCoupling, sum_members

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MOST_ROWS = 2000
"""Distinct rows of a source up to which the minimiser is built exactly ..."""
NEIGHBOURHOODS = 1000
"""... and into how many runs of neighbours it is merged above."""
SMALLEST_LOG = -690.0
"""log of a class that a state of J never emits, about log(TINY); it ends up multiplying a zero."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BinaryJoin:
    """The join of two binary channels, its garblings and its potentials. Nats."""

    information: float
    """I(Y; J) = I*."""
    coupling: AbstractCoupling
    """A minimiser Q; above `MOST_ROWS` rows a feasible Q within about 1e-5 bits of one."""
    potential_1: Float[np.ndarray, "rows 2"]
    """lam: derivative of I* - H(Y) with respect to a."""
    potential_2: Float[np.ndarray, "columns 2"]
    """mu: derivative with respect to b."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Curve:
    order: Int[np.ndarray, " rows"]
    points: Float[np.ndarray, "vertices 2"]


def _curve(joint: np.ndarray) -> _Curve:
    """Lorenz curve, steepest first; rows without mass are the caller's to drop."""
    order = np.argsort(joint[:, 0] / joint.sum(axis=1), kind="stable")
    return _Curve(order=order, points=np.vstack([[0.0, 0.0], np.cumsum(joint[order], axis=0)]))


def join(a: Float[np.ndarray, "rows 2"], b: Float[np.ndarray, "columns 2"]) -> BinaryJoin:
    """Solve the two-class problem exactly.

    Raises
    ------
    MarginError
        The class totals of a and b differ, so no joint distribution has both margins.

    Examples
    --------
    >>> from pid_core.information import to_bits
    >>> both = np.array([[0.5, 0.0], [0.0, 0.5]])  # two one-hot rows
    >>> to_bits(join(both, both).information)
    1.0
    """
    prior = a.sum(axis=0)
    missed = float(np.abs(prior - b.sum(axis=0)).max())
    if missed > 1e-9:
        raise MarginError(
            f"the class totals of the two sources differ by {missed:.3g}, so no joint distribution "
            "has both margins; align the sources first (marginals='calibrate')"
        )
    curve_1, curve_2 = _curve(a), _curve(b)
    points = np.vstack([curve_1.points[:-1], curve_2.points[1:-1], prior[None, :]])
    corners = _upper_hull(points)
    states = np.diff(corners, axis=0)
    states = np.maximum(states[states.sum(axis=1) > 0.0], 0.0)
    corners = np.vstack([[0.0, 0.0], np.cumsum(states, axis=0)])
    lam, mu = _potentials(states, corners, curve_1, curve_2)
    coupling: AbstractCoupling
    if max(len(a), len(b)) > MOST_ROWS:
        coupling = _of_neighbours(a, b, curve_1, curve_2)
    else:
        coupling = GluedCoupling(
            states=states,
            garbling_1=_garbling(states, corners, a, curve_1),
            garbling_2=_garbling(states, corners, b, curve_2),
        )
    return BinaryJoin(
        information=mutual_information(states),
        coupling=coupling,
        potential_1=lam,
        potential_2=mu,
    )


def _of_neighbours(
    a: np.ndarray, b: np.ndarray, curve_1: _Curve, curve_2: _Curve
) -> AbstractCoupling:
    """Couple runs of neighbours on the curves and spread the result.

    Garblings cost rows times states. Rows that are neighbours among a thousand are so alike that
    taking them for one loses about 1e-6 bits, and the bound on I* does not need them.
    """
    members: list[np.ndarray] = []
    for curve in (curve_1, curve_2):
        n = len(curve.order)
        member = np.empty(n, dtype=np.int64)
        member[curve.order] = np.arange(n) * min(n, NEIGHBOURHOODS) // n
        members.append(member)
    first, second = members
    merged_1, merged_2 = sum_members(a, first), sum_members(b, second)
    merged_2 = merged_2 * (merged_1.sum(axis=0) / merged_2.sum(axis=0))
    clusters = join(merged_1, merged_2).coupling.rows(0, len(merged_1))
    return SpreadCoupling.over(clusters, a, first, b, second)


def _upper_hull(points: np.ndarray) -> np.ndarray:
    """Upper concave envelope, left to right, from its vertical first edge if it has one."""
    points = points[np.lexsort((points[:, 1], points[:, 0]))]  # by x, then by y ascending
    while len(points) > 2:
        # Below the chord of its neighbours a point is no corner, even if they are none either.
        step = np.diff(points, axis=0)
        turn = step[:-1, 0] * step[1:, 1] - step[:-1, 1] * step[1:, 0]
        if (turn < 0.0).all():
            return points
        if not (turn > 0.0).any():
            break
        points = points[np.concatenate([[True], turn <= 0.0, [True]])]
    hull: list[tuple[float, float]] = []
    for x, y in points.tolist():
        while len(hull) >= 2:
            (x0, y0), (x1, y1) = hull[-2], hull[-1]
            if (x1 - x0) * (y - y0) >= (y1 - y0) * (x - x0):
                hull.pop()
            else:
                break
        hull.append((x, y))
    return np.array(hull)


def _touches(corners: np.ndarray, curve: _Curve) -> np.ndarray:
    """For each corner of the envelope: the vertex of the curve that lies on it, or -1."""
    mass = curve.points.sum(axis=1)
    at = mass.searchsorted(corners.sum(axis=1))
    touches = np.full(len(corners), -1)
    for shift in (1, 0, -1):
        vertex = (at + shift).clip(0, len(mass) - 1)
        near = np.abs(curve.points[vertex] - corners).max(axis=1) < 1e-14
        touches[near] = vertex[near]
    touches[0], touches[-1] = 0, len(mass) - 1
    return touches


def _garbling(
    states: np.ndarray, corners: np.ndarray, joint: np.ndarray, curve: _Curve
) -> csr_array:
    """g(row | state) that turns J into this source: the left-curtain coupling.

    Between two corners that the curve touches, the rows are served from steepest to flattest; each
    takes the one interval of what is left of J that has its mass and its share of y = 0 (the
    "shadow"; Beiglboeck, Juillet 2016). What remains still lies above the remaining rows.
    """
    from scipy.sparse import csr_array  # a third of a second, which the dashboard need not wait for

    touches = _touches(corners, curve)
    rows: list[np.ndarray] = []
    columns: list[np.ndarray] = []
    shares: list[np.ndarray] = []
    weights = states.sum(axis=1)
    last = 0
    for corner in range(1, len(corners)):
        if touches[corner] <= touches[last] and corner < len(corners) - 1:
            continue
        segment = np.arange(last, corner)
        left = states[segment]  # what is still to be given away
        for row in curve.order[touches[last] : touches[corner]]:
            taken = _shadow(left, joint[row])
            used = taken > 0.0
            rows.append(np.full(int(used.sum()), row))
            columns.append(segment[used])
            shares.append(taken[used] / weights[segment[used]])
            left = (
                left
                * (1.0 - np.minimum(1.0, taken / np.maximum(left.sum(axis=1), 1e-300)))[:, None]
            )
        last = corner
    shape = (len(joint), len(states))
    pairs = (np.concatenate(rows), np.concatenate(columns))
    garbling = csr_array((np.concatenate(shares), pairs), shape=shape)
    total = np.asarray(garbling.sum(axis=0)).reshape(-1)
    return csr_array(garbling.multiply(1.0 / np.maximum(total, 1e-300)))


def _shadow(left: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Mass to take from each remaining state: a run of states that sums to `target`.

    The states are sorted, so the y = 0 mass of the run from t to t + |target| grows with t, piece
    by piece linearly; its value at the breakpoints brackets the t that gives target[0].
    """
    if len(left) == 1:
        return np.array([target.sum()])
    mass = np.concatenate([[0.0], np.cumsum(left.sum(axis=1))])
    zeros = np.concatenate([[0.0], np.cumsum(left[:, 0])])
    wanted = float(target.sum())
    end = max(mass[-1] - wanted, 0.0)
    starts = np.unique(np.clip(np.concatenate([mass, mass - wanted]), 0.0, end))
    got = np.interp(starts + wanted, mass, zeros) - np.interp(starts, mass, zeros)
    start = float(np.interp(float(target[0]), np.maximum.accumulate(got), starts))
    overlap = np.minimum(mass[1:], start + wanted) - np.maximum(mass[:-1], start)
    return np.maximum(overlap, 0.0)


def _potentials(
    states: np.ndarray, corners: np.ndarray, curve_1: _Curve, curve_2: _Curve
) -> tuple[np.ndarray, np.ndarray]:
    """Differentiate sum_s J_s log(J_sy / J_s) with respect to the rows of both sources.

    The s-th state is the difference of two corners, and a corner is the running sum of the rows of
    the source that touches it; so a row is paid log q_(s-1) - log q_s by every later corner of its
    own source. The last corner, prior to both, is booked on source 1.
    """
    with np.errstate(divide="ignore"):
        log_q = np.maximum(np.log(states / states.sum(axis=1, keepdims=True)), SMALLEST_LOG)
    pay = np.vstack([log_q[:-1] - log_q[1:], log_q[-1:]])  # of the corners 1..S
    potentials: list[np.ndarray] = []
    owned = np.zeros(len(corners), dtype=bool)
    for curve in (curve_1, curve_2):
        touches = _touches(corners, curve)
        mine = (touches >= 0) & ~owned
        owned |= mine
        value = np.zeros((len(curve.points), 2))  # paid at vertex k to the rows before it
        own = np.flatnonzero(mine)
        own = own[1:] if mine[0] else own
        np.add.at(value, touches[own], pay[own - 1])
        later = np.cumsum(value[::-1], axis=0)[::-1][1:]
        potential = np.empty_like(later)
        potential[curve.order] = later
        potentials.append(potential)
    return potentials[0], potentials[1]
