"""Bias and sampling error: what the interval of a number spans, and what it costs."""

from __future__ import annotations

import numpy as np
import pytest

from pid_core import Channels, PidError, RawScores, decompose_joint, estimate, estimate_over_draws
from pid_core.problem import OfDraws
from pid_core.spectrum import ATOMS, COLUMNS
from pid_core.uncertainty import uncertainty, with_uncertainty
from tests.pid_core.problems import CLOSED_FORMS, random_channels, softmax


def alike(n: int, seed: int = 0) -> Channels:
    """Two probes of the same distribution: no source has anything of its own."""
    z1, z2 = np.random.default_rng(seed).normal(size=(2, n, 4))
    return Channels(full=softmax(2 * z1 + 2 * z2), only_1=softmax(z1), only_2=softmax(z2))


def test_the_bias_of_alike_channels_is_seen_with_its_sign_and_size() -> None:
    channels = alike(144)
    found = uncertainty(channels, estimate(channels))
    bias = dict(zip(COLUMNS, found.bias, strict=True))
    about = 0.65 / np.sqrt(144)
    for atom in ("unique_1", "unique_2"):
        assert 0.3 * about < bias[atom] < 2 * about
    for atom in ("redundancy", "synergy"):
        assert -2 * about < bias[atom] < -0.3 * about


def test_the_interval_spans_the_value_and_the_value_without_its_bias() -> None:
    channels = random_channels(6, 64, 2)
    found = uncertainty(channels, estimate(channels))
    assert found.quarters == 4
    for name, (low, high) in found.interval(0.95).items():
        value, bias, deviation = found.of(name)
        ends = sorted((value, value - bias))
        assert low == pytest.approx(ends[0] - 1.959964 * deviation)
        assert high == pytest.approx(ends[1] + 1.959964 * deviation)


def test_a_spectrum_uses_what_was_measured_for_its_atoms_total_and_shares() -> None:
    channels = random_channels(0, 64, 2, 1.0)
    plain = estimate(channels)
    measured = with_uncertainty(plain, channels)
    assert measured.atoms == plain.atoms, "the value is never moved"
    for name in COLUMNS:
        low, high = measured.interval_of(name)
        inner = plain.interval_of(name)
        assert low <= inner[0] + 1e-12
        assert inner[1] <= high + 1e-12
    assert set(measured.interval()) == set(ATOMS)
    assert measured.interval()["synergy"] == measured.interval_of("synergy")


def test_the_deviation_of_a_share_is_that_of_a_ratio() -> None:
    """Replicates of the exact ratio, against the delta method."""
    z1, z2 = np.random.default_rng(1).normal(size=(2, 36, 2))
    channels = Channels(full=softmax(z1 + 3 * z2), only_1=softmax(z1), only_2=softmax(3 * z2))
    spectrum = estimate(channels)
    first = uncertainty(channels, spectrum, quarters=False)
    again = uncertainty(channels, spectrum, replicates=60, quarters=False)
    assert (first.method, again.method) == ("first order", "bootstrap")
    assert (first.note, again.replicates) == ("the bias was not measured", 60)
    large = again.deviation > 0.02
    assert {"unique_2_share", "redundancy_share"} < set(np.array(COLUMNS)[large])
    assert first.deviation[large] == pytest.approx(again.deviation[large], rel=0.3)


def test_groups_are_counted_and_widen_the_interval() -> None:
    channels = random_channels(2, 40, 2)
    rows = np.repeat(np.arange(40), 4)
    grouped = Channels(
        full=channels.full[rows],
        only_1=channels.only_1[rows],
        only_2=channels.only_2[rows],
        group_id=rows,
    )
    plain = uncertainty(channels, estimate(channels))
    found = uncertainty(grouped, estimate(grouped))
    assert (plain.groups, found.groups) == (40, 40)
    assert found.deviation == pytest.approx(plain.deviation, rel=1e-6, abs=1e-12)


def test_too_few_groups_leave_the_bias_unknown_and_say_so() -> None:
    channels = random_channels(3, 12, 2)
    found = uncertainty(channels, estimate(channels))
    assert found.quarters == 0
    assert np.isnan(found.bias).all()
    assert "12 groups of samples are too few" in found.note
    value, _, deviation = found.of("synergy")
    reach = 1.959964 * deviation
    assert found.interval()["synergy"] == pytest.approx((value - reach, value + reach))


def test_one_group_says_nothing_about_another() -> None:
    channels = random_channels(3, 20, 2)
    one = Channels(
        full=channels.full, only_1=channels.only_1, only_2=channels.only_2, group_id=["a"] * 20
    )
    for replicates in (0, 5):
        found = uncertainty(one, estimate(one), replicates=replicates)
        assert np.isnan(found.deviation).all()
        assert "all samples are of one group" in found.note


def test_without_information_a_share_is_unknown() -> None:
    flat = Channels(full=[[0.5, 0.5]] * 40, only_1=[[0.5, 0.5]] * 40, only_2=[[0.5, 0.5]] * 40)
    found = uncertainty(flat, estimate(flat), replicates=3)
    assert np.isnan(found.of("synergy_share")[0])
    assert found.interval()["total"] == pytest.approx((0.0, 0.0))


def test_draws_of_noise_keep_their_jackknife_in_the_quarters() -> None:
    generator = np.random.default_rng(0)
    answers = np.arange(64) % 2
    full = np.log(softmax(6 * np.eye(2)[answers]))
    noisy = np.log(softmax(generator.normal(size=(2, 64, 3, 2))))
    scores = RawScores(full=full, only_1=noisy[0], only_2=noisy[1])
    problem = OfDraws.of_scores(scores, marginals="couple")
    spectrum = estimate_over_draws(scores, marginals="couple")
    assert problem.estimate().atoms == pytest.approx(spectrum.atoms, abs=1e-12)
    first = problem.estimate(np.arange(32))
    part = RawScores(full=full[:32], only_1=noisy[0, :32], only_2=noisy[1, :32])
    assert first.atoms == pytest.approx(
        estimate_over_draws(part, marginals="couple").atoms, abs=1e-12
    )
    assert first.atoms != pytest.approx(problem.plain().estimate(np.arange(32)).atoms, abs=1e-4)
    measured = with_uncertainty(spectrum, problem)
    assert measured.uncertainty is not None
    assert measured.uncertainty.quarters == 4


def test_the_seed_decides_the_quarters() -> None:
    channels = random_channels(4, 64, 2)
    spectrum = estimate(channels)
    found = [uncertainty(channels, spectrum, seed=seed).bias.tolist() for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


def test_bad_input_is_named() -> None:
    channels = random_channels(5, 20, 2)
    spectrum = estimate(channels)
    with pytest.raises(PidError, match="made of 20 samples and 19"):
        uncertainty(channels.at(np.arange(19)), spectrum)
    with pytest.raises(PidError, match="no sampling interval"):
        decompose_joint(CLOSED_FORMS["and"][0]).interval_of("synergy")
    with pytest.raises(PidError, match="did you mean 'synergy'"):
        spectrum.interval_of("synergie")
    with pytest.raises(PidError, match="strictly between"):
        uncertainty(channels, spectrum).interval(0.0)
    with pytest.raises(PidError, match="no number of a spectrum is called"):
        uncertainty(channels, spectrum).of("noise")
