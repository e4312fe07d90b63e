"""Spectra by layer: those of the last layer are the model's own, and a job makes them all."""

import dataclasses
from pathlib import Path

import pytest

from data_cache import estimates, jobs, queries
from data_cache.records import ATOMS
from model_runners.__main__ import main
from model_runners.errors import BadOption
from model_runners.estimation import EstimateOptions, choose_run, estimate_run, layers_of
from model_runners.jobs import open_job
from model_runners.profile import ProfileOptions, profile
from model_runners.worker import perform

DEPTH = 2
"""Layers of the small model without training."""


@pytest.fixture(scope="module")
def shallow(untrained: Path) -> ProfileOptions:
    return ProfileOptions(
        model=str(untrained), benchmark="digits_vqa", limit=64, draws=1, device="cpu"
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with a short run of the oracle through the logit lens."""
    folder = tmp_path_factory.mktemp("layers")
    options = ProfileOptions(
        model="demo/oracle", benchmark="digits_vqa", limit=64, split="test", draws=1,
        layers=True, device="cpu",
    )  # fmt: skip
    profile(options, folder)
    return folder


@pytest.fixture(scope="module")
def run(cache: Path) -> queries.RunRow:
    return choose_run(cache, model="demo/oracle", benchmark="digits_vqa")


def test_the_last_layers_atoms_are_the_models_own_within_the_gap(
    cache: Path, run: queries.RunRow
) -> None:
    records = estimate_run(cache, run, EstimateOptions(layers=True, by="none"))
    by_layer = {record.layer: record for record in records}
    assert tuple(by_layer) == run.layers == (-1, *range(len(run.layers) - 1))
    own, last = by_layer[-1], by_layer[max(by_layer)]
    assert own.total > 0.5, "with nothing to compare the test would be empty"
    for atom in ATOMS:
        difference = getattr(last, atom) - getattr(own, atom)
        assert abs(difference) <= own.gap_bits + last.gap_bits + 1e-4, atom
    assert last.accuracy == pytest.approx(own.accuracy, abs=0.01)
    first = by_layer[0]
    assert first.total < own.total - 0.1
    assert max(first.fallback_rate.values()) > max(own.fallback_rate.values())


def test_there_is_one_record_per_layer_and_subset_and_the_progress_counts_them(
    cache: Path, run: queries.RunRow
) -> None:
    seen: list[tuple[int, int]] = []
    records = estimate_run(
        cache, run, EstimateOptions(layers=True, limit=32), progress=lambda *at: seen.append(at)
    )
    named = {(record.layer, record.subset) for record in records}
    assert len(named) == len(records) == 4 * len(run.layers)
    assert seen == [(number + 1, len(records)) for number in range(len(records))]
    stored = estimates.load(cache, layer=None)
    assert {record.estimate_key for record in records} <= {one.estimate_key for one in stored}


def test_every_layer_and_one_layer_give_the_same_estimate(cache: Path, run: queries.RunRow) -> None:
    options = EstimateOptions(layers=True, subset="vision")
    every = estimate_run(cache, run, options)
    (one,) = estimate_run(cache, run, EstimateOptions(layer=1, subset="vision"))
    (same,) = (record for record in every if record.layer == 1)
    assert dataclasses.replace(one, created="") == dataclasses.replace(same, created="")


def test_the_command_prints_a_line_per_layer(
    cache: Path, run: queries.RunRow, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["estimate", "--model", "demo/oracle", "--benchmark", "digits_vqa", "--layers"]
    assert main([*words, "--subset", "vision", "--cache", str(cache)]) == 0
    printed = capsys.readouterr().out
    for layer in range(max(run.layers) + 1):
        assert f"vision  layer {layer}  n " in printed
    assert "vision  n " in printed


def test_a_run_without_layers_says_how_to_add_them(tmp_path: Path, shallow: ProfileOptions) -> None:
    profile(shallow, tmp_path)
    found = choose_run(tmp_path, model="untrained", benchmark="digits_vqa")
    with pytest.raises(BadOption, match="profile --model untrained --benchmark digits_vqa --layer"):
        layers_of(found)


def test_one_layer_and_every_layer_together_are_refused() -> None:
    with pytest.raises(BadOption, match="either every layer or layer 3"):
        EstimateOptions(layer=3, layers=True)


def test_a_job_with_layers_ends_with_their_spectra(tmp_path: Path, shallow: ProfileOptions) -> None:
    chosen = dataclasses.replace(shallow, layers=True)
    job = open_job(tmp_path, chosen)
    assert jobs.claim(tmp_path, job.job_key)
    done = perform(tmp_path, job)
    stored = estimates.load(tmp_path, layer=None)
    assert {record.layer for record in stored} == {-1, *range(DEPTH)}
    assert done.result["spectra"] == len(stored) == 5 * (1 + DEPTH)


def test_a_job_with_layers_for_some_samples_of_a_run_says_what_it_left_out(
    tmp_path: Path, shallow: ProfileOptions
) -> None:
    profile(dataclasses.replace(shallow, limit=128), tmp_path)
    job = open_job(tmp_path, dataclasses.replace(shallow, layers=True))
    assert jobs.claim(tmp_path, job.job_key)
    done = perform(tmp_path, job)
    assert done.state == "done"
    assert done.result["spectra"] == 5
    (sentence,) = done.result["without_spectrum"]
    assert "has samples without layers" in sentence
