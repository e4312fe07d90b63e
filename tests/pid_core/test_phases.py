"""Phases of a trajectory through the layers, and where an atom emerges."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pid_core import PidError
from pid_core.phases import emergence, phases
from pid_core.segments import SHORTEST


def course(
    first: int = 6, second: int = 22, length: int = 28, *, jump: float = 0.0
) -> NDArray[np.float64]:
    """Nothing, then unique information, then synergy, as MI26 describe it; (L, 4) bits."""
    layer = np.arange(length)
    rising = np.clip((layer - first + 1) / (second - first), 0.0, 1.0)
    late = np.clip((layer - second + 1) / (length - second), 0.0, 1.0)
    atoms = np.zeros((length, 4))
    atoms[:, 0] = 0.1 * rising
    atoms[:, 1] = 0.3 * rising
    atoms[:, 2] = 0.6 * rising - 0.3 * late + jump * (layer >= first)
    atoms[:, 3] = 1.2 * late + jump * (layer >= second)
    return atoms


def noisy(atoms: NDArray[np.float64], seed: int, *, sd: float = 0.02) -> NDArray[np.float64]:
    return atoms + np.random.default_rng(seed).normal(0.0, sd, size=atoms.shape)


@pytest.mark.parametrize(("first", "second"), [(4, 12), (6, 22), (10, 24)])
@pytest.mark.parametrize("jump", [0.0, 0.3])
def test_known_changes_are_found_within_one_layer(first: int, second: int, jump: float) -> None:
    for seed in range(5):
        found = phases(noisy(course(first, second, jump=jump), seed, sd=0.01))
        assert [cut.layer for cut in found.cuts] == pytest.approx([first, second], abs=1)
        assert found.pattern == "three phases", found.note


def test_the_cuts_are_those_of_trying_all_with_a_line_of_numpy_each() -> None:
    atoms = noisy(course(length=20, first=6, second=14, jump=0.6), 3)
    layer = np.arange(20)

    def residual(start: int, end: int) -> float:
        return sum(
            float(np.polyfit(layer[start:end], atoms[start:end, atom], 1, full=True)[1].sum())
            for atom in range(4)
        )

    def cost(places: tuple[int, ...]) -> float:
        edges = (0, *places, 20)
        return sum(residual(*pair) for pair in pairwise(edges))

    options = [
        (one, two)
        for one, two in combinations(range(SHORTEST, 21 - SHORTEST), 2)
        if two - one >= SHORTEST
    ]
    best = min(options, key=cost)
    found = phases(atoms)
    assert tuple(cut.layer for cut in found.cuts) == best
    points, free = 80, 2 * 4 * 3 + 3
    expected = points * np.log(cost(best) / points) + free * np.log(points)
    assert found.criterion[2] == pytest.approx(expected, rel=1e-9)


def test_a_straight_course_has_no_phases_and_noise_makes_none() -> None:
    straight = np.linspace(0.0, 1.0, 28)[:, None] * np.array([0.1, 0.2, 0.3, 0.4])
    assert phases(straight).pattern == "no change"
    cuts = [len(phases(noisy(straight, seed)).cuts) for seed in range(50)]
    assert np.mean(np.array(cuts) > 0) <= 0.1


def test_intervals_hold_the_true_depth_and_are_short_where_noise_is_small() -> None:
    truth = course(8, 20)
    drawn = np.stack([noisy(truth, 100 + seed, sd=0.03) for seed in range(100)])
    found = phases(noisy(truth, 7, sd=0.03), drawn=drawn)
    for cut, layer in zip(found.cuts, (8, 20), strict=True):
        low, high = cut.interval
        assert low <= layer / 28 <= high
        assert high - low < 0.2
    assert 0.0 <= found.support <= 1.0


def test_what_begins_with_information_is_not_silent() -> None:
    atoms = course(jump=0.3)
    atoms[:, 0] += 0.5
    found = phases(atoms)
    assert found.pattern == "other phases"
    assert "not silent" in found.note


def test_synergy_that_comes_first_is_no_late_fusion() -> None:
    swapped = course()[:, [0, 3, 1, 2]]
    assert phases(swapped).pattern == "other phases"


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31), factor=st.floats(0.5, 20.0), shift=st.floats(-1.0, 1.0),
    order=st.permutations(range(4)),
)  # fmt: skip
def test_cuts_do_not_depend_on_unit_origin_or_order_of_atoms(
    seed: int, factor: float, shift: float, order: list[int]
) -> None:
    atoms = noisy(course(), seed, sd=0.05)
    changed = phases((factor * atoms + shift / 4.0)[:, order] + 1.0)
    assert [cut.layer for cut in changed.cuts] == [cut.layer for cut in phases(atoms + 1.0).cuts]


def test_few_layers_and_empty_ones_are_said_to_be_so() -> None:
    assert phases(np.ones((5, 4))).pattern == "too few layers"
    assert "6" in phases(np.ones((5, 4))).note
    assert phases(np.zeros((28, 4))).pattern == "no information"


@pytest.mark.parametrize(
    ("atoms", "drawn", "what"),
    [
        (np.ones((8, 3)), None, "shape"),
        (np.full((8, 4), np.nan), None, "finite"),
        (np.ones((8, 4)), np.ones((3, 7, 4)), "drawn"),
    ],
)
def test_what_is_no_trajectory_is_refused(atoms: object, drawn: object, what: str) -> None:
    with pytest.raises(PidError, match=what):
        phases(atoms, drawn=drawn)


def test_an_atom_emerges_where_it_passes_half_of_its_largest_value() -> None:
    synergy = course()[:, 3]
    found = emergence(synergy)
    assert found.layer == 24  # 1/2 of the last: three of the six layers of its rise
    assert found.depth == pytest.approx(24 / 28)
    assert emergence(synergy, share=0.1).layer == 22
    assert emergence(-synergy).layer is None
    assert emergence(synergy[::-1]).layer is None, "it is gone by the last layer"
    assert emergence(np.ones(5)).layer == 0


def test_a_peak_that_falls_back_is_not_where_an_atom_emerges() -> None:
    values = np.array([0.0, 0.9, 0.1, 0.2, 1.0, 1.0])
    assert emergence(values).layer == 4


def test_the_interval_of_emergence_is_that_of_the_drawn_layers() -> None:
    synergy = course()[:, 3]
    layers = np.array([20, 21, 24, 24, 24, 26])
    drawn = (np.arange(28) >= layers[:, None]).astype(float)
    found = emergence(synergy, drawn=drawn, level=0.5)
    depths = layers / 28
    assert found.interval == pytest.approx(tuple(np.quantile(depths, [0.25, 0.75])))
    nothing = np.zeros((10, 28))
    assert np.isnan(emergence(synergy, drawn=nothing).interval).all()


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(PidError, match="share"):
        emergence(np.ones(5), share=share)
