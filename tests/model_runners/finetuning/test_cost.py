"""What trainings would take: counts by hand, rates of earlier jobs, and which is told when."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data_cache import jobs
from data_cache.benchmarks import load_benchmark
from model_runners.cost import MARGIN_BYTES, MARGIN_SHARE, known_weights, passes_per_sample
from model_runners.finetuning.cost import (
    PASSES_OF_A_STEP,
    TRAINING_BYTES,
    Held,
    lora_parameters,
    training_cost,
)
from model_runners.finetuning.options import FinetuneOptions, StudyOptions
from model_runners.finetuning.requests import request_of
from model_runners.profile import ProfileOptions
from model_runners.requests import request_of as profile_request

MODEL = "demo/fusion-small"
OPTIONS = FinetuneOptions(model=MODEL, benchmark="digits_vqa", epochs=2, draws=1, device="cpu")
BENCHMARK = load_benchmark("digits_vqa")
TEST = sum(one.split == "test" for one in BENCHMARK.samples)


def done(cache: Path, kind: str, request: dict[str, Any], result: dict[str, Any]) -> str:
    row = jobs.open_or_create(cache, kind, request, "title")
    jobs.claim(cache, row.job_key)
    jobs.finish(cache, row.job_key, "done", result=result)
    return row.job_key


def test_passes_are_counted_once_for_what_trainings_share(tmp_path: Path) -> None:
    each = passes_per_sample(1)
    one = training_cost(OPTIONS, tmp_path, benchmark=BENCHMARK, train=100)
    assert (one.trainings, one.trained) == (1, 200)
    assert one.passes == each * (100 + 2 * TEST)
    assert (one.seconds, one.time_basis) == (None, "no profile or training of this model here yet")
    held = training_cost(
        OPTIONS, tmp_path, benchmark=BENCHMARK, train=100, held=Held(scores=True, before=True)
    )
    assert held.passes == each * TEST
    study = StudyOptions.of(OPTIONS, ("uniform", "random"), 3)
    six = training_cost(study, tmp_path, benchmark=BENCHMARK, train=100)
    assert (six.trainings, six.trained) == (6, 1200)
    assert six.passes == each * 7 * TEST, "neither of the two needs scores"


def test_a_profile_tells_the_time_and_a_training_tells_it_better(tmp_path: Path) -> None:
    speed = {"passes_per_second": 50.0, "setup_seconds": 2.0, "device": "cpu"}
    asked = profile_request(ProfileOptions(model=MODEL, benchmark="digits_vqa"))
    key = done(tmp_path, "profile", asked, {"speed": speed})
    one = training_cost(OPTIONS, tmp_path, benchmark=BENCHMARK, train=100)
    assert one.seconds == pytest.approx(4 + one.passes / 50 + 200 * PASSES_OF_A_STEP / 50)
    assert f"50 profile passes/s measured by job {key}" in one.time_basis
    own = {"samples_per_second": 10.0, "device": "cpu", "peak_memory_bytes": 12345}
    request = request_of(OPTIONS)
    study = done(
        tmp_path,
        "study",
        {**request, "strategies": ["pid"], "seeds": 1},
        {"trainings": [{"training_speed": {}}, {"training_speed": own}]},
    )
    two = training_cost(OPTIONS, tmp_path, benchmark=BENCHMARK, train=100)
    assert two.seconds == pytest.approx(4 + two.passes / 50 + 200 / 10)
    assert f"10 samples/s trained by job {study}" in two.time_basis
    assert (two.memory_bytes, two.memory_basis) == (12345, f"peak of job {study}")


def test_a_training_alone_tells_the_time_too(tmp_path: Path) -> None:
    own = {"samples_per_second": 10.0, "device": "cpu"}
    done(tmp_path, "finetune", request_of(OPTIONS), {"training_speed": own})
    one = training_cost(OPTIONS, tmp_path, benchmark=BENCHMARK, train=100)
    assert one.seconds == pytest.approx(one.passes / (10 * PASSES_OF_A_STEP) + 200 / 10)
    other = replace(OPTIONS, model="demo/fusion-large")
    assert training_cost(other, tmp_path, benchmark=BENCHMARK, train=100).seconds is None


def test_memory_without_a_measurement_is_weights_lora_and_a_stated_margin(tmp_path: Path) -> None:
    weights = known_weights(MODEL)
    assert weights is not None
    one = training_cost(OPTIONS, tmp_path, benchmark=BENCHMARK, train=100)
    added = lora_parameters(MODEL, OPTIONS.rank)
    assert one.memory_bytes == (
        round(4 * weights.parameters * (1 + MARGIN_SHARE))
        + MARGIN_BYTES
        + TRAINING_BYTES * (added or 0)
    )
    assert "a rule of thumb" in one.memory_basis


def test_lora_of_the_headers_is_lora_of_the_model() -> None:
    from model_runners.finetuning.lora import attach
    from model_runners.loading import load

    loaded = load(MODEL, device="cpu")
    lora = attach(loaded, rank=4, alpha=8.0, dropout=0.0, seed=0, base=MODEL)
    assert lora_parameters(MODEL, 4) == sum(one.numel() for one in lora.parameters.values())
