"""Parts of the samples: quarters that respect groups, batches as published, bootstrap samples."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pid_core import Channels, PidError, RawScores, estimate
from pid_core.problem import OfChannels, OfDraws
from pid_core.resampling import bootstrap, disjoint_parts, resample_batches
from tests.pid_core.problems import random_channels, softmax


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(8, 60), groups=st.integers(4, 60))
def test_quarters_are_disjoint_whole_and_divide_no_group(seed: int, n: int, groups: int) -> None:
    generator = np.random.default_rng(seed)
    valid = generator.random((n, 3)) < 0.8
    member = np.unique(generator.integers(groups, size=n), return_inverse=True)[1].reshape(-1)
    parts = disjoint_parts(4, valid, member, seed=seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))
    for group in set(member.tolist()):
        assert sum(np.isin(group, member[part]) for part in parts) == 1
    largest = np.bincount(member).max()
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 4 * largest, "at most a group per candidate set"


def test_quarters_have_every_candidate_set_as_often() -> None:
    valid = np.ones((80, 4), dtype=bool)
    valid[::5, 3] = False
    for part in disjoint_parts(4, valid, None, seed=0):
        assert len(part) == 20
        assert (~valid[part, 3]).sum() == 4


def test_batches_of_everything_are_the_estimate() -> None:
    channels = random_channels(0, 20, 2)
    found = resample_batches(channels, batches=2, batch_size=20)
    whole = estimate(channels)
    assert found.mean == pytest.approx([*whole.atoms.values(), whole.total], abs=1e-9)
    assert found.spread == pytest.approx(np.zeros(5), abs=1e-9)
    assert found.names[-1] == "total"


def test_small_batches_carry_the_bias_of_their_size() -> None:
    """The less they have, the more two probes of the same kind seem to know of their own."""
    channels = random_channels(1, 150, 2, 1.0)
    small, large = (
        resample_batches(channels, batches=6, batch_size=size).mean[1:3].sum() for size in (15, 60)
    )
    whole = estimate(channels)
    assert small > 1.5 * large
    assert large > whole.unique_1 + whole.unique_2


def test_the_seed_and_not_the_number_of_workers_decides_every_digit() -> None:
    channels = random_channels(2, 30, 2)
    one, two = (bootstrap(channels, replicates=4, workers=workers) for workers in (1, 2))
    assert (one == two).all()
    other = bootstrap(channels, replicates=4, seed=1)
    assert (one != other).any()
    assert (resample_batches(channels, batches=2, batch_size=9, workers=2).mean).tolist() == (
        resample_batches(channels, batches=2, batch_size=9).mean
    ).tolist()


def test_processes_do_not_run_the_callers_script_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a page of a dashboard, which is there for one visitor."""
    script = ModuleType("__main__")
    script.__file__ = str(tmp_path / "page.py")
    Path(script.__file__).write_text("raise SystemExit('ran again')")
    monkeypatch.setitem(sys.modules, "__main__", script)
    assert len(bootstrap(random_channels(2, 30, 2), replicates=2, workers=2)) == 2
    assert sys.modules["__main__"] is script


def test_weights_are_repeated_samples() -> None:
    channels = random_channels(3, 12, 3)
    weights = np.random.default_rng(0).integers(0, 3, size=12)
    found = OfChannels(channels=channels).weighted()(weights)
    repeated = estimate(channels.at(np.repeat(np.arange(12), weights)))
    assert found == pytest.approx([*repeated.atoms.values(), repeated.total], abs=1e-3)


def test_weighted_draws_are_jackknifed() -> None:
    generator = np.random.default_rng(0)
    full = np.log(np.eye(2)[np.arange(40) % 2] * 0.9 + 0.05)
    noisy = np.log(softmax(generator.normal(size=(2, 40, 3, 2))))
    problem = OfDraws.of_scores(RawScores(full=full, only_1=noisy[0], only_2=noisy[1]))
    weights = generator.integers(0, 3, size=40)
    repeated = problem.estimate(np.repeat(np.arange(40), weights))
    found = problem.weighted()(weights)
    assert found == pytest.approx([*repeated.atoms.values(), repeated.total], abs=5e-3)
    assert found != pytest.approx(problem.plain().weighted()(weights), abs=2e-2)


def test_rows_of_one_group_are_drawn_together() -> None:
    channels = random_channels(4, 24, 2)
    rows = np.repeat(np.arange(24), 3)
    doubled = channels.at(rows)
    grouped = Channels(
        full=doubled.full, only_1=doubled.only_1, only_2=doubled.only_2, group_id=rows
    )
    plain, together = (bootstrap(one, replicates=15) for one in (channels, grouped))
    assert together == pytest.approx(plain, abs=1e-6), "the same groups with the same seed"
    apart = bootstrap(doubled, replicates=15).std(axis=0)
    assert apart[-1] < 0.75 * plain.std(axis=0)[-1]


def test_progress_is_told_of_every_replicate() -> None:
    told: list[tuple[int, int]] = []
    bootstrap(
        random_channels(5, 20, 2), replicates=3, progress=lambda done, of: told.append((done, of))
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_impossible_requests_are_named() -> None:
    channels = random_channels(6, 20, 2)
    with pytest.raises(PidError, match="batches of 256 samples cannot be drawn from 20"):
        resample_batches(channels)
    with pytest.raises(PidError, match="two batches"):
        resample_batches(channels, batches=1, batch_size=5)
    with pytest.raises(PidError, match="2 replicates or more, got 1"):
        bootstrap(channels, replicates=1)
    with pytest.raises(PidError, match="workers is a number of processes"):
        bootstrap(channels, replicates=2, workers=0)
