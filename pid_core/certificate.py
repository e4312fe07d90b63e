"""Rigorous bounds on the BROJA minimum from any primal or dual point, optimal or not.

Everything here works on the negative conditional entropy F(Q) = sum Q log(Q / R), with
R_ij = sum_y Q_ijy; I_Q(Y; X1, X2) = H(Y) + F(Q), and H(Y) is fixed by the margins. Nats.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pid_core.information import TINY, log_or_zero, mutual_information


def data_processing_bound(
    a: Float[np.ndarray, "rows classes"], b: Float[np.ndarray, "columns classes"]
) -> float:
    """I* is at least I(Y; X1) and at least I(Y; X2): a joint channel beats each of its parts."""
    return max(mutual_information(a), mutual_information(b))


def dual_bound(
    a: Float[np.ndarray, "rows classes"],
    b: Float[np.ndarray, "columns classes"],
    log_u: Float[np.ndarray, "rows classes"],
    log_v: Float[np.ndarray, "columns classes"],
    log_t: Float[np.ndarray, "rows columns"],
) -> tuple[float, Float[np.ndarray, " rows"], Float[np.ndarray, " columns"]]:
    """Lower bound on min F from any potentials, made feasible by shifts per row and per column.

    The dual is: maximise <a, lam> + <b, mu> subject to T_ij = sum_y exp(lam_iy + mu_jy) <= 1.
    Subtracting log max_j T_ij from every lam_iy makes any point feasible; the columns may then rise
    until they touch 1, which can only help. The other order is tried too and the better one kept.

    Parameters
    ----------
    log_u, log_v : potentials lam and mu; -inf where the margin is 0, which adds nothing.
    log_t : log of T, the constraint's left side, at these potentials (clamped from below only).

    Returns
    -------
    The bound, and the shifts to subtract from lam (per row) and mu (per column).
    """
    weight_rows, weight_columns = a.sum(axis=1), b.sum(axis=1)
    base = float(np.sum(a * np.where(a > 0.0, log_u, 0.0)))
    base += float(np.sum(b * np.where(b > 0.0, log_v, 0.0)))

    rows_first = log_t.max(axis=1)
    columns_then = (log_t - rows_first[:, None]).max(axis=0)
    columns_first = log_t.max(axis=0)
    rows_then = (log_t - columns_first).max(axis=1)
    loss_1 = float(weight_rows @ rows_first + weight_columns @ columns_then)
    loss_2 = float(weight_columns @ columns_first + weight_rows @ rows_then)
    if loss_1 <= loss_2:
        return base - loss_1, rows_first, columns_then
    return base - loss_2, rows_then, columns_first


def scale_into_margins(
    a: Float[np.ndarray, "rows classes"],
    b: Float[np.ndarray, "columns classes"],
    kernel: Float[np.ndarray, "rows columns"],
    u: Float[np.ndarray, "rows classes"],
    v: Float[np.ndarray, "columns classes"],
) -> tuple[Float[np.ndarray, "rows classes"], Float[np.ndarray, "columns classes"]]:
    """Scale down over-full rows, then over-full columns, of Q_ijy = kernel_ij u_iy v_jy.

    Afterwards no margin is exceeded, so Q can be completed to a feasible point by adding mass
    (Altschuler, Weed, Rigollet 2017, algorithm 2).
    """
    filled = u * (kernel @ v)
    u = u * np.minimum(1.0, a / np.maximum(filled, TINY))
    filled = v * (kernel.T @ u)
    v = v * np.minimum(1.0, b / np.maximum(filled, TINY))
    return u, v


def conditional_negentropy(
    kernel: Float[np.ndarray, "rows columns"],
    u: Float[np.ndarray, "rows classes"],
    v: Float[np.ndarray, "columns classes"],
) -> float:
    """F(Q) of Q_ijy = kernel_ij u_iy v_jy, without forming Q.

    For the Q of `scale_into_margins` this is an upper bound on min F as it stands: the mass E that
    completes Q is non-negative, F is convex and homogeneous of degree 1, hence subadditive, and
    F(E) <= 0, so F(Q + E) <= F(Q) + F(E) <= F(Q).
    """
    t = u @ v.T
    return float(
        np.sum(u * log_or_zero(u) * (kernel @ v))
        + np.sum(v * log_or_zero(v) * (kernel.T @ u))
        - np.vdot(kernel, t * log_or_zero(t))
    )
