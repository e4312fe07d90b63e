"""Changes from size to size: means over benchmarks, and what their intervals cover."""

import numpy as np
import pytest
import scipy.stats

from pid_core import PidError
from pid_core.scaling import mean_change


def test_one_benchmark_keeps_its_paired_interval_and_says_nothing_of_others() -> None:
    found = mean_change([4.0], [1.0], [0.5])
    assert (found.value, found.deviation, found.bias, found.benchmarks) == (4.0, 1.0, 0.5, 1)
    assert found.over_samples == pytest.approx((3.5 - 1.96, 4.0 + 1.96), abs=1e-3)
    assert np.isnan(found.over_benchmarks).all()


def test_an_interval_over_samples_covers_the_mean_of_these_benchmarks() -> None:
    generator = np.random.default_rng(0)
    truth, errors = np.array([3.0, -1.0, 5.0]), np.array([1.0, 2.0, 0.5])
    tries = [
        mean_change(truth + errors * generator.normal(size=3), errors).over_samples
        for _ in range(400)
    ]
    held = np.mean([low <= truth.mean() <= high for low, high in tries])
    assert 0.92 <= held <= 0.98


def test_an_interval_over_benchmarks_is_students_and_wide_for_two() -> None:
    values = [1.0, 3.0, 2.5, 4.0]
    found = mean_change(values, [0.1] * 4)
    theirs = scipy.stats.t.interval(0.95, 3, np.mean(values), scipy.stats.sem(values))
    assert found.over_benchmarks == pytest.approx(theirs)
    two = mean_change([1.0, 3.0], [0.1, 0.1])
    assert two.over_benchmarks[1] - two.over_benchmarks[0] > 20
    assert two.over_samples[1] - two.over_samples[0] < 0.5


def test_what_is_not_known_of_one_benchmark_is_not_known_of_the_mean() -> None:
    found = mean_change([1.0, 2.0], [0.1, np.nan])
    assert found.value == 1.5
    assert np.isnan(found.over_samples).all()
    assert mean_change([1.0, 2.0], [0.1, 0.1], [np.nan, 0.4]).bias == 0.2


def test_a_change_without_benchmarks_is_refused() -> None:
    for values, errors in (([], []), ([1.0], [0.1, 0.2]), ([np.nan], [0.1]), ([1.0], [-0.1])):
        with pytest.raises(PidError):
            mean_change(values, errors)
