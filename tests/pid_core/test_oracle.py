"""The same answers from programs that have nothing in common with ours: a cone solver, and dit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pid_core import Channels, decompose_joint, estimate
from pid_core.information import to_bits
from pid_core.margins import align
from tests.pid_core.problems import CLOSED_FORMS, crossed_case, random_channels, random_joint

pytestmark = pytest.mark.oracle


def _cone_program(joint_1: np.ndarray, joint_2: np.ndarray) -> float:
    """I* in bits by an interior point method on the exponential cone."""
    cvxpy = pytest.importorskip("cvxpy")
    n, m, k = len(joint_1), len(joint_2), joint_1.shape[1]
    q = [cvxpy.Variable((n, m), nonneg=True) for _ in range(k)]
    total = sum(q[1:], start=q[0])
    objective = sum(cvxpy.sum(cvxpy.rel_entr(slice_, total)) for slice_ in q)
    constraints = [cvxpy.sum(q[y], axis=1) == joint_1[:, y] for y in range(k)]
    constraints += [cvxpy.sum(q[y], axis=0) == joint_2[:, y] for y in range(k)]
    cvxpy.Problem(cvxpy.Minimize(objective), constraints).solve(solver=cvxpy.CLARABEL)
    prior = joint_1.sum(axis=0)
    prior = prior[prior > 0]
    return to_bits(float(objective.value) - float(np.sum(prior * np.log(prior))))


def _aligned(channels: Channels) -> tuple[np.ndarray, np.ndarray]:
    prior = channels.full.mean(axis=0)
    first, second = (
        align(probe, prior, channels.valid, "calibrate").rows / channels.n_samples
        for probe in (channels.only_1, channels.only_2)
    )
    return first, second


@pytest.mark.parametrize("shape", [(3, 4, 2), (4, 4, 3), (6, 5, 4), (8, 8, 4), (12, 12, 5)])
@pytest.mark.parametrize("concentration", [0.1, 1.0])
def test_random_joints_agree_with_the_cone_program(shape: tuple[int, ...], concentration: float):
    for seed in range(3):
        joint = random_joint(seed, shape, concentration)  # type: ignore[arg-type]
        spectrum = decompose_joint(joint)
        star = _cone_program(joint.sum(axis=1), joint.sum(axis=0))
        assert spectrum.total - spectrum.synergy == pytest.approx(star, abs=2e-5)


def test_fifty_small_joints_of_every_size_agree_with_the_cone_program():
    for seed in range(50):
        generator = np.random.default_rng(1000 + seed)
        n, m, k = generator.integers(2, [7, 7, 6])
        joint = random_joint(seed, (int(n), int(m), int(k)), float(generator.choice([0.2, 1.0])))
        spectrum = decompose_joint(joint)
        star = _cone_program(joint.sum(axis=1), joint.sum(axis=0))
        assert spectrum.total - spectrum.synergy == pytest.approx(star, abs=2e-5), (seed, n, m, k)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_sampled_channels_agree_with_the_cone_program(k: int):
    channels = random_channels(0, 30, k)
    spectrum = estimate(channels)
    star = _cone_program(*_aligned(channels))
    assert spectrum.total - spectrum.synergy == pytest.approx(star, abs=1e-3)


def test_probes_with_two_unique_parts_agree_with_the_cone_program():
    channels = crossed_case(32)
    spectrum = estimate(channels, tolerance_bits=1e-5)
    star = _cone_program(*_aligned(channels))
    assert spectrum.total - spectrum.synergy == pytest.approx(star, abs=2e-5)


@pytest.mark.parametrize("name", ["xor", "and", "copy", "sum", "random"])
def test_small_joints_agree_with_dit(name: str):
    dit = pytest.importorskip("dit")
    from dit.pid import PID_BROJA

    joint = random_joint(0, (3, 3, 3)) if name == "random" else CLOSED_FORMS[name][0]
    outcomes = [i for i in itertools.product(*map(range, joint.shape)) if joint[i] > 0]
    distribution = dit.Distribution(
        ["".join(map(str, i)) for i in outcomes], [joint[i] for i in outcomes]
    )
    pid = PID_BROJA(distribution, [[0], [1]], [2])
    theirs = [pid.get_pi(node) for node in (((0,), (1,)), ((0,),), ((1,),), ((0, 1),))]
    ours = decompose_joint(joint)
    if name == "random":
        # Its optimiser stops early there, after more or fewer steps from one release to the next:
        # a feasible Q all the same, so its minimum can only be too high. How low it is, the cone
        # program says.
        assert theirs[0] <= ours.redundancy + ours.diagnostics.gap_bits + 1e-9
        star = _cone_program(joint.sum(axis=1), joint.sum(axis=0))
        assert ours.total - ours.synergy == pytest.approx(star, abs=2e-5)
    else:
        assert list(ours.atoms.values()) == pytest.approx(theirs, abs=1e-3)
