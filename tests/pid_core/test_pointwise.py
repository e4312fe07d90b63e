from __future__ import annotations

import numpy as np
import pytest

from pid_core import Channels, estimate
from pid_core.information import row_divergence, to_bits
from tests.pid_core.problems import (
    CLOSED_FORMS,
    crossed_case,
    random_channels,
    sampled,
    soft_case,
)


@pytest.mark.parametrize("rule", ["own", "half", "x1"])
@pytest.mark.parametrize("k", [2, 4])
def test_values_of_the_samples_average_to_the_atoms_exactly(rule: str, k: int):
    spectrum = estimate(random_channels(0, 60, k), pointwise=rule)
    assert spectrum.pointwise.mean(axis=0) == pytest.approx(
        list(spectrum.atoms.values()), abs=1e-12
    )


@pytest.mark.parametrize("rule", ["own", "half", "x1"])
def test_values_of_one_sample_add_up_to_its_own_information(rule: str):
    channels = random_channels(1, 60, 4)
    spectrum = estimate(channels, pointwise=rule)
    own = to_bits(1.0) * row_divergence(channels.full, channels.full.mean(axis=0))
    assert spectrum.pointwise.sum(axis=1) == pytest.approx(own, abs=1e-12)


@pytest.mark.parametrize("k", [2, 4])
def test_unique_values_anchored_at_their_own_source_are_never_negative(k: int):
    spectrum = estimate(random_channels(2, 80, k))
    assert spectrum.pointwise[:, 1:3].min() >= -1e-12


def test_the_three_rules_agree_on_the_atoms_and_nearly_on_the_ranks_of_synergy():
    channels = crossed_case(200)
    own, half, first = (estimate(channels, pointwise=rule) for rule in ("own", "half", "x1"))
    assert half.atoms == pytest.approx(own.atoms, abs=1e-9)
    assert first.atoms == pytest.approx(own.atoms, abs=1e-9)
    ranks = [np.argsort(np.argsort(s.pointwise[:, 3])) for s in (own, half, first)]
    assert np.corrcoef(ranks).min() > 0.5


def test_where_a_source_has_nothing_unique_only_the_own_rule_says_so_for_each_sample():
    channels = soft_case(200)
    own, half = (estimate(channels, tolerance_bits=1e-5, pointwise=r) for r in ("own", "half"))
    assert own.unique_1 < 1e-4
    assert own.pointwise[:, 1].std() < 1e-3
    assert half.pointwise[:, 1].std() > 0.1


def test_swapping_the_sources_swaps_the_unique_columns():
    channels = random_channels(3, 40, 3)
    swapped = Channels(full=channels.full, only_1=channels.only_2, only_2=channels.only_1)
    one, other = estimate(channels, tolerance_bits=1e-6), estimate(swapped, tolerance_bits=1e-6)
    # A gap of 1e-6 over 40 samples allows one of them to be off by the root of 40 times that.
    assert one.pointwise[:, [0, 2, 1, 3]] == pytest.approx(other.pointwise, abs=2e-2)


def test_samples_of_a_gate_share_its_atoms_evenly():
    joint, expected = CLOSED_FORMS["copy"]
    spectrum = estimate(sampled(joint, copies=16))
    assert spectrum.pointwise == pytest.approx(np.tile(expected, (16, 1)), abs=1e-5)
