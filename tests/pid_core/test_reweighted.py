"""Reweighted problems: the same atoms as solving the repeated samples, however they are started."""

import numpy as np
import pytest

from pid_core import ATOMS, Channels, PidError, estimate
from pid_core.certified import Settings
from pid_core.reweighted import Reweighted
from tests.pid_core.problems import soft_case


@pytest.mark.parametrize("policy", ["calibrate", "couple"])
def test_a_replicate_has_the_atoms_of_the_drawn_samples(policy: str) -> None:
    channels = soft_case(200, seed=3)
    drawn = np.random.default_rng(0).integers(0, 200, 200)
    again = Reweighted(channels, Settings(marginals=policy), tolerance_bits=1e-4)
    found = again.atoms(np.bincount(drawn, minlength=200))
    direct = estimate(channels.at(drawn), marginals=policy, tolerance_bits=1e-4)
    assert found.gap_bits <= 1e-4
    assert found.atoms == pytest.approx(list(direct.atoms.values()), abs=2e-4)
    assert found.total == pytest.approx(direct.total, abs=1e-12)


def test_equal_weights_give_the_estimate_itself() -> None:
    channels = soft_case(150, seed=1)
    found = Reweighted(channels, Settings(), tolerance_bits=1e-4).atoms(np.full(150, 2))
    plain = estimate(channels, tolerance_bits=1e-4)
    assert found.atoms == pytest.approx(list(plain.atoms.values()), abs=2e-4)


def test_candidate_sets_keep_their_own_prior_and_may_vanish() -> None:
    mask = np.array([[1, 1, 0]] * 20 + [[1, 1, 1]] * 30, dtype=bool)
    uniform = mask / mask.sum(axis=1, keepdims=True)
    again = Reweighted(
        Channels(full=uniform, only_1=uniform, only_2=uniform, valid=mask), Settings()
    )
    for weights in (np.ones(50, dtype=int), np.repeat([0, 3], [20, 30])):
        assert again.atoms(weights).atoms == pytest.approx(np.zeros(4), abs=1e-9)


def test_weights_that_are_no_counts_are_refused() -> None:
    again = Reweighted(soft_case(20, seed=0), Settings())
    with pytest.raises(PidError, match="one for each of 20 samples"):
        again.atoms(np.ones(19, dtype=int))
    with pytest.raises(PidError, match="not all 0"):
        again.atoms(np.zeros(20, dtype=int))


def test_the_atoms_are_in_the_usual_order() -> None:
    copy = np.eye(2)[[0, 1] * 8]
    half = np.full((16, 2), 0.5)
    found = Reweighted(Channels(full=copy, only_1=copy, only_2=half), Settings()).atoms(
        np.ones(16, dtype=int)
    )
    assert dict(zip(ATOMS, found.atoms.round(9), strict=True))["unique_1"] == 1.0
