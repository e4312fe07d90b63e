"""The exact paired test: McNemar's, every flip by hand, and what is refused."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pid_core import sign_flip as module
from pid_core.errors import PidError
from pid_core.sign_flip import sign_flip

ANSWERS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(ANSWERS)
def test_one_question_a_group_is_the_exact_test_of_mcnemar(
    answers: list[tuple[bool, bool]],
) -> None:
    first, second = np.array(answers, dtype=float).T
    found = sign_flip(first, second)
    assert (found.won, found.lost) == (
        sum(two and not one for one, two in answers),
        sum(one and not two for one, two in answers),
    )
    expected = (
        binomtest(found.won, found.won + found.lost).pvalue if found.won + found.lost else 1.0
    )
    assert found.p_value == pytest.approx(expected, rel=1e-9)
    assert found.method == "exact"


def test_groups_and_repeats_are_flipped_together() -> None:
    random = np.random.default_rng(0)
    first, second = random.integers(0, 2, (2, 24, 3))
    second[:10] = np.maximum(first[:10], second[:10])
    groups = np.repeat(np.arange(8), 3)
    sums = [int((second - first)[groups == group].sum()) for group in range(8)]
    ways = [abs(int(np.dot(signs, sums))) for signs in product((-1, 1), repeat=8)]
    by_hand = np.mean([way >= abs(sum(sums)) for way in ways])
    found = sign_flip(first, second, [f"g{one}" for one in groups])
    assert found.p_value == pytest.approx(by_hand, rel=1e-12)
    assert found.difference == pytest.approx((second - first).mean())


def test_copies_of_a_question_add_nothing() -> None:
    first, second = [0, 0, 0, 1, 0, 0], [1, 1, 1, 0, 1, 1]
    alone = sign_flip(first, second)
    four = np.repeat(np.arange(6), 4)
    copied = sign_flip(np.repeat(first, 4), np.repeat(second, 4), four)
    assert copied.p_value == pytest.approx(alone.p_value)
    assert sign_flip(np.repeat(first, 4), np.repeat(second, 4)).p_value < alone.p_value / 10


def test_the_normal_distribution_takes_over_where_it_is_as_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(1)
    first, second = random.random((2, 4000)) < [[0.50], [0.56]]
    exact = sign_flip(first, second)
    monkeypatch.setattr(module, "EXACT_UP_TO", 100)
    near = sign_flip(first, second)
    assert (exact.method, near.method) == ("exact", "normal")
    assert near.p_value == pytest.approx(exact.p_value, rel=0.1)
    assert 0 < exact.p_value < 0.05


def test_it_finds_by_chance_as_often_as_it_says() -> None:
    random = np.random.default_rng(2)
    groups = np.repeat(np.arange(60), 3)
    small = 0
    for _ in range(400):
        first, second = random.random((2, 60, 1)) < 0.6
        one, two = (np.repeat(side, 3) for side in (first, second))
        small += sign_flip(one, two, groups).p_value < 0.05
    assert small / 400 < 0.08


@pytest.mark.parametrize(
    ("first", "second", "groups", "match"),
    [
        ([0, 1], [0], None, "same repeats"),
        ([], [], None, "no axis empty"),
        ([0, 0.5], [0, 1], None, "row 1 that are not 0 or 1"),
        ([0, float("nan")], [0, 1], None, "row 1"),
        ([0, 1], [1, 1], ["a"], "group of each of 2 rows"),
    ],
)
def test_what_is_no_answer_is_refused(
    first: list, second: list, groups: object, match: str
) -> None:
    with pytest.raises(PidError, match=match):
        sign_flip(first, second, groups)
