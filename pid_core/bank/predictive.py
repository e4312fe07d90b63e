"""Six cases that look like a model's own predictions, four candidates each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pid_core.bank.problem import (
    Kind,
    Problem,
    atoms_of,
    bits_of_confidence,
    check_size,
    confident_in,
    seen,
    softmax,
)
from pid_core.channels import Channels

K = 4
"""Candidates of every case."""
PUBLISHED_N = 1024
"""Samples of the published measurements, beside three times as many to train on."""
PUBLISHED_SEED = 27
"""Of the seeds 0..199, the one whose informations are nearest to the published."""
BLUR = 0.1
"""Standard deviation of the noise on what the features tell."""

Draw = Callable[[int, np.random.Generator], Channels]
"""n samples of a population."""
Four = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A population of predictive distributions, with the atoms of its published size."""

    name: str
    title: str
    draw: Draw
    truth: Four | None = None
    """In closed form, for any n."""
    bracket: tuple[Four, float] | None = None
    """Atoms of 1024 samples from the default seed, and how far they may be from the exact ones."""
    step: int = 1
    """n is a multiple of this, where the draw is balanced."""
    published: dict[str, Four]
    note: str


def problem_of(case: Case, kind: Kind, n: int, seed: int, prefix: str) -> Problem:
    """Return a case as a problem with n samples and three times as many to train on."""
    check_size(n, case.step)
    truth, within = None, 0.0
    if case.truth is not None:
        truth = atoms_of(*case.truth)
    elif case.bracket is not None and (n, seed) == (PUBLISHED_N, PUBLISHED_SEED):
        truth, within = atoms_of(*case.bracket[0]), case.bracket[1]
    return Problem(
        name=f"{prefix}/{case.name}",
        title=case.title,
        kind=kind,
        make=lambda: case.draw(n, np.random.default_rng(seed)),
        make_train=lambda: case.draw(3 * n, np.random.default_rng([seed, 1])),
        truth=truth,
        truth_within=within,
        known="closed form" if case.truth is not None else "certified bracket",
        published=case.published,
        source="made by PIDscope, after what the masked probes of a model look like",
        note=case.note,
    )


def predictive_cases(n: int = PUBLISHED_N, *, seed: int = PUBLISHED_SEED) -> tuple[Problem, ...]:
    """Return the six cases: xor, unique, redundant, blackwell, soft, confident.

    Parameters
    ----------
    n : samples, a multiple of 16; `make_train` has 3 n.
    seed : of everything that is drawn.

    Raises
    ------
    PidError
        If n is no positive multiple of 16.

    Notes
    -----
    Truths that are no formula belong to 1024 samples from the default seed. For others `truth`
    is None: solve with a tight tolerance.

    >>> [one.name.split("/")[1] for one in predictive_cases(64)]
    ['xor', 'unique', 'redundant', 'blackwell', 'soft', 'confident']
    >>> {atom: round(bits, 3) for atom, bits in predictive_cases()[1].truth.items()}
    {'redundancy': 0.0, 'unique_1': 1.827, 'unique_2': 0.0, 'synergy': 0.0}
    """
    return tuple(problem_of(case, "predictive", n, seed, "predictive") for case in _CASES)


def from_logits(
    z1: np.ndarray, z2: np.ndarray, joint: np.ndarray, generator: np.random.Generator
) -> Channels:
    """Return the softmaxes, with blurred logits as features."""
    return Channels(
        full=softmax(joint),
        only_1=softmax(z1),
        only_2=softmax(z2),
        features_1=z1 + BLUR * generator.normal(size=z1.shape),
        features_2=z2 + BLUR * generator.normal(size=z2.shape),
    )


def _balanced(n: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two codes in 0..3, every pair equally often, in random order."""
    index = generator.permutation(n)
    return index % K, index // K % K


def _xor(n: int, generator: np.random.Generator) -> Channels:
    x1, x2 = _balanced(n, generator)
    nothing = np.full((n, K), 1.0 / K)
    return Channels(
        full=confident_in((x1 + x2) % K, 0.98, K),
        only_1=nothing,
        only_2=nothing,
        features_1=seen(x1, K, generator, BLUR),
        features_2=seen(x2, K, generator, BLUR),
    )


def _unique(n: int, generator: np.random.Generator) -> Channels:
    x1, x2 = _balanced(n, generator)
    full = confident_in(x1, 0.98, K)
    return Channels(
        full=full,
        only_1=full,
        only_2=np.full((n, K), 1.0 / K),
        features_1=seen(x1, K, generator, BLUR),
        features_2=seen(x2, K, generator, BLUR),
    )


def _redundant(n: int, generator: np.random.Generator) -> Channels:
    answers, _ = _balanced(n, generator)
    full = confident_in(answers, 0.7, K)
    return Channels(
        full=full,
        only_1=full,
        only_2=full,
        features_1=seen(answers, K, generator, BLUR),
        features_2=seen(answers, K, generator, BLUR),
    )


def _blackwell(n: int, generator: np.random.Generator) -> Channels:
    first = softmax(2.2 * generator.normal(size=(n, K)))
    second = 0.48 * first + 0.52 / K
    return Channels(
        full=first,
        only_1=first,
        only_2=second,
        features_1=np.log(first) + BLUR * generator.normal(size=first.shape),
        features_2=np.log(second) + BLUR * generator.normal(size=first.shape),
    )


def _soft(n: int, generator: np.random.Generator) -> Channels:
    z1, z2, z3 = generator.normal(size=(3, n, K))
    z2 = 1.5 * z2
    return from_logits(z1, z2, z1 + z2 + 3.0 * z3, generator)


def _confident(n: int, generator: np.random.Generator) -> Channels:
    z1, z2, z3 = generator.normal(size=(3, n, K))
    z1, z2 = 3.0 * z1, 4.0 * z2
    return from_logits(z1, z2, 2.0 * z1 + 2.0 * z2 + 3.0 * z3, generator)


_SURE, _SOFT = bits_of_confidence(0.98, K), bits_of_confidence(0.7, K)

_DRAWN = (
    "The population is the published one, the draw is ours: of 200 seeds the one whose "
    "informations are nearest to the published ones."
)
_BALANCED = "Answers are balanced exactly, where the published draw was random."

_CASES = (
    Case(
        name="xor",
        title="Xor: uniform probes, joint 0.98 confident",
        draw=_xor,
        truth=(0.0, 0.0, 0.0, _SURE),
        step=16,
        published={"certified": (0.0, 0.0, 0.0, 1.825), "batch": (0.0, 0.0, 0.0, 1.826)},
        note=f"Each probe alone says nothing. {_BALANCED}",
    ),
    Case(
        name="unique",
        title="Unique: p1 = joint, 0.98 confident, p2 uniform",
        draw=_unique,
        truth=(0.0, _SURE, 0.0, 0.0),
        step=16,
        published={"certified": (0.0, 1.827, 0.0, 0.0), "batch": (0.001, 1.827, 0.0, 0.0)},
        note=f"Source 2 says nothing. {_BALANCED}",
    ),
    Case(
        name="redundant",
        title="Redundant and soft: p1 = p2 = joint, 0.7 confident",
        draw=_redundant,
        truth=(_SOFT, 0.0, 0.0, 0.0),
        step=16,
        published={"certified": (0.643, 0.0, 0.0, 0.0), "batch": (0.346, 0.298, 0.298, -0.298)},
        note="Both probes are the joint run, so all is redundant, however soft the rows are. A "
        f"network that stays near independence given Y misses it. {_BALANCED}",
    ),
    Case(
        name="blackwell",
        title="Blackwell: p2 a noisier version of p1 = joint",
        draw=_blackwell,
        bracket=((0.205734, 0.747925, 0.0, 0.0), 1e-6),
        step=16,
        published={"certified": (0.208, 0.754, 0.0, 0.0), "batch": (0.184, 0.778, 0.025, -0.025)},
        note="p1 = joint = softmax of 2.2 N(0, 1), p2 = 0.48 p1 + 0.52 uniform: the widths are "
        "ours, chosen to give the published informations. Source 2 is a garbling of source 1, so "
        "it has nothing of its own.",
    ),
    Case(
        name="soft",
        title="Soft softmaxes",
        draw=_soft,
        bracket=((0.385327, 0.0, 0.270841, 0.667944), 1e-6),
        step=16,
        published={"certified": (0.382, 0.0, 0.279, 0.671), "batch": (0.251, 0.126, 0.410, 0.520)},
        note=f"z1 ~ N(0, 1), z2 ~ 1.5 N(0, 1), joint = z1 + z2 + 3 N(0, 1). {_DRAWN}",
    ),
    Case(
        name="confident",
        title="Confident softmaxes",
        draw=_confident,
        bracket=((1.188086, 0.000009, 0.181666, 0.377915), 1e-5),
        step=16,
        published={"certified": (1.188, 0.0, 0.177, 0.387), "batch": (0.799, 0.370, 0.586, 0.017)},
        note=f"z1 ~ 3 N(0, 1), z2 ~ 4 N(0, 1), joint = 2 z1 + 2 z2 + 3 N(0, 1). {_DRAWN}",
    ),
)
