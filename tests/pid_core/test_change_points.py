"""A change of course in a short sequence: found where it is, and seldom where there is none."""

import numpy as np
import pytest

from pid_core.change_points import change_point
from pid_core.errors import PidError


def bent(length: int, at: int, noise: float, seed: int = 0) -> np.ndarray:
    """Flat before `at`, rising by 0.2 bits a point from there on."""
    rise = 0.2 * np.clip(np.arange(length) - (at - 1), 0, None)
    return rise + np.random.default_rng(seed).normal(scale=noise, size=length)


@pytest.mark.parametrize(("length", "at"), [(8, 4), (12, 5), (20, 13)])
def test_a_known_change_is_found_within_one_point(length: int, at: int) -> None:
    for seed in range(20):
        found = change_point(bent(length, at, noise=0.02, seed=seed))
        assert abs(found.at - at) <= 1
        assert found.is_there


def test_straight_lines_change_by_chance_as_seldom_as_the_level_says() -> None:
    line = np.linspace(0.0, 1.0, 8)
    noise = np.random.default_rng(1).normal(scale=0.1, size=(400, 8))
    share = np.mean([change_point(line + one).is_there for one in noise])
    assert 0.02 < share < 0.09


def test_neither_the_line_nor_the_unit_changes_what_is_found() -> None:
    values = bent(10, 5, noise=0.05)
    one = change_point(values)
    other = change_point(1000 * values + 7.0 * np.arange(10) - 3.0)
    assert (one.at, one.p_value) == (other.at, other.p_value)


def test_the_interval_covers_where_the_draws_change() -> None:
    draws = np.array([bent(10, at, noise=0.001, seed=at) for at in (4, 5, 5, 6) * 50])
    low, high = change_point(bent(10, 5, noise=0.0), drawn=draws).interval
    assert (low, high) == (4.0, 6.0)


def test_a_straight_line_over_steps_of_unequal_length_does_not_change() -> None:
    steps = np.array([50, 100, 150, 200, 300, 400, 500, 600])
    noise = np.random.default_rng(2).normal(scale=0.002, size=8)
    line = 0.001 * steps + noise
    assert not change_point(line, positions=steps).is_there
    assert change_point(line).is_there


def test_a_constant_has_no_change() -> None:
    assert not change_point(np.zeros(8)).is_there


@pytest.mark.parametrize(
    ("values", "drawn", "says"),
    [
        (np.zeros(5), None, "too few"),
        (np.zeros((8, 4)), None, "shape"),
        (np.zeros(8), np.zeros((3, 7)), "draws"),
        (np.array([0.0] * 7 + [np.nan]), None, "not finite"),
    ],
)
def test_what_is_no_sequence_is_refused(
    values: np.ndarray, drawn: np.ndarray | None, says: str
) -> None:
    with pytest.raises(PidError, match=says):
        change_point(values, drawn=drawn)


def test_points_that_do_not_come_one_after_the_other_are_refused() -> None:
    with pytest.raises(PidError, match="grow"):
        change_point(np.zeros(6), positions=[1, 2, 2, 3, 4, 5])
