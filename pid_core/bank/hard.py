"""Four cases in which both unique atoms are positive, where no simple bound helps a solver."""

from __future__ import annotations

import numpy as np

from pid_core.bank.predictive import PUBLISHED_N, PUBLISHED_SEED, Case, K, from_logits, problem_of
from pid_core.bank.problem import Problem
from pid_core.channels import Channels

PAIR_1 = np.array([1.0, 1.0, -1.0, -1.0])
"""Source 1 separates {A, B} from {C, D}."""
PAIR_2 = np.array([1.0, -1.0, 1.0, -1.0])
"""Source 2 separates {A, C} from {B, D}."""


def hard_cases(n: int = PUBLISHED_N, *, seed: int = PUBLISHED_SEED) -> tuple[Problem, ...]:
    """Return the cases with two unique atoms: pairs, soft and confident; crossed; both 1.5.

    Parameters
    ----------
    n : samples; `make_train` has 3 n.
    seed : of everything that is drawn.

    Notes
    -----
    The truths belong to 1024 samples from the default seed. For others `truth` is None: solve
    with a tight tolerance.

    >>> [one.name for one in hard_cases(8)]
    ['unique/pairs-soft', 'unique/pairs-confident', 'unique/crossed', 'unique/both']
    """
    return tuple(problem_of(case, "two unique atoms", n, seed, "unique") for case in _CASES)


def _pairs(n: int, generator: np.random.Generator, width: float, sure: float) -> Channels:
    bits = width * generator.normal(size=(2, n, 1))
    around = 0.3 * generator.normal(size=(2, n, K))
    z1, z2 = bits[0] * PAIR_1 + around[0], bits[1] * PAIR_2 + around[1]
    return from_logits(z1, z2, sure * (z1 + z2) + generator.normal(size=(n, K)), generator)


def _crossed(n: int, generator: np.random.Generator, spread: np.ndarray) -> Channels:
    z1, z2, z3 = generator.normal(size=(3, n, K))
    z1, z2 = spread * z1, spread[::-1] * z2
    return from_logits(z1, z2, z1 + z2 + z3, generator)


_WIDTHS = "the widths are ours, chosen to come near the published informations of the probes"

_CASES = (
    Case(
        name="pairs-soft",
        title="Two unique atoms, soft",
        draw=lambda n, generator: _pairs(n, generator, 1.0, 1.0),
        bracket=((0.051286, 0.326535, 0.300103, 0.147291), 1e-5),
        published={},
        note="Source 1 tells {A, B} from {C, D}, source 2 {A, C} from {B, D}: "
        "z1 = N(0, 1) (1, 1, -1, -1) + 0.3 N(0, 1) and alike, joint = z1 + z2 + N(0, 1); "
        f"{_WIDTHS} (0.364 and 0.362 bits, I* in [0.67492, 0.67681]).",
    ),
    Case(
        name="pairs-confident",
        title="Two unique atoms, confident",
        draw=lambda n, generator: _pairs(n, generator, 4.8, 2.0),
        bracket=((0.058662, 0.784984, 0.757874, 0.192641), 1e-5),
        published={},
        note="The same with 4.8 N(0, 1) in place of N(0, 1), and joint = 2 z1 + 2 z2 + N(0, 1); "
        f"{_WIDTHS} (0.822 and 0.791 bits, I* in [1.55511, 1.55655]).",
    ),
    Case(
        name="crossed",
        title="Each probe sure about two other candidates",
        draw=lambda n, generator: _crossed(n, generator, np.array([1.5, 1.5, 0.2, 0.2])),
        bracket=((0.177387, 0.202617, 0.193548, 0.237447), 7e-5),
        published={},
        note="Logits of standard deviation (1.5, 1.5, 0.2, 0.2) against (0.2, 0.2, 1.5, 1.5), "
        "joint = z1 + z2 + N(0, 1).",
    ),
    Case(
        name="both",
        title="Two probes of equal width",
        draw=lambda n, generator: _crossed(n, generator, np.full(K, 1.5)),
        bracket=((0.628876, 0.026004, 0.027699, 0.323996), 2e-4),
        published={},
        note="Independent logits of standard deviation 1.5 in both, joint = z1 + z2 + N(0, 1). In "
        "the population nothing is unique; what a finite sample shows of it is bias.",
    ),
)
