"""A cell of models by benchmarks says how far its best run is, and what is wrong with it."""

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

from data_cache.cells import Cell, cells
from data_cache.coverage import RunCoverage
from data_cache.jobs import JobRow
from data_cache.queries import RunRow
from tests.pages.spectra import record

DAY = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)


def run(model: str = "m", benchmark: str = "b", n: int = 30, **more: Any) -> RunRow:
    fields: dict[str, Any] = {
        "run_key": f"{model} on {benchmark}",
        "model": model,
        "family": "llava",
        "benchmark": benchmark,
        "benchmark_key": f"key of {benchmark}",
        "n_samples": n,
        "draws": 4,
        "layers": (-1,),
        "config": {},
        "self_test": {},
        "environment": {},
        "ingested_at": DAY,
    }
    return RunRow(**(fields | more))


def held(one: RunRow, *, test: int, train: int = 0, known: tuple[int, int] = (90, 30)):
    return {
        one.run_key: RunCoverage(
            run_key=one.run_key,
            samples=one.n_samples,
            by_split={"train": train, "test": test},
            known={"train": known[0], "test": known[1]},
            spectra=0,
            layers_with_spectra=0,
        )
    }


def spectra_of(one: RunRow, *ns: int, **more: Any) -> list[Any]:
    return [
        replace(record(subset), run_key=one.run_key, n=n, **more)
        for subset, n in zip(("synergy", "vision"), ns, strict=False)
    ]


def job(state: str, *, pid: int | None = 1, kind: str = "profile", **request: Any) -> JobRow:
    return JobRow(
        job_key="0" * 16,
        kind=kind,
        title="a job",
        request={"model": "m", "benchmark": "b", **request},
        state=state,  # pyright: ignore[reportArgumentType] -- any text
        pid=pid,
        process_started="",
        heartbeat=0.0,
        done=1,
        total=2,
        unit="sample",
        rate=None,
        message="",
        error=None,
        cancel_requested=False,
        log_path=Path("log"),
        created=0.0,
        started=0.0,
        finished=None,
    )


def only(found: list[Cell]) -> Cell:
    (cell,) = found
    return cell


def test_a_whole_test_split_is_whole_whatever_is_lacking_of_the_train_split() -> None:
    one = run()
    cell = only(cells([one], held(one, test=30), []))
    assert (cell.split, cell.share, cell.is_partial) == ("test", 1.0, False)
    assert cell.of == {"train": 90, "test": 30}
    assert not cell.is_whole, "the benchmark may have more than the cache has seen of it"


def test_a_part_of_the_test_split_is_partial() -> None:
    one = run(n=12)
    cell = only(cells([one], held(one, test=12), []))
    assert (cell.share, cell.is_partial) == (0.4, True)


def test_the_size_that_a_run_noted_goes_before_what_the_cache_has_seen() -> None:
    noted = run("m", environment={"benchmark_samples": {"train": 300, "test": 60}})
    other = run("n")
    found = cells([noted, other], held(noted, test=30) | held(other, test=30), [])
    assert [(cell.of["test"], cell.is_whole, cell.share) for cell in found] == [(60, True, 0.5)] * 2


def test_without_texts_the_split_is_not_known() -> None:
    one = run()
    cell = only(cells([one], {}, []))
    assert (cell.split, cell.measured, cell.share, cell.is_partial) == (None, 30, 1.0, False)


def test_spectra_of_fewer_samples_than_are_measured_are_behind() -> None:
    one = run()
    of = held(one, test=30)
    assert only(cells([one], of, [])).spectra == "none"
    assert only(cells([one], of, spectra_of(one, 10, 20))).spectra == "current"
    assert only(cells([one], of, spectra_of(one, 10, 19))).spectra == "behind"
    pooled = replace(record("all"), run_key=one.run_key, n=30)
    assert only(cells([one], of, [*spectra_of(one, 10, 19), pooled])).spectra == "current"


def test_estimates_with_other_settings_do_not_add_up() -> None:
    one = run()
    parts = spectra_of(one, 15) + spectra_of(one, 15, settings={"tau": 0.0})
    assert only(cells([one], held(one, test=30), parts)).spectra == "behind"


def test_a_longer_run_leaves_limited_spectra_behind_but_not_those_of_another_split() -> None:
    one = run(n=120)
    of = held(one, test=30, train=90)
    assert only(cells([one], of, spectra_of(one, 10, 20))).spectra == "current"
    assert only(cells([one], of, spectra_of(one, 40, 40, split="train"))).spectra == "behind"
    assert only(cells([one], of, spectra_of(one, 60, 60, split="all"))).spectra == "current"


def test_spectra_of_one_split_that_took_everything_are_enough() -> None:
    one = run(n=90)
    of = held(one, test=30, train=60)
    parts = spectra_of(one, 10, 20) + spectra_of(one, 10, 10, split="train")
    assert only(cells([one], of, parts)).spectra == "current"


def test_the_run_with_most_samples_speaks_for_the_cell_and_the_newest_of_equals() -> None:
    short = run(run_key="short", n=10, ingested_at=DAY + datetime.timedelta(days=2))
    older = run(run_key="older")
    newer = run(run_key="newer", ingested_at=DAY + datetime.timedelta(days=1))
    cell = only(cells([short, older, newer], {}, []))
    assert (cell.run_key, cell.runs) == ("newer", 3)


def test_a_model_that_was_not_run_on_a_benchmark_has_an_empty_cell() -> None:
    found = cells([run("m", "b"), run("n", "c")], {}, [])
    assert [(cell.model, cell.benchmark, cell.measured) for cell in found] == [
        ("m", "b", 30),
        ("m", "c", 0),
        ("n", "b", 0),
        ("n", "c", 30),
    ]


def test_another_edition_of_a_benchmark_is_marked() -> None:
    old = run("m", benchmark_key="old")
    new = run("n", benchmark_key="new", ingested_at=DAY + datetime.timedelta(days=1))
    assert [cell.other_edition for cell in cells([old, new], {}, [])] == [True, False]


def test_layers_and_imports_are_told() -> None:
    one = run(layers=(-1, 0, 1, 2), config={"imported": "table"})
    cell = only(cells([one], {}, []))
    assert (cell.inner_layers, cell.imported) == (3, True)


def test_the_last_started_job_says_whether_something_is_at_work_or_stopped() -> None:
    for rows, expected in (
        ([job("running")], "running"),
        ([job("queued", pid=None)], ""),
        ([job("lost")], "stopped"),
        ([job("done"), job("cancelled")], ""),
        ([job("cancelled"), job("done")], "stopped"),
        ([job("running", kind="finetune")], ""),
        ([job("running", benchmark="c")], ""),
    ):
        assert only(cells([run()], {}, [], rows)).work == expected
