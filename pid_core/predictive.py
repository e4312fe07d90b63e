"""Turns candidate scores into predictive distributions, with the fall-back under tau."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from jaxtyping import Bool, Float

from pid_core.channels import as_mask, candidate_groups, check_valid
from pid_core.errors import ChannelError
from pid_core.information import row_divergence, to_bits

DEFAULT_TAU = 0.3
"""Candidate mass below which a row is not an answer but something else (Xiu26 eq. 5)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictive:
    """P-hat per row, and per noise draw where the scores had draws."""

    probabilities: Float[np.ndarray, "*rows candidates"]
    """(N, K) or (N, D, K): rows sum to 1, 0 outside the valid candidates."""
    fallback: Bool[np.ndarray, "*rows"]
    """(N,) or (N, D): the row fell back to uniform over its valid candidates."""
    mass: Float[np.ndarray, "*rows"]
    """(N,) or (N, D): sum of exp(score) over the valid candidates."""

    def mean(self) -> Float[np.ndarray, "samples candidates"]:
        """Average over draws (after tau, which acts per draw); (N, K) comes back as it is."""
        if self.probabilities.ndim == 2:
            return self.probabilities
        return self.probabilities.mean(axis=1)


def predictive(scores: object, valid: object = None, tau: float = DEFAULT_TAU) -> Predictive:
    """Renormalise scores over the valid candidates; uniform where they hold too little mass.

    Parameters
    ----------
    scores : (N, K), or (N, D, K) with D noise draws: natural-log likelihoods of the candidates
        under the full vocabulary, normalised by token length. -inf is allowed, nan and values
        above 0 are not.
    valid : (N, K) mask of the candidates a sample offers; None means all.
    tau : rows with less mass than this fall back; 0 turns the fall-back off.

    References
    ----------
    Xiu, Luo, Nakayama 2026, eq. 5.

    Examples
    --------
    >>> result = predictive(np.log([[0.6, 0.2], [0.01, 0.04]]))
    >>> result.probabilities.round(2).tolist(), result.fallback.tolist()
    ([[0.75, 0.25], [0.5, 0.5]], [False, True])
    """
    if hasattr(scores, "detach"):
        scores = cast("Any", scores).detach().cpu().double().numpy()
    values = np.array(cast("Any", scores), dtype=np.float64)
    if values.ndim not in (2, 3) or 0 in values.shape:
        raise ChannelError(
            f"scores must have shape (N, K) or (N, D, K) with no axis empty, got {values.shape}"
        )
    if not 0.0 <= tau <= 1.0:
        raise ChannelError(f"tau is a probability mass between 0 and 1, got {tau}")
    mask = as_mask(valid, "valid", (values.shape[0], values.shape[-1]))
    check_valid(mask)
    offered = mask if values.ndim == 2 else np.broadcast_to(mask[:, None, :], values.shape)
    bad = np.argwhere(offered & (np.isnan(values) | (values > 1e-6)))
    if bad.size:
        row = tuple(bad[0])
        raise ChannelError(
            f"scores are log-likelihoods, at most 0 and not nan; row {row[0]} has {values[row]:.6g}"
        )
    values = np.where(offered, values, -np.inf)
    likelihood = np.exp(values)
    mass = likelihood.sum(axis=-1)
    uniform = offered / offered.sum(axis=-1, keepdims=True)
    fallback = (mass < tau) | (mass <= 0.0)
    top = np.where(np.isfinite(values.max(axis=-1)), values.max(axis=-1), 0.0)
    scaled = np.exp(values - top[..., None])  # so that scores of -800 keep their ratios
    total = scaled.sum(axis=-1, keepdims=True)
    normalised = np.divide(scaled, total, out=uniform.copy(), where=total > 0.0)
    return Predictive(
        probabilities=np.where(fallback[..., None], uniform, normalised),
        fallback=fallback,
        mass=mass,
    )


def fallback_information(
    probabilities: Float[np.ndarray, "samples draws candidates"],
    fallback: Bool[np.ndarray, "samples draws"],
    valid: Bool[np.ndarray, "samples candidates"],
) -> float:
    """I(Y; fell back or not) in bits, within each candidate set and averaged by size.

    >>> half = np.array([[[1.0, 0.0]], [[0.5, 0.5]]])
    >>> round(fallback_information(half, np.array([[False], [True]]), np.ones((2, 2), bool)), 4)
    0.3113
    """
    bits = 0.0
    for group in candidate_groups(valid, pool=False):
        p = probabilities[group.rows].reshape(-1, probabilities.shape[-1])
        fell = fallback[group.rows].reshape(-1)
        prior = p.mean(axis=0)
        for state in (fell, ~fell):
            if state.any():
                divergence = float(row_divergence(p[state].mean(axis=0)[None, :], prior)[0])
                bits += to_bits(divergence) * state.mean() * len(group.rows) / len(valid)
    return float(bits)


@dataclass(frozen=True, kw_only=True, eq=False)
class RawScores:
    """Candidate scores of every condition, sample and noise draw, before tau.

    Scores as in `predictive`: (N, D, K) natural-log likelihoods; the joint run, where nothing is
    masked, usually has one draw, (N, 1, K) or (N, K).
    """

    full: object
    only_1: object
    only_2: object
    neither: object = None
    """Both sources masked; None where it was not run."""
    valid: object = None
    """(N, K) mask of the candidates each sample offers; None means all."""
    group_id: object = None
    """(N,) labels of samples that are not independent."""
    condition: object = None
    """(N,) labels of what both sources are read under, as in `Channels`."""

    def predict(self, tau: float = DEFAULT_TAU) -> Mapping[str, Predictive]:
        """P-hat of every condition that was scored, keyed full, only_1, only_2, neither."""
        scored = {"full": self.full, "only_1": self.only_1, "only_2": self.only_2}
        if self.neither is not None:
            scored["neither"] = self.neither
        return {name: predictive(scores, self.valid, tau) for name, scores in scored.items()}
