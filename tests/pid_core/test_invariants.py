"""What must hold for every input, whatever the atoms are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pid_core import Channels, Spectrum, estimate
from tests.pid_core.problems import random_channels

TIGHT = 1e-5
SLACK = 3e-5


KINDS = ("plain", "equal probes", "uniform probe", "one-hot", "rounded")
specs = st.tuples(
    st.integers(0, 10_000),
    st.integers(1, 8),
    st.integers(2, 4),
    st.sampled_from([0.1, 1.0, 4.0, 15.0]),
    st.sampled_from(KINDS),
)
Spec = tuple[int, int, int, float, str]


def _channels(spec: Spec) -> Channels:
    """Soft to nearly deterministic probes, with rows in common and classes ruled out."""
    seed, n, k, sharpness, kind = spec
    made = random_channels(seed, n, k, sharpness)
    full, only_1, only_2 = made.full, made.only_1, made.only_2
    if kind == "equal probes":
        only_2 = only_1
    elif kind == "uniform probe":
        only_1 = np.full((n, k), 1.0 / k)
    elif kind == "one-hot":
        full, only_1 = (np.eye(k)[p.argmax(axis=1)] for p in (full, only_1))
    elif kind == "rounded":
        full, only_1, only_2 = (
            np.where(p < 0.1, 0.0, p) / np.where(p < 0.1, 0.0, p).sum(axis=1, keepdims=True)
            for p in (full, only_1, only_2)
        )
    return Channels(full=full, only_1=only_1, only_2=only_2)


def _atoms(spectrum: Spectrum) -> np.ndarray:
    return np.array(list(spectrum.atoms.values()))


def _solve(full: np.ndarray, only_1: np.ndarray, only_2: np.ndarray) -> Spectrum:
    return estimate(
        Channels(full=full, only_1=only_1, only_2=only_2), tolerance_bits=TIGHT, max_steps=100
    )


@given(specs)
def test_atoms_add_up_and_have_the_signs_the_theory_gives_them(spec: Spec):
    channels = _channels(spec)
    s = _solve(channels.full, channels.only_1, channels.only_2)
    gap = s.diagnostics.gap_bits
    assert 0.0 <= gap <= TIGHT
    assert _atoms(s).sum() == pytest.approx(s.total, abs=1e-10)
    assert s.redundancy + s.unique_1 == pytest.approx(s.information_1, abs=1e-10)
    assert s.redundancy + s.unique_2 == pytest.approx(s.information_2, abs=1e-10)
    assert min(s.redundancy, s.unique_1, s.unique_2) >= -gap - 1e-10
    assert s.synergy <= s.synergy_max + gap + 1e-10
    assert s.pointwise.mean(axis=0) == pytest.approx(_atoms(s), abs=1e-10)


@given(specs)
def test_swapping_the_sources_swaps_the_unique_atoms(spec: Spec):
    channels = _channels(spec)
    one = _atoms(_solve(channels.full, channels.only_1, channels.only_2))
    other = _atoms(_solve(channels.full, channels.only_2, channels.only_1))
    assert one[[0, 2, 1, 3]] == pytest.approx(other, abs=SLACK)


@given(specs, st.integers(0, 1000))
def test_names_of_candidates_and_order_of_samples_do_not_matter(spec: Spec, seed: int):
    generator = np.random.default_rng(seed)
    channels = _channels(spec)
    columns = generator.permutation(channels.n_candidates)
    rows = generator.permutation(channels.n_samples)
    given_ = _solve(channels.full, channels.only_1, channels.only_2)
    moved = _solve(
        channels.full[rows][:, columns],
        channels.only_1[rows][:, columns],
        channels.only_2[rows][:, columns],
    )
    assert _atoms(moved) == pytest.approx(_atoms(given_), abs=SLACK)


@given(specs, st.integers(2, 4))
def test_taking_every_sample_twice_changes_nothing(spec: Spec, copies: int):
    channels = _channels(spec)
    once = _solve(channels.full, channels.only_1, channels.only_2)
    more = _solve(
        *(np.tile(p, (copies, 1)) for p in (channels.full, channels.only_1, channels.only_2))
    )
    assert _atoms(more) == pytest.approx(_atoms(once), abs=SLACK)


@given(specs)
def test_the_order_inside_a_probe_only_matters_through_the_set_of_rows(spec: Spec):
    """I* is a function of the two sets of rows: pairing the probes differently cannot move it."""
    channels = _channels(spec)
    one = _solve(channels.full, channels.only_1, channels.only_2)
    other = _solve(channels.full, channels.only_1, channels.only_2[::-1])
    assert _atoms(other) == pytest.approx(_atoms(one), abs=SLACK)
