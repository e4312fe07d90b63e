from __future__ import annotations

import numpy as np
import pytest

from pid_core import ATOMS, ChannelError, NotConverged, PidError, decompose_joint
from tests.pid_core.problems import CLOSED_FORMS, random_joint


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_atoms_of_gates_match_the_closed_forms(name: str):
    joint, expected = CLOSED_FORMS[name]
    spectrum = decompose_joint(joint)
    assert list(spectrum.atoms.values()) == pytest.approx(expected, abs=2e-6)
    assert spectrum.diagnostics.gap_bits < 1e-6
    assert spectrum.diagnostics.warnings == ()


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_swapping_the_sources_swaps_the_unique_atoms(name: str):
    joint, _ = CLOSED_FORMS[name]
    one, other = decompose_joint(joint), decompose_joint(joint.transpose(1, 0, 2))
    assert one.unique_1 == pytest.approx(other.unique_2, abs=2e-6)
    assert one.synergy == pytest.approx(other.synergy, abs=2e-6)


def test_sources_of_different_sizes_and_empty_states_are_fine():
    joint = random_joint(0, (3, 7, 4), 0.3)
    padded = np.zeros((5, 8, 6))
    padded[np.ix_([0, 2, 4], range(7), [0, 1, 3, 5])] = joint
    assert list(decompose_joint(padded).atoms.values()) == pytest.approx(
        list(decompose_joint(joint).atoms.values()), abs=2e-6
    )


@pytest.mark.parametrize("shape", [(4, 4, 3), (16, 16, 4), (32, 32, 4)])
def test_random_joints_are_certified_to_a_millionth_of_a_bit(shape: tuple[int, int, int]):
    spectrum = decompose_joint(random_joint(1, shape, 0.2))
    assert spectrum.diagnostics.converged
    assert spectrum.diagnostics.gap_bits < 1e-6
    assert sum(spectrum.atoms.values()) == pytest.approx(spectrum.total, abs=1e-12)


def test_a_joint_has_no_samples_so_no_pointwise_values_and_no_interval():
    spectrum = decompose_joint(CLOSED_FORMS["and"][0])
    assert spectrum.pointwise.shape == (0, 4)
    with pytest.raises(PidError, match="no samples"):
        spectrum.interval()


def test_shares_are_nan_where_there_is_nothing_to_share():
    spectrum = decompose_joint(np.full((2, 2, 2), 0.125))
    assert all(np.isnan(spectrum.shares[name]) for name in ATOMS)
    assert decompose_joint(CLOSED_FORMS["xor"][0]).shares["synergy"] == pytest.approx(1.0)


def test_stopping_early_is_told_and_raises_only_on_request():
    joint = random_joint(2, (40, 40, 4), 0.2)
    spectrum = decompose_joint(joint, max_steps=1)
    assert not spectrum.diagnostics.converged
    assert "wider than the tolerance" in spectrum.diagnostics.warnings[-1]
    exact = decompose_joint(joint).synergy
    assert abs(spectrum.synergy - exact) <= spectrum.diagnostics.gap_bits + 1e-6
    with pytest.raises(NotConverged):
        decompose_joint(joint, max_steps=1, throw=True)


@pytest.mark.parametrize(
    ("joint", "message"),
    [
        (np.full((2, 2), 0.25), "3 axes"),
        (np.full((2, 2, 2), 0.25), "sums to 2"),
        (np.array([[[1.5, -0.5]]]), "minimum of -0.5"),
        (np.array([[[np.nan, 1.0]]]), "finite"),
        (np.zeros((0, 2, 2)), "shape"),
        ([[["a", "b"]]], "numbers"),
    ],
)
def test_what_is_no_joint_distribution_is_refused(joint: object, message: str):
    with pytest.raises(ChannelError, match=message):
        decompose_joint(joint)
