"""The estimator on codes: gates through embeddings, the exact discrete joint, and its warnings."""

import numpy as np
import pytest

from pid_core import ChannelError, Channels, PidError, decompose_joint, estimate
from pid_core.ipfp import codes, modality_contributions

COINS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
GATES = {
    "xor": (COINS[:, 0] ^ COINS[:, 1], (0.0, 0.0, 0.0, 1.0)),
    "and": (COINS[:, 0] & COINS[:, 1], (0.311278, 0.0, 0.0, 0.5)),
    "first": (COINS[:, 0], (0.0, 1.0, 0.0, 0.0)),
}


def embedded(answer: np.ndarray, *, noise: float, repeats: int = 64) -> Channels:
    """Sources as clouds of embeddings in 3 dimensions around one point per coin."""
    rng = np.random.default_rng(0)
    sides = np.tile(COINS, (repeats, 1))
    points = rng.normal(size=(2, 2, 3)) * 10
    clouds = [points[m][sides[:, m]] + noise * rng.normal(size=(len(sides), 3)) for m in (0, 1)]
    rows = np.eye(2)[np.tile(answer, repeats)]
    uniform = np.full_like(rows, 0.5)
    return Channels(
        full=rows, only_1=uniform, only_2=uniform, features_1=clouds[0], features_2=clouds[1]
    )


@pytest.mark.parametrize("gate", GATES)
def test_gates_are_read_from_clusters_and_not_from_masked_runs(gate: str) -> None:
    answer, atoms = GATES[gate]
    found = estimate(embedded(answer, noise=0.1), "ipfp", clusters=2, tolerance_bits=1e-5)
    assert list(found.atoms.values()) == pytest.approx(atoms, abs=1e-4)
    assert found.pointwise.mean(0) == pytest.approx(list(found.atoms.values()))


def test_the_atoms_are_those_of_the_discrete_joint_of_codes() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(2, 300, 2))
    full = rng.dirichlet(np.ones(3), 300)
    channels = Channels(
        full=full, only_1=full, only_2=full, features_1=features[0], features_2=features[1]
    )
    found = estimate(channels, "ipfp", clusters=4, seed=3, tolerance_bits=1e-5)
    joint = np.zeros((4, 4, 3))
    np.add.at(joint, tuple(codes(f, 4, seed=3) for f in features), full / 300)
    expected = decompose_joint(joint)
    assert list(found.atoms.values()) == pytest.approx(list(expected.atoms.values()), abs=1e-3)
    assert found.total == pytest.approx(expected.total, abs=1e-9)


def test_contributions_are_shares_of_what_is_unique() -> None:
    answer, _ = GATES["first"]
    found = estimate(embedded(answer, noise=0.1), "ipfp", clusters=2)
    assert modality_contributions(found) == pytest.approx((1.0, 0.0), abs=1e-3)
    nothing = estimate(embedded(GATES["xor"][0], noise=0.1), "ipfp", clusters=2)
    assert np.isnan(modality_contributions(nothing)).all()


def test_too_many_clusters_explain_everything_and_say_so() -> None:
    rng = np.random.default_rng(2)
    full = rng.dirichlet(np.ones(4), 60)
    features = rng.normal(size=(60, 8))
    channels = Channels(
        full=full, only_1=full, only_2=full, features_1=features, features_2=features[::-1].copy()
    )
    found = estimate(channels, "ipfp", clusters=60)
    assert any("alone in their cell" in warning for warning in found.diagnostics.warnings)


def test_most_likely_answers_can_stand_for_distributions() -> None:
    channels = embedded(GATES["first"][0], noise=0.1)
    soft = Channels(
        full=0.6 * channels.full + 0.2,
        only_1=channels.only_1,
        only_2=channels.only_2,
        features_1=channels.features_1,
        features_2=channels.features_2,
    )
    assert estimate(soft, "ipfp", clusters=2).unique_1 < 0.4
    assert estimate(soft, "ipfp", clusters=2, hard_answers=True).unique_1 == pytest.approx(1.0)


def test_the_same_seed_gives_the_same_codes_and_scales_do_not_matter() -> None:
    rows = np.random.default_rng(4).normal(size=(200, 3))
    assert (codes(rows, 8, seed=1) == codes(rows, 8, seed=1)).all()
    assert (codes(rows, 8, seed=1) == codes(rows * [1, 100, 0.01], 8, seed=1)).all()


def test_what_it_needs_is_said() -> None:
    half = np.full((4, 2), 0.5)
    with pytest.raises(ChannelError, match="hand in features_1 and features_2"):
        estimate(Channels(full=half, only_1=half, only_2=half), "ipfp")
    with pytest.raises(PidError, match="clusters must be at least 1"):
        estimate(Channels(full=half, only_1=half, only_2=half), "ipfp", clusters=0)
