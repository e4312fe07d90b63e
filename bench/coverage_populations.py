"""Populations of `bench_coverage.py`: samples of them, and their atoms without error."""

from __future__ import annotations

from functools import cache

import numpy as np

from pid_core import Channels, decompose_joint
from pid_core.information import row_divergence, to_bits
from pid_core.spectrum import COLUMNS

GROUP_SIZE = 4
KEEP = 0.8
"""Of a source, by the duller of two models."""


def softmax(scores: np.ndarray) -> np.ndarray:
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def noisy_copies(k: int, sure_1: float, sure_2: float) -> np.ndarray:
    """P[x1, x2, y]: both sources see y through noise of their own."""
    see = [np.full((k, k), (1 - s) / (k - 1)) + np.eye(k) * (s - (1 - s) / (k - 1)) for s in
           (sure_1, sure_2)]  # fmt: skip
    return np.einsum("iy,jy->ijy", *see) / k


def noisy_sum(k: int, noise: float, tilt: float) -> np.ndarray:
    """y = x1 + x2 mod k, through noise; x1 is not uniform, so source 2 knows a little alone."""
    p = np.zeros((k, k, k))
    weight = 1.0 + tilt * np.arange(k)
    for i in range(k):
        for j in range(k):
            p[i, j] = weight[i] * (noise / k + (1 - noise) * np.eye(k)[(i + j) % k])
    return p / p.sum()


def degraded(k: int, sure: float, keep: float) -> np.ndarray:
    """Source 2 is source 1 seen through noise: only source 1 has anything of its own."""
    first = noisy_copies(k, sure, sure).sum(axis=1)
    blur = np.full((k, k), (1 - keep) / (k - 1)) + np.eye(k) * (keep - (1 - keep) / (k - 1))
    return np.einsum("iy,ij->ijy", first, blur)


def dirichlet(seed: int, shape: tuple[int, int, int], concentration: float) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.dirichlet(np.full(int(np.prod(shape)), concentration)).reshape(shape)


@cache
def joints() -> dict[str, np.ndarray]:
    both = dirichlet(3, (6, 6, 4), 0.25)
    return {
        "noisy copies": noisy_copies(4, 0.7, 0.7),
        "one better": noisy_copies(4, 0.8, 0.6),
        "degraded": degraded(4, 0.85, 0.8),
        "both unique": both,
        "sum mod 4": noisy_sum(4, 0.1, 0.4),
        "two answers": dirichlet(5, (5, 5, 2), 0.4),
        "noisy xor": noisy_sum(2, 0.2, 0.5),
        "groups, both unique": both,
        "groups, copies": noisy_copies(4, 0.7, 0.7),
    }


@cache
def truth(name: str) -> dict[str, float]:
    """Of every column; those of "alike" by 4 million samples of I(Y; X1) and I(Y; X1, X2)."""
    if name.startswith("difference, "):
        one, two = (
            decompose_joint(p, tolerance_bits=1e-8).values
            for p in (joints()[name[12:]], duller(name[12:]))
        )
        return dict(zip(COLUMNS, (two - one).tolist(), strict=True))
    if name in joints():
        found = decompose_joint(joints()[name], tolerance_bits=1e-8)
        return dict(zip(COLUMNS, found.values.tolist(), strict=True))
    generator = np.random.default_rng(2**20)
    uniform, one, both = np.full(4, 0.25), [], []
    for _ in range(40):
        z1, z2 = generator.normal(size=(2, 100_000, 4))
        one.append(row_divergence(softmax(z1), uniform).mean())
        both.append(row_divergence(softmax(z1 + z2), uniform).mean())
    known, total = to_bits(float(np.mean(one))), to_bits(float(np.mean(both)))
    atoms = (known, 0.0, 0.0, total - known)
    return dict(zip(COLUMNS, (*atoms, total, *(a / total for a in atoms)), strict=True))


def channels_of(name: str, n: int, seed: int) -> Channels:
    generator = np.random.default_rng([seed, n])
    if name == "alike":
        z1, z2 = generator.normal(size=(2, n, 4))
        return Channels(full=softmax(z1 + z2), only_1=softmax(z1), only_2=softmax(z2))
    p = joints()[name]
    mass = p.sum(axis=2)
    groups = None
    if name.startswith("groups"):
        groups = np.repeat(np.arange(n // GROUP_SIZE), GROUP_SIZE)
        i, j = grouped_kinds(p, groups, generator)
    else:
        i, j = np.unravel_index(generator.choice(mass.size, size=n, p=mass.ravel()), mass.shape)
    return rows_of(p, i, j, groups)


def grouped_kinds(
    p: np.ndarray, groups: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """One image, several questions: the samples of a group share source 1."""
    mass = p.sum(axis=2)
    i = generator.choice(len(mass), size=int(groups.max()) + 1, p=mass.sum(axis=1))[groups]
    given = mass[i] / mass[i].sum(axis=1, keepdims=True)
    return i, (given.cumsum(axis=1) > generator.random((len(groups), 1))).argmax(axis=1)


def rows_of(p: np.ndarray, i: np.ndarray, j: np.ndarray, groups: np.ndarray | None) -> Channels:
    mass, first, second = p.sum(axis=2), p.sum(axis=1), p.sum(axis=0)
    return Channels(
        full=(p / np.where(mass > 0, mass, 1)[:, :, None])[i, j],
        only_1=(first / first.sum(axis=1, keepdims=True))[i],
        only_2=(second / second.sum(axis=1, keepdims=True))[j],
        group_id=groups,
    )


def blurred(k: int) -> np.ndarray:
    """T[i, i']: what a duller model takes a kind of sample for."""
    return np.full((k, k), (1 - KEEP) / k) + np.eye(k) * KEEP


@cache
def duller(name: str) -> np.ndarray:
    """The joint of a model that mistakes both sources now and then."""
    p = joints()[name]
    return np.einsum("ijy,ia,jb->aby", p, blurred(len(p)), blurred(p.shape[1]))


def pair_of(name: str, n: int, seed: int) -> list[Channels]:
    """Two models on the same samples, in groups of four that share source 1."""
    generator = np.random.default_rng([seed, n, 2])
    sharp, dull = joints()[name], duller(name)
    groups = np.repeat(np.arange(n // GROUP_SIZE), GROUP_SIZE)
    i, j = grouped_kinds(sharp, groups, generator)
    a, b = (
        (blurred(size)[kind].cumsum(axis=1) > generator.random((n, 1))).argmax(axis=1)
        for kind, size in ((i, len(sharp)), (j, sharp.shape[1]))
    )
    return [rows_of(sharp, i, j, groups), rows_of(dull, a, b, groups)]
