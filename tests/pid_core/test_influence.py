from __future__ import annotations

import numpy as np
import pytest

from pid_core import Channels, PidError, Spectrum, estimate
from tests.pid_core.problems import random_channels, softmax


def _repeated(channels: Channels, counts: np.ndarray) -> Channels:
    return Channels(
        full=np.repeat(channels.full, counts, axis=0),
        only_1=np.repeat(channels.only_1, counts, axis=0),
        only_2=np.repeat(channels.only_2, counts, axis=0),
    )


def _vector(spectrum: Spectrum) -> np.ndarray:
    return np.array(list(spectrum.atoms.values()))


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("policy", ["calibrate", "couple", "reference"])
def test_influence_is_the_derivative_when_a_sample_gets_more_weight(k: int, policy: str):
    channels, n, copies = random_channels(0, 16, k, 1.0), 16, 2000
    base = estimate(channels, tolerance_bits=1e-8, marginals=policy)
    spread = base.influence.std(axis=0)
    for sample in (0, 7):
        counts = np.full(n, copies)
        counts[sample] += copies // 20
        moved = estimate(_repeated(channels, counts), tolerance_bits=1e-8, marginals=policy)
        measured = (_vector(moved) - _vector(base)) * counts.sum() / (copies // 20)
        claimed = base.influence[sample] - base.influence.mean(axis=0)
        assert measured == pytest.approx(claimed, abs=0.03 * spread.max())


@pytest.mark.parametrize("k", [2, 4])
def test_influences_average_to_the_atoms(k: int):
    spectrum = estimate(random_channels(1, 50, k))
    assert spectrum.influence.mean(axis=0) == pytest.approx(_vector(spectrum), abs=1e-12)


def test_interval_is_as_wide_as_the_spread_over_fresh_samples():
    def draw(seed: int) -> Channels:
        z1, z2 = np.random.default_rng(seed).normal(size=(2, 200, 2))
        return Channels(full=softmax(2 * (z1 + z2)), only_1=softmax(z1), only_2=softmax(1.5 * z2))

    spectra = [estimate(draw(seed)) for seed in range(80)]
    measured = np.std([_vector(s) for s in spectra], axis=0)
    claimed = np.mean(
        [[(high - low) / 2 / 1.96 for low, high in s.interval(0.95).values()] for s in spectra],
        axis=0,
    )
    large = measured > 0.005
    assert large.sum() >= 3
    assert claimed[large] == pytest.approx(measured[large], rel=0.25)


def test_samples_of_one_group_count_once():
    channels = random_channels(2, 40, 2)
    plain = estimate(channels).interval()
    doubled = _repeated(channels, np.full(40, 2))
    naive = estimate(doubled).interval()
    clustered = estimate(
        Channels(
            full=doubled.full,
            only_1=doubled.only_1,
            only_2=doubled.only_2,
            group_id=np.repeat([f"image {i}" for i in range(40)], 2),
        )
    ).interval()

    def width(interval: dict[str, tuple[float, float]]) -> float:
        return interval["synergy"][1] - interval["synergy"][0]

    assert width(clustered) == pytest.approx(width(plain), rel=1e-6)
    assert width(naive) == pytest.approx(width(plain) / np.sqrt(2), rel=0.02)


def test_a_higher_level_is_wider_and_a_level_of_one_is_refused():
    spectrum = estimate(random_channels(3, 40, 2))
    for name, (low, high) in spectrum.interval(0.9).items():
        wider = spectrum.interval(0.99)[name]
        assert wider[0] <= low <= spectrum.atoms[name] <= high <= wider[1]
    with pytest.raises(PidError, match="strictly between"):
        spectrum.interval(1.0)
