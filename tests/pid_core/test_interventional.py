from __future__ import annotations

import numpy as np
import pytest

from pid_core import ATOMS, ChannelError, PidError, decompose_joint
from pid_core.interventional import convergence, decompose_design, estimate_interventional
from pid_core.swap_design import swap_design

N = 96


def world(kind: str, sure: float = 0.9) -> np.ndarray:
    """P(y | x1, x2) of sources and answers with four values each."""
    p = np.full((4, 4, 4), (1 - sure) / 3)
    for a in range(4):
        for b in range(4):
            answer = {
                "synergy": (a + b) % 4,
                "vision": a,
                "language": b,
                "gated": a if (a + b) % 2 else b,
            }[kind]
            p[a, b, answer] = sure
    return p


def asked(
    kind: str, rounds: int, n: int = N, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Swapped answers, the design, and the joint that the design is a sample of."""
    random = np.random.default_rng(seed)
    images, questions = random.integers(0, 4, n), random.integers(0, 4, n)
    design = swap_design(list(range(n)), rounds, seed=1)
    p = world(kind)
    share = [np.bincount(one, minlength=4) / n for one in (images, questions)]
    joint = share[0][:, None, None] * share[1][None, :, None] * p
    return p[images[design], questions[None, :]], design, joint


@pytest.mark.parametrize("kind", ["synergy", "vision", "language", "gated"])
def test_eight_rounds_give_the_atoms_of_the_product_joint(kind: str) -> None:
    swapped, design, joint = asked(kind, 8)
    found = estimate_interventional(swapped, design)
    expected = decompose_joint(joint).atoms
    for name in ATOMS:
        assert found.corrected[name] == pytest.approx(expected[name], abs=0.1)
    # Without the correction each margin of eight answers is too sure, and redundancy comes of it.
    assert found.plug_in.redundancy > expected["redundancy"] + 0.1


def test_the_bias_falls_with_the_rounds_and_the_correction_takes_most_of_it() -> None:
    plain, corrected = [], []
    for rounds in (4, 8):
        biases = []
        for seed in range(4):
            swapped, design, joint = asked("gated", rounds, n=48, seed=seed)
            found = estimate_interventional(swapped, design)
            expected = decompose_joint(joint).atoms["redundancy"]
            ours = (found.plug_in.redundancy, found.corrected["redundancy"])
            biases.append([one - expected for one in ours])
        means = np.mean(biases, axis=0)
        plain.append(means[0])
        corrected.append(means[1])
    assert plain[0] > 1.5 * plain[1] > 0.15
    assert all(abs(less) < more / 3 for less, more in zip(corrected, plain, strict=True))


def test_no_atom_of_a_design_is_negative_and_the_margins_agree() -> None:
    random = np.random.default_rng(3)
    for _ in range(100):
        n, k, rounds = int(random.integers(5, 10)), int(random.integers(2, 4)), 3
        swapped = random.dirichlet(np.full(k, 0.3), size=(rounds, n))
        design = swap_design(list(range(n)), rounds, seed=int(random.integers(99)))
        own = np.zeros((n, k))
        np.add.at(own, design.reshape(-1), swapped.reshape(-1, k))
        assert own.mean(axis=0) / rounds == pytest.approx(swapped.mean(axis=(0, 1)), abs=1e-15)
        found = decompose_design(swapped, design)
        assert min(found.atoms.values()) >= -found.gap - 1e-12
        assert sum(found.atoms.values()) == pytest.approx(found.total, abs=1e-12)


def test_swapping_the_sources_swaps_the_unique_atoms() -> None:
    swapped, design, _ = asked("gated", 4, n=40)
    turned, back = np.empty_like(swapped), np.empty_like(design)
    for m in range(len(design)):
        turned[m, design[m]], back[m, design[m]] = swapped[m], np.arange(40)
    one, other = decompose_design(swapped, design), decompose_design(turned, back)
    assert one.unique_1 == pytest.approx(other.unique_2, abs=2e-3)
    assert one.total == pytest.approx(other.total, abs=1e-12)


def test_what_the_pairing_of_a_dataset_adds_is_told_apart() -> None:
    random = np.random.default_rng(0)
    digit = random.integers(0, 4, N)
    p = world("vision")
    design = swap_design(list(range(N)), 4, seed=1)
    swapped = p[digit[design], digit[None, :]]
    found = estimate_interventional(swapped, design, observed=p[digit, digit])
    # The observed pairs agree, and what the model does, reading the image, does not depend on it.
    assert found.correlation_part == pytest.approx(0.0, abs=0.02)
    assert found.prior_shift == pytest.approx(0.0, abs=1e-12)
    assert found.corrected["unique_1"] > 1.2
    agreeing = np.where(np.eye(4)[:, :, None] > 0, p, 0.25)  # sure only where both agree
    found = estimate_interventional(
        agreeing[digit[design], digit[None, :]], design, observed=agreeing[digit, digit]
    )
    assert found.correlation_part > 1.0


def test_resampling_images_and_questions_gives_errors_that_shrink_with_samples() -> None:
    small = estimate_interventional(*asked("vision", 4, n=24)[:2], resamples=10)
    large = estimate_interventional(*asked("vision", 4, n=96)[:2], resamples=10)
    assert set(small.deviation) == set(small.corrected)
    observed = asked("vision", 4, n=24)[0][0]
    paired = estimate_interventional(*asked("vision", 4, n=24)[:2], observed=observed, resamples=10)
    assert {*paired.deviation} == {*small.corrected, "observed_total", "correlation_part"}
    assert 0 < large.deviation["unique_1"] < small.deviation["unique_1"]
    assert estimate_interventional(*asked("vision", 2, n=24)[:2]).deviation == {}


def test_pairs_that_were_not_asked_carry_no_weight() -> None:
    swapped, design, joint = asked("gated", 6, n=40)
    there = np.random.default_rng(1).random(design.shape) > 0.1
    broken = np.where(there[..., None], swapped, np.nan)
    found = estimate_interventional(broken, design, asked=there)
    assert found.missing == int((~there).sum()) > 0
    expected = decompose_joint(joint).atoms
    for name in ATOMS:
        assert found.plug_in.atoms[name] >= -found.plug_in.gap
        assert found.corrected[name] == pytest.approx(expected[name], abs=0.15)
    whole = decompose_design(swapped, design)
    assert decompose_design(swapped, design, asked=np.ones(design.shape, bool)) == whole


def test_fewer_rounds_of_the_same_design_show_how_it_converges() -> None:
    swapped, design, _ = asked("synergy", 8, n=24)
    steps = convergence(swapped, design)
    assert [step.rounds for step in steps] == [2, 4]
    alone = estimate_interventional(swapped[:4], design[:4])
    assert steps[1].corrected == alone.corrected
    last = estimate_interventional(swapped, design)
    plain = [step.plug_in.synergy for step in (*steps, last)]
    assert plain == sorted(plain)  # the plug-in's synergy comes from below


def test_bad_input_is_one_sentence() -> None:
    swapped, design, _ = asked("vision", 2, n=12)
    with pytest.raises(ChannelError, match="must sum to 1"):
        estimate_interventional(2 * swapped, design)
    with pytest.raises(ChannelError, match="non-negative"):
        estimate_interventional(-swapped, design)
    with pytest.raises(ChannelError, match="whole numbers of shape"):
        estimate_interventional(swapped, design[:1])
    with pytest.raises(PidError, match="each image once"):
        estimate_interventional(swapped, np.zeros_like(design))
    with pytest.raises(ChannelError, match="one round of the swapped"):
        estimate_interventional(swapped, design, observed=swapped[0, :5])
