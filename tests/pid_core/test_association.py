"""Rank correlations against closed forms, scipy and what they must not depend on."""

from __future__ import annotations

import itertools
from math import asin, pi, sqrt
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import example, given
from hypothesis import strategies as st

from pid_core import PidError
from pid_core.association import (
    EXACT_UP_TO,
    FEWEST,
    adjusted,
    bootstrap_counts,
    closer,
    expanded_tail,
    spearman,
)


def _pair(seed: int, n: int, rho: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    x, z = np.random.default_rng(seed).normal(size=(2, n))
    return x, rho * x + sqrt(1 - rho**2) * z


def test_a_perfect_order_is_one_and_its_p_value_counts_the_orders() -> None:
    found = spearman([1, 2, 3, 4], [10, 20, 30, 1000])
    assert found.rho == 1.0
    assert found.p_value == pytest.approx(2 / 24), "two of the 24 orders are as extreme"
    assert spearman([1, 2, 3, 4, 5], [5, 4, 3, 2, 1]).rho == -1.0
    assert spearman(range(30), range(30)).p_value == 0.0


def test_rho_is_the_textbook_formula_where_nothing_is_tied() -> None:
    x, y = [3, 1, 4, 2, 5, 9], [2, 7, 1, 8, 3, 4]
    ranks = [np.argsort(np.argsort(one)) for one in (x, y)]
    squared = ((ranks[0] - ranks[1]) ** 2).sum()
    assert spearman(x, y).rho == pytest.approx(1 - 6 * squared / (6 * 35))


@pytest.mark.parametrize("n", [9, 26, 200])
@pytest.mark.parametrize("tied", [False, True])
def test_rho_and_p_are_those_of_scipy(n: int, tied: bool) -> None:
    x, y = _pair(n, n, 0.4)
    if tied:
        x, y = x.round(), y.round()
    found, theirs = spearman(x, y), scipy.stats.spearmanr(x, y)
    assert found.rho == pytest.approx(theirs.statistic, abs=1e-12)
    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert (found.n, found.method) == (n, "t")


@pytest.mark.parametrize("tied", [False, True])
def test_few_models_are_permuted_as_scipy_permutes_them(tied: bool) -> None:
    x, y = _pair(3, 6, 0.7)
    if tied:
        x, y = x.round(), y.round()
    theirs: Any = scipy.stats.permutation_test(
        (x,),
        lambda one: float(scipy.stats.spearmanr(one, y).statistic),
        permutation_type="pairings",
        n_resamples=1000,  # there are 720, and all are taken
    )
    found = spearman(x, y)
    assert found.method == "exact"
    assert found.p_value == pytest.approx(theirs.pvalue, abs=1e-12)


def test_the_two_ways_to_a_p_value_meet_where_they_change() -> None:
    # rho = 0.5 and 0.8 or so, at the last number of models that is permuted.
    for seed in range(20):
        x, y = _pair(seed, EXACT_UP_TO, 0.6)
        found, by_t = spearman(x, y), scipy.stats.spearmanr(x, y)
        assert found.p_value == pytest.approx(by_t.pvalue, abs=0.04)


def test_exact_p_values_are_false_as_often_as_they_say() -> None:
    values = [
        spearman(range(5), order, resamples=2).p_value for order in itertools.permutations(range(5))
    ]
    for level in (0.02, 0.1, 0.3):
        assert np.mean(np.array(values) <= level + 1e-12) <= level + 1e-12


@given(st.integers(0, 2**31), st.integers(4, 20))
@example(11087449, 4)
def test_only_the_order_counts(seed: int, n: int) -> None:
    x, y = _pair(seed, n)
    found = spearman(x, y, resamples=200)
    again = spearman(np.exp(x), 3 * y + 7, resamples=200)
    assert repr(again) == repr(found)  # an interval that there is none of is not equal to itself
    if abs(found.rho) == 1:
        return
    mirrored = spearman(x, -y, resamples=200)
    assert mirrored.rho == pytest.approx(-found.rho)
    assert mirrored.interval == pytest.approx((-found.interval[1], -found.interval[0]))
    swapped = spearman(y, x, resamples=200)
    assert (swapped.rho, swapped.p_value) == pytest.approx((found.rho, found.p_value))


@given(st.integers(0, 2**31))
def test_each_resample_is_ranked_as_if_it_were_written_out(seed: int) -> None:
    from pid_core.association import _resampled

    x, y = (one.round(1) for one in _pair(seed, 7))
    counts, _ = bootstrap_counts(7, resamples=20, seed=seed)
    rows = [np.repeat(np.arange(7), row.astype(int)) for row in counts]
    for found, places in zip(_resampled(x, y, counts), rows, strict=True):
        if len(set(x[places])) > 1 and len(set(y[places])) > 1:
            assert found == pytest.approx(scipy.stats.spearmanr(x[places], y[places]).statistic)
        else:
            assert np.isnan(found)


@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_intervals_hold_what_they_promise_at_the_size_of_the_papers_table(rho: float) -> None:
    true = 6 / pi * asin(rho / 2)
    inside = 0
    for seed in range(120):
        low, high = spearman(*_pair(seed, 26, rho), resamples=300, seed=seed).interval
        inside += low <= true <= high
    assert inside / 120 >= 0.93


def test_families_are_drawn_as_a_whole() -> None:
    counts, units = bootstrap_counts(6, ["a", "a", "b", "b", "b", "c"], resamples=50)
    assert units == 3
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 2] == counts[:, 4]).all()
    x, y = _pair(1, 8, 0.5)
    alone = spearman(x, y)
    copied = spearman(np.repeat(x, 3), np.repeat(y, 3), groups=np.repeat(np.arange(8), 3))
    naive = spearman(np.repeat(x, 3), np.repeat(y, 3))
    assert copied.interval == pytest.approx(alone.interval)
    assert np.diff(naive.interval) < 0.7 * np.diff(alone.interval)


def test_models_without_a_number_are_left_out_and_counted() -> None:
    x, y = _pair(4, 12, 0.6)
    with_gaps = np.append(x, [np.nan, 1.0]), np.append(y, [1.0, np.nan])
    assert spearman(*with_gaps) == spearman(x, y)
    assert spearman(*with_gaps).n == 12


@pytest.mark.parametrize("n", range(FEWEST))
def test_fewer_than_four_models_say_nothing(n: int) -> None:
    found = spearman(range(n), range(n))
    assert np.isnan([found.rho, found.p_value, *found.interval]).all()
    assert found.note == f"{n} models have both numbers; at least 4 are needed"


def test_a_constant_column_has_no_order() -> None:
    found = spearman([1, 1, 1, 1, 1], [1, 2, 3, 4, 5])
    assert np.isnan(found.rho)
    assert "same number" in found.note


def test_a_perfect_order_has_no_interval_that_says_it_is_certain() -> None:
    found = spearman([1, 2, 3, 4, 5], [1, 2, 3, 4, 9])
    assert found.rho == 1.0
    assert np.isnan(found.interval).all()
    assert "perfect" in found.note


def test_two_families_give_a_rho_and_no_interval() -> None:
    found = spearman([1, 2, 3, 4], [1, 2, 4, 3], groups=["a", "a", "b", "b"])
    assert found.rho == pytest.approx(0.8)
    assert np.isnan(found.interval).all()
    assert "2 groups" in found.note


def test_the_seed_decides_every_digit() -> None:
    x, y = _pair(5, 20, 0.3)
    one, again, other = (spearman(x, y, seed=seed) for seed in (0, 0, 1))
    assert one == again
    assert one.interval != other.interval


def test_holm_and_benjamini_hochberg_follow_their_definitions() -> None:
    p = np.array([0.001, 0.2, 0.012, 0.012, 0.9])
    # By hand, of the sorted 0.001, 0.012, 0.012, 0.2, 0.9.
    assert adjusted(p).tolist() == pytest.approx([0.005, 0.4, 0.048, 0.048, 0.9])
    assert adjusted(p, "bh").tolist() == pytest.approx([0.005, 0.25, 0.02, 0.02, 0.9])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_corrections_agree_with_scipy_and_keep_the_order(p: list[float]) -> None:
    found = adjusted(p, "bh")
    assert found == pytest.approx(scipy.stats.false_discovery_control(p), abs=1e-12)
    holm = adjusted(p)
    assert (holm >= np.array(p) - 1e-15).all()
    assert (holm >= found - 1e-12).all(), "Holm promises more, so it finds less"
    order = np.argsort(p, kind="stable")
    assert (np.diff(holm[order]) >= 0).all()


def test_what_has_no_p_value_is_not_counted() -> None:
    found = adjusted([0.02, np.nan, 0.03])
    assert found[[0, 2]].tolist() == pytest.approx([0.04, 0.04])
    assert np.isnan(found[1])


def test_few_models_reach_further_out_and_many_do_not() -> None:
    tails = [expanded_tail(0.95, n) for n in (4, 10, 26, 1000)]
    assert tails == sorted(tails)
    assert tails[-1] == pytest.approx(0.025, rel=0.01)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: spearman([1, 2], [1, 2, 3]), "one number per model"),
        (lambda: spearman([1, np.inf, 2, 3], [1, 2, 3, 4]), "infinite"),
        (lambda: spearman([1, 2, 3, 4], [1, 2, 3, 4], groups=["a"]), "groups"),
        (lambda: spearman([1, 2, 3, 4], [1, 2, 4, 3], level=1.0), "level"),
        (lambda: bootstrap_counts(3, ["a"]), "groups"),
        (lambda: adjusted([0.1, 1.5]), "between 0 and 1"),
    ],
)
def test_what_makes_no_sense_is_refused(call, words: str) -> None:
    with pytest.raises(PidError, match=words):
        call()


def test_what_goes_more_closely_with_an_outcome_is_told_from_what_does_not() -> None:
    generator = np.random.default_rng(5)
    outcome = generator.normal(size=26)
    near, far = outcome + 0.3 * generator.normal(size=26), generator.normal(size=26)
    found = closer(outcome, near, far)
    assert found.first == pytest.approx(spearman(outcome, near).rho)
    assert found.difference == pytest.approx(found.first - spearman(outcome, far).rho)
    assert found.interval[0] > 0
    assert found.p_value < 0.05
    other = closer(outcome, far, near)
    assert other.difference == pytest.approx(-found.difference)
    assert other.p_value == pytest.approx(found.p_value)


def test_two_correlations_share_their_models() -> None:
    outcome = [1.0, 2.0, 3.0, 4.0, 5.0, np.nan]
    found = closer(outcome, [1, 2, 3, 5, np.nan, 4], [2, 1, np.nan, 4, 3, 9])
    assert (found.n, found.note[:8]) == (3, "3 models")
    same = closer(range(9), range(9), range(9))
    assert (same.difference, same.interval) == (0.0, (0.0, 0.0))
    assert same.p_value == pytest.approx(1.0, abs=0.01)
    assert closer(range(9), range(9), [1] * 9).note.startswith("all models")
    few = closer(range(6), [0, 1, 2, 3, 5, 4], [1, 0, 3, 2, 5, 4], groups=[0, 0, 1, 1, 2, 2])
    assert few.note.startswith("3 groups")
    with pytest.raises(PidError, match="shapes"):
        closer([1, 2], [1, 2, 3], [1, 2])


def test_a_difference_that_is_none_is_seldom_called_one() -> None:
    generator = np.random.default_rng(0)
    sure = 0
    for _ in range(120):
        outcome, one, two = generator.normal(size=(3, 12))
        sure += closer(outcome, outcome + one, outcome + two, resamples=300).p_value < 0.05
    assert sure <= 10


def test_the_bootstrap_takes_no_square_of_the_rows() -> None:
    """Samples are correlated too, and there are thousands: 40,000 squared are 13 GB."""
    x, y = _pair(0, 40_000, 0.5)
    low, high = spearman(x, y, resamples=20).interval
    assert 0.4 < low < high < 0.6
