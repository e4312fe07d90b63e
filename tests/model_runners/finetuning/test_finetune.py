"""The finetune command, end to end on a shipped model and real samples."""

import contextlib
import io
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from data_cache import adapters, estimates, jobs, queries
from data_cache.location import adapter_directory
from data_cache.samples import Benchmark
from model_runners import strategies
from model_runners.__main__ import main
from model_runners.errors import Cancelled
from model_runners.finetuning.options import FinetuneOptions, StudyOptions
from model_runners.jobs import follow, open_job, start
from model_runners.profile import Progress
from model_runners.worker import perform

WEIGHTS = "adapter_model.safetensors"
SMALL = ["--benchmark", "few_digits", "--draws", "1", "--batch-size", "32", "--device", "cpu"]


def command(cache: Path, *more: str, model: str = "demo/fusion-small") -> list[str]:
    return ["finetune", "--model", model, *SMALL, *more, "--cache", str(cache)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("finetune")


@pytest.fixture(scope="module")
def done(cache: Path, table: dict[str, Benchmark]) -> dict[str, Any]:
    """What `finetune --strategy pid` prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main(command(cache, "--limit", "48", "--top", "60", "--json")) == 0
    return json.loads(printed.getvalue())


@pytest.mark.slow
def test_a_draw_that_weighs_nothing_trains_as_uniform_does_to_the_last_bit_also_when_resumed(
    cache: Path,
    table: dict[str, Benchmark],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A study of two, stopped within its second training, goes on with that."""
    monkeypatch.setattr(strategies, "GAP_WEIGHT", 1.0)
    monkeypatch.setattr(strategies, "SHORTCUT_WEIGHT", 1.0)
    one = FinetuneOptions(
        model="demo/fusion-small", benchmark="few_digits", limit=32, draws=1, batch_size=8, seed=5,
        device="cpu",
    )  # fmt: skip
    job = open_job(cache, StudyOptions.of(one, ("uniform", "random"), 1))
    assert jobs.claim(cache, job.job_key)
    begun: list[str] = []

    def terminate(text: str) -> None:
        if text.startswith("step 2 "):
            begun.append(text)
            if len(begun) == 2:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Cancelled, match=r"finished trainings, .* are kept; go on with"):
        perform(cache, job, show=Progress(note=terminate))
    states = {each.strategy: (each.state, each.steps) for each in adapters.adapters(cache)}
    assert states == {"uniform": ("profiled", 4), "random": ("training", 2)}
    stopped = jobs.find(cache, job.job_key)
    assert (stopped.done, stopped.total) == (2 * 8 + 32 + 64, 2 * (32 + 64))
    assert main(["resume", job.job_key[:8], "--cache", str(cache)]) == 0
    told = jobs.find(cache, job.job_key).result
    assert [each["steps_done_now"] for each in told["trainings"]] == [0, 2]
    (gained,) = [
        each["minus_uniform"]
        for each in told["outcomes"]
        if (each["strategy"], each["subset"]) == ("random", "synergy")
    ]
    assert gained == {"mean": 0.0, "low": None, "high": None, "n": 1}
    uniform, random = (
        next(each for each in adapters.adapters(cache) if each.strategy == name)
        for name in ("uniform", "random")
    )
    assert told["adapters"] == [uniform.key, random.key]
    assert (random.n_gap, random.n_shortcut) == (6, 6)
    losses = [adapters.losses(cache, each.key) for each in (uniform, random)]
    assert losses[0] == losses[1]
    weights = [adapter_directory(cache, each.key) / WEIGHTS for each in (uniform, random)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    card = (adapter_directory(cache, random.key) / "README.md").read_text()
    assert "| few\\_digits | synergy | " in card


class TestPid:
    def test_the_result_has_before_and_after(self, cache: Path, done: dict[str, Any]) -> None:
        (record,) = [a for a in adapters.adapters(cache) if a.strategy == "pid"]
        assert (done["adapter"], done["model"]) == (record.key, record.name)
        assert record.name == f"demo/fusion-small+pid-{record.key[:6]}"
        assert (record.state, record.steps, record.total_steps) == ("profiled", 2, 2)
        assert (done["base_run_key"], done["run_key"]) == (record.base_run_key, record.run_key)
        assert record.base_run_key != record.run_key
        for model in (record.base, record.name):
            found = estimates.load(cache, models=[model], split="test")
            subsets = {"synergy", "vision", "language", "redundant"}
            assert {spectrum.subset for spectrum in found} == subsets
            assert sum(spectrum.n for spectrum in found) == 64
        assert len(adapters.losses(cache, record.key)) == 2
        assert done["without_spectrum"] == []

    def test_no_test_sample_is_scored_or_trained_on(
        self, cache: Path, done: dict[str, Any], few_digits: Benchmark
    ) -> None:
        wanted = [sample.id for sample in few_digits.select(split="train", limit=48)]
        test = {sample.id for sample in few_digits.samples if sample.split == "test"}
        weights = adapters.sample_weights(cache, done["adapter"])
        assert weights["sample_id"].tolist() == wanted
        assert not test & set(wanted)
        scored = estimates.load(cache, models=["demo/fusion-small"], split="train")
        assert len(scored) == 4
        rows: dict[str, float] = {}
        for spectrum in scored:
            frame = estimates.pointwise(cache, spectrum.estimate_key)
            rows |= dict(zip(frame["sample_id"], frame["gap_score"], strict=True))
        assert set(rows) == set(wanted)
        assert [rows[i] for i in wanted] == weights["gap_score"].tolist()
        top = weights[weights["role"] == "gap"]
        assert min(top["gap_score"]) > 0
        assert set(weights["weight"]) <= {0.5, 1.0, 3.0}
        # This model answers well, and by chance where it is not shown the image.
        answer = weights["answer"].to_numpy(float)
        assert 0.0 <= answer.min() <= answer.max() <= 1.0
        assert answer.mean() > weights["answer_without_image"].to_numpy(float).mean() + 0.2

    def test_fewer_gap_samples_than_asked_for_are_told(
        self, cache: Path, done: dict[str, Any]
    ) -> None:
        (job,) = [j for j in jobs.jobs(cache, kind="finetune") if j.result == done]
        (record,) = [a for a in adapters.adapters(cache) if a.key == done["adapter"]]
        told = f"{done['n_gap']} of 60 gap samples were found"
        assert done["n_gap"] < 60
        for said in (done["warnings"][0], record.warnings[0], job.message):
            assert told in said

    def test_a_second_time_trains_and_computes_nothing(
        self, cache: Path, done: dict[str, Any]
    ) -> None:
        folder = adapter_directory(cache, done["adapter"])
        before = {p.name: p.stat().st_mtime_ns for p in folder.glob("*.safetensors")}
        chunks = {p: p.stat().st_mtime_ns for p in cache.glob("spool/*/0*.parquet")}
        assert main(command(cache, "--limit", "48", "--top", "60")) == 0
        assert {p.name: p.stat().st_mtime_ns for p in folder.glob("*.safetensors")} == before
        assert {p: p.stat().st_mtime_ns for p in cache.glob("spool/*/0*.parquet")} == chunks

    def test_adapters_are_listed(
        self, cache: Path, done: dict[str, Any], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["list", "adapters", "--json", "--cache", str(cache)]) == 0
        assert done["adapter"] in {row["key"] for row in json.loads(capsys.readouterr().out)}


def test_uniform_scores_nothing_and_every_benchmark_that_is_asked_for_is_measured(
    tmp_path: Path, table: dict[str, Benchmark]
) -> None:
    mixed = ["--train-on", "other_digits=3", "--evaluate-on", "other_digits"]
    assert main(command(tmp_path, "--strategy", "uniform", "--limit", "8", *mixed)) == 0
    for run in queries.runs(tmp_path):
        assert set(queries.predictions(tmp_path, run.run_key).splits) == {"test"}
    (record,) = adapters.adapters(tmp_path)
    assert (record.n_gap, record.mean_weight, record.warnings) == (0, 1.0, ())
    weights = adapters.sample_weights(tmp_path, record.key)
    trained = {"few_digits": 8, "other_digits": 8}
    assert weights["benchmark"].value_counts().to_dict() == trained
    test = {one.id for each in table.values() for one in each.samples if one.split == "test"}
    assert not test & set(weights["sample_id"])
    assert weights["gap_score"].isna().tolist() == [True] * 16
    assert [one.benchmark for one in record.measured] == ["few_digits", "other_digits"]
    first = record.measured[0]
    assert (first.base_run_key, first.run_key) == (record.base_run_key, record.run_key)
    runs = {run.run_key: (run.model, run.benchmark) for run in queries.runs(tmp_path)}
    for one in record.measured:
        assert runs[one.base_run_key] == (record.base, one.benchmark)
        assert runs[one.run_key] == (record.name, one.benchmark)
    # An epoch takes 8 of the other for 8/3 of the first, no sample twice.
    assert record.total_steps == 1
    (point,) = adapters.losses(tmp_path, record.key)
    assert point.epoch == 1.0


@pytest.mark.slow  # a run of its own with more draws, and a training: 25 s
def test_before_takes_the_draws_of_after_where_the_base_has_more(
    tmp_path: Path, table: dict[str, Benchmark]
) -> None:
    base = ["--model", "demo/fusion-small", "--benchmark", "few_digits", "--split", "test"]
    assert main(["profile", *base, "--draws", "2", "--cache", str(tmp_path)]) == 0
    assert main(command(tmp_path, "--strategy", "uniform", "--limit", "16")) == 0
    (record,) = adapters.adapters(tmp_path)
    found = estimates.load(tmp_path, split="test")
    after = [s.settings for s in found if s.run_key == record.run_key]
    before = [s.settings for s in found if s.run_key == record.base_run_key]
    assert {settings["draws"] for settings in after} == {1}
    assert all(settings in before for settings in after)


@pytest.mark.slow  # processes; within one, test_training.py
def test_a_terminated_training_is_kept_and_resumed(
    tmp_path: Path, table: dict[str, Benchmark], capsys: pytest.CaptureFixture[str]
) -> None:
    options = FinetuneOptions(
        model="demo/fusion-small", benchmark="few_digits", strategy="uniform", epochs=2,
        limit=64, batch_size=8, draws=1, device="cpu",
    )  # fmt: skip
    job = open_job(tmp_path, options)
    assert jobs.claim(tmp_path, job.job_key)

    def terminate(text: str) -> None:
        if text.startswith("step 5 "):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Cancelled, match="training steps are kept; go on with"):
        perform(tmp_path, job, show=Progress(note=terminate))
    (record,) = adapters.adapters(tmp_path)
    assert (record.state, record.steps, record.total_steps) == ("training", 5, 16)
    assert main(["resume", job.job_key[:8], "--cache", str(tmp_path)]) == 0
    assert "16 steps" in capsys.readouterr().err
    (record,) = adapters.adapters(tmp_path)
    assert (record.state, record.steps) == ("profiled", 16)
    assert [p.step for p in adapters.losses(tmp_path, record.key)] == list(range(1, 17))


@pytest.mark.slow  # 15 s; the loop alone, test_training.py
def test_divergence_is_one_sentence_and_the_record_says_so(
    tmp_path: Path, table: dict[str, Benchmark], capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = command(tmp_path, "--strategy", "uniform", "--limit", "64", "--learning-rate", "1e30")
    assert main(chosen) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("pidscope: the training diverged at step ")
    (record,) = adapters.adapters(tmp_path)
    assert record.state == "diverged"
    assert (adapter_directory(tmp_path, record.key) / "adapter_model.safetensors").is_file()
    (job,) = jobs.jobs(tmp_path)
    assert job.state == "failed"


@pytest.mark.slow  # a process of its own: 20 s
def test_no_gap_samples_end_a_detached_job_before_training(untrained: Path, tmp_path: Path) -> None:
    options = FinetuneOptions(
        model=str(untrained), benchmark="digits_vqa", limit=16, draws=1, device="cpu"
    )
    first, second = (start(tmp_path, options) for _ in range(2))
    assert first.job_key == second.job_key
    assert (
        first.title == "LoRA of untrained on digits_vqa (pid, first 16, 1 epoch, rank 16, draws 1)"
    )
    ended = follow(tmp_path, first.job_key)
    assert ended.state == "failed"
    assert "none of the 16 training samples has a gap score above 0" in (ended.error or "")
    assert adapters.adapters(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["--strategy", "unifrom"], "did you mean 'uniform'"),
        (["--benchmark", "only_test"], "'only_test' has no train split"),
        (["--subset", "hard"], "has no subset 'hard'"),
        (["--rank", "0"], "rank must be 1 or more, not 0"),
        (["--dropout", "1"], "dropout must be 0 or more and less than 1"),
        (["--alpha", "-1"], "alpha must be a positive number"),
        (["--early-stop", "-1"], "early stop must be 0 or more"),
        (["--train-on", "few_digits"], "is trained on twice"),
        (["--train-on", "few_digtis"], "did you mean 'few_digits'"),
        (["--evaluate-on", "few_digtis"], "did you mean 'few_digits'"),
        (["--strategy", "pid,unifrom", "--seeds", "2"], "did you mean 'uniform'"),
        (["--seeds", "0"], "seeds must be 1 or more"),
        (["--epochs", "-1"], "epochs must be 1 or more"),
        (["--learning-rate", "nan"], "learning rate must be a positive number"),
        (["--learning-rate", "0"], "learning rate must be a positive number"),
        (["--micro-batch", "0"], "micro batch must be 1 or more"),
        (["--model", "demo/fusion-smal"], "did you mean 'demo/fusion-small'"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_made(
    change: list[str],
    says: str,
    tmp_path: Path,
    table: dict[str, Benchmark],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(command(tmp_path / "cache", *change)) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("pidscope: ")
    assert says in message
    assert not (tmp_path / "cache").exists()


def test_an_adapter_is_no_base(
    cache: Path, done: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(cache, model=done["folder"])) == 2
    assert "is itself an adapter; give its base" in capsys.readouterr().err


def test_the_usual_rate_follows_the_width() -> None:
    options = FinetuneOptions(model="m", benchmark="b")
    assert [options.rate(width) for width in (4096, 2048, 64)] == [1e-4, 2e-4, 2e-3]
