"""A coupling of clusters of rows, spread out over the rows again.

    Q(i, j, y) = Q(I, J, y) a_iy / A_Iy  b_jy / B_Jy,   i in I, j in J,

has exactly the margins a and b if Q(I, J, y) has the margins A and B, their sums over clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pid_core.coupling import AbstractCoupling, Terms
from pid_core.information import log_or_zero

SPREAD_AT_ONCE = 256
"""Rows spread out at once: 20 MB at N = 10,000."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SpreadCoupling(AbstractCoupling):
    """A coupling of clusters, spread over their members independently given the class."""

    clusters: Float[np.ndarray, "clusters_1 clusters_2 classes"]
    member_1: Int[np.ndarray, " rows"]
    share_1: Float[np.ndarray, "rows classes"]
    """a_iy / A_Iy: sums to 1 over the members of a cluster, where the cluster has mass."""
    member_2: Int[np.ndarray, " columns"]
    share_2: Float[np.ndarray, "columns classes"]

    @classmethod
    def over(
        cls,
        clusters: Float[np.ndarray, "clusters_1 clusters_2 classes"],
        joint_1: Float[np.ndarray, "rows classes"],
        member_1: Int[np.ndarray, " rows"],
        joint_2: Float[np.ndarray, "columns classes"],
        member_2: Int[np.ndarray, " columns"],
    ) -> SpreadCoupling:
        """Spread Q(I, J, y) in proportion to p(x1, y) and p(x2, y)."""
        return cls(
            clusters=clusters,
            member_1=member_1,
            share_1=_shares(joint_1, member_1),
            member_2=member_2,
            share_2=_shares(joint_2, member_2),
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of rows, columns and classes."""
        return len(self.share_1), len(self.share_2), self.share_1.shape[1]

    def rows(self, start: int, stop: int) -> Float[np.ndarray, "block columns classes"]:
        """Q for the rows start..stop-1."""
        part = slice(start, stop)
        q = self.clusters[self.member_1[part]][:, self.member_2, :]
        return q * self.share_1[part, None, :] * self.share_2[None, :, :]

    def terms(
        self,
        log_1: Float[np.ndarray, "rows classes"],
        log_2: Float[np.ndarray, "columns classes"],
    ) -> Terms:
        """Sum over clusters all that factorises; only R log R needs every pair of rows.

        log Q(i,j,y) = log Q(I,J,y) + log share_iy + log share_jy, and each of the three needs only
        sums over the members of one cluster.
        """
        own = np.einsum("IJy,IJy->Iy", self.clusters, log_or_zero(self.clusters))
        other = np.einsum("IJy,IJy->Jy", self.clusters, log_or_zero(self.clusters))
        margin_1, margin_2 = self.clusters.sum(axis=1), self.clusters.sum(axis=0)
        spread_1 = sum_members(self.share_1 * log_or_zero(self.share_1), self.member_1)
        spread_2 = sum_members(self.share_2 * log_or_zero(self.share_2), self.member_2)
        seen_1 = np.einsum("IJy,Jy->Iy", self.clusters, spread_2)
        seen_2 = np.einsum("IJy,Iy->Jy", self.clusters, spread_1)
        said_1 = sum_members(self.share_1 * log_1, self.member_1)
        said_2 = sum_members(self.share_2 * log_2, self.member_2)
        heard_1 = np.einsum("IJy,Jy->Iy", self.clusters, said_2)
        heard_2 = np.einsum("IJy,Iy->Jy", self.clusters, said_1)

        def per_row(
            share: np.ndarray, member: np.ndarray, sums: np.ndarray, margin: np.ndarray
        ) -> np.ndarray:
            whole = sums[member] + margin[member] * log_or_zero(share)
            return np.sum(share * whole, axis=1)

        pair_1, pair_2 = self._pair_entropy()
        return Terms(
            log_ratio_1=per_row(self.share_1, self.member_1, own + seen_1, margin_1) - pair_1,
            log_ratio_2=per_row(self.share_2, self.member_2, other + seen_2, margin_2) - pair_2,
            cross_1=np.sum(self.share_1 * heard_1[self.member_1], axis=1),
            cross_2=np.sum(self.share_2 * heard_2[self.member_2], axis=1),
        )

    def _pair_entropy(self) -> tuple[np.ndarray, np.ndarray]:
        """Sum R_ij log R_ij over j and over i, with R_ij = sum_y Q_ijy."""
        on_rows, on_columns = np.empty(len(self.share_1)), np.zeros(len(self.share_2))
        members_1, members_2 = _members(self.member_1), _members(self.member_2)
        for members, cluster in zip(members_1, self.clusters, strict=True):
            met = np.flatnonzero(cluster.any(axis=1))
            columns = np.concatenate([members_2[other] for other in met])
            facing = (cluster[self.member_2[columns]] * self.share_2[columns]).T
            for start in range(0, len(members), SPREAD_AT_ONCE):
                part = members[start : start + SPREAD_AT_ONCE]
                r = self.share_1[part] @ facing
                r *= log_or_zero(r)
                on_rows[part] = r.sum(axis=1)
                on_columns[columns] += r.sum(axis=0)
        return on_rows, on_columns


def sum_members(
    values: Float[np.ndarray, "rows columns"], member: Int[np.ndarray, " rows"]
) -> Float[np.ndarray, "clusters columns"]:
    """Sum the rows of each cluster.

    >>> sum_members(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([1, 0, 1])).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    sums = np.zeros((int(member.max()) + 1, values.shape[1]))
    np.add.at(sums, member, values)
    return sums


def _shares(joint: np.ndarray, member: np.ndarray) -> np.ndarray:
    of_cluster = sum_members(joint, member)[member]
    return np.divide(joint, of_cluster, out=np.zeros_like(joint), where=of_cluster > 0.0)


def _members(member: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(member, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(member[order])) + 1)
