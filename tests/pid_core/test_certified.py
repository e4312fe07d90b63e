from __future__ import annotations

import numpy as np
import pytest

from pid_core import Channels, NotConverged, PidError, Spectrum, UnknownName, estimate
from tests.pid_core.problems import (
    CLOSED_FORMS,
    confident_case,
    crossed_case,
    peaked,
    random_channels,
    sampled,
    soft_case,
    softmax,
    uniform,
)

N = 1024
BALANCED = np.arange(N) % 4


def atoms(spectrum: Spectrum) -> list[float]:
    return list(spectrum.atoms.values())


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_sampled_true_posteriors_give_the_closed_form(name: str):
    joint, expected = CLOSED_FORMS[name]
    spectrum = estimate(sampled(joint, copies=16))
    assert atoms(spectrum) == pytest.approx(expected, abs=2e-6)
    assert spectrum.diagnostics.warnings == ()


def test_uniform_probes_beside_a_confident_joint_run_are_pure_synergy():
    spectrum = estimate(Channels(full=peaked(BALANCED, 0.98), only_1=uniform(N), only_2=uniform(N)))
    assert atoms(spectrum) == pytest.approx([0, 0, 0, 1.8269], abs=1e-4)
    assert spectrum.synergy_max == pytest.approx(spectrum.total)


def test_a_probe_that_knows_what_the_joint_run_knows_is_unique_beside_a_uniform_one():
    joint = peaked(BALANCED, 0.98)
    spectrum = estimate(Channels(full=joint, only_1=joint, only_2=uniform(N)))
    assert atoms(spectrum) == pytest.approx([0, 1.8269, 0, 0], abs=1e-4)


def test_three_equal_soft_runs_are_pure_redundancy():
    joint = peaked(BALANCED, 0.7)
    spectrum = estimate(Channels(full=joint, only_1=joint, only_2=joint))
    assert atoms(spectrum) == pytest.approx([0.6432, 0, 0, 0], abs=1e-4)


def test_a_garbling_of_the_first_source_shares_all_it_has_with_it():
    joint = softmax(2.0 * np.random.default_rng(0).normal(size=(N, 4)))
    joint = joint[np.argsort(joint[:, 0])]
    blurred = np.repeat(joint.reshape(-1, 8, 4).mean(axis=1), 8, axis=0)  # x2 = x1 in eights
    spectrum = estimate(Channels(full=joint, only_1=joint, only_2=blurred))
    i_1, i_2 = spectrum.information_1, spectrum.information_2
    assert i_2 > 0.1
    assert atoms(spectrum) == pytest.approx([i_2, i_1 - i_2, 0, 0], abs=1e-3)


def test_soft_predictions_are_where_the_trained_network_is_not():
    spectrum = estimate(soft_case(N))
    assert atoms(spectrum) == pytest.approx([0.382, 0.0, 0.279, 0.671], abs=0.06)
    assert spectrum.diagnostics.gap_bits <= 1e-3
    assert spectrum.diagnostics.converged


def test_confident_predictions_too():
    spectrum = estimate(confident_case(N))
    assert atoms(spectrum) == pytest.approx([1.188, 0.0, 0.177, 0.387], abs=0.06)
    assert spectrum.diagnostics.gap_bits <= 1e-3


def test_two_probes_that_each_know_something_else_close_the_gap_as_well():
    spectrum = estimate(crossed_case(352), tolerance_bits=1e-4)
    assert min(spectrum.unique_1, spectrum.unique_2) > 0.1
    assert spectrum.diagnostics.gap_bits <= 1e-4


def test_probes_that_are_sure_of_crossed_pairs_split_into_two_unique_parts():
    which = np.arange(256) % 16
    first = np.array([[1, 1, -1, -1]]) * np.where(which // 4 < 2, 3.0, -3.0)[:, None]
    second = np.array([[1, -1, 1, -1]]) * np.where(which % 4 < 2, 3.0, -3.0)[:, None]
    channels = Channels(full=softmax(first + second), only_1=softmax(first), only_2=softmax(second))
    spectrum = estimate(channels)
    # y is two bits, each probe knows one and nothing of the other: "copy" with a little noise
    assert spectrum.redundancy == pytest.approx(0.0, abs=1e-6)
    assert spectrum.synergy == pytest.approx(0.0, abs=1e-6)
    assert spectrum.unique_1 == pytest.approx(spectrum.information_1, abs=1e-6)


ALWAYS_A = peaked(np.zeros(500, dtype=int), 0.97)
SKEWED = peaked(np.repeat([0, 1, 2, 3], [350, 50, 50, 50]), 0.97)
JOINT = peaked(np.arange(500) % 4, 0.97)  # I(Y; X1, X2) = 1.758


@pytest.mark.parametrize(
    ("only_1", "only_2", "reference"),
    [
        (uniform(500), ALWAYS_A, (1.758, -1.758, 0.0, 1.758)),
        (ALWAYS_A, uniform(500), (0.0, 1.758, 0.0, 0.0)),
        (ALWAYS_A, ALWAYS_A, (1.758, 0.0, 0.0, 0.0)),
        (uniform(500), SKEWED, (0.156, -0.156, 1.602, 0.156)),
        (uniform(500), uniform(500), (0.0, 0.0, 0.0, 1.758)),
    ],
)
def test_the_reference_policy_shows_what_the_joint_runs_prior_does_to_the_atoms(
    only_1: np.ndarray, only_2: np.ndarray, reference: tuple[float, ...]
):
    channels = Channels(full=JOINT, only_1=only_1, only_2=only_2)
    for rule in ("own", "half", "x1"):
        spectrum = estimate(channels, marginals="reference", pointwise=rule)
        assert atoms(spectrum) == pytest.approx(reference, abs=1e-3)
        assert spectrum.pointwise.mean(axis=0) == pytest.approx(atoms(spectrum), abs=1e-9)
    if only_2 is not SKEWED:  # a probe that never varies knows nothing
        for policy in ("calibrate", "couple"):
            assert atoms(estimate(channels, marginals=policy)) == pytest.approx(
                [0, 0, 0, 1.758], abs=1e-3
            )


def test_a_skewed_probe_is_reported_as_not_identifiable():
    spectrum = estimate(Channels(full=JOINT, only_1=uniform(500), only_2=SKEWED))
    found = spectrum.diagnostics
    assert found.own_information_2 == pytest.approx(1.16, abs=0.01)
    assert found.kept_information_2 < 0.5 * found.own_information_2
    assert found.prior_shift_2 > 0.1
    assert any("prior shift" in warning for warning in found.warnings)
    assert any("not identifiable" in warning for warning in found.warnings)


def _option_counts() -> tuple[np.ndarray, np.ndarray]:
    valid = np.ones((400, 4), dtype=bool)
    valid[:100, 2:] = False
    answers = np.where(np.arange(400) < 100, np.arange(400) % 2, np.arange(400) % 4)
    full = np.where(valid, 1e-3, 0.0)
    full[np.arange(400), answers] = 1.0
    return valid, full / full.sum(axis=1, keepdims=True)


def test_the_number_of_options_makes_redundancy_only_when_pooled():
    valid, full = _option_counts()
    even = valid / valid.sum(axis=1, keepdims=True)
    channels = Channels(full=even, only_1=even, only_2=even, valid=valid)
    assert atoms(estimate(channels)) == pytest.approx([0, 0, 0, 0], abs=1e-9)
    assert estimate(channels).diagnostics.n_groups == 2
    pooled = estimate(channels, pool_candidates=True)
    assert pooled.redundancy == pytest.approx(0.2044, abs=1e-3)
    sure = Channels(full=full, only_1=even, only_2=even, valid=valid)
    assert estimate(sure).redundancy == pytest.approx(0.0, abs=1e-9)


def test_groups_are_averaged_by_size():
    valid, full = _option_counts()
    z = np.random.default_rng(0).normal(size=(2, 400, 4))
    probe_1, probe_2 = softmax(np.where(valid, z, -np.inf))
    channels = Channels(full=full, only_1=probe_1, only_2=probe_2, valid=valid)
    parts = [
        estimate(
            Channels(
                full=full[rows][:, :k], only_1=probe_1[rows][:, :k], only_2=probe_2[rows][:, :k]
            )
        )
        for rows, k in ((slice(0, 100), 2), (slice(100, 400), 4))
    ]
    whole = estimate(channels)
    expected = 0.25 * np.array(atoms(parts[0])) + 0.75 * np.array(atoms(parts[1]))
    assert atoms(whole) == pytest.approx(expected, abs=2e-3)
    assert whole.diagnostics.method == "closed form, exponential multipliers"


def test_small_candidate_sets_are_named():
    valid, full = _option_counts()
    even = valid / valid.sum(axis=1, keepdims=True)
    keep = slice(90, 400)
    spectrum = estimate(
        Channels(full=full[keep], only_1=even[keep], only_2=even[keep], valid=valid[keep])
    )
    assert any("10 of 310 samples" in warning for warning in spectrum.diagnostics.warnings)


def test_a_negative_synergy_is_reported_with_its_reason():
    sure = peaked(np.arange(200) % 4, 0.9)
    spectrum = estimate(Channels(full=peaked(np.arange(200) % 4, 0.6), only_1=sure, only_2=sure))
    assert spectrum.synergy < -0.1
    assert "not margins of its predictions" in spectrum.diagnostics.warnings[-1]


def test_one_sample_says_nothing():
    spectrum = estimate(Channels(full=[[0.9, 0.1]], only_1=[[0.5, 0.5]], only_2=[[0.2, 0.8]]))
    assert atoms(spectrum) == pytest.approx([0, 0, 0, 0], abs=1e-9)


def test_a_class_that_the_joint_run_never_predicts_is_left_out():
    joint = np.pad(peaked(np.arange(60) % 3, 0.9, 3), ((0, 0), (0, 1)))
    spectrum = estimate(Channels(full=joint, only_1=uniform(60), only_2=joint))
    assert spectrum.unique_2 == pytest.approx(spectrum.total, abs=1e-9)


def test_samples_without_any_doubt_are_handled():
    one_hot = np.eye(4)[np.arange(64) % 4]
    spectrum = estimate(Channels(full=one_hot, only_1=one_hot, only_2=one_hot))
    assert atoms(spectrum) == pytest.approx([2, 0, 0, 0], abs=1e-6)


def test_the_same_input_gives_the_same_bytes():
    one, two = (estimate(random_channels(3, 50, 4)) for _ in range(2))
    assert one.pointwise.tobytes() == two.pointwise.tobytes()


def test_early_stop_is_data_and_an_exception_only_on_request():
    channels = random_channels(1, 100, 4)
    spectrum = estimate(channels, max_steps=1)
    assert not spectrum.diagnostics.converged
    assert any("max_steps" in warning for warning in spectrum.diagnostics.warnings)
    with pytest.raises(NotConverged, match="bits apart"):
        estimate(channels, max_steps=1, throw=True)


def test_reference_policy_needs_both_probes_to_know_the_same_classes():
    channels = Channels(full=uniform(2, 2), only_1=uniform(2, 2), only_2=[[1, 0], [1, 0]])
    with pytest.raises(PidError, match="use marginals='calibrate'"):
        estimate(channels, marginals="reference")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"estimator": "certifed"}, UnknownName, "did you mean 'certified'"),
        ({"marginals": "calibrat"}, UnknownName, "did you mean 'calibrate'"),
        ({"pointwise": "x2"}, UnknownName, "did you mean 'x1'"),
        ({"tolerance_bits": 0.0}, PidError, "tolerance_bits must be positive"),
        ({"max_steps": 0}, PidError, "max_steps must be at least 1"),
    ],
)
def test_settings_outside_their_range_are_refused(
    arguments: dict[str, object], error: type[PidError], message: str
):
    with pytest.raises(error, match=message):
        estimate(random_channels(0, 4, 3), **arguments)  # type: ignore[arg-type]  # bad on purpose


@pytest.mark.parametrize("k", [2, 3, 9, 26])
def test_two_to_26_candidates_work(k: int):
    knows = peaked(np.arange(130) % k, 0.9, k)
    spectrum = estimate(Channels(full=knows, only_1=uniform(130, k), only_2=knows))
    assert spectrum.diagnostics.converged
    assert spectrum.unique_2 == pytest.approx(spectrum.total, abs=2e-3)
    mixed = estimate(random_channels(0, 60, k))
    assert mixed.diagnostics.gap_bits <= 1e-3


def test_probabilities_of_a_trillionth_and_certainty_stand_side_by_side():
    classes = np.arange(80) % 4
    nearly, surely = peaked(classes, 1.0 - 3e-12), peaked(classes, 1.0)
    spectrum = estimate(Channels(full=surely, only_1=nearly, only_2=surely))
    assert atoms(spectrum) == pytest.approx([2.0, 0.0, 0.0, 0.0], abs=1e-6)
