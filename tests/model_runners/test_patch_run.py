"""The causal check of a stored run, end to end: the same model, no sample twice, and a table."""

import dataclasses
import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from data_cache import jobs, queries
from data_cache.location import run_directory
from data_cache.patch_effects import FOLDER
from data_cache.patch_scores import patch_scores
from model_runners.__main__ import main
from model_runners.errors import BadOption, Cancelled, ModelNotFound
from model_runners.jobs import open_job
from model_runners.patch_requests import (
    check_names,
    of_stored_run,
    options_of,
    request_of,
    title_of,
)
from model_runners.patch_run import PatchOptions, chosen_run, options_of_run, patch
from model_runners.patch_statistics import SMALLEST_MOVED
from model_runners.profile import ProfileOptions, Progress, profile
from model_runners.worker import perform

COUNT = 24


@pytest.fixture(scope="module")
def measured(untrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with a short run of a small model in a folder, unusual in several ways."""
    cache = tmp_path_factory.mktemp("patch")
    options = ProfileOptions(
        model=str(untrained), benchmark="digits_vqa", limit=COUNT, split="test", draws=2, seed=7,
        device="cpu", pooling="last",
    )  # fmt: skip
    profile(options, cache)
    return cache


@pytest.fixture
def cache(measured: Path, tmp_path: Path) -> Path:
    return shutil.copytree(measured, tmp_path / "cache")


@pytest.fixture
def options(untrained: Path) -> PatchOptions:
    return PatchOptions(model=str(untrained), benchmark="digits_vqa", device="cpu", share=1.0)


def files(cache: Path) -> dict[str, bytes]:
    (run,) = queries.runs(cache)
    folder = run_directory(cache, run.run_key) / FOLDER
    return {path.name: path.read_bytes() for path in folder.glob("*")}


def test_what_is_asked_is_as_of_the_run(cache: Path, options: PatchOptions) -> None:
    asked = options_of_run(chosen_run(cache, options), options)
    assert (asked.draws, asked.seed, asked.pooling) == (2, 7, "last")
    assert asked.dtype == "float32"


def test_a_second_check_computes_nothing_and_a_killed_one_goes_on(
    cache: Path, options: PatchOptions
) -> None:
    part = patch(dataclasses.replace(options, limit=10), cache)
    assert part.computed == part.samples == 10
    whole = patch(options, cache)
    assert (whole.computed, whole.samples, whole.layers, whole.draws) == (
        COUNT - 10,
        COUNT,
        (0, 1),
        2,
    )
    before = files(cache)
    assert patch(options, cache).computed == 0
    assert files(cache) == before
    stored = patch_scores(cache, whole.run_key)
    assert stored is not None
    assert stored.patched.shape == (COUNT, 2, 2, 4)


def test_the_runs_of_the_check_are_those_that_are_stored(
    cache: Path, options: PatchOptions
) -> None:
    """So the effect is held against the very predictions that S was made of."""
    from data_cache.conditions import Condition

    report = patch(options, cache)
    stored = patch_scores(cache, report.run_key)
    there = queries.predictions(cache, report.run_key, split="test")
    assert stored is not None
    chosen = stored.chosen(there.sample_ids.tolist())
    assert chosen is not None
    assert chosen.full == pytest.approx(there.scores[Condition.FULL][:, 0], abs=1e-4)
    assert chosen.masked == pytest.approx(there.scores[Condition.ONLY_2], abs=1e-4)


def test_a_cancelled_job_keeps_its_blocks_and_resume_ends_in_the_same_bytes(
    cache: Path, options: PatchOptions, measured: Path, tmp_path: Path
) -> None:
    undisturbed = shutil.copytree(measured, tmp_path / "undisturbed")
    patch(options, undisturbed)
    job = open_job(cache, of_stored_run(options, cache))
    assert jobs.claim(cache, job.job_key)

    def cancel(done: int, _total: int) -> None:
        if done:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(
        Cancelled, match=r"stopped after \d+ of 24 samples; finished blocks.*resume"
    ):
        perform(cache, job, show=Progress(samples=cancel))
    stopped = files(cache)
    assert 0 < len(stopped) < len(files(undisturbed))
    assert main(["resume", job.job_key, "--cache", str(cache)]) == 0
    found = jobs.find(cache, job.job_key)
    assert (found.state, found.kind, found.result["samples"]) == ("done", "patch", COUNT)
    assert 0 < found.result["computed"] < COUNT
    assert files(cache) == files(undisturbed)


def test_a_job_means_the_run_that_was_the_newest_when_it_was_asked_for(
    cache: Path, options: PatchOptions, untrained: Path
) -> None:
    (run,) = queries.runs(cache)
    meant = of_stored_run(options, cache)
    assert meant.run_key == run.run_key
    assert options_of(request_of(meant)) == meant
    assert run.run_key[:8] in title_of(meant)
    with pytest.raises(BadOption, match="another version of PIDscope"):
        options_of({**request_of(meant), "unheard": 1})
    named = dataclasses.replace(meant, model="demo/x@all-40", weights=str(untrained))
    assert request_of(named)["model"] == "demo/x@all-40"
    check_names(named)
    with pytest.raises(ModelNotFound):
        check_names(dataclasses.replace(named, weights=None))


def test_another_model_under_the_same_name_is_refused(
    cache: Path, options: PatchOptions, untrained: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(untrained, tmp_path / "untrained")
    configuration = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(configuration | {"note": "another"}))
    with pytest.raises(BadOption, match=r"made with another .*weights"):
        patch(dataclasses.replace(options, weights=str(other)), cache)
    assert files(cache) == {}


def test_the_name_of_the_run_and_the_folder_of_the_model_go_together(
    cache: Path, options: PatchOptions, untrained: Path
) -> None:
    named = dataclasses.replace(options, model="untrained", weights=str(untrained), limit=2)
    assert patch(named, cache).computed == 2


def test_samples_that_the_run_lacks_and_runs_that_are_not_there_are_named(
    cache: Path, options: PatchOptions, tmp_path: Path
) -> None:
    with pytest.raises(BadOption, match="has none of the"):
        patch(dataclasses.replace(options, split="train"), cache)
    with pytest.raises(BadOption, match="has no run of"):
        patch(options, tmp_path / "empty")
    with pytest.raises(BadOption, match="draws must be 1 or more"):
        PatchOptions(model="m", benchmark="b", draws=0)


def test_the_command_prints_each_layer_and_json(
    cache: Path, options: PatchOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "patch", "--model", options.model, "--benchmark", "digits_vqa", "--device", "cpu",
        "--share", "1", "--cache", str(cache),
    ]  # fmt: skip
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "0 of 2" in printed
    assert "full run" in printed
    assert "no spectrum of these samples yet" in printed
    estimate = ["estimate", "--model", "untrained", "--benchmark", "digits_vqa"]
    # Without training the options hold less mass than tau, and all would count as uniform.
    assert main([*estimate, "--tau", "0", "--cache", str(cache)]) == 0
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["computed"] == 0
    assert found["n"] == COUNT
    assert [one["layer"] for one in found["layers"]] == [0, 1]
    assert found["layers"][1]["effect"] == pytest.approx(found["whole"], abs=1e-5)
    for one in found["layers"]:  # how much an untrained model moves is a matter of luck
        known = one["moved"] >= SMALLEST_MOVED
        assert known == (one["synergy"] is not None)
        assert not known or -1 <= one["synergy"]["rho"] <= 1
