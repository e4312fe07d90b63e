"""What the LoRA-PID page says and starts before anything is trained."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from data_cache import jobs
from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.estimates import write_estimate
from data_cache.ingest import ingest
from data_cache.jobs import JobRow
from data_cache.queries import runs
from data_cache.runs import write_sidecar
from data_cache.samples import Benchmark
from model_runners.finetuning.options import FinetuneOptions, StudyOptions
from model_runners.finetuning.study_requests import request_of
from pages.widgets import state
from pages.widgets.benchmark_choices import OTHER_FILE
from pages.widgets.stored_adapters import adapter_of
from tests.data_cache.spools import PIXEL, config_of, profile, spectrum
from tests.pages.adapters import BASE, write_adapter
from tests.pages.sample_caches import numbers_of
from tests.pages.test_lora import SMALL, choose_small, open_lora, tables
from tests.pages.test_run import stop_all
from tests.pages.test_spectra import open_page, words

OWN = """{{"id": "s{number:04d}", "group_id": "g{group}", "question": "Question {number}?", \
"options": ["yes", "no"], "answer": "{letter}", "category": "left", "split": "{split}", \
"image": "pixel.png"}}"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    yield folder
    stop_all(folder)


def own_file(folder: Path) -> Path:
    """A person's own benchmark of 40 questions, 10 of them for training."""
    (folder / "pixel.png").write_bytes(PIXEL)
    path = folder / "mine.jsonl"
    lines = [
        OWN.format(
            number=number,
            group=number // 2,
            letter="AB"[number % 2],
            split="train" if number % 4 == 0 else "test",
        )
        for number in range(40)
    ]
    path.write_text("\n".join(lines))
    return path


def measure(cache: Path, benchmark: Benchmark, path: Path, *, split: str) -> str:
    """Write a run of the benchmark that knows where it came from, with an estimate of a split."""
    asked = {"benchmark": str(path), "split_policy": "own"}
    key = profile(cache, benchmark, model=BASE)
    write_sidecar(
        cache, key, config_of(benchmark, model=BASE), self_test={}, environment={"asked": asked}
    )
    ids = [one.id for one in benchmark.samples if one.split == split]
    record = spectrum(
        key, subset=benchmark.subsets[0], model=BASE, benchmark=benchmark.name, n=len(ids),
        split=split,
    )  # fmt: skip
    write_estimate(cache, record, numbers_of(ids))
    ingest(cache)
    return key


def test_all_strategies_and_seeds_are_one_job(cache: Path) -> None:
    app = choose_small(open_lora())
    page = words(app)
    assert "15 trainings as one job" in page
    assert "the base is measured once" in page
    app.multiselect(key=state.LORA_STRATEGIES).set_value(["uniform", "pid"])
    app.number_input(key=state.LORA_SEEDS).set_value(2).run()
    assert "4 trainings as one job" in words(app)
    app.button(key="start_study").click().run()
    assert not app.exception
    (row,) = jobs.jobs(cache)
    assert row.kind == "study"
    assert row.request == request_of(StudyOptions.of(SMALL, ("uniform", "pid"), 2))
    assert f"LoRA of {BASE}" in words(app)


def test_a_seed_alone_has_no_interval_and_no_strategy_is_no_study(cache: Path) -> None:
    app = choose_small(open_lora())
    app.number_input(key=state.LORA_SEEDS).set_value(1).run()
    assert "One seed has no interval." in words(app)
    app.multiselect(key=state.LORA_STRATEGIES).set_value([]).run()
    assert "Choose at least one strategy." in words(app)


def test_what_is_advanced_reaches_the_request_and_nonsense_is_a_sentence(cache: Path) -> None:
    app = choose_small(open_lora())
    app.number_input(key=state.LORA_DROPOUT).set_value(0.1)
    app.number_input(key=state.LORA_ALPHA).set_value(8.0)
    app.selectbox(key=state.LORA_SELECT).set_value("topk").run()
    page = words(app)
    assert "Only samples of the train split are trained on and no other train sample" in page
    assert "any other 1.0" not in page
    app.button(key="start_lora").click().run()
    (row,) = jobs.jobs(cache)
    assert (row.request["dropout"], row.request["alpha"], row.request["select"]) == (
        0.1,
        8.0,
        "topk",
    )
    app.text_input(key=state.LORA_MIX).set_value("mmstar=often").run()
    assert not app.exception
    assert "takes benchmarks with weights above 0" in words(app)


def test_stored_scores_tell_before_the_start_which_samples_weigh_more(
    cache: Path, tmp_path: Path
) -> None:
    path = own_file(tmp_path)
    choice = BenchmarkChoice(name=str(path), split_policy="own")
    benchmark = load_benchmark(choice, cache=cache)
    measure(cache, benchmark, path, split="train")
    app = open_lora()
    app.session_state[state.LORA_WEIGHTS_OPEN] = True
    app.selectbox(key=state.LORA_MODEL).set_value(BASE)
    app.selectbox(key=state.LORA_BENCHMARK).set_value(OTHER_FILE).run()
    app.text_input(key="lora_benchmark_file").set_value(str(path)).run()
    app.selectbox(key="lora_benchmark_split_policy").set_value("own")
    app.number_input(key=state.LORA_DRAWS).set_value(2).run()
    assert not app.exception, app.exception
    page, table = words(app), tables(app)
    assert "No scores of train samples" not in page
    assert ["gap", "samples", "2", "3"] in [line.split()[1:] for line in table.splitlines()]
    assert "The training measures the same and chooses the same." in page
    assert "Question 0?" in page
    assert "Question 4?" in page
    assert "Question 8?" not in page, "only the two that weigh more are shown"
    app.button_group(key=state.LORA_STRATEGY).set_value("accuracy").run()
    assert "hard samples" in tables(app)
    assert "gap samples" not in tables(app)


def test_the_form_takes_over_how_the_samples_were_read(cache: Path, tmp_path: Path) -> None:
    path = own_file(tmp_path)
    choice = BenchmarkChoice(name=str(path), split_policy="own")
    benchmark = load_benchmark(choice, cache=cache)
    measure(cache, benchmark, path, split="test")
    assert runs(cache)[0].benchmark_key == benchmark.key
    app = open_page()
    app.switch_page("pages/samples.py").run()
    app.button(key="lora_pid").click().run()
    assert not app.exception, app.exception
    assert app.selectbox(key=state.LORA_BENCHMARK).value == OTHER_FILE
    assert app.text_input(key="lora_benchmark_file").value == str(path)
    assert app.selectbox(key="lora_benchmark_split_policy").value == "own"
    assert "is not the one that the samples you come from" not in words(app)
    app.switch_page("pages/lora.py").run()
    app.selectbox(key="lora_benchmark_split_policy").set_value("random").run()
    assert "is not the one that the samples you come from" in words(app)


def test_a_study_watches_the_adapter_that_is_trained_now(tmp_path: Path) -> None:
    options = StudyOptions.of(
        FinetuneOptions(model=BASE, benchmark="small", limit=8), ("pid", "uniform"), 2
    )
    request = request_of(options)
    job = JobRow(
        job_key="0" * 16, kind="study", title="t", request=request, state="running", pid=7,
        process_started="", heartbeat=0.0, done=0, total=1, unit="sample", rate=None, message="",
        error=None, cancel_requested=False, log_path=Path("log"), created=0.0, started=0.0,
        finished=None,
    )  # fmt: skip
    own = {name: value for name, value in request.items() if name not in {"strategies", "seeds"}}
    own |= {"learning_rate": 2e-3, "alpha": 32.0}
    done = write_adapter(tmp_path, key="1" * 16, options={**own, "seed": 0})
    now = write_adapter(
        tmp_path, key="2" * 16, strategy="uniform", state="training", options={**own, "seed": 1}
    )
    other = write_adapter(tmp_path, key="3" * 16, state="training", options={**own, "seed": 5})
    another = replace(other, options={**own, "seed": 0, "rank": 4})
    assert adapter_of(job, [done, now, other, another]) == now
    assert adapter_of(job, [other, another]) is None
