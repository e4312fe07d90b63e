from __future__ import annotations

import numpy as np
import pytest

from pid_core.margins import tilt_to_prior
from pid_core.multipliers import MultiplierMethod
from tests.pid_core.problems import softmax

PRIOR = np.full(4, 0.25)


def _channel(scores: np.ndarray) -> np.ndarray:
    return tilt_to_prior(softmax(scores), PRIOR) / len(scores)


def _scores(kind: str) -> tuple[np.ndarray, np.ndarray]:
    z1, z2 = np.random.default_rng(0).normal(size=(2, 128, 4))
    spread = np.array([1.5, 1.5, 0.2, 0.2])
    truth = 6.0 * np.eye(4)[np.arange(128) % 4]
    return {
        "one sure, one loose": (3 * z1, 0.3 * z2),
        "crossed pairs": (spread * z1, spread[::-1] * z2),
        "both 1.5": (1.5 * z1, 1.5 * z2),
        "both nearly deterministic": (truth + z1, truth + z2),
        "both nearly uniform": (0.1 * z1, 0.1 * z2),
        "probabilities of 1e-20": (12 * z1, 12 * z2),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "one sure, one loose",
        "crossed pairs",
        "both 1.5",
        "both nearly deterministic",
        "both nearly uniform",
        "probabilities of 1e-20",
    ],
)
def test_easy_and_hard_probes_are_certified_to_a_ten_thousandth(kind: str):
    a, b = (_channel(scores) for scores in _scores(kind))
    result = MultiplierMethod(tolerance=1e-4).solve(a, b)
    assert 0.0 <= result.upper - result.lower < 1e-4
    assert result.iterations < 200


def test_more_steps_never_widen_the_bracket():
    a, b = (_channel(scores) for scores in _scores("crossed pairs"))
    brackets = [
        MultiplierMethod(tolerance=1e-12, max_steps=steps).solve(a, b) for steps in (1, 2, 4, 8)
    ]
    lowers, uppers = [r.lower for r in brackets], [r.upper for r in brackets]
    assert lowers == sorted(lowers)
    assert uppers == sorted(uppers, reverse=True)
    assert max(lowers) <= min(uppers)


def test_rows_with_impossible_classes_are_kept_impossible():
    a = np.array([[0.25, 0, 0, 0], [0, 0.25, 0, 0], [0, 0, 0.25, 0.25]])
    b = np.array([[0.25, 0.25, 0, 0], [0, 0, 0.25, 0], [0, 0, 0, 0.25]])
    result = MultiplierMethod(tolerance=1e-8).solve(a, b)
    # x1 and x2 together name y: all of H(Y)
    assert result.upper == pytest.approx(np.log(4.0), abs=1e-7)
    assert result.lower == pytest.approx(np.log(4.0), abs=1e-7)
