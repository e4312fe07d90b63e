"""Two estimates on the same samples: the bootstrap against closed forms, and what it leaves out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pid_core import Channels, PidError, estimate
from pid_core.interval import clustered_deviation
from pid_core.paired import mean_deviation, paired_difference, paired_influences, paired_spectra
from pid_core.spectrum import COLUMNS
from pid_core.uncertainty import with_uncertainty
from tests.pid_core.problems import random_channels, softmax


def _normal(seed: int, n: int, columns: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, columns))


def test_the_deviation_is_that_of_a_mean() -> None:
    first, second = _normal(0, 400), _normal(1, 400)
    found = paired_difference(first, second, resamples=8000)
    exact = (second - first).std(axis=0, ddof=1) / np.sqrt(400)
    assert found.deviation == pytest.approx(exact, rel=0.04)
    assert found.difference == pytest.approx(second.mean(axis=0) - first.mean(axis=0), abs=1e-12)
    low, high = found.interval(0.95).T
    assert (high - low) / 2 == pytest.approx(1.959964 * found.deviation, rel=1e-6)


def test_what_both_share_cancels() -> None:
    shared, own = 10 * _normal(2, 300), 0.1 * _normal(3, 300)
    paired = paired_difference(shared, shared + own, resamples=4000)
    assert paired.deviation == pytest.approx(own.std(axis=0) / np.sqrt(300), rel=0.06)
    apart = np.hypot(mean_deviation(shared), mean_deviation(shared + own))
    assert (apart > 50 * paired.deviation).all()


def test_rows_of_one_group_are_drawn_together() -> None:
    first, second = _normal(4, 200), _normal(5, 200)
    plain = paired_difference(first, second, resamples=4000)
    twice = [np.repeat(one, 2, axis=0) for one in (first, second)]
    grouped = paired_difference(*twice, np.repeat(np.arange(200), 2), resamples=4000)
    naive = paired_difference(*twice, resamples=4000)
    assert grouped.groups == 200
    assert grouped.deviation == pytest.approx(plain.deviation, rel=1e-6)
    assert naive.deviation == pytest.approx(plain.deviation / np.sqrt(2), rel=0.08)


def test_groups_of_unequal_size_follow_the_formula_of_a_ratio() -> None:
    sizes = np.random.default_rng(6).integers(1, 8, size=500)
    groups = np.repeat(np.arange(500), sizes)
    values = _normal(7, len(groups)) + _normal(8, 500)[groups]
    sums = np.zeros((500, 4))
    np.add.at(sums, groups, values - values.mean(axis=0))
    exact = np.sqrt(500 / 499 * (sums**2).sum(axis=0)) / len(groups)
    assert mean_deviation(values, groups, resamples=8000) == pytest.approx(exact, rel=0.05)


def test_coverage_is_what_it_says() -> None:
    inside = 0
    for seed in range(300):
        shared = _normal(3 * seed, 60, 1)
        second = shared + 0.3 + _normal(3 * seed + 1, 60, 1)
        low, high = paired_difference(shared, second, resamples=400, seed=seed).interval(0.95)[0]
        inside += low <= 0.3 <= high
    assert 0.91 <= inside / 300 <= 0.98


def test_the_seed_decides_every_digit() -> None:
    first, second = _normal(9, 50), _normal(10, 50)
    again = [paired_difference(first, second, seed=seed).deviation for seed in (0, 0, 1)]
    assert (again[0] == again[1]).all()
    assert (again[0] != again[2]).any()


def test_what_an_interval_has_beyond_its_pointwise_values_is_added() -> None:
    first, second = np.zeros((50, 2)), np.ones((50, 2))
    found = paired_difference(first, second, deviation_1=[0.3, np.nan], deviation_2=[0.4, 0.0])
    assert found.fixed_deviation.tolist() == [0.0, 0.0]
    assert found.deviation == pytest.approx([0.5, 0.0])


def test_with_the_fit_held_fixed_an_atom_looks_surer_than_it_is() -> None:
    def draw(seed: int):
        found = random_channels(seed, 120, 3, 1.0)
        return estimate(Channels(full=found.full, only_1=found.only_1, only_2=found.only_2))

    first, second = draw(0), draw(1)
    claimed = np.stack(
        [
            [(high - low) / 2 / 1.959964 for low, high in one.interval().values()]
            for one in (first, second)
        ]
    )
    found = paired_difference(
        first.pointwise, second.pointwise, deviation_1=claimed[0], deviation_2=claimed[1]
    )
    influence = paired_difference(first.influence, second.influence)
    assert (found.fixed_deviation < 0.9 * influence.deviation).any(), "or nothing is to be added"
    assert (found.deviation > 0.9 * influence.deviation).all()


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 30),
    columns=st.integers(1, 5),
    scale=st.floats(1e-3, 1e3),
)
def test_swapping_the_two_turns_the_sign_and_units_scale(
    seed: int, n: int, columns: int, scale: float
) -> None:
    first, second = _normal(seed, n, columns), _normal(seed + 1, n, columns)
    there = paired_difference(first, second, resamples=50)
    back = paired_difference(second, first, resamples=50)
    assert back.difference == pytest.approx(-there.difference)
    assert back.deviation == pytest.approx(there.deviation)
    scaled = paired_difference(scale * first, scale * second, resamples=50)
    assert scaled.deviation == pytest.approx(scale * there.deviation, rel=1e-9)


@given(seed=st.integers(0, 2**32 - 1), shift=st.floats(-5, 5))
def test_a_constant_shift_is_certain(seed: int, shift: float) -> None:
    first = _normal(seed, 20, 2)
    found = paired_difference(first, first + shift, resamples=50)
    assert found.difference == pytest.approx([shift, shift], abs=1e-12)
    assert found.deviation == pytest.approx([0.0, 0.0], abs=1e-12)


def test_one_group_alone_says_nothing() -> None:
    found = paired_difference(_normal(0, 5), _normal(1, 5), ["only"] * 5)
    assert np.isnan(found.deviation).all()


@pytest.mark.parametrize(
    ("first", "second", "more", "message"),
    [
        ([[1.0]], [[1.0], [2.0]], {}, "one row per common sample"),
        ([1.0], [1.0], {}, r"shape \(N, C\)"),
        ([[np.nan]], [[1.0]], {}, "row 0"),
        ([[1.0]], [[1.0]], {"group_id": ["a", "b"]}, "each of 1 rows"),
        ([[1.0]], [[1.0]], {"deviation_1": [-1.0]}, "deviation_1"),
        ([[1.0]], [[1.0]], {"resamples": 1}, "resamples"),
    ],
)
def test_bad_input_is_named(first, second, more, message) -> None:
    with pytest.raises(PidError, match=message):
        paired_difference(first, second, **more)
    with pytest.raises(PidError, match="coverage"):
        paired_difference([[1.0], [2.0]], [[1.0], [2.0]]).interval(1.0)


def _model(sharpness: float, seed: int, n: int, k: int = 2) -> Channels:
    """A model that hears source 2 so well; with one seed, the same questions."""
    z1, z2 = np.random.default_rng(seed).normal(size=(2, n, k))
    return Channels(
        full=softmax(2 * z1 + 2 * sharpness * z2),
        only_1=softmax(z1),
        only_2=softmax(sharpness * z2),
    )


def test_the_difference_of_influences_covers_the_fits_and_what_they_share() -> None:
    """Over fresh questions, the difference spreads as the paired interval of one of them claims."""
    differences, claimed, apart = [], [], []
    for seed in range(100, 140):
        one, two = (estimate(_model(sharpness, seed, 60)) for sharpness in (1.0, 1.5))
        found = paired_spectra(one, two)
        differences.append(found.difference)
        claimed.append(found.deviation)
        own = [clustered_deviation(spectrum.influences) for spectrum in (one, two)]
        apart.append(np.hypot(*own))
    spread = np.std(differences, axis=0, ddof=1)
    large = spread > 0.01
    assert large.sum() >= 4
    assert np.mean(claimed, axis=0)[large] == pytest.approx(spread[large], rel=0.35)
    synergy = COLUMNS.index("synergy")
    assert np.mean(claimed, axis=0)[synergy] < 0.8 * np.mean(apart, axis=0)[synergy]


def test_the_bias_of_a_difference_is_the_difference_of_the_biases() -> None:
    channels = [_model(sharpness, 0, 64) for sharpness in (1.0, 2.0)]
    spectra = [with_uncertainty(estimate(one), one) for one in channels]
    found = paired_spectra(*spectra)
    biases = [one.uncertainty.bias for one in spectra if one.uncertainty is not None]
    assert found.bias == pytest.approx(biases[1] - biases[0])
    for (low, high), value, bias in zip(
        found.interval(), found.difference, found.bias, strict=True
    ):
        assert low < min(value, value - bias) <= max(value, value - bias) < high
    plain = paired_spectra(*(estimate(one) for one in channels))
    assert np.isnan(plain.bias).all()
    assert plain.deviation == pytest.approx(found.deviation)


def test_a_model_does_not_differ_from_itself() -> None:
    spectrum = estimate(random_channels(0, 40, 2))
    found = paired_spectra(spectrum, spectrum)
    assert (found.difference == 0.0).all()
    assert (found.deviation == 0.0).all()
    assert found.fixed_deviation is None


def test_influences_of_one_group_are_summed_first() -> None:
    first, second = _normal(0, 60), _normal(1, 60)
    rows = np.repeat(np.arange(60), 2)
    plain = paired_influences(first, second)
    grouped = paired_influences(first[rows], second[rows], rows)
    assert grouped.deviation == pytest.approx(plain.deviation)
    assert (plain.groups, grouped.groups) == (60, 60)


def test_an_unknown_share_stays_unknown_beside_known_atoms() -> None:
    flat = Channels(full=[[0.5, 0.5]] * 40, only_1=[[0.5, 0.5]] * 40, only_2=[[0.5, 0.5]] * 40)
    found = paired_spectra(estimate(flat), estimate(random_channels(0, 40, 2)))
    assert np.isnan(found.interval()[COLUMNS.index("synergy_share")]).all()
    assert np.isfinite(found.interval()[:5]).all()


def test_spectra_of_other_samples_are_not_paired() -> None:
    one, two = (estimate(random_channels(0, n, 2)) for n in (20, 21))
    with pytest.raises(PidError, match="got 20 and 21 samples"):
        paired_spectra(one, two)
    with pytest.raises(PidError, match="bias_1 must be 1 numbers"):
        paired_influences([[1.0]], [[2.0]], bias_1=[0.0, 1.0])
