"""Five cases whose masked probes have other answer frequencies than the joint run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pid_core.bank.predictive import BLUR, Four, K
from pid_core.bank.problem import (
    Known,
    Problem,
    atoms_of,
    bits_of_confidence,
    check_size,
    confident_in,
    seen,
)
from pid_core.channels import Channels

CONFIDENCE = 0.97
"""Of the joint run and of every probe that is sure: 1.758 bits about a balanced answer."""

Probe = Callable[[int, np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""n rows of a masked probe, and the codes that its features tell."""


@dataclass(frozen=True, kw_only=True)
class _Prior:
    name: str
    title: str
    probe_1: Probe
    probe_2: Probe
    truth: Four | None
    reference: Four
    """What the published code gives, which takes the joint run's p(y) for every probe's."""
    note: str


def prior_cases(n: int = 500, *, seed: int = 0) -> tuple[Problem, ...]:
    """Return the five cases, with n samples to estimate on and 3 n to train on.

    Parameters
    ----------
    n : samples, a multiple of 20.
    seed : of everything that is drawn: order, skewed answers, features.

    Raises
    ------
    PidError
        If n is no positive multiple of 20.

    >>> [one.name for one in prior_cases()][:2]
    ['prior/text-always-a', 'prior/vision-always-a']
    >>> one = prior_cases()[0]
    >>> one.make().n_samples, one.make_train().n_samples, round(one.truth["synergy"], 3)
    (500, 1500, 1.758)
    """
    check_size(n, 20)
    return tuple(_problem(case, n, seed) for case in _CASES)


def _problem(case: _Prior, n: int, seed: int) -> Problem:
    known: Known = "own information only" if case.truth is None else "closed form"
    return Problem(
        name=f"prior/{case.name}",
        title=case.title,
        kind="prior",
        make=lambda: _channels(case, n, np.random.default_rng(seed)),
        make_train=lambda: _channels(case, 3 * n, np.random.default_rng([seed, 1])),
        truth=None if case.truth is None else atoms_of(*case.truth),
        known=known,
        published={"batch_reference": case.reference},
        source="made by PIDscope, after what masked probes of real models do",
        note=f"{case.note} Answer frequencies are exact here and were random in the published "
        "draw, so the reference values agree to 0.05 bits.",
    )


def _channels(case: _Prior, n: int, generator: np.random.Generator) -> Channels:
    answers = generator.permutation(n) % K
    only_1, codes_1 = case.probe_1(n, generator)
    only_2, codes_2 = case.probe_2(n, generator)
    # The joint run needs both: what source 2 tells besides is the answer minus what source 1 tells.
    hidden = generator.integers(K, size=n)
    return Channels(
        full=confident_in(answers, CONFIDENCE, K),
        only_1=only_1,
        only_2=only_2,
        features_1=np.hstack([seen(hidden, K, generator, BLUR), seen(codes_1, K, generator, BLUR)]),
        features_2=np.hstack(
            [seen((answers - hidden) % K, K, generator, BLUR), seen(codes_2, K, generator, BLUR)]
        ),
    )


def _uniform(n: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return np.full((n, K), 1.0 / K), generator.integers(K, size=n)


def _always_a(n: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return confident_in(np.zeros(n, dtype=np.int64), CONFIDENCE, K), generator.integers(K, size=n)


def _skewed(n: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    codes = generator.permutation(np.repeat(np.arange(K), [7 * n // 10, *[n // 10] * 3]))
    return confident_in(codes, CONFIDENCE, K), codes


_SURE = bits_of_confidence(CONFIDENCE, K)
_ALL_SYNERGY = (0.0, 0.0, 0.0, _SURE)

_CASES = (
    _Prior(
        name="text-always-a",
        title="Text-only always A, vision-only uniform",
        probe_1=_uniform,
        probe_2=_always_a,
        truth=_ALL_SYNERGY,
        reference=(1.747, -1.747, 0.0, 1.759),
        note="A constant probe carries nothing.",
    ),
    _Prior(
        name="vision-always-a",
        title="Vision-only always A, text-only uniform",
        probe_1=_always_a,
        probe_2=_uniform,
        truth=_ALL_SYNERGY,
        reference=(0.0, 1.747, 0.0, 0.012),
        note="A constant probe carries nothing.",
    ),
    _Prior(
        name="both-always-a",
        title="Both probes always A",
        probe_1=_always_a,
        probe_2=_always_a,
        truth=_ALL_SYNERGY,
        reference=(1.747, 0.0, 0.0, 0.012),
        note="Two constant probes carry nothing.",
    ),
    _Prior(
        name="text-skewed",
        title="Text-only skewed 70/10/10/10 and confident, vision-only uniform",
        probe_1=_uniform,
        probe_2=_skewed,
        truth=None,
        reference=(0.194, -0.194, 1.557, 0.202),
        note="The text probe carries 1.16 bits about its own skewed answers. No joint "
        "distribution has that margin and a balanced answer, so the atoms are not identifiable; "
        "an estimator has to say so.",
    ),
    _Prior(
        name="both-uniform",
        title="Both probes uniform (the tau fall-back)",
        probe_1=_uniform,
        probe_2=_uniform,
        truth=_ALL_SYNERGY,
        reference=(0.0, 0.0, 0.0, 1.759),
        note="The priors agree, and the published code is right.",
    ),
)
