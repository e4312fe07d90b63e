"""Solves the BROJA problem for any number of classes: exponential multipliers, Newton-CG inside.

The dual maximises <a, lam> + <b, mu> subject to T_ij = sum_y exp(lam_iy + mu_jy) <= 1. Put a price
R_ij exp(eta log T_ij) / eta on each constraint instead of the constraint itself and minimise

    phi(lam, mu) = (1/eta) sum_ij R_ij T_ij^eta - <a, lam> - <b, mu>,

which is smooth and convex. Where its gradient vanishes, Q_ijy = R_ij T_ij^(eta-1) u_iy v_jy (with
u = exp lam, v = exp mu) has the margins a and b; R_ij <- R_ij T_ij^eta are the next multipliers.
This is the proximal point method on R in relative entropy, so a larger eta is a longer step: the
published alternating minimisation is eta = 1 with an inexact inner solution. phi is minimised by
Newton's method, the linear systems by conjugate gradients with K x K diagonal blocks as the
preconditioner; a product with the Hessian costs a few thin matrix products.

References
----------
Tseng, Bertsekas 1993 (exponential multiplier method); Banerjee, Rauh, Montufar 2018 (alternating
minimisation for unique information); docs/method.md has the derivation.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pid_core.certificate import (
    conditional_negentropy,
    data_processing_bound,
    dual_bound,
    scale_into_margins,
)
from pid_core.information import TINY, entropy

FLOOR_NATS = 8.0
"""A multiplier never falls below exp(-8) of the product of its margins. Lower ones would leave
their constraint without a price, and the lower bound, which counts the worst one, would suffer."""
BLOCK_ROWS = 256
"""Rows of the Hessian product worked on at once, so that they stay in the cache."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Iterate:
    """A point of the method, good enough to be rounded and certified."""

    kernel: Float[np.ndarray, "rows columns"]
    """R T^(eta-1)."""
    u: Float[np.ndarray, "rows classes"]
    v: Float[np.ndarray, "columns classes"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """Where the method begins, or where it came to rest: good for a problem that is much alike."""

    log_u: Float[np.ndarray, "rows classes"]
    """lam; -inf where the margin is 0."""
    log_v: Float[np.ndarray, "columns classes"]
    """mu."""
    log_r: Float[np.ndarray, "rows columns"]
    """The multipliers R."""
    eta: float
    """Length of the next proximal step."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MultiplierResult:
    """Where the method stopped and what it can prove. Nats; I*, not F."""

    lower: float
    """Rigorous lower bound on I*."""
    upper: float
    """I_Q at a feasible Q, or an upper bound on it."""
    best: Iterate
    """The iterate behind `upper`, to be rounded."""
    potential_1: Float[np.ndarray, "rows classes"]
    """lam; -inf where the margin is 0."""
    potential_2: Float[np.ndarray, "columns classes"]
    """mu."""
    iterations: int
    """Newton steps over all proximal steps."""
    residual: float
    """Sum of absolute margin errors of the last iterate, before rounding."""
    end: Start
    """The last iterate, to go on from."""
    steps: tuple[tuple[float, float, float], ...]
    """After each proximal step: seconds since the start, best upper and best lower bound."""


@dataclass(frozen=True, kw_only=True)
class MultiplierMethod:
    """Settings of the solver; the defaults serve everything measured in bench/."""

    tolerance: float
    """Stop when upper - lower falls below this, in nats."""
    max_steps: int = 60
    """Proximal steps (updates of the multipliers) at the most."""
    max_newton: int = 15
    """Newton steps per proximal step; more means that eta was too large."""
    max_conjugate: int = 400
    """Conjugate gradient steps per Newton step."""
    first_eta: float = 16.0
    """Length of the first proximal step."""
    largest_eta: float = 1e6
    """Beyond it the price of a constraint is a step function in double precision."""
    inner_tolerance: float = 0.3
    """A proximal step is solved when the margins are off by less than this / eta in total."""

    def solve(
        self,
        a: Float[np.ndarray, "rows classes"],
        b: Float[np.ndarray, "columns classes"],
        start: Start | None = None,
    ) -> MultiplierResult:
        """Minimise I_Q(Y; X1, X2) over Q with margins a (x1, y) and b (x2, y).

        Every row of `a` and `b` and every class must have positive mass, and the class totals of
        both must agree; `pid_core.broja` sees to that. `start` is the end of a similar problem;
        without it the method begins where X1 and X2 are independent given Y.
        """
        began = time.perf_counter()
        prior = a.sum(axis=0)
        rows, columns = a.sum(axis=1), b.sum(axis=1)
        uncertainty = entropy(prior)
        problem = _Problem(a, b)
        independent = np.log(rows)[:, None] + np.log(columns)[None, :]
        with np.errstate(divide="ignore"):
            log_u = np.log(a / rows[:, None])
            log_v = np.log(b / (columns[:, None] * prior))
        log_r, eta = independent, self.first_eta
        if start is not None:
            # A margin of 0 keeps its potential of -inf, and only such a margin has it.
            log_u, log_v = (
                np.where(np.isfinite(own) & np.isfinite(given), given, own)
                for own, given in ((log_u, start.log_u), (log_v, start.log_v))
            )
            log_r = np.maximum(start.log_r, independent - FLOOR_NATS)
            eta = start.eta
        lower, upper = data_processing_bound(a, b), math.inf
        potentials, best = (log_u, log_v), None
        iterations, residual = 0, math.inf
        trace: list[tuple[float, float, float]] = []

        for _ in range(self.max_steps):
            point = problem.at(log_u, log_v, log_r, eta)
            while not point.phi < 1e3:  # overflow of T^eta, or next to it: also catches nan
                eta = 1.0 + (eta - 1.0) / 4.0
                point = problem.at(log_u, log_v, log_r, eta)
            point, steps, solved = self._newton(problem, point, log_r, eta)
            iterations += steps
            log_u, log_v, residual = point.log_u, point.log_v, point.residual

            value, shift_rows, shift_columns = dual_bound(a, b, log_u, log_v, point.log_t)
            if best is None or uncertainty + value > lower:
                lower = max(lower, uncertainty + value)
                potentials = (log_u - shift_rows[:, None], log_v - shift_columns[:, None])
            value = conditional_negentropy(
                point.kernel, *scale_into_margins(a, b, point.kernel, point.u, point.v)
            )
            if best is None or uncertainty + value < upper:
                upper = uncertainty + value
                best = Iterate(kernel=point.kernel, u=point.u, v=point.v)
            trace.append((time.perf_counter() - began, upper, lower))
            if upper - lower < self.tolerance:
                break
            if solved:
                log_r = np.maximum(log_r + eta * point.log_t, independent - FLOOR_NATS)
                growth = 4.0 if steps <= 8 else 2.0 if steps <= 12 else 1.0
                eta = min(eta * growth, self.largest_eta)
            else:
                eta = 1.0 + (eta - 1.0) / 4.0

        assert best is not None  # max_steps >= 1
        return MultiplierResult(
            lower=lower,
            upper=upper,
            best=best,
            potential_1=potentials[0],
            potential_2=potentials[1],
            iterations=iterations,
            residual=residual,
            end=Start(log_u=log_u, log_v=log_v, log_r=log_r, eta=eta),
            steps=tuple(trace),
        )

    def _newton(
        self, problem: _Problem, point: _Point, log_r: np.ndarray, eta: float
    ) -> tuple[_Point, int, bool]:
        """Minimise phi at a fixed eta; tells the steps taken and whether the tolerance was met."""
        for step in range(self.max_newton + 1):
            if point.residual < max(self.inner_tolerance / eta, 1e-11):
                return point, step, True
            if step == self.max_newton:
                break
            move_u, move_v = problem.newton_direction(point, eta, self.max_conjugate)
            slope = float(np.vdot(point.error_1, move_u) + np.vdot(point.error_2, move_v))
            length, better = 1.0, None
            while length > 1e-6:
                better = problem.at(
                    point.log_u + length * move_u, point.log_v + length * move_v, log_r, eta
                )
                # 1e-14 is the rounding of phi, below which a decrease cannot be seen
                if better.phi <= point.phi - 1e-4 * length * slope + 1e-14:
                    break
                length /= 2.0
            if better is None or length <= 1e-6:
                return point, step, False
            point = better
        return point, self.max_newton, False


@dataclass(frozen=True, kw_only=True, eq=False)
class _Point:
    """phi and all that its derivatives need, at one pair of potentials."""

    log_u: np.ndarray
    log_v: np.ndarray
    u: np.ndarray
    v: np.ndarray
    log_t: np.ndarray
    t: np.ndarray
    kernel: np.ndarray
    phi: float
    filled_1: np.ndarray
    filled_2: np.ndarray
    error_1: np.ndarray
    error_2: np.ndarray
    residual: float


class _Problem:
    """phi, its gradient and its Newton direction for one pair of margins."""

    def __init__(self, a: np.ndarray, b: np.ndarray) -> None:
        self.a, self.b, self.prior = a, b, a.sum(axis=0)
        self.used_a, self.used_b = a > 0.0, b > 0.0
        self.upper = np.triu_indices(a.shape[1])

    def at(self, log_u: np.ndarray, log_v: np.ndarray, log_r: np.ndarray, eta: float) -> _Point:
        with np.errstate(over="ignore", invalid="ignore"):  # the caller rejects what is not finite
            # Per class, lam + c and mu - c are the same point: keep both of one size, because
            # rounding lets c drift until u overflows.
            level_1 = np.sum(self.a * np.where(self.used_a, log_u, 0.0), axis=0)
            level_2 = np.sum(self.b * np.where(self.used_b, log_v, 0.0), axis=0)
            centre = (level_1 - level_2) / (2.0 * self.prior)
            log_u, log_v = log_u - centre, log_v + centre
            u, v = np.exp(log_u), np.exp(log_v)
            t = u @ v.T
            np.maximum(t, TINY, out=t)
            log_t = np.log(t)
            kernel = (eta - 1.0) * log_t
            kernel += log_r
            np.exp(kernel, out=kernel)
            phi = float(np.vdot(kernel, t)) / eta
            phi -= float(np.sum(level_1) + np.sum(level_2))
            filled_1, filled_2 = u * (kernel @ v), v * (kernel.T @ u)
            error_1, error_2 = self.a - filled_1, self.b - filled_2
            residual = float(np.abs(error_1).sum() + np.abs(error_2).sum())
        return _Point(
            log_u=log_u,
            log_v=log_v,
            u=u,
            v=v,
            log_t=log_t,
            t=t,
            kernel=kernel,
            phi=phi if math.isfinite(phi) else math.inf,
            filled_1=filled_1,
            filled_2=filled_2,
            error_1=error_1,
            error_2=error_2,
            residual=residual,
        )

    def newton_direction(
        self, point: _Point, eta: float, max_conjugate: int, accuracy: float = 0.1
    ) -> tuple[np.ndarray, np.ndarray]:
        """Solve Hessian x = -gradient inexactly; moves are 0 where the margin is 0."""
        u, v, kernel = point.u, point.v, point.kernel
        curved = kernel / point.t
        curved *= eta - 1.0
        first, second = self.upper
        filled_1 = _damped(self.a, point.filled_1)
        filled_2 = _damped(self.b, point.filled_2)
        blocks_1 = self._inverse_blocks(filled_1, u, curved @ (v[:, first] * v[:, second]))
        blocks_2 = self._inverse_blocks(filled_2, v, curved.T @ (u[:, first] * u[:, second]))

        def precondition(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return (blocks_1 @ x[:, :, None])[:, :, 0], (blocks_2 @ y[:, :, None])[:, :, 0]

        # Single precision halves the memory that a product has to read and is ample for a direction
        # wanted to a tenth; the gradient, which decides where it ends, stays double.
        u_32, v_32 = u.astype(np.float32), v.astype(np.float32)
        kernel_32, curved_32 = kernel.astype(np.float32), curved.astype(np.float32)

        def hessian(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            ux, vy = (u * x).astype(np.float32), (v * y).astype(np.float32)
            left, right = np.hstack([ux, u_32]), np.hstack([v_32, vy]).T
            on_rows, on_columns = np.empty_like(u_32), np.zeros_like(v_32)
            for start in range(0, len(u), BLOCK_ROWS):
                part = slice(start, start + BLOCK_ROWS)
                change = left[part] @ right  # of T, along (x, y)
                change *= curved_32[part]
                on_rows[part] = change @ v_32 + kernel_32[part] @ vy
                on_columns += change.T @ u_32[part] + kernel_32[part].T @ ux[part]
            return x * filled_1 + u * on_rows, y * filled_2 + v * on_columns

        rest_1, rest_2 = point.error_1, point.error_2
        x, y = np.zeros_like(u), np.zeros_like(v)
        z1, z2 = precondition(rest_1, rest_2)
        p1, p2 = z1, z2
        size = first_size = float(np.vdot(rest_1, z1) + np.vdot(rest_2, z2))
        for _ in range(max_conjugate):
            h1, h2 = hessian(p1, p2)
            curvature = float(np.vdot(p1, h1) + np.vdot(p2, h2))
            if not curvature > 0.0:
                break
            step = size / curvature
            x, y = x + step * p1, y + step * p2
            rest_1, rest_2 = rest_1 - step * h1, rest_2 - step * h2
            z1, z2 = precondition(rest_1, rest_2)
            new_size = float(np.vdot(rest_1, z1) + np.vdot(rest_2, z2))
            if new_size < accuracy**2 * first_size:
                break
            p1, p2 = z1 + new_size / size * p1, z2 + new_size / size * p2
            size = new_size
        return x, y

    def _inverse_blocks(
        self, filled: np.ndarray, u: np.ndarray, products: np.ndarray
    ) -> np.ndarray:
        """Invert the K x K diagonal blocks diag(filled_i) + u_i u_i' * products_i."""
        n, k = u.shape
        first, second = self.upper
        block = np.empty((n, k, k))
        block[:, first, second] = products
        block[:, second, first] = products
        # Scaled to a unit diagonal first: margins of 1e-12 stand beside margins of 1e-3.
        scale = np.where(u > 0.0, 1.0 / np.sqrt(np.maximum(filled, TINY)), 0.0)
        scaled = u * scale
        block *= scaled[:, :, None] * scaled[:, None, :]
        block[:, np.arange(k), np.arange(k)] += 1.0
        inverse = np.linalg.inv(block)
        inverse *= scale[:, :, None] * scale[:, None, :]
        return inverse


def _damped(wanted: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """Where an entry is under-filled, (wanted - filled) / log(wanted / filled) instead of filled.

    The plain Newton step of an entry that is filled to a thousandth is a thousand nats long and
    overflows; with this diagonal it is log(wanted / filled), what scaling that entry alone would
    give. Near the solution the two are the same.
    """
    logarithm = np.log(np.maximum(wanted, TINY) / np.maximum(filled, TINY))
    under = logarithm > 1e-6
    return np.where(under, (wanted - filled) / np.where(under, logarithm, 1.0), filled)
