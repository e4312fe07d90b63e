from __future__ import annotations

import numpy as np
import pytest

from pid_core import MarginError
from pid_core.binary import join
from pid_core.broja import merge_rows, solve_broja
from pid_core.information import entropy, mutual_information
from pid_core.margins import tilt_to_prior
from pid_core.multipliers import MultiplierMethod
from tests.pid_core.problems import softmax

PRIOR = np.array([0.4, 0.6])


def _pair(seed: int, n: int, m: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return tuple(
        tilt_to_prior(softmax(sharpness * generator.normal(size=(size, 2))), PRIOR) / size
        for size in (n, m)
    )  # type: ignore[return-value]  # a pair


@pytest.mark.parametrize("sharpness", [0.3, 2.0, 10.0, 40.0])
@pytest.mark.parametrize(("n", "m"), [(1, 5), (3, 3), (40, 40), (120, 75)])
def test_the_join_brings_a_feasible_minimiser_and_a_dual_that_proves_it(
    n: int, m: int, sharpness: float
):
    a, b = _pair(n, n, m, sharpness)
    found = join(a, b)
    q = found.coupling.rows(0, n)
    assert q.min() >= 0.0
    assert np.abs(q.sum(axis=1) - a).max() < 1e-13
    assert np.abs(q.sum(axis=0) - b).max() < 1e-13
    assert mutual_information(q.reshape(-1, 2)) == pytest.approx(found.information, abs=1e-12)
    # dual feasible and equal to the primal: no better Q exists
    sums = np.exp(found.potential_1) @ np.exp(found.potential_2).T
    assert sums.max() < 1.0 + 1e-10
    value = np.sum(a * found.potential_1) + np.sum(b * found.potential_2) + entropy(PRIOR)
    assert value == pytest.approx(found.information, abs=1e-10)


def test_one_hot_rows_keep_their_vertical_first_segment():
    a = np.array([[0.3, 0.0], [0.1, 0.3], [0.0, 0.3]])  # sure rows at both ends
    b = np.array([[0.4, 0.1], [0.0, 0.5]])
    found = join(a, b)
    assert found.information >= max(mutual_information(a), mutual_information(b))
    q = found.coupling.rows(0, 3)
    assert np.abs(q.sum(axis=1) - a).max() < 1e-15
    assert np.abs(q.sum(axis=0) - b).max() < 1e-15
    both = np.array([[0.5, 0.0], [0.0, 0.5]])
    assert join(both, both).information == pytest.approx(np.log(2.0), abs=1e-15)
    even = np.array([[0.25, 0.25], [0.25, 0.25]])
    assert join(both, even).information == pytest.approx(np.log(2.0), abs=1e-15)


def test_the_order_of_equal_and_tied_rows_does_not_matter():
    a, b = _pair(1, 30, 20, 2.0)
    a, b = np.repeat(a, 3, axis=0) / 3, np.repeat(b, 2, axis=0) / 2
    shuffled = np.random.default_rng(0).permutation(len(a))
    assert join(a[shuffled], b).information == pytest.approx(join(a, b).information, abs=1e-14)


def test_empty_rows_are_dropped_before():
    a, b = _pair(2, 10, 12, 3.0)
    padded = np.vstack([a[:4], [[0.0, 0.0]], a[4:]])
    solution = solve_broja(padded, b, tolerance=1e-9)
    assert solution.method == "closed form"
    assert solution.information == pytest.approx(join(a, b).information, abs=1e-12)
    assert merge_rows(padded).member[4] == -1


def test_unequal_class_totals_are_refused():
    a, b = _pair(3, 5, 5, 1.0)
    with pytest.raises(MarginError, match="differ by"):
        join(a, b[:, ::-1])
    with pytest.raises(MarginError, match="align the sources"):
        solve_broja(a, b[:, ::-1], tolerance=1e-3)


@pytest.mark.parametrize("sharpness", [0.5, 3.0])
def test_the_iterative_solver_brackets_the_closed_form(sharpness: float):
    a, b = _pair(4, 60, 50, sharpness)
    exact = join(a, b).information
    result = MultiplierMethod(tolerance=1e-5).solve(a, b)
    assert result.lower - 1e-12 <= exact <= result.upper + 1e-12
    assert result.upper - result.lower < 1e-5


def test_many_samples_keep_the_exact_value_and_a_minimiser_within_a_hair() -> None:
    generator = np.random.default_rng(0)
    z1, z2 = generator.normal(size=(2, 5000, 2)) * np.array([2.0, 1.0])[:, None, None]
    a, b = (np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) / len(z) for z in (z1, z2))
    b = b * (a.sum(axis=0) / b.sum(axis=0))
    solution = solve_broja(a, b, tolerance=1e-3)
    assert solution.lower == pytest.approx(join(a, b).information, abs=1e-12)
    assert solution.gap < 1e-4
    for start in (0, 4990):
        q = solution.coupling.rows(start, start + 10)
        assert q.sum(axis=1) == pytest.approx(solution.rows_1.joint[start : start + 10], abs=1e-12)
