"""How good the answers are: accuracy, confidence and calibration of a predictive distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from pid_core.channels import as_distributions
from pid_core.errors import ChannelError

BINS = 15
"""Equal-width confidence bins of the calibration error (Guo et al. 2017)."""


@dataclass(frozen=True, kw_only=True)
class AnswerQuality:
    """Summary over n samples; every number is a share between 0 and 1."""

    accuracy_forced: float
    """Share of samples whose most probable candidate is the answer; a tie of t counts 1/t."""
    accuracy_strict: float | None
    """Share whose first token over the whole vocabulary is the answer; None if not recorded."""
    mean_confidence: float
    """Mean probability of the most probable candidate."""
    expected_calibration_error: float
    """Mean |accuracy - confidence| over 15 equal-width bins, weighted by their samples."""
    n: int


def answer_quality(
    probabilities: object, answers: object, strict_choice: object = None
) -> AnswerQuality:
    """Compare predictive distributions with the right answers.

    Parameters
    ----------
    probabilities : (N, K), rows sum to 1.
    answers : (N,) index of the right candidate.
    strict_choice : (N,) index of the candidate that the arg-max over the whole vocabulary is, -1
        where it is none of them; None if it was not recorded.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger 2017 (expected calibration error).

    Examples
    --------
    >>> quality = answer_quality([[0.8, 0.2], [0.5, 0.5]], [0, 1], [0, -1])
    >>> quality.accuracy_forced, quality.accuracy_strict, round(quality.mean_confidence, 3)
    (0.75, 0.5, 0.65)
    """
    p = as_distributions(probabilities, "probabilities")
    n, k = p.shape
    right = _indices(answers, "answers", n)
    outside = np.flatnonzero((right < 0) | (right >= k))
    if outside.size:
        raise ChannelError(
            f"answers must be candidate indices 0..{k - 1}, row {outside[0]} has "
            f"{right[outside[0]]}"
        )
    confidence = p.max(axis=1)
    tied = p >= confidence[:, None] - 1e-12
    correct = tied[np.arange(n), right] / tied.sum(axis=1)
    strict = None
    if strict_choice is not None:
        strict = float((_indices(strict_choice, "strict_choice", n) == right).mean())
    # Bin b holds confidences in (b / BINS, (b + 1) / BINS].
    bins = np.clip(np.ceil(confidence * BINS - 1e-12).astype(int) - 1, 0, BINS - 1)
    difference = np.bincount(bins, weights=correct - confidence, minlength=BINS)
    return AnswerQuality(
        accuracy_forced=float(correct.mean()),
        accuracy_strict=strict,
        mean_confidence=float(confidence.mean()),
        expected_calibration_error=float(np.abs(difference).sum() / n),
        n=n,
    )


def _indices(values: object, name: str, n: int) -> np.ndarray:
    if hasattr(values, "detach"):
        values = cast("Any", values).detach().cpu().numpy()
    array = np.asarray(cast("Any", values))
    if array.shape != (n,) or array.dtype.kind not in "iu":
        raise ChannelError(
            f"{name} must be {n} whole numbers, got shape {array.shape} of type {array.dtype}"
        )
    return array
