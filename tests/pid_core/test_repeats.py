"""The mean over seeds: against scipy's own interval, its coverage, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pid_core.errors import PidError
from pid_core.repeats import repeated


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9), st.floats(0.5, 0.99))
def test_the_interval_is_that_of_students_distribution(values: list[float], level: float) -> None:
    one = repeated(np.array(values), level=level)
    assert one.low <= one.mean <= one.high
    scale = float(stats.sem(values))
    if scale > 1e-9:
        ends = stats.t.interval(level, len(values) - 1, loc=np.mean(values), scale=scale)
        assert (one.low, one.high) == pytest.approx(ends, abs=1e-6)


def test_the_interval_of_three_seeds_covers_the_mean_as_often_as_it_says() -> None:
    drawn = np.random.default_rng(0).normal(0.3, 2.0, (4000, 3))
    held = sum(one.low <= 0.3 <= one.high for one in map(repeated, drawn))
    assert held / len(drawn) == pytest.approx(0.95, abs=0.012)


def test_one_repeat_has_a_mean_and_no_interval() -> None:
    one = repeated(np.array([0.5]))
    assert (one.mean, one.n) == (0.5, 1)
    assert math.isnan(one.low)
    assert math.isnan(one.high)


@pytest.mark.parametrize("values", [[], [1.0, math.nan]])
def test_nothing_and_what_is_no_number_are_refused(values: list[float]) -> None:
    with pytest.raises(PidError, match="all of them finite"):
        repeated(np.array(values))


def test_a_level_outside_of_0_to_1_is_refused() -> None:
    with pytest.raises(PidError, match="not at 95"):
        repeated(np.array([1.0, 2.0]), level=95.0)
