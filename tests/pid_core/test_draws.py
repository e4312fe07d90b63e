from __future__ import annotations

import numpy as np
import pytest

from pid_core import ChannelError, RawScores, estimate, estimate_over_draws
from pid_core.channels import Channels
from tests.pid_core.problems import peaked, softmax, uniform

N = 120
ANSWERS = np.arange(N) % 4
SURE = peaked(ANSWERS, 0.97)


def _noise(seed: int, draws: int, sharpness: float = 1.0) -> np.ndarray:
    return softmax(sharpness * np.random.default_rng(seed).normal(size=(N, draws, 4)))


def test_noise_in_two_probes_counts_as_redundancy_until_the_jackknife_takes_it_out():
    spectrum = estimate_over_draws(SURE, _noise(0, 4), _noise(1, 4), _noise(2, 4))
    found = spectrum.diagnostics
    assert found.plugin["redundancy"] > 0.05
    assert abs(spectrum.redundancy) < 0.02
    assert spectrum.synergy > found.plugin["synergy"] + 0.05
    assert abs(found.noise_floor_bits or 0.0) < 0.02
    assert found.draws == 4


def test_draws_that_agree_give_the_plain_estimate():
    z = np.random.default_rng(0).normal(size=(2, N, 4))
    probe_1, probe_2 = softmax(z)
    full = softmax(z.sum(axis=0))
    plain = estimate(Channels(full=full, only_1=probe_1, only_2=probe_2), tolerance_bits=1e-4)
    repeated = (np.repeat(p[:, None], 3, axis=1) for p in (probe_1, probe_2))
    spectrum = estimate_over_draws(full, *repeated)
    assert spectrum.atoms == pytest.approx(plain.atoms, abs=1e-3)


def test_atoms_pointwise_and_influence_stay_consistent():
    spectrum = estimate_over_draws(SURE, _noise(0, 3), 0.5 * _noise(1, 3) + 0.5 * SURE[:, None])
    assert sum(spectrum.atoms.values()) == pytest.approx(spectrum.total, abs=1e-9)
    expected = list(spectrum.atoms.values())
    assert spectrum.pointwise.mean(axis=0) == pytest.approx(expected, abs=1e-9)
    assert spectrum.influence.mean(axis=0) == pytest.approx(expected, abs=1e-9)
    assert spectrum.redundancy + spectrum.unique_2 == pytest.approx(
        spectrum.information_2, abs=1e-9
    )


def test_the_propagated_gap_stays_within_the_tolerance():
    found = estimate_over_draws(SURE, _noise(0, 4), _noise(1, 4)).diagnostics
    assert found.converged
    assert found.plugin_gap_bits <= 1e-3 / 7
    assert found.plugin_gap_bits <= found.gap_bits <= 1e-3


@pytest.mark.parametrize("draws", [1, 2])
def test_too_few_draws_are_estimated_plainly_and_said_so(draws: int):
    spectrum = estimate_over_draws(SURE, _noise(0, draws), _noise(1, draws))
    assert any("at least 3 draws" in warning for warning in spectrum.diagnostics.warnings)
    assert not spectrum.diagnostics.plugin
    assert spectrum.redundancy > 0.05


def test_masked_prompts_that_still_answer_are_named():
    leak = np.repeat(peaked(ANSWERS, 0.6)[:, None], 3, axis=1)
    spectrum = estimate_over_draws(SURE, _noise(0, 3), _noise(1, 3), leak)
    assert spectrum.diagnostics.noise_floor_bits == pytest.approx(0.395, abs=0.01)
    assert any("noise floor" in warning for warning in spectrum.diagnostics.warnings)


def test_raw_scores_bring_the_fallback_along():
    low = np.log(np.full((N, 3, 4), 0.25)) + np.log(0.2)  # mass 0.2: falls back
    high = np.log(peaked(np.zeros(N, dtype=int), 0.97))[:, None] + np.log(0.9)
    half = np.where(np.arange(N)[:, None, None] < N // 2, high, low)
    scores = RawScores(full=np.log(SURE) + np.log(0.9), only_1=low, only_2=half, neither=low)
    found = estimate_over_draws(scores).diagnostics
    assert found.fallback_rate == pytest.approx(
        {"full": 0.0, "only_1": 1.0, "only_2": 0.5, "neither": 1.0}
    )
    # one half always A (97 %), one half fallen back: worth 0.46 bits, none of them knowledge
    assert found.fallback_bits["only_2"] == pytest.approx(0.46, abs=0.01)
    assert any("only_2" in warning for warning in found.warnings)
    whole = estimate_over_draws(scores, tau=0.0).diagnostics
    assert whole.fallback_rate["only_1"] == 0.0


def test_candidate_sets_and_groups_pass_through():
    valid = np.ones((N, 4), dtype=bool)
    valid[::2, 3] = False
    full = softmax(np.where(valid, 3 * np.random.default_rng(0).normal(size=(N, 4)), -np.inf))
    draws = np.where(valid[:, None], _noise(0, 3), 0.0)
    draws /= draws.sum(axis=2, keepdims=True)
    spectrum = estimate_over_draws(
        full, draws, draws[::-1][::-1], valid=valid, group_id=np.arange(N) // 2
    )
    assert spectrum.diagnostics.n_groups == 2
    assert spectrum.clusters is not None
    assert spectrum.clusters.max() == N // 2 - 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"only_2": _noise(0, 2)}, "only_2 must have the shape of only_1"),
        ({"neither": _noise(0, 4)[:10]}, "neither must have the shape"),
        ({"only_1": None}, "only_1 is missing"),
        ({"full": uniform(N)[:, :, None, None]}, r"\(N, K\) or \(N, D, K\)"),
        ({"only_1": 2 * _noise(0, 4)}, "must sum to 1"),
    ],
)
def test_draws_that_do_not_fit_are_refused(change: dict[str, object], message: str):
    good: dict[str, object] = {
        "full": SURE,
        "only_1": _noise(0, 4),
        "only_2": _noise(1, 4),
        "neither": _noise(2, 4),
    }
    with pytest.raises(ChannelError, match=message):
        estimate_over_draws(**{**good, **change})  # type: ignore[arg-type]  # bad on purpose


def test_raw_scores_take_nothing_beside_them():
    scores = RawScores(full=np.log(SURE), only_1=np.log(SURE), only_2=np.log(SURE))
    with pytest.raises(ChannelError, match="nothing beside"):
        estimate_over_draws(scores, only_1=SURE)
