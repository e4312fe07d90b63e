"""A feasible joint distribution Q(x1, x2, y), kept in factors and expanded a few rows at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from pid_core.certificate import scale_into_margins
from pid_core.information import log_or_zero

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BLOCK_ENTRIES = 2_000_000
"""Entries of Q that are expanded at once: 16 MB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms:
    """Sums over a feasible Q that the pointwise values are made of. Nats, one entry per row."""

    log_ratio_1: Float[np.ndarray, " rows"]
    """sum_jy Q_ijy log Q(y|i,j)."""
    log_ratio_2: Float[np.ndarray, " columns"]
    """sum_iy Q_ijy log Q(y|i,j)."""
    cross_1: Float[np.ndarray, " rows"]
    """sum_jy Q_ijy log p(y|x2_j): row i seen with what source 2 alone says."""
    cross_2: Float[np.ndarray, " columns"]
    """sum_iy Q_ijy log p(y|x1_i)."""


class AbstractCoupling(ABC):
    """Anything that can give rows of Q."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """Number of rows (x1), columns (x2) and classes (y)."""

    @abstractmethod
    def rows(self, start: int, stop: int) -> Float[np.ndarray, "block columns classes"]:
        """Q for x1 in start..stop-1, all x2, all y."""

    def terms(
        self,
        log_1: Float[np.ndarray, "rows classes"],
        log_2: Float[np.ndarray, "columns classes"],
    ) -> Terms:
        """Sum over Q what the pointwise values need.

        Parameters
        ----------
        log_1, log_2 : log p(y|x1) and log p(y|x2); 0 where the probability is 0.
        """
        log_ratio_1, cross_1 = np.zeros(len(log_1)), np.zeros(len(log_1))
        log_ratio_2, cross_2 = np.zeros(len(log_2)), np.zeros(len(log_2))
        for part, q in blocks(self):
            r = q.sum(axis=2, keepdims=True)
            each = (q * (log_or_zero(q) - log_or_zero(r))).sum(axis=2)
            log_ratio_1[part] = each.sum(axis=1)
            log_ratio_2 += each.sum(axis=0)
            cross_1[part] = np.einsum("ijy,jy->i", q, log_2)
            cross_2 += np.einsum("ijy,iy->j", q, log_1[part])
        return Terms(
            log_ratio_1=log_ratio_1, log_ratio_2=log_ratio_2, cross_1=cross_1, cross_2=cross_2
        )


def blocks(
    coupling: AbstractCoupling,
) -> Iterator[tuple[slice, Float[np.ndarray, "block columns classes"]]]:
    """Walk over Q in slices of rows that fit in the cache."""
    n, m, k = coupling.shape
    size = max(1, BLOCK_ENTRIES // max(1, m * k))
    for start in range(0, n, size):
        stop = min(n, start + size)
        yield slice(start, stop), coupling.rows(start, stop)


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaledCoupling(AbstractCoupling):
    """Q_ijy = kernel_ij u_iy v_jy, plus a product per class that fills the margins exactly."""

    kernel: Float[np.ndarray, "rows columns"]
    u: Float[np.ndarray, "rows classes"]
    v: Float[np.ndarray, "columns classes"]
    missing_rows: Float[np.ndarray, "rows classes"]
    """What the scaled Q lacks in each row."""
    missing_columns: Float[np.ndarray, "columns classes"]
    """What it lacks in each column, divided by the class total: the product fills both."""

    @classmethod
    def rounded(
        cls,
        a: Float[np.ndarray, "rows classes"],
        b: Float[np.ndarray, "columns classes"],
        kernel: Float[np.ndarray, "rows columns"],
        u: Float[np.ndarray, "rows classes"],
        v: Float[np.ndarray, "columns classes"],
    ) -> ScaledCoupling:
        """Round factors whose margins are only nearly right to a feasible Q."""
        u, v = scale_into_margins(a, b, kernel, u, v)
        lack_rows = np.maximum(a - u * (kernel @ v), 0.0)
        lack_columns = np.maximum(b - v * (kernel.T @ u), 0.0)
        total = lack_columns.sum(axis=0)
        return cls(
            kernel=kernel,
            u=u,
            v=v,
            missing_rows=lack_rows,
            missing_columns=np.divide(
                lack_columns, total, out=np.zeros_like(lack_columns), where=total > 0.0
            ),
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of rows, columns and classes."""
        return len(self.u), len(self.v), self.u.shape[1]

    def rows(self, start: int, stop: int) -> Float[np.ndarray, "block columns classes"]:
        """Q for the rows start..stop-1."""
        part = slice(start, stop)
        q = self.kernel[part, :, None] * self.u[part, None, :] * self.v[None, :, :]
        q += self.missing_rows[part, None, :] * self.missing_columns[None, :, :]
        return q


@dataclass(frozen=True, kw_only=True, eq=False)
class GluedCoupling(AbstractCoupling):
    """Q_ijy = sum_s J_sy g1(i|s) g2(j|s): sources independent given the state of a third one."""

    states: Float[np.ndarray, "states classes"]
    """Joint distribution J of the third channel's state and y."""
    garbling_1: csr_array
    """g1(i|s), sparse, rows x states; columns sum to 1."""
    garbling_2: csr_array
    """g2(j|s), sparse, columns x states."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of rows, columns and classes."""
        return self.garbling_1.shape[0], self.garbling_2.shape[0], self.states.shape[1]

    def rows(self, start: int, stop: int) -> Float[np.ndarray, "block columns classes"]:
        """Q for the rows start..stop-1."""
        part = self.garbling_1[start:stop]
        slices = [
            (part.multiply(self.states[:, y]) @ self.garbling_2.T).toarray()
            for y in range(self.states.shape[1])
        ]
        return np.stack(slices, axis=2)

    def terms(
        self,
        log_1: Float[np.ndarray, "rows classes"],
        log_2: Float[np.ndarray, "columns classes"],
    ) -> Terms:
        """Sum over the few pairs that share a state; the N x M array is never formed."""
        from scipy.sparse import csr_array  # when a spectrum is estimated, not when one is shown

        n, m, k = self.shape
        log_ratio_1, cross_1 = np.zeros(n), np.zeros(n)
        log_ratio_2, cross_2 = np.zeros(m), np.zeros(m)
        both = csr_array((n, m))
        for y in range(k):
            q = csr_array(self.garbling_1.multiply(self.states[:, y]) @ self.garbling_2.T)
            both = both + q
            cross_1 += q @ log_2[:, y]
            cross_2 += q.T @ log_1[:, y]
            own = q.copy()
            own.data = q.data * log_or_zero(q.data)
            log_ratio_1 += own.sum(axis=1)
            log_ratio_2 += own.sum(axis=0)
        both = csr_array(both)
        both.data = both.data * log_or_zero(both.data)
        return Terms(
            log_ratio_1=log_ratio_1 - both.sum(axis=1),
            log_ratio_2=log_ratio_2 - both.sum(axis=0),
            cross_1=cross_1,
            cross_2=cross_2,
        )
