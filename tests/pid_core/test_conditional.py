"""Conditioning: solved inside each value, averaged by weight, small values pooled and named."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pid_core import ChannelError, Channels, PidError, estimate, estimate_conditional
from pid_core.conditional import conditions
from pid_core.draws import estimate_over_draws
from pid_core.predictive import RawScores
from pid_core.problem import OfDraws, numbers_of
from pid_core.spectrum import ATOMS


def random_channels(n: int, k: int, seed: int) -> Channels:
    rng = np.random.default_rng(seed)
    only_1, only_2, full = (rng.dirichlet(np.ones(k), n) for _ in range(3))
    return Channels(full=full, only_1=only_1, only_2=only_2)


def test_one_value_for_everybody_changes_nothing() -> None:
    channels = random_channels(60, 3, 0)
    plain, conditional = estimate(channels), estimate_conditional(channels, ["q"] * 60, smallest=1)
    assert conditional.atoms == pytest.approx(plain.atoms, abs=1e-8)
    for atom, ends in plain.interval().items():
        assert conditional.interval()[atom] == pytest.approx(ends, abs=1e-6)
    assert conditional.diagnostics.conditions == {"q": 60}


@settings(max_examples=8)
@given(st.integers(0, 200))
def test_atoms_are_the_weighted_mean_of_those_within_each_value(seed: int) -> None:
    channels = random_channels(20, 2, seed)
    groups = np.random.default_rng(seed).integers(0, 2, 20)
    conditional = estimate_conditional(channels, groups.tolist(), smallest=1)
    for atom in ATOMS:
        within = [
            getattr(estimate(channels.at(np.flatnonzero(groups == value))), atom)
            for value in np.unique(groups)
        ]
        share = [float((groups == value).mean()) for value in np.unique(groups)]
        assert getattr(conditional, atom) == pytest.approx(np.dot(share, within), abs=1e-9)


def test_channels_that_name_their_condition_are_solved_within_each() -> None:
    """The way of `Channels` and of draws, and the intervals that follow from it."""
    rng = np.random.default_rng(7)
    full, one, two = (rng.dirichlet(np.ones(2), (20, 3)) for _ in range(3))
    told = rng.integers(0, 2, 20)
    parts = [np.flatnonzero(told == value) for value in (0, 1)]
    found = estimate_over_draws(full.mean(1), one, two, condition=told)
    within = [estimate_over_draws(full.mean(1)[p], one[p], two[p]) for p in parts]
    for atom in ATOMS:
        mean = sum(len(p) * getattr(s, atom) for p, s in zip(parts, within, strict=True)) / 20
        assert getattr(found, atom) == pytest.approx(mean, abs=1e-3)
    names = ("full", "only_1", "only_2")
    scores = RawScores(
        **dict(zip(names, map(np.log, (full, one, two)), strict=True)), condition=told
    )
    problem = OfDraws.of_scores(scores)
    doubled = np.where(told == 1, 2, 1)
    again = problem.weighted()(doubled)
    drawn = problem.estimate(np.repeat(np.arange(20), doubled))
    assert again == pytest.approx(numbers_of(drawn), abs=5e-3)


def test_a_network_cannot_condition() -> None:
    channels = random_channels(8, 2, 0)
    told = Channels(
        full=channels.full,
        only_1=channels.only_1,
        only_2=channels.only_2,
        condition=[0, 1] * 4,
    )
    with pytest.raises(PidError, match="cannot condition"):
        estimate(told, "batch")


def test_sample_values_stay_with_their_samples_and_average_to_the_atoms() -> None:
    channels = random_channels(40, 2, 3)
    groups = [i % 2 for i in range(40)]
    conditional = estimate_conditional(channels, groups, smallest=1)
    assert conditional.pointwise.mean(0) == pytest.approx(list(conditional.atoms.values()))
    assert conditional.influence.mean(0) == pytest.approx(list(conditional.atoms.values()))
    even = estimate(channels.at(np.arange(0, 40, 2)))
    assert conditional.pointwise[::2] == pytest.approx(even.pointwise)


def test_conditioning_on_the_number_of_options_is_what_separate_candidate_sets_do() -> None:
    rng = np.random.default_rng(5)
    valid = np.ones((40, 4), dtype=bool)
    valid[::2, 2:] = False
    rows = [np.where(valid, rng.dirichlet(np.ones(4), 40), 0) for _ in range(3)]
    full, one, two = (r / r.sum(1, keepdims=True) for r in rows)
    channels = Channels(full=full, only_1=one, only_2=two, valid=valid)
    conditional = estimate_conditional(channels, valid.sum(1).tolist(), smallest=1)
    assert conditional.atoms == pytest.approx(estimate(channels).atoms, abs=1e-6)


def test_what_is_shared_through_the_instruction_alone_is_not_redundancy() -> None:
    """Both probes read T and answer by it: given T they know nothing more, and R is 0."""
    answer = np.array([[0.9, 0.1], [0.1, 0.9]])
    told = answer[np.arange(128) % 2]
    channels = Channels(full=told, only_1=told, only_2=told)
    instruction = [f"instruction {i % 2}" for i in range(128)]
    assert estimate(channels).redundancy > 0.5
    assert estimate_conditional(channels, instruction).redundancy == pytest.approx(0, abs=1e-9)


def test_small_values_take_the_coarser_one_and_the_result_says_so() -> None:
    channels = random_channels(100, 2, 1)
    exact = ["a"] * 80 + [f"rare {i}" for i in range(20)]
    coarse = ["template"] * 100
    found = estimate_conditional(channels, exact, coarser=coarse, smallest=64)
    assert found.diagnostics.conditions == {"a": 80, "template (pooled)": 20}
    first, second = found.diagnostics.warnings[:2]
    assert "20 of 100 samples lie in 20 of 21 conditions with fewer than 64" in first
    assert "20 of 100 samples lie in 1 conditions with fewer than 64" in second


def test_a_pooled_value_never_mixes_with_a_large_one_of_the_same_name() -> None:
    found = conditions(["t", "t", "x"], ["t", "t", "t"], n=3, smallest=2)
    assert found.labels == ("t", "t (pooled)")
    assert found.member.tolist() == [0, 0, 1]


def test_bad_conditions_are_named() -> None:
    channels = random_channels(4, 2, 0)
    with pytest.raises(ChannelError, match=r"groups needs one entry per sample \(4\), got 3"):
        estimate_conditional(channels, ["a"] * 3)
    with pytest.raises(ChannelError, match="coarser needs one entry"):
        estimate_conditional(channels, ["a"] * 4, coarser=["b"])
    with pytest.raises(PidError, match="at least 1 sample"):
        estimate_conditional(channels, ["a"] * 4, smallest=0)
