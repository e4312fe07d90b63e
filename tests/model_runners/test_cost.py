"""What a run would cost: counted, measured, or said to be unknown."""

import json
from pathlib import Path

import pytest
from huggingface_hub import constants
from safetensors.torch import save_file

from data_cache import jobs
from data_cache.conditions import PROBED
from data_cache.samples import Benchmark
from model_runners.cost import (
    MARGIN_BYTES,
    MARGIN_SHARE,
    UNKNOWN_TIME,
    estimate_cost,
    header_weights,
    known_weights,
    passes_per_sample,
)
from model_runners.errors import ModelNotFound, UnsupportedModel
from model_runners.hub import written_bytes
from model_runners.jobs import open_job
from model_runners.loading import load
from model_runners.memory import plan_here
from model_runners.profile import ProfileOptions, ProfileReport, profile
from model_runners.profile_job import measured


def options(model: Path | str, **changes: object) -> ProfileOptions:
    given: dict[str, object] = {
        "model": str(model), "benchmark": "digits_vqa", "limit": 64, "draws": 2, "device": "cpu",
    } | changes  # fmt: skip
    return ProfileOptions(**given)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def run(untrained: Path, digits: Benchmark, tmp_path_factory: pytest.TempPathFactory):
    """A finished job, and what its run reported."""
    cache = tmp_path_factory.mktemp("cost")
    job = open_job(cache, options(untrained))
    jobs.claim(cache, job.job_key)
    report = profile(options(untrained), cache, benchmark=digits)
    jobs.finish(cache, job.job_key, "done", result={"speed": measured(report)})
    return cache, report


def test_the_passes_are_those_that_a_run_makes(
    run: tuple[Path, ProfileReport], untrained: Path, digits: Benchmark
) -> None:
    cost = estimate_cost(options(untrained), benchmark=digits)
    assert (cost.samples, cost.passes) == (64, run[1].passes)
    assert passes_per_sample(1) == len(PROBED)


def test_the_parameters_are_counted_without_loading_them(untrained: Path) -> None:
    weights = known_weights(str(untrained))
    assert weights is not None
    model = load(str(untrained), device="cpu").model
    assert weights.parameters == sum(parameter.numel() for parameter in model.parameters())


def test_nothing_is_said_about_time_before_a_run(untrained: Path, digits: Benchmark) -> None:
    cost = estimate_cost(options(untrained), benchmark=digits)
    assert cost.seconds is None
    assert UNKNOWN_TIME in cost.basis
    assert cost.parameters is not None
    found = plan_here(options(untrained), digits.select(limit=64))
    assert found is not None
    assert cost.memory_bytes == found[0].total, "one number, that of the plan"
    assert written_bytes(found[0].total) in cost.room
    assert cost.room.startswith("The run fits: about ")
    assert "counted from the shapes" in cost.basis
    half = estimate_cost(options(untrained, dtype="bfloat16"), benchmark=digits)
    assert half.memory_bytes is not None
    assert half.memory_bytes < found[0].total


def test_a_finished_run_tells_time_and_memory_of_the_next(
    run: tuple[Path, ProfileReport], untrained: Path, digits: Benchmark
) -> None:
    cache, report = run
    cost = estimate_cost(options(untrained, limit=640), cache, benchmark=digits)
    per_pass = report.inference_seconds / report.passes
    assert cost.seconds == pytest.approx(report.setup_seconds + 10 * 64 * 8 * per_pass)
    assert jobs.jobs(cache)[0].job_key in cost.basis
    peak = jobs.jobs(cache)[0].result["speed"]["peak_memory_bytes"]
    assert cost.memory_bytes == peak
    assert f"it took {written_bytes(peak)} when it was measured" in cost.room


@pytest.mark.parametrize(
    "change", [{"layers": True}, {"answers": "options"}, {"model": "demo/oracle"}]
)
def test_another_kind_of_run_is_not_guessed_from_it(
    run: tuple[Path, ProfileReport], untrained: Path, digits: Benchmark, change: dict[str, object]
) -> None:
    other = options(**{"model": untrained, **change})  # pyright: ignore[reportArgumentType]
    cost = estimate_cost(other, run[0], benchmark=digits)
    assert cost.seconds is None
    assert "counted from the shapes" in cost.basis


def test_a_batch_of_another_size_needs_its_own_measure_of_memory(
    run: tuple[Path, ProfileReport], untrained: Path, digits: Benchmark
) -> None:
    cost = estimate_cost(options(untrained, batch_size=8), run[0], benchmark=digits)
    assert cost.seconds is not None
    assert "counted from the shapes" in cost.basis


def test_a_model_of_the_table_is_known_before_it_is_downloaded(digits: Benchmark) -> None:
    cost = estimate_cost(options("llava-1.5-7b"), benchmark=digits)
    assert cost.parameters == 7_060_000_000
    assert cost.memory_bytes is not None
    expected = 7_060_000_000 * 4 * (1 + MARGIN_SHARE) + MARGIN_BYTES
    assert cost.memory_bytes == pytest.approx(expected, abs=1)
    assert "rule of thumb" in cost.basis
    assert not cost.room


def test_a_hub_id_that_is_not_here_is_not_invented(digits: Benchmark) -> None:
    cost = estimate_cost(options("nobody/nothing-of-that-name"), benchmark=digits)
    assert (cost.parameters, cost.memory_bytes, cost.seconds) == (None, None, None)
    assert cost.passes == 64 * 8


def test_a_download_that_was_stopped_does_not_pass_for_the_whole_model(
    digits: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    storage = tmp_path / "models--llava-hf--llava-1.5-7b-hf"
    snapshot = storage / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (storage / "refs").mkdir()
    (storage / "refs" / "main").write_text("abc")
    (snapshot / "config.json").write_text('{"model_type": "llava"}')
    save_file({"a": torch.zeros(3)}, snapshot / "model-1.safetensors")
    shards = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(shards))
    known = known_weights("llava-1.5-7b")
    assert known is not None
    assert known.parameters == 7_060_000_000, "as the table says"
    save_file({"b": torch.zeros(4)}, snapshot / "model-2.safetensors")
    known = known_weights("llava-1.5-7b")
    assert known is not None
    assert known.parameters == 7


def test_headers_of_several_types_are_added_up(tmp_path: Path) -> None:
    import torch

    tensors = {"a": torch.zeros(3, 5), "b": torch.zeros(7, dtype=torch.bfloat16)}
    save_file(tensors, tmp_path / "m.safetensors", metadata={"format": "pt"})
    weights = header_weights(tmp_path / "m.safetensors")
    assert (weights.parameters, weights.stored_bytes) == (22, 15 * 4 + 7 * 2)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40, b"\x02\0\0\0\0\0\0\0[]"])
def test_what_is_no_weight_file_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(UnsupportedModel, match=r"m\.safetensors"):
        header_weights(tmp_path / "m.safetensors")


def test_an_unknown_model_is_refused_with_the_nearest_name(digits: Benchmark) -> None:
    with pytest.raises(ModelNotFound, match="demo/oracle"):
        estimate_cost(options("demo/oracel"), benchmark=digits)
