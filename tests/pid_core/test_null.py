"""Null spectra: what cannot change, and what is found where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest

from pid_core import ChannelError, Channels, PidError, RawScores, UnknownName, estimate
from pid_core.null import noise_null, null_spectrum
from pid_core.problem import OfDraws
from pid_core.spectrum import ATOMS
from tests.pid_core.problems import random_channels, softmax


@pytest.mark.parametrize("policy", ["calibrate", "couple", "reference"])
@pytest.mark.parametrize("k", [2, 3])
def test_which_row_of_a_probe_belongs_to_which_sample_does_not_matter(k: int, policy: str) -> None:
    """The exact atoms are the same; where the solver iterates, it returns them within its gap."""
    channels = random_channels(0, 30, k)
    generator = np.random.default_rng(1)
    permuted = Channels(
        full=channels.full,
        only_1=channels.only_1[generator.permutation(30)],
        only_2=channels.only_2[generator.permutation(30)],
    )
    one, two = (estimate(given, marginals=policy) for given in (channels, permuted))
    gap = max(one.diagnostics.gap_bits, two.diagnostics.gap_bits)
    assert gap < 2e-6
    assert two.atoms == pytest.approx(one.atoms, abs=gap + 1e-12)
    assert two.total == one.total


def test_exchanged_probes_leave_the_bias_of_so_few_samples() -> None:
    """Source 2 knows much more, and yet nothing is unique to it once they have changed places."""
    z1, z2 = np.random.default_rng(0).normal(size=(2, 120, 2))
    channels = Channels(full=softmax(z1 + 4 * z2), only_1=softmax(0.2 * z1), only_2=softmax(3 * z2))
    found = null_spectrum(channels, replicates=8)
    assert found.zero == ("unique_1", "unique_2")
    assert estimate(channels).unique_2 > 0.4
    assert (found.mean[1:3] < 0.1).all()
    assert (found.mean[1:3] > 0.0).all(), "that is the bias"
    assert (found.low <= found.mean).all()
    assert (found.mean <= found.high).all()


def test_more_samples_leave_less() -> None:
    few, many = (
        null_spectrum(random_channels(2, n, 2, 1.0), replicates=6).mean[1:3].sum()
        for n in (24, 240)
    )
    assert many < 0.6 * few


def test_a_group_changes_places_as_a_whole() -> None:
    channels = random_channels(3, 30, 2)
    rows = np.repeat(np.arange(30), 2)
    doubled = channels.at(rows)
    grouped = Channels(
        full=doubled.full, only_1=doubled.only_1, only_2=doubled.only_2, group_id=rows
    )
    plain, together = (null_spectrum(one, replicates=3) for one in (channels, grouped))
    assert together.mean == pytest.approx(plain.mean, abs=1e-6)


def test_permuted_embeddings_leave_what_small_cells_make_of_nothing() -> None:
    generator = np.random.default_rng(0)
    bits = generator.integers(2, size=(200, 2))
    answers = np.eye(2)[bits.sum(axis=1) % 2]
    channels = Channels(
        full=answers, only_1=answers, only_2=answers,
        features_1=bits[:, :1].astype(float), features_2=bits[:, 1:].astype(float),
    )  # fmt: skip
    assert estimate(channels, "ipfp").synergy > 0.9
    found = null_spectrum(channels, "ipfp", replicates=5)
    assert found.kind == "permute"
    assert found.zero == ATOMS
    assert 0.0 < found.mean[-1] < 0.05


def test_draws_of_noise_change_places_together_and_stay_jackknifed() -> None:
    generator = np.random.default_rng(0)
    full = np.log(softmax(6 * np.eye(2)[np.arange(40) % 2]))
    noisy = np.log(softmax(generator.normal(size=(2, 40, 3, 2))))
    problem = OfDraws.of_scores(RawScores(full=full, only_1=noisy[0], only_2=noisy[1]))
    found = null_spectrum(problem, replicates=4)
    assert found.kind == "exchange"
    assert found.mean[:4].sum() == pytest.approx(found.mean[4], abs=1e-9)
    assert abs(found.mean[0]) < 0.1, "the noise that both probes have is taken out"


def test_two_halves_of_the_noise_know_nothing() -> None:
    """The noise of single draws would be redundancy of both halves; the jackknife takes it out."""
    generator = np.random.default_rng(0)
    full = softmax(6 * np.eye(2)[np.arange(100) % 2])
    found = noise_null(full, softmax(0.6 * generator.normal(size=(100, 6, 2))), replicates=4)
    assert (found.kind, found.replicates) == ("noise", 4)
    assert (np.abs(found.mean[:3]) < 0.02).all()
    assert found.mean[3] == pytest.approx(found.mean[4], abs=0.02)
    leak = np.repeat(full[:, None] * 0.8 + 0.1, 6, axis=1)
    found = noise_null(full, leak, replicates=1)
    assert found.mean[0] > 0.4, "a prompt that still answers is seen"


def test_the_seed_decides() -> None:
    channels = random_channels(5, 30, 2)
    found = [null_spectrum(channels, replicates=2, seed=seed).mean for seed in (0, 0, 1)]
    assert (found[0] == found[1]).all()
    assert (found[0] != found[2]).any()


def test_what_means_nothing_is_refused() -> None:
    channels = random_channels(6, 20, 2)
    with pytest.raises(PidError, match="cannot change what 'certified' finds"):
        null_spectrum(channels, kind="permute")
    with pytest.raises(ChannelError, match="features_1 and features_2"):
        null_spectrum(channels, "ipfp")
    with pytest.raises(UnknownName, match="did you mean 'permute'"):
        null_spectrum(channels, kind="permuted")
    with pytest.raises(PidError, match="1 replicate or more"):
        null_spectrum(channels, replicates=0)
    with pytest.raises(ChannelError, match="6 draws or more"):
        noise_null(channels.full, channels.full[:, None])
