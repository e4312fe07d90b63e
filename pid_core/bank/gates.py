"""Eight gates with atoms in closed form, as samples of their exact posteriors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pid_core.bank.problem import Problem, atoms_of, check_size
from pid_core.channels import Channels

AND = 2.0 - 0.75 * float(np.log2(3.0)) - 0.5
"""I(X1;Y) of a conjunction of two fair bits, all of it redundant: 0.311278 bits."""


@dataclass(frozen=True, kw_only=True)
class _Gate:
    name: str
    title: str
    inputs: tuple[tuple[int, int], ...]
    """Equally likely pairs (x1, x2)."""
    answer: Callable[[int, int], int]
    candidates: int
    atoms: tuple[float, float, float, float]
    shows: str


_BITS = tuple((a, b) for a in (0, 1) for b in (0, 1))
_DIGITS = tuple((d, n) for d in range(4) for n in range(4))

_GATES = (
    _Gate(
        name="xor",
        title="Y = X1 xor X2",
        inputs=_BITS,
        answer=lambda a, b: a ^ b,
        candidates=2,
        atoms=(0.0, 0.0, 0.0, 1.0),
        shows="neither source alone says anything",
    ),
    _Gate(
        name="and",
        title="Y = X1 and X2",
        inputs=_BITS,
        answer=lambda a, b: a & b,
        candidates=2,
        atoms=(AND, 0.0, 0.0, 0.5),
        shows="independent sources can share information about an answer",
    ),
    _Gate(
        name="or",
        title="Y = X1 or X2",
        inputs=_BITS,
        answer=lambda a, b: a | b,
        candidates=2,
        atoms=(AND, 0.0, 0.0, 0.5),
        shows="the mirror image of the conjunction",
    ),
    _Gate(
        name="same",
        title="X1 = X2 = Y",
        inputs=((0, 0), (1, 1)),
        answer=lambda a, b: a,
        candidates=2,
        atoms=(1.0, 0.0, 0.0, 0.0),
        shows="either source is enough",
    ),
    _Gate(
        name="first",
        title="Y = X1",
        inputs=_BITS,
        answer=lambda a, b: a,
        candidates=2,
        atoms=(0.0, 1.0, 0.0, 0.0),
        shows="only source 1 matters",
    ),
    _Gate(
        name="copy",
        title="Y = (X1, X2)",
        inputs=_BITS,
        answer=lambda a, b: 2 * a + b,
        candidates=4,
        atoms=(0.0, 1.0, 1.0, 0.0),
        shows="each source has a bit of its own, and both unique atoms are positive",
    ),
    _Gate(
        name="sum",
        title="Y = X1 + X2",
        inputs=_BITS,
        answer=lambda a, b: a + b,
        candidates=3,
        atoms=(0.5, 0.0, 0.0, 1.0),
        shows="redundancy and synergy at once, with an unbalanced answer",
    ),
    _Gate(
        name="mod4",
        title="Y = (X1 + X2) mod 4",
        inputs=_DIGITS,
        answer=lambda d, n: (d + n) % 4,
        candidates=4,
        atoms=(0.0, 0.0, 0.0, 2.0),
        shows="two bits of synergy: the demo's synergy subset",
    ),
)


def gates(n: int = 1024, *, seed: int = 0) -> tuple[Problem, ...]:
    """Return the eight gates with n samples each, the pairs of inputs balanced exactly.

    Parameters
    ----------
    n : samples, a multiple of 16.
    seed : of the order of the samples, which no solver but one that trains in batches can see.

    Raises
    ------
    PidError
        If n is no positive multiple of 16.

    >>> [one.name for one in gates()][:3]
    ['gate/xor', 'gate/and', 'gate/or']
    >>> gates(16)[0].make().full[:2].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    check_size(n, 16)
    return tuple(_problem(gate, n, seed) for gate in _GATES)


def _problem(gate: _Gate, n: int, seed: int) -> Problem:
    return Problem(
        name=f"gate/{gate.name}",
        title=gate.title,
        kind="gate",
        make=lambda: _channels(gate, n, seed),
        make_train=lambda: _channels(gate, 3 * n, seed + 1),
        truth=atoms_of(*gate.atoms),
        source="closed form under the definition of Bertschinger et al. 2014",
        note=f"Shows that {gate.shows}. The masked probes are exact posteriors, the features are "
        "the inputs as one-hot rows; only the order of the samples is drawn.",
    )


def _channels(gate: _Gate, n: int, seed: int) -> Channels:
    pairs = np.array(gate.inputs)
    x1, x2 = np.random.default_rng(seed).permutation(np.repeat(pairs, n // len(pairs), axis=0)).T
    answers = np.array([gate.answer(int(a), int(b)) for a, b in zip(x1, x2, strict=True)])
    full = np.eye(gate.candidates)[answers]
    values = int(pairs.max()) + 1

    def posterior(x: np.ndarray) -> np.ndarray:
        return np.stack([full[x == v].mean(axis=0) for v in range(values)])[x]

    return Channels(
        full=full,
        only_1=posterior(x1),
        only_2=posterior(x2),
        features_1=np.eye(values)[x1],
        features_2=np.eye(values)[x2],
    )
