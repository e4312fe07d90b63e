from __future__ import annotations

import numpy as np
import pytest

from pid_core import ChannelError, predictive


def test_rows_with_mass_are_renormalised_and_rows_without_fall_back():
    result = predictive(np.log([[0.3, 0.1, 0.2], [0.1, 0.05, 0.05]]))
    assert result.probabilities == pytest.approx(
        np.array([[1 / 2, 1 / 6, 1 / 3], [1 / 3, 1 / 3, 1 / 3]])
    )
    assert result.mass == pytest.approx([0.6, 0.2])
    assert result.fallback.tolist() == [False, True]


def test_mass_at_tau_is_enough_and_tau_zero_turns_the_fallback_off():
    scores = np.log([[0.25, 0.25], [1e-30, 3e-30]])
    assert predictive(scores, tau=0.5).fallback.tolist() == [False, True]
    off = predictive(scores, tau=0.0)
    assert off.fallback.tolist() == [False, False]
    assert off.probabilities[1] == pytest.approx([0.25, 0.75])


def test_candidates_that_are_not_offered_count_for_nothing():
    result = predictive(
        np.log([[0.2, 0.2, 0.6], [0.05, 0.05, 0.9]]),
        valid=[[True, True, False], [True, True, False]],
    )
    assert result.probabilities.tolist() == [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]]
    assert result.fallback.tolist() == [False, True]


def test_tau_acts_per_draw_before_the_mean_over_draws():
    scores = np.log([[[0.9, 0.05], [0.1, 0.1]]])
    result = predictive(scores)
    assert result.fallback.tolist() == [[False, True]]
    assert result.mean()[0, 0] == pytest.approx((0.9 / 0.95 + 0.5) / 2)
    assert result.probabilities.shape == (1, 2, 2)


def test_scores_far_below_the_smallest_double_keep_their_ratio():
    result = predictive([[-800.0, -800.0 + np.log(3.0)]], tau=0.0)
    assert result.fallback.tolist() == [True]  # a mass of 0 is nothing to renormalise
    result = predictive([[-700.0, -700.0 + np.log(3.0)]], tau=0.0)
    assert result.probabilities[0] == pytest.approx([0.25, 0.75])


def test_impossible_candidates_are_allowed():
    result = predictive([[-np.inf, np.log(0.8)], [-np.inf, -np.inf]])
    assert result.probabilities.tolist() == [[0.0, 1.0], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scores": [[0.5, -1.0]]}, "at most 0 and not nan; row 0 has 0.5"),
        ({"scores": [[np.nan, -1.0]]}, "row 0 has nan"),
        ({"scores": [-1.0, -2.0]}, r"shape \(N, K\)"),
        ({"scores": np.zeros((0, 2))}, "no axis empty"),
        ({"scores": [[-1.0, -2.0]], "tau": 1.5}, "tau is a probability mass"),
        ({"scores": [[-1.0, -2.0]], "valid": [[True, False]]}, "at least 2 valid"),
    ],
)
def test_scores_that_are_none_are_refused(arguments: dict[str, object], message: str):
    with pytest.raises(ChannelError, match=message):
        predictive(**arguments)  # type: ignore[arg-type]  # bad on purpose
