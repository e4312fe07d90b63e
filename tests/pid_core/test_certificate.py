from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pid_core.broja import solve_broja
from pid_core.certificate import (
    conditional_negentropy,
    data_processing_bound,
    dual_bound,
    scale_into_margins,
)
from pid_core.coupling import ScaledCoupling, blocks
from pid_core.information import entropy, mutual_information
from tests.pid_core.problems import random_joint

seeds = st.integers(0, 10_000)


def _margins(seed: int, n: int = 6, m: int = 5, k: int = 3) -> tuple[np.ndarray, np.ndarray]:
    joint = random_joint(seed, (n, m, k), 0.3)
    return joint.sum(axis=1), joint.sum(axis=0)


@given(seeds)
def test_any_potentials_bound_the_minimum_from_below(seed: int):
    a, b = _margins(seed)
    best = solve_broja(a, b, tolerance=1e-5)
    log_u, log_v = np.random.default_rng(seed).normal(size=(2, 6, 3))[:, :, :]
    log_v = log_v[:5]
    log_t = np.log(np.exp(log_u) @ np.exp(log_v).T)
    value, rows, columns = dual_bound(a, b, log_u, log_v, log_t)
    assert value + entropy(a.sum(axis=0)) <= best.information + 1e-12
    feasible = np.exp(log_u - rows[:, None]) @ np.exp(log_v - columns[:, None]).T
    assert feasible.max() <= 1.0 + 1e-12


@given(seeds)
def test_any_factors_round_to_a_feasible_point_whose_value_bounds_from_above(seed: int):
    a, b = _margins(seed)
    best = solve_broja(a, b, tolerance=1e-5)
    generator = np.random.default_rng(seed)
    kernel, u, v = (generator.gamma(0.5, size=s) for s in ((6, 5), (6, 3), (5, 3)))
    coupling = ScaledCoupling.rounded(a, b, kernel, u, v)
    q = np.concatenate([block for _, block in blocks(coupling)])
    assert q.min() >= 0.0
    assert np.abs(q.sum(axis=1) - a).max() < 1e-14
    assert np.abs(q.sum(axis=0) - b).max() < 1e-14
    exact = mutual_information(q.reshape(-1, 3))
    bound = entropy(a.sum(axis=0)) + conditional_negentropy(
        kernel, *scale_into_margins(a, b, kernel, u, v)
    )
    assert best.lower - 1e-12 <= exact <= bound + 1e-12


@given(seeds)
def test_the_minimum_is_never_below_what_one_source_says(seed: int):
    a, b = _margins(seed)
    solution = solve_broja(a, b, tolerance=1e-5)
    assert solution.information >= data_processing_bound(a, b) - 1e-12
    assert solution.lower >= data_processing_bound(a, b) - 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_the_returned_potentials_are_feasible_and_prove_the_lower_bound(seed: int):
    a, b = _margins(seed, 30, 20, 4)
    solution = solve_broja(a, b, tolerance=1e-6)
    u, v = np.exp(solution.potential_1), np.exp(solution.potential_2)
    assert (u @ v.T).max() <= 1.0 + 1e-9
    a, b = solution.rows_1.joint, solution.rows_2.joint
    value = np.sum(a * np.where(a > 0, solution.potential_1, 0))
    value += np.sum(b * np.where(b > 0, solution.potential_2, 0)) + entropy(a.sum(axis=0))
    assert value <= solution.lower + 1e-12
    assert solution.information - value < 2e-6
