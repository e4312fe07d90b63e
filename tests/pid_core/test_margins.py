from __future__ import annotations

import numpy as np
import pytest

from pid_core import ChannelError, UnknownName
from pid_core.information import to_bits
from pid_core.margins import align, tilt_to_prior
from tests.pid_core.problems import peaked, softmax

EVEN = np.full(4, 0.25)
OFFERED = np.ones((300, 4), dtype=bool)
RANDOM = np.random.default_rng(0)


def _probe(kind: str) -> np.ndarray:
    scores = np.random.default_rng(1).normal(size=(300, 4))
    return {
        "soft": softmax(scores + np.array([0.4, 0, 0, 0])),
        "confident": softmax(30 * scores + np.array([30.0, 0, 0, 0])),
        "one-hot": np.eye(4)[np.repeat([0, 1, 2, 3], [210, 30, 30, 30])],
        "always A": peaked(np.zeros(300, dtype=int), 1.0),
        "a tail": softmax(np.array([14.0, 0, 0, 0]) + scores),
    }[kind]


@pytest.mark.parametrize("kind", ["soft", "confident", "one-hot", "always A", "a tail"])
@pytest.mark.parametrize("policy", ["calibrate", "couple"])
def test_margins_become_equal_and_information_is_never_made(kind: str, policy: str):
    moved = align(_probe(kind), EVEN, OFFERED, policy)
    assert np.abs(moved.rows.mean(axis=0) - EVEN).max() < 1e-13
    assert moved.rows.sum(axis=1) == pytest.approx(np.ones(300), abs=1e-12)
    assert moved.information <= moved.own_information + 1e-12


def test_a_constant_answer_with_a_tail_gains_nothing():
    moved = align(_probe("a tail"), EVEN, OFFERED, "calibrate")
    assert to_bits(moved.information) < 1e-4
    assert moved.mixed > 0.9


def test_a_confident_probe_that_says_a_in_seventy_percent_keeps_less_than_half():
    moved = align(_probe("one-hot"), EVEN, OFFERED, "calibrate")
    assert to_bits(moved.own_information) == pytest.approx(1.357, abs=1e-3)
    assert to_bits(moved.information) == pytest.approx(0.63, abs=0.01)


def test_a_probe_with_the_right_prior_is_not_touched():
    probe = np.eye(4)[np.arange(300) % 4]
    assert align(probe, EVEN, OFFERED, "calibrate").rows is probe


def test_the_coupling_keeps_no_more_than_the_calibration():
    probe = _probe("soft")
    calibrated, coupled = (align(probe, EVEN, OFFERED, p) for p in ("calibrate", "couple"))
    assert coupled.information < calibrated.information == pytest.approx(calibrated.own_information)


def test_the_reference_policy_leaves_the_probe_alone_and_takes_divergences_to_the_joint_prior():
    probe = _probe("always A")
    moved = align(probe, EVEN, OFFERED, "reference")
    assert moved.rows is probe
    assert to_bits(moved.information) == pytest.approx(2.0)
    assert to_bits(moved.prior_shift) == pytest.approx(2.0)


def test_candidates_that_are_not_offered_stay_impossible():
    offered = OFFERED.copy()
    offered[:100, 3] = False
    probe = softmax(np.where(offered, RANDOM.normal(size=(300, 4)), -np.inf))
    prior = np.array([0.3, 0.3, 0.3, 0.1])
    moved = align(probe, prior, offered, "calibrate").rows
    assert (moved[:100, 3] == 0.0).all()
    assert moved.mean(axis=0) == pytest.approx(prior, abs=1e-12)


def test_a_prior_out_of_reach_is_refused():
    offered = OFFERED.copy()
    offered[:, 3] = False
    with pytest.raises(ChannelError, match="offered by no sample"):
        align(_probe("soft"), EVEN, offered, "calibrate")
    with pytest.raises(ChannelError, match="nearest it comes"):
        tilt_to_prior(np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]), np.array([0.6, 0.2, 0.2]))


def test_an_unknown_policy_is_refused():
    with pytest.raises(UnknownName, match="known: calibrate, couple, reference"):
        align(_probe("soft"), EVEN, OFFERED, "average")
