"""Folders of three kinds of models, from the command line to a spectrum, however they are run.

LLaVA puts image tokens among text tokens, Qwen2.5-VL gives them positions in rows and columns, and
Llama-3.2-Vision reads an image past the embeddings, through cross-attention.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data_cache import queries
from data_cache.conditions import PROBED, Condition
from data_cache.location import statistics_directory
from data_cache.plan import OUTPUT_LAYER
from model_runners.__main__ import main
from model_runners.loading import LoadedModel, load
from model_runners.profile import ProfileOptions, ProfileReport, profile
from tests.model_runners.zoo import build

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("llava", "qwen2_5_vl", "mllama")
TOLERANCE = 1e-4
"""Of a log-likelihood in float32."""
LAYERS = 3


@pytest.fixture(scope="module", params=KINDS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with processor, tokenizer and weights."""
    return build(request.param, tmp_path_factory.mktemp("models") / request.param)


@pytest.fixture(scope="module")
def loaded(model: Path) -> LoadedModel:
    return load(str(model), device="cpu")


@pytest.fixture(scope="module")
def once(
    model: Path, loaded: LoadedModel, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ProfileReport]:
    """A cache with one undisturbed run of 8 samples in batches of 16 sequences."""
    cache = tmp_path_factory.mktemp("once")
    return cache, profile(options(model, batch_size=16), cache, loaded=loaded)


def options(model: Path, **changes: object) -> ProfileOptions:
    given: dict[str, object] = {
        "model": str(model), "benchmark": "digits_vqa", "limit": 8, "draws": 2, "device": "cpu",
        "layers": True,
    } | changes  # fmt: skip
    return ProfileOptions(**given)  # pyright: ignore[reportArgumentType]


def scores(cache: Path, run_key: str) -> dict[tuple[Condition, int], np.ndarray]:
    """Return (samples, draws, options) scores by condition and layer."""
    found: dict[tuple[Condition, int], np.ndarray] = {}
    for layer in (OUTPUT_LAYER, *range(LAYERS)):
        predictions = queries.predictions(cache, run_key, layer=layer)
        for condition, values in predictions.scores.items():
            found[condition, layer] = values
    return found


def require_same(one: Path, other: Path, run_key: str) -> None:
    expected, got = scores(one, run_key), scores(other, run_key)
    assert expected.keys() == got.keys()
    assert len(expected) == len(PROBED) * (LAYERS + 1)
    for which, values in expected.items():
        assert values.shape == got[which].shape, which
        assert np.abs(values - got[which]).max() <= TOLERANCE, which


def with_statistics_of(cache: Path, fresh: Path) -> Path:
    """Return a cache folder that has the noise statistics of another one, and no run."""
    shutil.copytree(statistics_directory(cache), statistics_directory(fresh))
    return fresh


def test_a_folder_goes_from_the_command_line_to_a_spectrum(
    model: Path, once: tuple[Path, ProfileReport], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    where = ["--cache", str(with_statistics_of(once[0], tmp_path))]
    what = ["--model", str(model), "--benchmark", "digits_vqa", "--subset", "synergy", *where]
    least = ["--split", "test", "--limit", "16", "--draws", "1", "--device", "cpu"]
    assert main(["profile", *what, *least]) == 0
    assert "self-test passed" in capsys.readouterr().err
    named = ["--model", model.name, "--benchmark", "digits_vqa", *where]
    assert main(["estimate", *named, "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["n"] == 16
    atoms = [record[name] for name in ("redundancy", "unique_1", "unique_2", "synergy")]
    assert sum(atoms) == pytest.approx(record["total"], abs=1e-6)


def test_the_size_of_batches_does_not_matter(
    model: Path, loaded: LoadedModel, once: tuple[Path, ProfileReport], tmp_path: Path
) -> None:
    cache, report = once
    fresh = with_statistics_of(cache, tmp_path)
    alone = profile(options(model, batch_size=1), fresh, loaded=loaded)
    assert (alone.run_key, alone.batch_size) == (report.run_key, 1)
    require_same(cache, fresh, report.run_key)


def test_a_run_in_two_parts_does_not_differ(
    model: Path, loaded: LoadedModel, once: tuple[Path, ProfileReport], tmp_path: Path
) -> None:
    cache, report = once
    fresh = with_statistics_of(cache, tmp_path)
    first = profile(options(model, limit=5), fresh, loaded=loaded)
    rest = profile(options(model, batch_size=7), fresh, loaded=loaded)
    assert (first.computed, rest.computed) == (5, 3)
    assert rest.run_key == report.run_key
    require_same(cache, fresh, report.run_key)


@pytest.mark.slow  # two processes, each of which imports everything: 15 s for each kind
def test_two_processes_at_once_on_one_run_do_not_disturb_each_other(
    model: Path, once: tuple[Path, ProfileReport], tmp_path: Path
) -> None:
    """Two jobs whose requests differ, so that neither waits for the other, share one run."""
    cache, report = once
    words = ["--model", str(model), "--benchmark", "digits_vqa", "--device", "cpu", "--layers"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "model_runners", "profile", *words, "--draws", "2",
             "--limit", limit, "--batch-size", rows, "--cache", str(tmp_path)],
            cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, text=True,
        )
        for limit, rows in (("8", "16"), ("6", "5"))
    ]  # fmt: skip
    said = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    require_same(cache, tmp_path, report.run_key)
