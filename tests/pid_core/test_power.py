"""How many samples tell two models apart: the rule of two variances, and that of pairs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pid_core import Channels, PidError, UnknownName, decompose_joint, estimate
from pid_core.power import samples_needed
from pid_core.spectrum import Spectrum
from tests.pid_core.problems import CLOSED_FORMS, random_channels, softmax


def model(sharpness: float, n: int, seed: int = 0) -> Spectrum:
    z1, z2 = np.random.default_rng(seed).normal(size=(2, n, 2))
    return estimate(
        Channels(
            full=softmax(sharpness * (z1 + 2 * z2)), only_1=softmax(z1), only_2=softmax(2 * z2)
        )
    )


def test_half_the_difference_needs_four_times_as_many() -> None:
    pilot = model(1.0, 100)
    coarse, fine = (int(samples_needed(pilot, delta=delta)) for delta in (0.1, 0.05))
    assert fine == pytest.approx(4 * coarse, abs=4)


def test_the_interval_at_that_many_samples_leaves_zero_out_as_often_as_asked() -> None:
    """(z + z') standard errors of the difference fit into delta: z for the level, z' the power."""
    pilot = model(1.0, 150)
    found = samples_needed(pilot, delta=0.07, atom="unique_2", level=0.9, power=0.9)
    low, high = pilot.interval_of("unique_2", 0.6827)
    deviation = np.sqrt(2) * (high - low) / 2 * np.sqrt(150 / found.samples)
    assert (1.6449 + 1.2816) * deviation == pytest.approx(0.07, rel=0.01)


def test_pairs_take_fewer_and_say_so() -> None:
    one, two = model(1.0, 120), model(1.2, 120)
    paired = samples_needed(one, two)
    assert paired.assumption == "both models on the same samples"
    other = model(1.2, 121, seed=1)
    apart = samples_needed(one, other)
    assert apart.assumption == "each model on samples of its own"
    assert paired.samples < 0.3 * apart.samples
    alone = samples_needed(one)
    assert "two models like this one" in alone.assumption


def test_dependent_samples_need_more() -> None:
    channels = random_channels(0, 40, 2)
    rows = np.repeat(np.arange(40), 3)
    doubled = channels.at(rows)
    grouped = estimate(
        Channels(full=doubled.full, only_1=doubled.only_1, only_2=doubled.only_2, group_id=rows)
    )
    plain = estimate(channels)
    assert int(samples_needed(grouped)) == pytest.approx(3 * int(samples_needed(plain)), abs=3)


def test_a_model_that_does_not_vary_needs_one() -> None:
    copy = [[1, 0], [0, 1]] * 20
    sure = estimate(Channels(full=copy, only_1=copy, only_2=copy))
    assert samples_needed(sure, atom="redundancy_share").samples == 1


def test_bad_input_is_named() -> None:
    pilot = model(1.0, 30)
    with pytest.raises(UnknownName, match="did you mean 'synergy'"):
        samples_needed(pilot, atom="synergie")
    with pytest.raises(PidError, match="difference above 0"):
        samples_needed(pilot, delta=0.0)
    with pytest.raises(PidError, match="power is a probability"):
        samples_needed(pilot, power=1.0)
    with pytest.raises(PidError, match="coverage"):
        samples_needed(pilot, level=1.0)
    with pytest.raises(PidError, match="no samples, so it is no pilot"):
        samples_needed(decompose_joint(CLOSED_FORMS["and"][0]))
    alone = dataclasses.replace(pilot, clusters=np.zeros(30, dtype=np.int64))
    with pytest.raises(PidError, match="two groups of samples"):
        samples_needed(alone)
