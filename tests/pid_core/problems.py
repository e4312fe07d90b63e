"""Problems with known answers, shared by the tests of pid_core."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

import numpy as np

from pid_core import Channels


def softmax(scores: np.ndarray) -> np.ndarray:
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def peaked(classes: np.ndarray, confidence: float, k: int = 4) -> np.ndarray:
    """Rows with `confidence` on one class and the rest spread evenly."""
    p = np.full((len(classes), k), (1.0 - confidence) / (k - 1))
    p[np.arange(len(classes)), classes] = confidence
    return p


def uniform(n: int, k: int = 4) -> np.ndarray:
    return np.full((n, k), 1.0 / k)


def joint_of(
    values_1: Iterable[int], values_2: Iterable[int], answer: Callable[[int, int], int], k: int
) -> np.ndarray:
    """P[x1, x2, y] for independent uniform sources and y = answer(x1, x2)."""
    values_1, values_2 = list(values_1), list(values_2)
    p = np.zeros((len(values_1), len(values_2), k))
    for (i, x1), (j, x2) in itertools.product(enumerate(values_1), enumerate(values_2)):
        p[i, j, answer(x1, x2)] += 1.0
    return p / p.sum()


def _same() -> np.ndarray:
    p = np.zeros((2, 2, 2))
    p[0, 0, 0] = p[1, 1, 1] = 0.5
    return p


BIT = (0, 1)
AND = 0.311278124459  # redundancy of AND and OR: 3/4 log2(4/3), their I(X1;Y)

CLOSED_FORMS: dict[str, tuple[np.ndarray, tuple[float, float, float, float]]] = {
    "xor": (joint_of(BIT, BIT, lambda a, b: a ^ b, 2), (0, 0, 0, 1)),
    "and": (joint_of(BIT, BIT, lambda a, b: a & b, 2), (AND, 0, 0, 0.5)),
    "or": (joint_of(BIT, BIT, lambda a, b: a | b, 2), (AND, 0, 0, 0.5)),
    "same": (_same(), (1, 0, 0, 0)),
    "first": (joint_of(BIT, BIT, lambda a, b: a, 2), (0, 1, 0, 0)),
    "second": (joint_of(BIT, BIT, lambda a, b: b, 2), (0, 0, 1, 0)),
    "copy": (joint_of(BIT, BIT, lambda a, b: 2 * a + b, 4), (0, 1, 1, 0)),
    "sum": (joint_of(BIT, BIT, lambda a, b: a + b, 3), (0.5, 0, 0, 1)),
    "digits": (joint_of(range(4), range(4), lambda d, n: (d + n) % 4, 4), (0, 0, 0, 2)),
}
"""P[x1, x2, y] and redundancy, unique_1, unique_2, synergy in bits."""


def sampled(joint: np.ndarray, copies: int) -> Channels:
    """One sample per unit of mass of a joint with equal atoms: the true posteriors as probes."""
    n_1, n_2, _ = joint.shape
    mass = joint.sum(axis=2)
    counts = np.rint(copies * mass).astype(int)
    assert np.allclose(counts, copies * mass), "the joint is not a multiple of 1/copies"
    pairs = [(i, j) for i in range(n_1) for j in range(n_2) for _ in range(counts[i, j])]
    i, j = np.array(pairs).T
    first, second = joint.sum(axis=1), joint.sum(axis=0)
    return Channels(
        full=(joint / np.where(mass > 0, mass, 1)[:, :, None])[i, j],
        only_1=(first / first.sum(axis=1, keepdims=True))[i],
        only_2=(second / second.sum(axis=1, keepdims=True))[j],
    )


def soft_case(n: int, seed: int = 0) -> Channels:
    """z1 ~ N(0, 1), z2 ~ 1.5 N(0, 1), joint z1 + z2 + 3 N(0, 1)."""
    z1, z2, z3 = np.random.default_rng(seed).normal(size=(3, n, 4))
    return Channels(
        full=softmax(z1 + 1.5 * z2 + 3 * z3), only_1=softmax(z1), only_2=softmax(1.5 * z2)
    )


def confident_case(n: int, seed: int = 0) -> Channels:
    """z1 ~ 3 N(0, 1), z2 ~ 4 N(0, 1), joint 2 z1 + 2 z2 + 3 N(0, 1)."""
    z1, z2, z3 = np.random.default_rng(seed).normal(size=(3, n, 4))
    z1, z2 = 3 * z1, 4 * z2
    return Channels(full=softmax(2 * z1 + 2 * z2 + 3 * z3), only_1=softmax(z1), only_2=softmax(z2))


def crossed_case(n: int, seed: int = 0) -> Channels:
    """Each probe is sure about another pair of classes, so both have something unique."""
    z1, z2, z3 = np.random.default_rng(seed).normal(size=(3, n, 4))
    spread = np.array([1.5, 1.5, 0.2, 0.2])
    z1, z2 = spread * z1, spread[::-1] * z2
    return Channels(full=softmax(z1 + z2 + z3), only_1=softmax(z1), only_2=softmax(z2))


def random_channels(seed: int, n: int, k: int, sharpness: float = 2.0) -> Channels:
    z1, z2 = sharpness * np.random.default_rng(seed).normal(size=(2, n, k))
    return Channels(full=softmax(z1 + z2), only_1=softmax(z1), only_2=softmax(z2))


def random_joint(seed: int, shape: tuple[int, int, int], concentration: float = 1.0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.dirichlet(np.full(int(np.prod(shape)), concentration)).reshape(shape)
