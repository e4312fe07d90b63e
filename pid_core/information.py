"""Entropies and divergences of discrete distributions: nats inside, bits at the door."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

TINY = 1e-300
"""Smallest argument of a logarithm: above the least normal double, so 1 / TINY is finite."""


def to_bits(nats: float) -> float:
    """Convert nats to bits.

    >>> round(to_bits(math.log(8)), 12)
    3.0
    """
    return nats / math.log(2.0)


def to_nats(bits: float) -> float:
    """Convert bits to nats.

    >>> to_nats(1.0) == math.log(2.0)
    True
    """
    return bits * math.log(2.0)


def log_or_zero(p: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Elementwise log p, and 0 where p is 0, so that ``p * log_or_zero(p)`` is p log p."""
    return np.log(np.where(p > 0.0, p, 1.0))


def entropy(p: Float[np.ndarray, " classes"]) -> float:
    """Entropy in nats of one distribution."""
    return -float(np.sum(p * log_or_zero(p)))


def row_entropy(p: Float[np.ndarray, "samples classes"]) -> Float[np.ndarray, " samples"]:
    """Entropy in nats of every row."""
    return -np.sum(p * log_or_zero(p), axis=1)


def row_divergence(
    p: Float[np.ndarray, "samples classes"], reference: Float[np.ndarray, " classes"]
) -> Float[np.ndarray, " samples"]:
    """KL(p_i || reference) in nats for every row; a class that no row uses adds nothing.

    A class with p > 0 and reference 0 would be infinite; it cannot occur for a reference that is a
    mean of the rows, and elsewhere it counts against `TINY`.
    """
    return np.sum(p * (log_or_zero(p) - np.log(np.maximum(reference, TINY))), axis=1)


def mutual_information(joint: Float[np.ndarray, "samples classes"]) -> float:
    """I(X; Y) in nats of a joint distribution of x (rows) and y (columns).

    >>> round(to_bits(mutual_information(np.eye(4) / 4)), 12)
    2.0
    """
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    return entropy(rows) + entropy(columns) + float(np.sum(joint * log_or_zero(joint)))
