from __future__ import annotations

import numpy as np
import pytest

from pid_core import ChannelError, answer_quality
from tests.pid_core.problems import peaked, uniform


def test_a_tie_counts_as_the_chance_to_be_right():
    assert answer_quality(uniform(8), np.zeros(8, dtype=int)).accuracy_forced == 0.25
    assert answer_quality([[0.4, 0.4, 0.2]], [2]).accuracy_forced == 0.0


def test_strict_accuracy_never_counts_an_answer_outside_the_candidates():
    quality = answer_quality(peaked(np.array([0, 1, 2]), 0.9), [0, 1, 2], [0, -1, 1])
    assert quality.accuracy_forced == 1.0
    assert quality.accuracy_strict == pytest.approx(1 / 3)
    assert answer_quality(uniform(3), [0, 1, 2]).accuracy_strict is None


def test_honest_confidence_has_no_calibration_error():
    answers = np.array([0] * 6 + [1] * 4)
    quality = answer_quality([[0.6, 0.4]] * 10, answers)
    assert quality.expected_calibration_error == pytest.approx(0.0, abs=1e-12)
    assert quality.mean_confidence == pytest.approx(0.6)


def test_calibration_error_is_weighted_by_bin():
    p = [[0.9, 0.1]] * 8 + [[0.6, 0.4]] * 2
    quality = answer_quality(p, [0] * 4 + [1] * 4 + [0, 0])
    # 8 samples sure to 0.9 and right in half the cases, 2 sure to 0.6 and right always
    assert quality.expected_calibration_error == pytest.approx(0.8 * 0.4 + 0.2 * 0.4)
    assert quality.n == 10


@pytest.mark.parametrize(
    ("answers", "strict", "message"),
    [
        ([0, 4], None, r"candidate indices 0\.\.3, row 1 has 4"),
        ([0, -1], None, "row 1 has -1"),
        ([0], None, "answers must be 2 whole numbers"),
        ([0.0, 1.0], None, "whole numbers"),
        ([0, 1], [0], "strict_choice must be 2 whole numbers"),
    ],
)
def test_answers_that_are_no_index_are_refused(answers: object, strict: object, message: str):
    with pytest.raises(ChannelError, match=message):
        answer_quality(uniform(2), answers, strict)
