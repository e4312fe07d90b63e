"""The problem bank holds what it says: each truth is reached by a solver that does not know it."""

from __future__ import annotations

import numpy as np
import pytest

from pid_core import ATOMS, PidError, UnknownName, decompose_joint, estimate
from pid_core.bank import (
    KINDS,
    Problem,
    family,
    gates,
    get,
    hard_cases,
    predictive_cases,
    prior_cases,
    problems,
)
from pid_core.bank.family import joint_of
from pid_core.information import row_divergence, to_bits


def named(problem: Problem) -> str:
    return problem.name


def error_of(problem: Problem, found: dict[str, float]) -> float:
    error = problem.error_of(found)
    assert error is not None
    return error


def information(rows: np.ndarray) -> float:
    return to_bits(float(row_divergence(rows, rows.mean(axis=0)).mean()))


@pytest.mark.parametrize("gate", gates(), ids=named)
def test_a_gate_is_solved_to_its_closed_form(gate: Problem):
    assert error_of(gate, estimate(gate.make()).atoms) < 1e-4


@pytest.mark.parametrize("gate", gates(64), ids=named)
def test_the_features_of_a_gate_are_its_inputs(gate: Problem):
    assert error_of(gate, estimate(gate.make(), "ipfp", clusters=4).atoms) < 1e-4


@pytest.mark.parametrize(
    "case",
    [case for case in predictive_cases() if case.known == "closed form"],
    ids=named,
)
def test_a_predictive_case_with_a_formula_is_solved_to_it(case: Problem):
    assert error_of(case, estimate(case.make()).atoms) < 1e-4


LONG = {"predictive/confident", "unique/crossed", "unique/both"}
"""Cases that take seconds."""


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[pytest.mark.slow] if case.name in LONG else [])
        for case in (*predictive_cases(), *hard_cases())
        if case.known != "closed form"
    ],
)
def test_a_written_bracket_holds_what_the_solver_finds(case: Problem):
    found = estimate(case.make(), tolerance_bits=0.01)
    assert error_of(case, found.atoms) <= found.diagnostics.gap_bits + case.truth_within + 1e-6


@pytest.mark.parametrize("case", [c for c in predictive_cases() if c.published], ids=named)
def test_the_draw_is_near_the_published_one(case: Problem):
    channels = case.make()
    r, u1, u2, s = case.published["certified"]
    for rows, published in (
        (channels.only_1, r + u1),
        (channels.only_2, r + u2),
        (channels.full, r + u1 + u2 + s),
    ):
        assert information(rows) == pytest.approx(published, abs=0.01)


def test_both_unique_atoms_of_the_hard_cases_are_positive():
    for case in hard_cases():
        assert case.truth is not None
        assert min(case.truth["unique_1"], case.truth["unique_2"]) > 0.02


@pytest.mark.parametrize("case", prior_cases(), ids=named)
def test_a_prior_case_is_solved_to_its_truth_or_said_not_to_be_identifiable(case: Problem):
    found = estimate(case.make())
    if case.truth is None:
        assert any("not identifiable" in sentence for sentence in found.diagnostics.warnings)
    else:
        assert error_of(case, found.atoms) < 1e-4


@pytest.mark.parametrize("case", prior_cases(), ids=named)
def test_the_wrong_numbers_of_the_papers_code_come_out_of_its_policy(case: Problem):
    found = estimate(case.make(), marginals="reference", pointwise="x1")
    for name, published in zip(ATOMS, case.published["batch_reference"], strict=True):
        assert found.atoms[name] == pytest.approx(published, abs=0.05)


def test_a_skewed_probe_carries_the_information_that_is_published():
    assert information(get("prior/text-skewed").make().only_2) == pytest.approx(1.16, abs=0.01)


@pytest.mark.parametrize(
    "atoms", [(0.5, 0.3, 0.2, 0.8), (0.0, 0.4, 0.4, 0.0), (1.0, 0.0, 0.0, 0.25)]
)
def test_the_population_of_a_family_has_the_atoms_asked_for(
    atoms: tuple[float, float, float, float],
):
    assert error_of(family(*atoms), decompose_joint(joint_of(*atoms)).atoms) < 1e-4


def test_a_family_that_nobody_knows_has_no_information():
    assert (
        error_of(family(0.0, 0.0, 0.0, 0.0), estimate(family(0.0, 0.0, 0.0, 0.0).make()).atoms)
        < 1e-9
    )


def test_more_samples_of_a_family_are_nearer_to_its_atoms():
    few, many = (
        np.mean(
            [
                error_of(problem, estimate(problem.make()).atoms)
                for problem in (family(0.4, 0.4, 0.0, 0.4, n=n, seed=seed) for seed in range(3))
            ]
        )
        for n in (128, 4096)
    )
    assert many < few / 2


def test_each_call_makes_the_same_samples_and_training_samples_are_others():
    for problem in problems():
        one, other = problem.make(), problem.make()
        assert np.array_equal(one.full, other.full)
        assert one.features_1 is not None
        assert other.features_1 is not None
        assert np.array_equal(one.features_1, other.features_1)
        assert problem.make_train is not None
        train = problem.make_train()
        assert train.n_samples == 3 * one.n_samples
        assert not np.array_equal(train.full[: one.n_samples], one.full)


def test_every_problem_has_features_and_a_name_of_its_own():
    everything = problems()
    assert len({problem.name for problem in everything}) == len(everything)
    assert {problem.kind for problem in everything} == set(KINDS)
    for problem in everything:
        assert get(problem.name).title == problem.title
        assert problem.make().features_2 is not None
        assert problem.note
        assert problem.source


def test_a_truth_of_one_draw_is_not_told_of_another():
    assert predictive_cases(512)[4].truth is None
    assert predictive_cases(seed=3)[4].truth is None
    assert predictive_cases(512)[4].error_of({}) is None


def test_an_unknown_problem_names_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'gate/xor'"):
        get("gate/xr")


def test_sizes_that_cannot_be_balanced_are_refused():
    for make, n in ((gates, 10), (predictive_cases, 100), (prior_cases, 30)):
        with pytest.raises(PidError, match=f"multiple of .* got {n}"):
            make(n)
    with pytest.raises(PidError, match=r"between 0 and 1 bit, got 1\.5"):
        family(1.5)
    with pytest.raises(PidError, match="at least 2 samples, got 1"):
        family(n=1)
