"""One problem of the bank: how to make its channels, and what is known about its atoms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, Int

from pid_core.channels import Channels
from pid_core.errors import PidError
from pid_core.spectrum import ATOMS

Kind = Literal["gate", "predictive", "two unique atoms", "prior", "family"]
"""What a problem is about; see the package."""
KINDS: tuple[Kind, ...] = get_args(Kind)

Known = Literal["closed form", "certified bracket", "own information only"]
"""How the truth is known: by a formula, by a solver with a certificate, or not at all."""


def _nothing() -> Mapping[str, tuple[float, float, float, float]]:
    return MappingProxyType({})


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """Channels that are made on demand, with what their atoms are. Bits.

    `make` and `make_train` draw from seeds of their own, so each call returns the same numbers.
    """

    name: str
    """Kind and short name, unique: ``gate/xor``."""
    title: str
    """What the problem is, in a few words."""
    kind: Kind
    make: Callable[[], Channels]
    """The samples to estimate on, with features that tell what the probes saw."""
    make_train: Callable[[], Channels] | None = None
    """Further samples of the same population, for estimators that train; None: split `make()`."""
    truth: Mapping[str, float] | None
    """Atoms of `make()` (of the population, for a family); None where they are not written down."""
    truth_within: float = 0.0
    """No atom of `truth` is further from its exact value."""
    known: Known = "closed form"
    """How the truth is known. A ``certified bracket`` without `truth` is to be solved for."""
    published: Mapping[str, tuple[float, float, float, float]] = field(default_factory=_nothing)
    """Estimator -> atoms that were measured on another draw of the same population."""
    source: str
    """Where the problem comes from."""
    note: str
    """What is drawn at random and by whom, and what the problem is there to show."""

    def error_of(self, atoms: Mapping[str, float]) -> float | None:
        """Return the largest distance of an atom from the truth in bits; None without a truth."""
        if self.truth is None:
            return None
        return max(abs(atoms[name] - self.truth[name]) for name in ATOMS)


def atoms_of(
    redundancy: float, unique_1: float, unique_2: float, synergy: float
) -> Mapping[str, float]:
    """Return the four atoms by name."""
    values = (redundancy, unique_1, unique_2, synergy)
    return MappingProxyType({name: float(x) for name, x in zip(ATOMS, values, strict=True)})


def check_size(n: int, step: int) -> None:
    """Refuse a number of samples over which the cells cannot be spread evenly.

    >>> check_size(10, 4)
    Traceback (most recent call last):
        ...
    pid_core.errors.PidError: this problem is balanced exactly, so n must be a positive multiple \
of 4, got 10
    """
    if n < step or n % step:
        raise PidError(
            f"this problem is balanced exactly, so n must be a positive multiple of {step}, got {n}"
        )


def softmax(
    scores: Float[np.ndarray, "samples candidates"],
) -> Float[np.ndarray, "samples candidates"]:
    """Return the distributions of rows of logits.

    >>> softmax(np.log([[3.0, 1.0]])).round(6).tolist()
    [[0.75, 0.25]]
    """
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def confident_in(
    answers: Int[np.ndarray, " samples"], confidence: float, candidates: int
) -> Float[np.ndarray, "samples candidates"]:
    """Return rows with `confidence` on one candidate and the rest spread evenly.

    >>> confident_in(np.array([1]), 0.98, 3).round(6).tolist()
    [[0.01, 0.98, 0.01]]
    """
    rows = np.full((len(answers), candidates), (1.0 - confidence) / (candidates - 1))
    rows[np.arange(len(answers)), answers] = confidence
    return rows


def seen(
    codes: Int[np.ndarray, " samples"], values: int, generator: np.random.Generator, noise: float
) -> Float[np.ndarray, "samples values"]:
    """Return features that tell a code: its one-hot row, with Gaussian noise.

    >>> seen(np.array([1]), 2, np.random.default_rng(0), noise=0.0).tolist()
    [[0.0, 1.0]]
    """
    return np.eye(values)[codes] + noise * generator.normal(size=(len(codes), values))


def bits_of_confidence(confidence: float, candidates: int) -> float:
    """Return what a row of `confident_in` tells about a uniform answer, in bits.

    Notes
    -----
    log2 K + c log2 c + (1 - c) log2((1 - c) / (K - 1)).

    >>> round(bits_of_confidence(0.98, 4), 3), round(bits_of_confidence(0.7, 4), 3)
    (1.827, 0.643)
    """
    rest = 1.0 - confidence
    spread = rest * float(np.log2(rest / (candidates - 1))) if rest > 0.0 else 0.0
    certain = confidence * float(np.log2(confidence)) if confidence > 0.0 else 0.0
    return float(np.log2(candidates)) + certain + spread
