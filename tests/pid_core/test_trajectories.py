"""Trajectories drawn anew by a bootstrap over samples."""

from __future__ import annotations

import numpy as np
import pytest

from pid_core import Channels, PidError, estimate
from pid_core.trajectories import drawn_trajectories
from tests.pid_core.problems import random_channels


def test_the_spread_is_that_of_the_mean_of_the_influences() -> None:
    generator = np.random.default_rng(0)
    added = generator.normal(size=(400, 3, 4)) * np.array([0.1, 1.0, 2.0, 0.5])
    drawn = drawn_trajectories(np.ones((3, 4)), added, resamples=4000)
    expected = added.std(axis=0) / np.sqrt(400)
    assert drawn.std(axis=0) == pytest.approx(expected, rel=0.06)
    assert drawn.mean(axis=0) == pytest.approx(np.ones((3, 4)), abs=0.01)


def test_a_sample_moves_all_layers_together() -> None:
    added = np.random.default_rng(1).normal(size=(50, 1, 4)).repeat(3, axis=1)
    drawn = drawn_trajectories(np.zeros((3, 4)), added, resamples=20)
    assert drawn[:, 0] == pytest.approx(drawn[:, 2])


def test_samples_of_one_group_come_and_go_together() -> None:
    groups = np.repeat(np.arange(100), 4)
    added = np.random.default_rng(2).normal(size=(100, 1, 4)).repeat(4, axis=0)
    alone = drawn_trajectories(np.zeros((1, 4)), added, resamples=3000).std()
    grouped = drawn_trajectories(np.zeros((1, 4)), added, groups=groups, resamples=3000).std()
    assert grouped == pytest.approx(2 * alone, rel=0.1)


def test_draws_agree_with_estimates_made_from_the_drawn_samples() -> None:
    kinds, generator = random_channels(4, 6, 2), np.random.default_rng(5)

    def of(rows: np.ndarray) -> Channels:
        # Few kinds of samples, many of each: solved in no time.
        return Channels(full=kinds.full[rows], only_1=kinds.only_1[rows], only_2=kinds.only_2[rows])

    seen = generator.integers(0, 6, size=200)
    found = estimate(of(seen), "certified")
    atoms = np.array([list(found.atoms.values())])
    drawn = drawn_trajectories(atoms, found.influence[:, None], resamples=400)[:, 0]
    again = [
        list(estimate(of(generator.choice(seen, size=200)), "certified").atoms.values())
        for _ in range(25)
    ]
    assert drawn.std(axis=0) == pytest.approx(np.std(again, axis=0), rel=0.5)


@pytest.mark.parametrize(
    ("atoms", "added", "what"),
    [
        (np.ones(4), np.ones((5, 1, 4)), "shape"),
        (np.ones((2, 4)), np.ones((5, 3, 4)), "shape"),
        (np.ones((2, 4)), np.ones((1, 2, 4)), "at least 2"),
        (np.ones((2, 4)), np.full((5, 2, 4), np.nan), "finite"),
    ],
)
def test_what_does_not_fit_is_refused(atoms: object, added: object, what: str) -> None:
    with pytest.raises(PidError, match=what):
        drawn_trajectories(atoms, added)
