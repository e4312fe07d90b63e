"""LoRA from one's own choice: train samples of a tag weigh more, test samples are left out."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from data_cache import adapters, jobs, queries, tags
from data_cache.benchmarks import BENCHMARKS, BenchmarkEntry
from data_cache.samples import Benchmark
from model_runners.__main__ import main
from model_runners.errors import BadOption, NoGapSamples
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.records import adapter_key
from model_runners.finetuning.requests import options_of, request_of, title_of
from model_runners.finetuning.tagged import lifted, lifted_of, with_tag
from model_runners.loading import LoadedModel

NAME = "fusion that is missing"
SMALL = [
    *("--model", "demo/fusion-small", "--benchmark", "few_digits", "--limit", "16"),
    *("--draws", "1", "--epochs", "1", "--device", "cpu"),
]
PLAIN = FinetuneOptions(
    model="demo/fusion-small", benchmark="few_digits", strategy="uniform", limit=16, draws=1,
    epochs=1, device="cpu",
)  # fmt: skip
KEY_OF_PLAIN = "4b1a7f6ab3ac0064"


@pytest.fixture
def few(digits: Benchmark, monkeypatch: pytest.MonkeyPatch) -> Benchmark:
    """A dozen train samples and six test samples of one subset, a line of the table."""
    parts = [
        digits.select(split=split, subset="vision", limit=limit)
        for split, limit in (("train", 12), ("test", 6))
    ]
    ids = {sample.id for part in parts for sample in part}
    samples = tuple(sample for sample in digits.samples if sample.id in ids)
    benchmark = Benchmark(name="few", samples=samples)
    module = ModuleType("benchmark_few")
    module.load = lambda: benchmark  # pyright: ignore
    monkeypatch.setitem(sys.modules, module.__name__, module)
    entry = BenchmarkEntry(module=module.__name__, summary="few", built_in=True)
    monkeypatch.setitem(BENCHMARKS, "few", entry)
    return benchmark


def tag(cache: Path, benchmark: Benchmark, ids: list[str], name: str = NAME) -> None:
    tags.add(cache, name, benchmark=benchmark.name, benchmark_key=benchmark.key, sample_ids=ids)


def ids_of(benchmark: Benchmark, split: str, start: int, end: int) -> list[str]:
    return [sample.id for sample in benchmark.select(split=split)][start:end]


def test_the_train_samples_of_a_tag_are_lifted_and_the_others_counted(
    tmp_path: Path,
    few: Benchmark,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Three that are trained on, one behind the limit, two of the test split."""
    train = ids_of(few, "train", 2, 5)
    tag(tmp_path, few, [*train, *ids_of(few, "train", 11, 12)])
    tag(tmp_path, few, ids_of(few, "test", 0, 2))
    assert (
        main(
            [
                "finetune",
                *SMALL,
                "--benchmark",
                "few",
                "--limit",
                "8",
                "--lift-tag",
                NAME,
                "--json",
                "--cache",
                str(tmp_path),
            ]
        )
        == 0
    )
    told = capsys.readouterr()
    left_out = (
        f"2 of the 6 samples of the tag {NAME!r} are of the test split and never trained on",
        f"1 of the 6 samples of the tag {NAME!r} is not among the 8 that are trained on",
    )
    assert f"3 samples of the tag {NAME!r} weigh more; {'; '.join(left_out)}" in told.err
    done = json.loads(told.out)
    (record,) = adapters.adapters(tmp_path)
    assert record.name == f"demo/fusion-small+tag-{record.key[:6]}"
    assert (record.n_gap, record.n_shortcut, record.state) == (3, 0, "profiled")
    assert record.warnings == tuple(done["warnings"]) == left_out
    weights = adapters.sample_weights(tmp_path, record.key)
    assert weights["sample_id"].tolist() == ids_of(few, "train", 0, 8)
    assert set(weights[weights["weight"] == 3.0]["sample_id"]) == set(train)
    assert set(weights["weight"]) == {1.0, 3.0}
    for run in queries.runs(tmp_path):
        assert set(queries.predictions(tmp_path, run.run_key).splits) == {"test"}
    # A job is what was asked for: it is resumed with the samples of then.
    (job,) = jobs.jobs(tmp_path)
    assert f"(tag {NAME}, first 8, 1 epoch, " in job.title
    tags.take_off(tmp_path, NAME, few.key)
    found = lifted(options_of(job.request), tmp_path, few, few.select(split="train"))
    assert found.of == 6


def test_a_tag_changes_the_key_by_what_is_trained_on_and_by_nothing_else(
    tmp_path: Path, few_digits: Benchmark, oracle: LoadedModel
) -> None:
    train = ids_of(few_digits, "train", 0, 3)
    tag(tmp_path, few_digits, train)
    tag(tmp_path, few_digits, [*train, *ids_of(few_digits, "test", 0, 1)], "another name")

    def key(options: FinetuneOptions, tagged: list[str] | None) -> str:
        return adapter_key(options, loaded=oracle, benchmark=few_digits, tagged=tagged)

    first, second = (with_tag(PLAIN, name, tmp_path, few_digits) for name in (NAME, "another name"))
    assert first.lifted != second.lifted
    assert request_of(first) != request_of(second)
    assert key(first, train) == key(second, train)
    assert key(first, train) != key(first, train[:2])
    assert key(first, train) != key(PLAIN, None)
    assert options_of(request_of(first)) == first
    assert "(tag another name, first 16" in title_of(second)


def test_what_is_not_asked_for_is_no_part_of_a_key(
    few_digits: Benchmark, oracle: LoadedModel
) -> None:
    later = {"lift_tag", "lifted", "mix", "evaluate_on", "select", "alpha", "early_stop"}
    assert not later & set(request_of(PLAIN))
    key = adapter_key(PLAIN, loaded=oracle, benchmark=few_digits)
    assert key == KEY_OF_PLAIN


def test_a_tag_without_train_samples_is_refused(few_digits: Benchmark) -> None:
    test = ids_of(few_digits, "test", 0, 2)
    with pytest.raises(NoGapSamples, match="nothing is left to lift: 2 of the 2 samples of the t"):
        lifted_of(NAME, test, few_digits, few_digits.select(split="train"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--lift-tag", "none"], "no sample of few_digits carries the tag 'none'; its tags are mi"),
        (["--lift-tag", "old"], "the tag 'old' is on samples of few_digits as it was read for an"),
        (["--lift-tag", "mine", "--strategy", "fp"], "leave out --strategy fp"),
        (["--strategy", "tag"], "the strategy 'tag' lifts the samples of a tag; give --lift-tag"),
        (["--lift-tag", "mine", "--subset", "vision"], "nothing is left to lift"),
    ],
)
def test_what_cannot_be_lifted_is_one_sentence_and_starts_nothing(
    words: list[str],
    says: str,
    tmp_path: Path,
    table: dict[str, Benchmark],
    few_digits: Benchmark,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = few_digits.select(split="train", subset="synergy", limit=1)[0].id
    tag(tmp_path, few_digits, [first], "mine")
    tags.add(tmp_path, "old", benchmark="few_digits", benchmark_key="0" * 16, sample_ids=[first])
    assert main(["finetune", *SMALL, *words, "--cache", str(tmp_path)]) == 2
    assert says in capsys.readouterr().err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["tags.sqlite"]


def test_other_strategies_take_no_tag() -> None:
    with pytest.raises(BadOption, match="the strategy 'pid' takes no tag"):
        FinetuneOptions(model="m", benchmark="b", lift_tag="mine", lifted="0" * 16)
