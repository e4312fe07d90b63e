"""Estimators that train, on a stored run: which samples they learn from and what is kept."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data_cache import estimates, queries
from model_runners.estimation import EstimateOptions, choose_run, estimate_run
from model_runners.profile import ProfileOptions, profile
from model_runners.training_samples import training_samples
from pid_core import ChannelError


@pytest.fixture(scope="module")
def cache(untrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    profile(
        ProfileOptions(
            model=str(untrained), benchmark="digits_vqa", limit=64, draws=3, device="cpu"
        ),
        folder,
    )
    return folder


@pytest.fixture(scope="module")
def run(cache: Path) -> queries.RunRow:
    return choose_run(cache, model="untrained", benchmark="digits_vqa")


def test_batch_learns_from_the_training_split_and_is_stored_with_its_size(
    cache: Path, run: queries.RunRow
) -> None:
    wanted = EstimateOptions(estimator="batch", by="none")
    (record,) = estimate_run(cache, run, wanted)
    (exact,) = estimate_run(cache, run, EstimateOptions(by="none"))
    train = training_samples(cache, run, "batch", tau=0.3)
    assert train is not None
    assert record.settings["trained_on"] == train.n_samples
    assert record.n == exact.n == 64 - train.n_samples
    assert record.n == len(estimates.pointwise(cache, record.estimate_key))
    assert record.diagnostics["plugin"] == {}, "no jackknife"
    assert any("mean over 3 noise draw(s)" in sentence for sentence in record.warnings)
    (again,) = estimate_run(cache, run, wanted, reuse=True)
    assert again == estimates.find(cache, record.estimate_key)
    assert again.created == record.created
    assert "trained_on" not in exact.settings


def test_training_samples_are_averaged_over_draws_with_their_embeddings(
    cache: Path, run: queries.RunRow
) -> None:
    all_draws, one_draw = (
        training_samples(cache, run, "batch", subset="vision", tau=0.0, draws=draws)
        for draws in (None, 1)
    )
    assert all_draws is not None
    assert one_draw is not None
    assert all_draws.features_1 is not None
    assert np.array_equal(all_draws.full, one_draw.full)
    assert not np.array_equal(all_draws.only_1, one_draw.only_1)


def test_too_few_samples_for_the_published_procedure_are_said(
    cache: Path, run: queries.RunRow
) -> None:
    with pytest.raises(ChannelError, match=r"would train on none of these \d+; use 'batch'"):
        estimate_run(cache, run, EstimateOptions(estimator="batch_reference", by="none"))


def test_other_estimators_and_runs_without_a_training_split_have_none(
    cache: Path, run: queries.RunRow
) -> None:
    assert training_samples(cache, run, "certified", tau=0.3) is None
    assert training_samples(cache, run, "batch", subset="no such subset", tau=0.3) is None


@pytest.mark.slow
def test_samples_that_batch_reference_leaves_out_have_no_rows(
    tmp_path: Path, demo: Callable[[Path], Path]
) -> None:
    run = choose_run(demo(tmp_path), model="demo/oracle", benchmark="digits_vqa")
    wanted = EstimateOptions(estimator="batch_reference", by="none", limit=300)
    (record,) = estimate_run(tmp_path, run, wanted)
    assert record.settings["trained_on"] == 0, "the demo ships its test split"
    assert record.n == len(estimates.pointwise(tmp_path, record.estimate_key)) == 256
    assert record.diagnostics["left_out"] == 44
    stored = estimates.find(tmp_path, record.estimate_key)
    assert stored is not None
    assert stored.gap_bits == float("inf")
    (again,) = estimate_run(tmp_path, run, wanted, reuse=True)
    assert again.created == record.created
