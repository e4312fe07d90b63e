"""A tuned lens is kept in the cache; a run through it is another run with the same output."""

import dataclasses
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from data_cache import estimates, jobs, lenses, queries
from data_cache.conditions import Condition
from data_cache.ingest import rebuild
from data_cache.lenses import LensRecord
from data_cache.location import lens_path, run_directory
from data_cache.runs import read_sidecar
from data_cache.samples import Benchmark
from model_runners import lens_requests
from model_runners.__main__ import main
from model_runners.errors import BadOption, Cancelled
from model_runners.estimation import EstimateOptions, choose_run, estimate_run
from model_runners.jobs import open_job
from model_runners.lens_options import LensOptions
from model_runners.lens_training import LensTraining
from model_runners.loading import LoadedModel, load
from model_runners.profile import ProfileOptions, ProfileReport, Progress, profile
from model_runners.requests import options_of, request_of, title_of
from model_runners.stored_lenses import tune
from model_runners.worker import perform

LAST = 1
"""Of the small model's two layers."""


@pytest.fixture(scope="module")
def asked(untrained: Path) -> ProfileOptions:
    return ProfileOptions(
        model=str(untrained), benchmark="digits_vqa", limit=16, split="test", draws=1,
        layers=True, device="cpu",
    )  # fmt: skip


@pytest.fixture(scope="module")
def loaded(asked: ProfileOptions) -> LoadedModel:
    return load(asked.model, device="cpu")


@pytest.fixture(scope="module")
def wanted(asked: ProfileOptions) -> LensOptions:
    return LensOptions(asked=asked, samples=24, training=LensTraining(epochs=20, batch_size=32))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lens")


@pytest.fixture(scope="module")
def plain(
    cache: Path, asked: ProfileOptions, digits: Benchmark, loaded: LoadedModel
) -> ProfileReport:
    return profile(asked, cache, benchmark=digits, loaded=loaded)


@pytest.fixture(scope="module")
def record(
    cache: Path,
    plain: ProfileReport,
    wanted: LensOptions,
    digits: Benchmark,
    loaded: LoadedModel,
) -> LensRecord:
    return tune(wanted, cache, benchmark=digits, loaded=loaded)


@pytest.fixture(scope="module")
def tuned(
    cache: Path, record: LensRecord, asked: ProfileOptions, digits: Benchmark, loaded: LoadedModel
) -> ProfileReport:
    options = dataclasses.replace(asked, lens="tuned", layers=False)
    return profile(options, cache, benchmark=digits, loaded=loaded)


def test_what_is_trained_once_is_found_again(
    cache: Path,
    record: LensRecord,
    wanted: LensOptions,
    digits: Benchmark,
    loaded: LoadedModel,
) -> None:
    path = lens_path(cache, record.key)
    before = path.read_bytes()
    again = tune(wanted, cache, benchmark=digits, loaded=loaded)
    assert again == record == lenses.lens(cache, record.key)
    assert path.read_bytes() == before
    assert (record.learned + record.held_out) == 5 * 24
    assert record.recipe["weights"] == loaded.weights
    (fit,) = record.fits
    assert fit["after"] <= fit["before"]


def test_a_run_through_it_differs_in_its_inner_layers_alone(
    cache: Path, plain: ProfileReport, tuned: ProfileReport, record: LensRecord
) -> None:
    assert plain.run_key != tuned.run_key
    assert read_sidecar(cache, tuned.run_key).config["lens"] == record.key
    assert "lens" not in read_sidecar(cache, plain.run_key).config

    def scores(report: ProfileReport, layer: int) -> np.ndarray:
        return queries.predictions(cache, report.run_key, split="test", layer=layer).scores[
            Condition.FULL
        ]

    own = scores(plain, -1)
    assert np.array_equal(scores(tuned, -1), own)
    assert np.allclose(scores(tuned, LAST), own, atol=1e-5)
    assert np.abs(scores(tuned, 0) - scores(plain, 0)).max() > 1e-3


def test_its_spectra_say_so_and_the_last_ones_atoms_are_the_models_own(
    cache: Path, tuned: ProfileReport, plain: ProfileReport
) -> None:
    def spectra(report: ProfileReport) -> dict[int, estimates.SpectrumRecord]:
        run = choose_run(cache, model=report.model, benchmark="digits_vqa", run_key=report.run_key)
        found = estimate_run(cache, run, EstimateOptions(layers=True, by="none"))
        return {one.layer: one for one in found}

    through, bare = spectra(tuned), spectra(plain)
    assert {one.settings["lens"][:6] for one in through.values()} == {"tuned "}
    assert all("lens" not in one.settings for one in bare.values())
    for atom in ("redundancy", "unique_1", "unique_2", "synergy"):
        last, own = getattr(through[LAST], atom), getattr(through[-1], atom)
        assert abs(last - own) <= through[LAST].gap_bits + through[-1].gap_bits + 1e-6
        assert own == getattr(bare[-1], atom)


def test_it_survives_a_rebuild_and_so_do_the_runs_through_it(
    cache: Path, tuned: ProfileReport, record: LensRecord
) -> None:
    rebuild(cache)
    assert lenses.lenses(cache) == [record]
    assert tuned.run_key in {run.run_key for run in queries.runs(cache)}
    assert run_directory(cache, tuned.run_key).is_dir()


def test_a_run_that_asks_otherwise_does_not_take_it(
    cache: Path, record: LensRecord, asked: ProfileOptions, digits: Benchmark, loaded: LoadedModel
) -> None:
    for change in ({"mask_scope": "question"}, {"lens": "0000"}, {"answers": "options"}):
        options = dataclasses.replace(asked, **{"lens": "tuned", **change})
        with pytest.raises(BadOption, match="train one with `python -m model_runners lens"):
            profile(options, cache, benchmark=digits, loaded=loaded)
    with pytest.raises(BadOption, match="the lens must be logit, tuned or the key"):
        dataclasses.replace(asked, lens="sharp")


def test_a_job_without_a_lens_keeps_its_key_and_one_with_it_comes_back(
    asked: ProfileOptions,
) -> None:
    assert "lens" not in request_of(asked)
    deep = dataclasses.replace(asked, lens="tuned")
    assert options_of(request_of(deep)) == deep
    assert "tuned lens" in title_of(deep)


def test_a_cancelled_job_leaves_no_lens_and_resume_trains_the_one_that_was_asked_for(
    record: LensRecord, wanted: LensOptions, tmp_path: Path
) -> None:
    job = open_job(tmp_path, wanted)
    assert jobs.claim(tmp_path, job.job_key)

    def cancel(_done: int, _total: int) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Cancelled, match=r"stopped .*; noise statistics are kept.*resume"):
        perform(tmp_path, job, show=Progress(samples=cancel))
    assert lenses.lenses(tmp_path) == []
    assert main(["resume", job.job_key, "--cache", str(tmp_path)]) == 0
    found = jobs.find(tmp_path, job.job_key)
    assert (found.state, found.kind, found.result["lens"]) == ("done", "lens", record.key)
    assert lens_path(tmp_path, record.key).is_file()
    assert "bits from the output before" in found.message


def test_runs_that_need_the_same_lens_ask_for_it_alike(wanted: LensOptions) -> None:
    request = lens_requests.request_of(wanted)
    back = lens_requests.options_of(request)
    assert (back.samples, back.training) == (wanted.samples, wanted.training)
    assert lens_requests.request_of(back) == request
    longer = dataclasses.replace(wanted.asked, limit=3, draws=2, lens="tuned", split="all")
    assert lens_requests.request_of(dataclasses.replace(wanted, asked=longer)) == request
    other = dataclasses.replace(wanted.asked, mask_scope="question")
    assert lens_requests.request_of(dataclasses.replace(wanted, asked=other)) != request
    assert "tuned lens for untrained" in lens_requests.title_of(wanted)
    with pytest.raises(BadOption, match="another version of PIDscope"):
        lens_requests.options_of({"asked": {}})


def test_the_command_says_what_it_does_to_each_layer(
    cache: Path, record: LensRecord, wanted: LensOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["lens", "--model", wanted.asked.model, "--benchmark", "digits_vqa", "--limit", "24"]
    words += ["--epochs", "20", "--device", "cpu", "--cache", str(cache)]
    # The states per step differ from those of the fixture, so this is a lens of its own.
    assert main(words) == 0
    said = capsys.readouterr()
    assert "mean KL from the model's own output, bits" in said.out
    assert "--lens tuned" in said.err
    assert main(["list", "lenses", "--json", "--cache", str(cache)]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert record.key in {one["key"] for one in listed}
    assert len(listed) == 2
