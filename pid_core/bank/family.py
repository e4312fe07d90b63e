"""A population whose four atoms are chosen: four independent bits, one per atom."""

from __future__ import annotations

import numpy as np

from pid_core.bank.problem import Problem, atoms_of
from pid_core.channels import Channels
from pid_core.errors import PidError
from pid_core.spectrum import ATOMS


def family(
    redundancy: float = 0.5,
    unique_1: float = 0.3,
    unique_2: float = 0.2,
    synergy: float = 0.8,
    *,
    n: int = 1024,
    seed: int = 0,
) -> Problem:
    """Return a population with the atoms asked for, each between 0 and 1 bit, and n draws of it.

    Parameters
    ----------
    redundancy, unique_1, unique_2, synergy : bits, 0 to 1.
    n : samples, drawn at random from the population; 3 n more to train on.
    seed : of the draw.

    Raises
    ------
    PidError
        An atom outside [0, 1], or n below 2.

    Notes
    -----
    The answer has one bit per positive atom, and the bits are independent. Each is known with a
    confidence c such that 1 - h(c) is the atom wanted, h the entropy of a coin: to both sources,
    to source 1, to source 2, or to whoever has both (its noisy value is the xor of one coin each).
    The atoms of independent parts add up, so those of the population are exactly the numbers asked
    for, while n draws of it show what sampling does to an estimate.

    >>> one = family(0.5, 0.3, 0.2, 0.8)
    >>> one.make().n_candidates, one.truth["synergy"]
    (16, 0.8)
    >>> from pid_core import decompose_joint
    >>> found = decompose_joint(joint_of(0.5, 0.25, 0.0, 0.0))
    >>> {name: round(value, 3) + 0.0 for name, value in found.atoms.items()}
    {'redundancy': 0.5, 'unique_1': 0.25, 'unique_2': 0.0, 'synergy': 0.0}
    """
    atoms = (redundancy, unique_1, unique_2, synergy)
    for name, bits in zip(ATOMS, atoms, strict=True):
        if not 0.0 <= bits <= 1.0:
            raise PidError(f"{name} of a family is between 0 and 1 bit, got {bits}")
    if n < 2:
        raise PidError(f"a family needs at least 2 samples, got {n}")
    return Problem(
        name="family/bits",
        title="R {:.2f}, U1 {:.2f}, U2 {:.2f}, S {:.2f} bits".format(*atoms),
        kind="family",
        make=lambda: _channels(atoms, n, np.random.default_rng(seed)),
        make_train=lambda: _channels(atoms, 3 * n, np.random.default_rng([seed, 1])),
        truth=atoms_of(*atoms),
        source="made by PIDscope: independent parts, whose atoms add up",
        note=f"{n:,} draws of a population with exactly these atoms: what is missing from an exact "
        "estimate is sampling error, which falls as n grows.",
    )


def joint_of(redundancy: float, unique_1: float, unique_2: float, synergy: float) -> np.ndarray:
    """Return P[x1, x2, y] of the population, to solve by other means. Shape (|X1|, |X2|, |Y|)."""
    parts = _parts((redundancy, unique_1, unique_2, synergy))
    joint = np.ones((1, 1, 1))
    for part in parts:
        joint = np.einsum("abc,def->adbecf", joint, part).reshape(
            [a * b for a, b in zip(joint.shape, part.shape, strict=True)]
        )
    return joint


def confidence_for(bits: float) -> float:
    """Return c in [1/2, 1] with 1 - h(c) = bits, h the entropy of a coin.

    >>> confidence_for(0.0), confidence_for(1.0), round(confidence_for(0.5), 4)
    (0.5, 1.0, 0.89)
    """
    if bits in (0.0, 1.0):
        return 0.5 + bits / 2.0
    low, high = 0.5, 1.0
    for _ in range(100):
        middle = (low + high) / 2.0
        entropy = -middle * np.log2(middle) - (1.0 - middle) * np.log2(1.0 - middle)
        low, high = (middle, high) if 1.0 - entropy < bits else (low, middle)
    return (low + high) / 2.0


def _parts(atoms: tuple[float, float, float, float]) -> list[np.ndarray]:
    """P[x1, x2, y] of each positive atom's own bit; of an answer that nobody knows if all are 0."""
    parts: list[np.ndarray] = []
    for index, bits in enumerate(atoms):
        if bits == 0.0:
            continue
        sure = confidence_for(bits)
        told = np.array([[sure, 1.0 - sure], [1.0 - sure, sure]]) / 2.0  # P[noisy value, y]
        if index == 0:
            part = np.zeros((2, 2, 2))
            part[[0, 1], [0, 1]] = told
        elif index == 3:
            part = np.stack([told, told[::-1]]) / 2.0  # P[x1, x2, y], noisy value x1 xor x2
        else:
            part = np.expand_dims(told, 2 - index)
        parts.append(part)
    return parts or [np.full((1, 1, 2), 0.5)]


def _channels(
    atoms: tuple[float, float, float, float], n: int, generator: np.random.Generator
) -> Channels:
    joint = joint_of(*atoms)
    sizes = joint.shape
    cell = generator.choice(sizes[0] * sizes[1], size=n, p=joint.sum(axis=2).reshape(-1))
    x1, x2 = np.unravel_index(cell, sizes[:2])

    def posterior(margin: np.ndarray) -> np.ndarray:
        mass = margin.sum(axis=-1, keepdims=True)
        return np.divide(margin, mass, out=np.zeros_like(margin), where=mass > 0.0)

    return Channels(
        full=posterior(joint)[x1, x2],
        only_1=posterior(joint.sum(axis=1))[x1],
        only_2=posterior(joint.sum(axis=0))[x2],
        features_1=np.eye(sizes[0])[x1],
        features_2=np.eye(sizes[1])[x2],
    )
