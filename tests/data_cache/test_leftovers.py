"""What a cache could do without is listed with its reason, and goes only on demand."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from data_cache import jobs
from data_cache.derived import Inputs, Question, once
from data_cache.errors import CacheBusy
from data_cache.estimates import save
from data_cache.ingest import ingest, rebuild
from data_cache.leftovers import leftovers, remove
from data_cache.location import quarantine_directory, run_directory
from tests.data_cache.spools import pointwise_rows, profile, small_benchmark, spectrum
from tests.data_cache.test_ingest import content


def kinds(cache: Path) -> list[tuple[str, bool]]:
    return [(one.kind, one.is_safe) for one in leftovers(cache)]


def test_a_clean_cache_has_none(tmp_path: Path) -> None:
    profile(tmp_path, small_benchmark(20), draws=1)
    profile(tmp_path, small_benchmark(20), draws=1, seed=7)  # another run, not a newer one
    ingest(tmp_path)
    assert leftovers(tmp_path) == []


def test_a_chunk_whose_rows_another_has_can_go_without_a_change_of_any_row(tmp_path: Path) -> None:
    key = profile(tmp_path, small_benchmark(20), draws=1)
    profile(tmp_path, small_benchmark(20), draws=2)
    ingest(tmp_path)
    before = content(tmp_path)
    (found,) = leftovers(tmp_path)
    assert (found.kind, found.is_safe, found.path.parent.name) == ("covered chunk", True, key)
    assert remove(tmp_path, [found]) == found.size > 0
    rebuild(tmp_path)
    assert len(list(run_directory(tmp_path, key).glob("*.parquet"))) == 1
    after = content(tmp_path)
    assert {table: rows for table, rows in after.items() if table != "files"} == {
        table: rows for table, rows in before.items() if table != "files"
    }


def test_a_run_is_renewed_when_its_model_changed_under_an_unchanged_name(tmp_path: Path) -> None:
    old = profile(tmp_path, small_benchmark(20), draws=1, weights="a" * 16)
    earlier = time.time() - 100
    for path in run_directory(tmp_path, old).iterdir():
        os.utime(path, (earlier, earlier))
    new = profile(tmp_path, small_benchmark(20), draws=1, weights="b" * 16)
    (found,) = leftovers(tmp_path)
    assert (found.kind, found.is_safe, found.path.name) == ("renewed run", False, old)
    assert new in found.why
    assert "with other weights" in found.why


def test_unfinished_files_wait_an_hour_and_bad_ones_are_named(tmp_path: Path) -> None:
    key = profile(tmp_path, small_benchmark(20), draws=1)
    (run_directory(tmp_path, key) / ".00001-x.parquet.123-ab.tmp").write_bytes(b"half")
    bad = quarantine_directory(tmp_path) / key / "00000-0123456789ab.parquet"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(b"bad")
    assert kinds(tmp_path) == [("set aside", False)]
    later = [one.kind for one in leftovers(tmp_path, now=time.time() + 4000)]
    assert later == ["unfinished", "set aside"]


def test_nothing_is_removed_while_a_job_is_at_work(tmp_path: Path) -> None:
    profile(tmp_path, small_benchmark(20), draws=1)
    profile(tmp_path, small_benchmark(20), draws=2)
    job = jobs.open_or_create(tmp_path, "profile", {"model": "m"}, "m on b")
    assert jobs.claim(tmp_path, job.job_key)
    found = leftovers(tmp_path)
    with pytest.raises(CacheBusy, match=f"the job {job.job_key} is at work"):
        remove(tmp_path, found)
    assert leftovers(tmp_path) == found


def test_results_of_what_is_not_stored_any_more_can_go(tmp_path: Path) -> None:
    key = profile(tmp_path, small_benchmark(20), draws=1)
    ingest(tmp_path)
    record = spectrum(key)
    save(tmp_path, record, pointwise_rows())
    question = Question(
        name="sum", version="1", asked={}, inputs=Inputs(estimates=(record.estimate_key,))
    )
    once(tmp_path, question, lambda: {"value": 1.0})
    assert leftovers(tmp_path) == []
    save(tmp_path, replace(record, synergy=1.0), pointwise_rows())
    assert kinds(tmp_path) == [("older result", True)]
    assert remove(tmp_path, leftovers(tmp_path)) > 0
    assert leftovers(tmp_path) == []
