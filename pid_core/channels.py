"""The three predictive distributions of every sample, checked once at the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from pid_core.errors import ChannelError

ROW_SUM_TOLERANCE = 1e-5
"""Rows may miss 1 by this much (float32 arithmetic); they are then rescaled to sum to 1 exactly."""


def as_float64(values: object, name: str, dimensions: int) -> np.ndarray:
    """Copy lists, numpy arrays or torch tensors into a float64 array of `dimensions` axes."""
    if hasattr(values, "detach"):  # a torch tensor, told by behaviour so that torch stays optional
        values = cast("Any", values).detach().cpu().double().numpy()
    try:
        array = np.array(cast("Any", values), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ChannelError(f"{name} must be a rectangular array of numbers: {error}") from error
    if array.ndim != dimensions:
        raise ChannelError(
            f"{name} must have {dimensions} axes, got shape {array.shape}; "
            "rows are samples, the last axis is candidates"
        )
    return array


def as_mask(values: object, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Copy a mask of exactly this shape; None means everything is valid."""
    if values is None:
        return np.ones(shape, dtype=bool)
    if hasattr(values, "detach"):
        values = cast("Any", values).detach().cpu().numpy()
    mask = np.array(cast("Any", values))
    if mask.shape != shape:
        raise ChannelError(f"{name} must have shape {shape}, got {mask.shape}")
    if mask.dtype != bool and not np.isin(mask, (0, 1)).all():
        raise ChannelError(f"{name} must hold true and false only, got values of type {mask.dtype}")
    return mask.astype(bool)


def check_valid(valid: Bool[np.ndarray, "samples candidates"]) -> None:
    """Every sample needs at least two candidates to choose from."""
    few = np.flatnonzero(valid.sum(axis=1) < 2)
    if few.size:
        raise ChannelError(
            f"every sample needs at least 2 valid candidates, row {few[0]} has "
            f"{int(valid[few[0]].sum())} ({few.size} such rows); drop those samples"
        )


def as_distributions(
    values: object, name: str, valid: Bool[np.ndarray, "samples candidates"] | None = None
) -> Float[np.ndarray, "samples candidates"]:
    """Check that each row is a distribution over its valid candidates, and rescale it exactly.

    Raises
    ------
    ChannelError
        With the row and the value that broke the rule.
    """
    rows = as_float64(values, name, 2)
    if rows.shape[0] == 0:
        raise ChannelError(f"{name} holds no sample; at least one is needed")
    if rows.shape[1] < 2:
        raise ChannelError(f"{name} has {rows.shape[1]} candidate(s); at least 2 are needed")
    bad = np.argwhere(~np.isfinite(rows))
    if bad.size:
        row, column = bad[0]
        raise ChannelError(f"{name} must be finite, row {row} has {rows[row, column]}")
    bad = np.argwhere(rows < 0.0)
    if bad.size:
        row, column = bad[0]
        raise ChannelError(f"{name} must not be negative, row {row} has {rows[row, column]:.6g}")
    sums = rows.sum(axis=1)
    bad = np.flatnonzero(np.abs(sums - 1.0) > ROW_SUM_TOLERANCE)
    if bad.size:
        raise ChannelError(
            f"every row of {name} must sum to 1, row {bad[0]} sums to {sums[bad[0]]:.6g} "
            f"({bad.size} such rows); hand in probabilities, not scores"
        )
    if valid is not None:
        outside = np.where(valid, 0.0, rows).sum(axis=1)
        bad = np.flatnonzero(outside > ROW_SUM_TOLERANCE)
        if bad.size:
            raise ChannelError(
                f"{name} must be 0 outside the valid candidates, row {bad[0]} has "
                f"{outside[bad[0]]:.6g} there; mask before normalising"
            )
        rows = np.where(valid, rows, 0.0)
    return rows / rows.sum(axis=1, keepdims=True)


@dataclass(frozen=True, init=False, eq=False)
class Channels:
    """Predictive distributions of N samples under the two sources together and each alone.

    Lists, numpy arrays and torch tensors are accepted; inside, everything is float64 and read-only.

    Parameters
    ----------
    full, only_1, only_2 : (N, K) distributions; a row may miss 1 by 1e-5 and is then rescaled.
    features_1, features_2 : (N, d1) and (N, d2), for estimators that need them.
    valid : (N, K) mask of the candidates each sample offers; None means all.
    group_id : (N,) labels of samples that are not independent.
    condition : (N,) labels of what both sources are read under, such as the instruction: each value
        is solved by itself, and the atoms are averages by their shares (MI26 section 2.2). None
        means one condition for all.

    Raises
    ------
    ChannelError
        Wrong shapes, rows that do not sum to 1, negative or non-finite entries, fewer than two
        candidates, no sample.

    Examples
    --------
    >>> channels = Channels(full=[[1, 0], [0, 1]], only_1=[[1, 0], [0, 1]], only_2=[[.5, .5]] * 2)
    >>> channels.n_samples, channels.n_candidates
    (2, 2)
    >>> Channels(full=[[1.0, 0.5]], only_1=[[1, 0]], only_2=[[1, 0]])
    Traceback (most recent call last):
        ...
    pid_core.errors.ChannelError: every row of full must sum to 1, row 0 sums to 1.5 \
(1 such rows); hand in probabilities, not scores
    """

    full: Float[np.ndarray, "samples candidates"]
    """p(y | x1, x2): both sources readable."""
    only_1: Float[np.ndarray, "samples candidates"]
    """p(y | x1): source 2 masked."""
    only_2: Float[np.ndarray, "samples candidates"]
    """p(y | x2): source 1 masked."""
    features_1: Float[np.ndarray, "samples width_1"] | None
    """Pooled features of source 1; the certified estimator does not need them."""
    features_2: Float[np.ndarray, "samples width_2"] | None
    """Pooled features of source 2."""
    valid: Bool[np.ndarray, "samples candidates"]
    """Which candidates each sample offers."""
    group_id: Shaped[np.ndarray, " samples"] | None
    """Samples with one id are not independent (one image, one video): intervals cluster on it."""
    condition: Shaped[np.ndarray, " samples"] | None
    """Samples with one label share one p(y); None where all do."""

    def __init__(
        self,
        *,
        full: object,
        only_1: object,
        only_2: object,
        features_1: object = None,
        features_2: object = None,
        valid: object = None,
        group_id: object = None,
        condition: object = None,
    ) -> None:
        shape = as_float64(full, "full", 2).shape
        mask = as_mask(valid, "valid", (shape[0], shape[1]))
        for name, given in (("full", full), ("only_1", only_1), ("only_2", only_2)):
            rows = as_float64(given, name, 2)
            if rows.shape != shape:
                raise ChannelError(f"{name} must have the shape of full {shape}, got {rows.shape}")
            self._keep(name, as_distributions(rows, name, mask))
        check_valid(mask)
        self._keep("valid", mask)
        for name, given in (("features_1", features_1), ("features_2", features_2)):
            self._keep(name, None if given is None else _features(given, name, shape[0]))
        for name, given in (("group_id", group_id), ("condition", condition)):
            labels = None if given is None else np.array(cast("Any", given))
            if labels is not None and labels.shape != (shape[0],):
                raise ChannelError(
                    f"{name} needs one entry per sample ({shape[0]}), got shape {labels.shape}"
                )
            self._keep(name, labels)

    def _keep(self, name: str, array: np.ndarray | None) -> None:
        if array is not None:
            array.setflags(write=False)
        object.__setattr__(self, name, array)

    @property
    def n_samples(self) -> int:
        """Number of samples N."""
        return self.full.shape[0]

    @property
    def n_candidates(self) -> int:
        """Width K of the candidate axis: the largest candidate set."""
        return self.full.shape[1]

    @property
    def clusters(self) -> Int[np.ndarray, " samples"] | None:
        """Index of each sample's group of dependent samples; None where samples are independent."""
        if self.group_id is None:
            return None
        return np.unique(self.group_id, return_inverse=True)[1].reshape(-1)

    def at(self, rows: Int[np.ndarray, " chosen"]) -> Channels:
        """Return the channels of some of the samples, in the order given; rows may repeat."""

        def part(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[rows]

        return Channels(
            full=self.full[rows],
            only_1=self.only_1[rows],
            only_2=self.only_2[rows],
            features_1=part(self.features_1),
            features_2=part(self.features_2),
            valid=self.valid[rows],
            group_id=part(self.group_id),
            condition=part(self.condition),
        )


def _features(values: object, name: str, n: int) -> np.ndarray:
    features = as_float64(values, name, 2)
    if len(features) != n:
        raise ChannelError(f"{name} needs one row per sample ({n}), got {len(features)}")
    if not np.isfinite(features).all():
        raise ChannelError(f"{name} must be finite")
    return features


@dataclass(frozen=True, kw_only=True, eq=False)
class CandidateGroup:
    """Samples that offer the same set of candidates: they share one p(y)."""

    rows: Shaped[np.ndarray, " members"]
    """Indices of the samples."""
    columns: Shaped[np.ndarray, " offered"]
    """Indices of the candidates they offer."""


def candidate_groups(
    valid: Bool[np.ndarray, "samples candidates"],
    *,
    pool: bool,
    condition: Shaped[np.ndarray, " samples"] | None = None,
) -> list[CandidateGroup]:
    """Split the samples by their pattern of valid candidates; `pool` puts all into one group.

    The candidate set is given to every probe, so it is a condition and not a source: pooling
    samples with 2 and with 4 options makes redundancy out of nothing. What else both sources are
    read under splits them further, pooled or not.

    >>> mask = np.array([[1, 1, 0], [1, 1, 1], [1, 1, 0]], dtype=bool)
    >>> [group.rows.tolist() for group in candidate_groups(mask, pool=False)]
    [[0, 2], [1]]
    >>> told = np.array(["where", "where", "who"])
    >>> [group.rows.tolist() for group in candidate_groups(mask, pool=False, condition=told)]
    [[0], [1], [2]]
    """
    offered = np.broadcast_to(valid.any(axis=0), valid.shape) if pool else valid
    patterns, member = np.unique(offered, axis=0, return_inverse=True)
    member = member.reshape(-1)
    if condition is not None:
        told, of_condition = np.unique(condition, return_inverse=True)
        member = member * len(told) + of_condition.reshape(-1)
        patterns = np.repeat(patterns, len(told), axis=0)
    present, first = np.unique(member, return_index=True)
    return [
        CandidateGroup(rows=np.flatnonzero(member == k), columns=np.flatnonzero(patterns[k]))
        for k in present[np.argsort(first)]
    ]
