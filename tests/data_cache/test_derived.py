"""Results are computed once for the same inputs, and never shown for others."""

import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from data_cache import estimates
from data_cache.derived import Inputs, Question, find, fingerprint, listed, once, sweep
from data_cache.ingest import ingest, rebuild
from data_cache.location import derived_directory, run_directory
from data_cache.records import NUMBERS, SpectrumRecord
from data_cache.runs import write_sidecar
from data_cache.store import data_version, writer
from tests.data_cache.answers import estimated, wrong
from tests.data_cache.spools import config_of, profile, small_benchmark

BENCHMARK = small_benchmark(12)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    estimated(tmp_path, BENCHMARK, model="demo/a")
    return tmp_path


def stored(cache: Path) -> SpectrumRecord:
    return estimates.load(cache)[0]


def of(*records: SpectrumRecord, **more: Any) -> Question:
    keys = tuple(record.estimate_key for record in records)
    return Question(
        name="sum", version="1", asked={"of": keys}, inputs=Inputs(estimates=keys, **more)
    )


class Counted:
    """Makes another answer each time."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, float]:
        self.times += 1
        return {"value": float(self.times), "unknown": float("nan")}


def test_an_answer_is_made_once_and_survives_a_rebuild(cache: Path) -> None:
    make, question = Counted(), of(stored(cache))
    assert once(cache, question, make)["value"] == 1.0
    assert once(cache, question, make)["value"] == 1.0
    rebuild(cache)
    assert once(cache, question, make)["value"] == 1.0
    shutil.rmtree(derived_directory(cache))
    assert once(cache, question, make)["value"] == 2.0


def re_estimate(cache: Path) -> None:
    """The same question again: same key, other numbers."""
    time.sleep(0.01)  # a file written within one tick of the clock could have the same time
    estimated(cache, BENCHMARK, model="demo/a", numbers={"synergy": [0.5] * 12})


def other_record(cache: Path) -> None:
    """The record alone, as in a database whose files are not here."""
    with writer(cache) as connection:
        connection.execute("UPDATE estimates SET record = replace(record, '0.25', '0.26')")


def other_rows(cache: Path) -> None:
    """The rows alone: the record says the same."""
    record = stored(cache)
    time.sleep(0.01)
    rows = [{"sample_id": one.id} | dict.fromkeys(NUMBERS, 0.5) for one in BENCHMARK.samples[:5]]
    estimates.save(cache, record, pa.Table.from_pylist(rows))
    assert stored(cache) == record


def more_answers(cache: Path) -> None:
    profile(cache, BENCHMARK, draws=3, model="demo/a")
    ingest(cache)


def other_environment(cache: Path) -> None:
    key = stored(cache).run_key
    config = config_of(BENCHMARK, model="demo/a")
    write_sidecar(cache, key, config, environment={"parameters": 7})
    ingest(cache)


def other_file(cache: Path) -> None:
    folder = run_directory(cache, stored(cache).run_key) / "patches"
    folder.mkdir()
    (folder / "00000-x.parquet").write_bytes(b"x")


def another_model(cache: Path) -> None:
    estimated(cache, BENCHMARK, model="demo/b", answers=wrong)


@pytest.mark.parametrize(
    ("change", "matters", "does_not"),
    [
        (re_estimate, {}, None),
        (other_record, {}, None),
        (other_rows, {}, None),
        (more_answers, {"answers": True}, {}),
        (other_environment, {"answers": True}, {}),
        (another_model, {"split": "test", "estimator": "certified"}, {}),
        (
            another_model,
            {"split": "test", "benchmark": "small"},
            {"split": "test", "benchmark": "x"},
        ),
        (other_file, {"files": ("spool/{run}/patches",)}, {}),
    ],
)
def test_the_fingerprint_changes_with_what_is_read_and_with_nothing_else(
    cache: Path,
    change: Callable[[Path], None],
    matters: dict[str, Any],
    does_not: dict[str, Any] | None,
) -> None:
    record = stored(cache)
    if "files" in matters:
        matters = {"files": tuple(name.format(run=record.run_key) for name in matters["files"])}
    named = [of(record, **matters)] + ([] if does_not is None else [of(record, **does_not)])
    before = [fingerprint(cache, one) for one in named]
    change(cache)
    after = [fingerprint(cache, one) for one in named]
    assert after[0] != before[0]
    assert after[1:] == before[1:]


def test_code_what_was_asked_and_what_was_given_are_inputs_too(cache: Path) -> None:
    question = of(stored(cache))
    keys = {
        fingerprint(cache, one)
        for one in (
            question,
            replace(question, version="2"),
            replace(question, asked={"of": "other"}),
            replace(question, given={"parameters": float("nan")}),
        )
    }
    assert len(keys) == 4


def test_only_the_newest_answer_to_a_question_is_kept(cache: Path) -> None:
    other = replace(of(stored(cache)), asked={"of": "other"})
    once(cache, other, Counted())
    question = of(stored(cache))
    once(cache, question, Counted())
    re_estimate(cache)
    assert [one.is_current for one in listed(cache)] == [False, False]
    assert once(cache, question, Counted())["value"] == 1.0
    assert sorted(one.is_current for one in listed(cache)) == [False, True]


def test_what_was_read_while_somebody_wrote_is_not_kept(cache: Path) -> None:
    question = of(stored(cache))

    def make() -> dict[str, float]:
        re_estimate(cache)
        return {"value": 1.0}

    assert once(cache, question, make)["value"] == 1.0
    assert listed(cache) == []


def test_what_was_read_from_an_older_cache_is_neither_kept_nor_taken(cache: Path) -> None:
    seen, question = data_version(cache), of(stored(cache))
    another_model(cache)
    make = Counted()
    assert once(cache, question, make, seen=seen)["value"] == 1.0
    assert listed(cache) == []
    assert once(cache, question, make)["value"] == 2.0
    assert once(cache, question, make, seen=seen)["value"] == 3.0


@pytest.mark.parametrize("harm", [b"", b"{}\n{}", b"\x00" * 40, None])
def test_a_damaged_file_is_made_again(cache: Path, harm: bytes | None) -> None:
    make, question = Counted(), of(stored(cache))
    once(cache, question, make)
    (path,) = derived_directory(cache).glob("*/*.json")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"1.0", b"9.0") if harm is None else harm)
    assert once(cache, question, make)["value"] == 2.0
    assert once(cache, question, make)["value"] == 2.0


def test_a_folder_that_cannot_be_written_costs_time_only(cache: Path) -> None:
    derived_directory(cache).write_text("a file in its place")
    make, question = Counted(), of(stored(cache))
    assert [once(cache, question, make)["value"] for _ in range(2)] == [1.0, 2.0]


def test_what_nobody_asks_for_again_is_swept(cache: Path) -> None:
    another_model(cache)
    first, second = estimates.load(cache)
    for question in (of(first), of(second), replace(of(first), name="gone")):
        once(cache, question, Counted())
    assert sweep(cache, {"sum": "1"}) == 1  # nobody computes the other one any more
    shutil.rmtree(run_directory(cache, second.run_key))
    rebuild(cache)
    assert sweep(cache, {"sum": "1"}) == 1
    assert [one.is_current for one in listed(cache)] == [True]
    assert sweep(cache, {"sum": "2"}) == 1
    assert listed(cache) == []


def ask_often(cache: Path, question: Question) -> None:
    for _ in range(4):
        answer = once(cache, question, lambda: {"text": "x" * 50_000})
        assert len(answer["text"]) == 50_000
        for path in derived_directory(cache).glob("*/*.json"):
            path.unlink(missing_ok=True)
    os._exit(0)


def test_several_processes_ask_at_once(cache: Path) -> None:
    question = of(stored(cache))
    context = multiprocessing.get_context("fork")
    asking = [context.Process(target=ask_often, args=(cache, question)) for _ in range(2)]
    for process in asking:
        process.start()
    for process in asking:
        process.join(60)
    assert [process.exitcode for process in asking] == [0, 0]
    key = fingerprint(cache, question)
    assert once(cache, question, Counted())["value"] == 1.0
    assert find(cache, question, key) is not None
