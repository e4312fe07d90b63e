"""Mean shares over models and the statement that follows from them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from pid_core import PidError
from pid_core.regimes import mean_over, medians, regime, stability


def test_the_interval_is_students_at_the_number_of_models_of_the_paper() -> None:
    values = np.random.default_rng(0).normal(0.4, 0.1, size=26)
    found = mean_over(values[:, None], resamples=20_000)[0]
    theirs = scipy.stats.t.interval(0.95, 25, values.mean(), values.std(ddof=1) / np.sqrt(26))
    assert found.mean == pytest.approx(values.mean())
    assert found.interval == pytest.approx(theirs, abs=0.003)


@pytest.mark.parametrize("n", [6, 26])
def test_intervals_hold_what_they_promise(n: int) -> None:
    generator = np.random.default_rng(n)
    found = mean_over(generator.normal(size=(n, 500)), resamples=1000)
    inside = [low <= 0 <= high for low, high in (one.interval for one in found)]
    assert 0.91 <= np.mean(inside) <= 0.98


def test_models_that_agree_leave_no_doubt() -> None:
    assert mean_over([[0.3]] * 5)[0].interval == (0.3, 0.3)


def test_families_that_agree_within_count_once() -> None:
    family = np.random.default_rng(1).normal(size=6)
    groups = np.repeat(np.arange(6), 4)
    alone = mean_over(family[:, None], resamples=4000)[0]
    grouped = mean_over(np.repeat(family, 4)[:, None], groups=groups, resamples=4000)[0]
    assert grouped.interval == pytest.approx(alone.interval)


def test_what_inflates_both_shares_of_a_model_does_not_blur_which_leads() -> None:
    unique_2 = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.45])
    found = regime(unique_2 + 0.05, unique_2)
    assert found.statement == "synergy-driven"
    assert found.difference.interval == pytest.approx((0.05, 0.05))
    assert found.synergy.interval[0] < found.unique_2.interval[1], "the shares themselves overlap"


@given(st.integers(0, 2**31), st.integers(4, 30))
def test_swapping_the_two_swaps_the_statement(seed: int, n: int) -> None:
    one, two = np.random.default_rng(seed).random((2, n))
    mirrored = {
        "synergy-driven": "knowledge-driven",
        "knowledge-driven": "synergy-driven",
        "undecided": "undecided",
    }
    found, swapped = regime(one, two, resamples=300), regime(two, one, resamples=300)
    assert swapped.statement == mirrored[found.statement]
    assert swapped.difference.mean == pytest.approx(-found.difference.mean)
    assert found.difference.mean == pytest.approx(found.synergy.mean - found.unique_2.mean)


def test_a_difference_that_may_be_zero_is_undecided() -> None:
    assert regime([0.5, 0.1, 0.4, 0.2, 0.3], [0.1, 0.5, 0.2, 0.4, 0.3]).statement == "undecided"


@pytest.mark.parametrize("n", range(4))
def test_three_models_decide_nothing(n: int) -> None:
    found = regime([0.9] * n, [0.0] * n)
    assert (found.statement, found.n) == ("too few models", n)


def test_four_models_of_one_family_decide_nothing_about_families() -> None:
    shares = [0.9] * 4, [0.0] * 4
    assert regime(*shares).statement == "synergy-driven"
    assert regime(*shares, groups=["a"] * 4).statement == "too few models"


def test_medians_are_taken_per_family_and_column() -> None:
    found = medians([[1, 10], [2, 20], [9, 0], [4, 4]], ["b", "b", "b", "a"])
    assert {name: row.tolist() for name, row in found.items()} == {"a": [4, 4], "b": [2, 10]}


def test_a_strategy_is_stable_where_families_keep_their_order() -> None:
    one = {name: place / 10 for place, name in enumerate("abcdef")}
    assert stability(one, {name: value**2 + 1 for name, value in one.items()}).rho == 1.0
    assert stability(one, {name: -value for name, value in one.items()}).rho == -1.0
    assert stability(one, {"a": 1.0, "b": 2.0, "z": 0.0}).n == 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mean_over([[np.nan]] * 4), "finite"),
        (lambda: mean_over([1.0, 2.0]), "shape"),
        (lambda: regime([1.0], [1.0, 2.0]), "one number per model"),
        (lambda: medians([[1.0]], ["a", "b"]), "labels"),
    ],
)
def test_what_makes_no_sense_is_refused(call, words: str) -> None:
    with pytest.raises(PidError, match=words):
        call()
