"""What options say of a benchmark: a lasting request, the same key as ever, refusals beforehand."""

import json
from pathlib import Path
from typing import Any

import pytest

from data_cache.errors import BenchmarkError
from data_cache.jobs import job_key
from data_cache.samples import Benchmark, Sample
from model_runners import benchmark_choice, requests
from model_runners.benchmark_choice import LATER
from model_runners.errors import BadOption
from model_runners.finetuning import requests as finetuning
from model_runners.finetuning.options import FinetuneOptions
from model_runners.profile import ProfileOptions
from model_runners.profile_job import parts
from tests.benchmark_files.drawn import drawn

MODEL = "demo/oracle"


def profile_of(benchmark: str = "digits_vqa", **more: Any) -> ProfileOptions:
    return ProfileOptions(model=MODEL, benchmark=benchmark, **more)


def finetune_of(benchmark: str = "digits_vqa", **more: Any) -> FinetuneOptions:
    return FinetuneOptions(model=MODEL, benchmark=benchmark, **more)


def test_jobs_without_these_choices_keep_the_keys_that_they_always_had() -> None:
    """The requests of these jobs as they were before there were any choices."""
    before = {
        "model": MODEL, "benchmark": "digits_vqa", "limit": None, "subset": None, "split": "all",
        "draws": 4, "seed": 0, "device": "auto", "dtype": "auto", "batch_size": None,
        "layers": False, "mask_scope": "all",
    }  # fmt: skip
    assert requests.request_of(profile_of()) == before
    assert not set(LATER) & set(finetuning.request_of(finetune_of()))
    assert job_key("profile", requests.request_of(profile_of())) == job_key("profile", before)


@pytest.mark.parametrize(
    ("name", "value"),
    [("split_policy", "random"), ("circular", "base_only"), ("frames", 2), ("max_bad_rows", 0.5)],
)
def test_every_other_choice_is_another_job_and_comes_back(name: str, value: Any) -> None:
    for module, options in (
        (requests, profile_of(**{name: value})), (finetuning, finetune_of(**{name: value})),
    ):  # fmt: skip
        request = module.request_of(options)  # pyright: ignore
        assert request[name] == value
        assert module.options_of(request) == options


def test_places_mean_the_same_in_every_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    own = requests.request_of(profile_of("mine.jsonl"))
    assert own["benchmark"] == str(tmp_path / "mine.jsonl")
    known = requests.request_of(profile_of("mmbench", data="~/tables"))
    assert (known["benchmark"], known["data"]) == ("mmbench", str(tmp_path / "home" / "tables"))


def test_titles_name_a_file_and_what_is_unusual() -> None:
    assert requests.title_of(profile_of("/a/b/mine.jsonl")).startswith("demo/oracle on mine (")
    title = requests.title_of(profile_of("mmbench", split_policy="random", circular="base_only"))
    assert "split: random, first order of the options only" in title


@pytest.mark.parametrize("of", [profile_of, finetune_of])
def test_choices_that_make_no_sense_are_refused_before_anything_is_read(of: object) -> None:
    assert callable(of)
    with pytest.raises(BenchmarkError, match="split policy must be one of group"):
        of(split_policy="groups")
    with pytest.raises(BenchmarkError, match="circular must be one of all"):
        of(circular="none")
    with pytest.raises(BenchmarkError, match="1 to 64 frames"):
        of(frames=0)
    with pytest.raises(BadOption, match="share of bad rows must be 0 to 1"):
        of(max_bad_rows=5)


def test_a_benchmark_that_is_not_here_is_refused_without_reading_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMUData", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for name, sentence in (
        ("digits_vqb", "did you mean 'digits_vqa'"),
        ("mmbench:en", "did you mean 'en_dev'"),
        ("mmbench", "is not on this machine .looked for MMBench_DEV_EN.tsv"),
        (str(tmp_path / "no.tsv"), "there is no file or folder"),
    ):
        with pytest.raises(BenchmarkError, match=sentence):
            benchmark_choice.check_there(profile_of(name))
    with pytest.raises(BenchmarkError, match="leave out --data"):
        benchmark_choice.check_there(profile_of(data=str(tmp_path)))
    broken = tmp_path / "broken.jsonl"
    broken.write_text("nothing that could be read")
    benchmark_choice.check_there(profile_of(str(broken)))


def test_a_result_lists_the_bad_rows(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(drawn("a"))
    good = {"question": "Q?", "options": ["yes", "no"], "answer": "A", "image": "a.png"}
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, [good, good | {"answer": "maybe"}])) + "\n")
    with pytest.raises(BenchmarkError, match="1 of 2 rows of mine are bad"):
        benchmark_choice.load_asked(profile_of(str(path)), tmp_path / "cache")
    options = profile_of(str(path), max_bad_rows=0.5)
    read = benchmark_choice.rows_read(benchmark_choice.load_asked(options, tmp_path / "cache"))
    assert (read["rows"], read["bad_row_count"]) == (2, 1)
    assert read["bad_rows"][0].startswith(f"{path}, row 2, column answer:")


def test_one_subset_alone_is_not_pooled_with_itself() -> None:
    def benchmark(*subsets: str) -> Benchmark:
        samples = [
            Sample(
                id=f"s{i}", group_id="g", question="?", options=("a", "b"), answer=0, subset=name
            )
            for i, name in enumerate(subsets)
        ]
        return Benchmark(name="b", samples=tuple(samples))

    assert parts(profile_of(), benchmark("left", "right")).subsets == ("all", "left", "right")
    assert parts(profile_of(), benchmark("left", "left")).subsets == ("all",)
    assert parts(profile_of(), benchmark("all")).subsets == ("all",)
    assert parts(profile_of(subset="left"), benchmark("left", "right")).subsets == ("left",)
    assert parts(profile_of(limit=1), benchmark("left", "right")).subsets == ("all", "left")
