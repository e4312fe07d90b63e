"""Merged rows: bounds that hold the exact value, a spread solution with exact margins."""

import numpy as np
import pytest

from pid_core import broja, estimate
from pid_core.broja import solve_broja
from pid_core.coupling import AbstractCoupling
from pid_core.information import log_or_zero, mutual_information, to_nats
from pid_core.similar import cluster_rows, solve_merged
from pid_core.spread import sum_members
from tests.pid_core.problems import confident_case, crossed_case, soft_case

CASES = {"soft": soft_case, "confident": confident_case, "crossed": crossed_case}


def margins(case: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    channels = CASES[case](n)
    a = channels.only_1 / n
    b = channels.only_2 / n
    return a, b * (a.sum(axis=0) / b.sum(axis=0))


@pytest.mark.parametrize("case", CASES)
def test_the_bounds_hold_the_exact_value_and_close_with_more_clusters(case: str) -> None:
    a, b = margins(case, 160)
    exact = solve_broja(a, b, tolerance=to_nats(1e-3))
    gaps = []
    for clusters in (20, 80):
        merged = solve_merged(a, b, tolerance=to_nats(1e-3), max_steps=60, clusters=clusters)
        log_1, log_2 = (log_or_zero(m / m.sum(axis=1, keepdims=True)) for m in (a, b))
        upper = merged.coupling.terms(log_1, log_2).log_ratio_1.sum() - float(
            np.sum(a.sum(axis=0) * np.log(a.sum(axis=0)))
        )
        assert merged.lower <= exact.information + 1e-9
        assert upper >= exact.lower - 1e-9
        lost = sum(
            mutual_information(m) - mutual_information(sum_members(m, member))
            for m, member in ((a, merged.coupling.member_1), (b, merged.coupling.member_2))
        )
        assert upper - merged.lower <= lost + to_nats(1e-3)
        gaps.append(upper - merged.lower)
    assert gaps[1] < gaps[0]


def test_the_spread_solution_has_the_margins_and_the_sums_of_its_own_entries() -> None:
    a, b = margins("crossed", 150)
    coupling = solve_merged(a, b, tolerance=to_nats(1e-2), max_steps=60, clusters=20).coupling
    q = coupling.rows(0, 150)
    assert q.min() >= 0.0
    assert np.abs(q.sum(axis=1) - a).max() < 1e-12
    assert np.abs(q.sum(axis=0) - b).max() < 1e-12
    log_1, log_2 = (log_or_zero(m / m.sum(axis=1, keepdims=True)) for m in (a, b))
    short, long = coupling.terms(log_1, log_2), AbstractCoupling.terms(coupling, log_1, log_2)
    for name in ("log_ratio_1", "log_ratio_2", "cross_1", "cross_2"):
        assert getattr(short, name) == pytest.approx(getattr(long, name), abs=1e-12), name


def test_the_potentials_are_feasible_and_worth_the_bound() -> None:
    a, b = margins("crossed", 300)
    merged = solve_merged(a, b, tolerance=to_nats(1e-3), max_steps=60, clusters=60)
    t = np.exp(merged.potential_1) @ np.exp(merged.potential_2).T
    assert t.max() <= 1.0 + 1e-9


def test_a_problem_too_large_to_solve_in_full_says_how_it_was_merged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    channels = confident_case(160)
    plain = estimate(channels)
    monkeypatch.setattr(broja, "LARGE_PROBLEM", 80**2)
    monkeypatch.setattr("pid_core.similar.CLUSTERS", 60)
    merged = estimate(channels)
    found = merged.diagnostics
    assert "merged rows" in found.method
    assert any("nearly alike were merged" in sentence for sentence in found.warnings)
    assert found.gap_bits > 0.0
    for name, value in merged.atoms.items():
        assert abs(value - plain.atoms[name]) <= found.gap_bits + plain.diagnostics.gap_bits, name
    assert merged.pointwise.mean(axis=0) == pytest.approx(list(merged.atoms.values()), abs=1e-9)


def test_clusters_are_the_same_each_time_and_never_more_than_asked_for() -> None:
    a, _ = margins("soft", 500)
    member = cluster_rows(a, 50)
    assert member.max() + 1 <= 50
    assert np.array_equal(member, cluster_rows(a, 50))
    assert np.array_equal(cluster_rows(a, 500), np.arange(500))
