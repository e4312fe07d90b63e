"""The check-up names what is not whole, and what to do about it."""

import os
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from data_cache import estimates, jobs
from data_cache.checkup import Trouble, check_cache
from data_cache.derived import Inputs, Question, once
from data_cache.estimates import save
from data_cache.ingest import ingest
from data_cache.location import database_path, estimates_directory, jobs_path, run_directory
from tests.data_cache.spools import pointwise_rows, profile, small_benchmark, spectrum


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    key = profile(tmp_path, small_benchmark(100), draws=2)
    profile(tmp_path, small_benchmark(100), draws=3, limit=64)  # supersedes the first block
    ingest(tmp_path)
    save(tmp_path, spectrum(key), pointwise_rows())
    return tmp_path


def run_of(cache: Path) -> Path:
    return next(path.parent for path in cache.glob("spool/*/run.json"))


def flipped(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def only(troubles: list[Trouble]) -> Trouble:
    assert len(troubles) == 1, troubles
    return troubles[0]


def test_nothing_is_wrong_with_a_whole_cache_or_with_none(cache: Path) -> None:
    seen: list[tuple[int, int]] = []
    assert check_cache(cache, report=lambda done, total: seen.append((done, total))) == []
    assert seen[-1] == (7, 7)  # run.json, 3 chunks, 2 of samples, a spectrum
    assert check_cache(cache / "nowhere") == []


@pytest.mark.parametrize("folder", ["", "estimates"])
def test_a_flipped_bit_in_a_file_is_found(cache: Path, folder: str) -> None:
    path = next((run_of(cache) / folder).glob("*.parquet"))
    times = path.stat()
    flipped(path, 40)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # as a failing disk does it
    found = only(check_cache(cache))
    assert found.where == path.relative_to(cache).as_posix()
    assert "rebuild" in found.remedy
    assert check_cache(cache, contents=False) == []


def test_a_flipped_bit_in_the_database_is_found(cache: Path) -> None:
    path = database_path(cache)
    half = path.stat().st_size // 2
    flipped(path, half)
    found = check_cache(cache)
    assert found
    assert all(one.where.startswith("cache.duckdb") for one in found)
    assert "rebuild" in found[0].remedy


def test_rows_that_are_missing_or_twice_are_found(cache: Path) -> None:
    with duckdb.connect(database_path(cache)) as connection:
        connection.execute("DELETE FROM predictions WHERE block = 1 AND sample_id = 's0099'")
    found = only(check_cache(cache))
    assert found.where == f"cache.duckdb: run {run_of(cache).name}, block 1"
    assert found.what == "has 280 predictions (0 twice), its chunks 288"
    ingested = "INSERT INTO predictions SELECT * FROM predictions WHERE block = 1 LIMIT 8"
    with duckdb.connect(database_path(cache)) as connection:
        connection.execute(ingested)
    assert "has 288 predictions (8 twice)" in only(check_cache(cache)).what


def test_a_ledger_behind_or_ahead_of_the_spool_is_found(cache: Path) -> None:
    profile(cache, small_benchmark(100), draws=1, seed=7)
    assert "ingest" in only(check_cache(cache)).remedy
    ingest(cache)
    next(estimates_directory(cache, run_of(cache).name).parent.glob("00001*.parquet")).unlink()
    found = check_cache(cache, contents=False)
    assert [one.what.startswith("has rows of 1 files") for one in found] == [True]


def test_lost_jobs_and_damaged_sqlite_files_are_found(cache: Path) -> None:
    job = jobs.open_or_create(cache, "profile", {"model": "m"}, "m on b")
    assert jobs.claim(cache, job.job_key, 2**22 - 1)  # no process has that number
    found = only(check_cache(cache))
    assert found.where == f"job {job.job_key}"
    assert f"resume {job.job_key}" in found.remedy
    jobs_path(cache).write_bytes(b"no database, but longer than the head of one" * 100)
    for rest in cache.glob("jobs.sqlite-*"):
        rest.unlink()
    assert only(check_cache(cache)).where == "jobs.sqlite"


def test_a_stranger_in_the_spool_is_named(cache: Path) -> None:
    (run_of(cache) / "notes.txt").write_text("mine")
    assert "no file that belongs" in only(check_cache(cache)).what


def test_chunks_without_a_run_are_named(cache: Path) -> None:
    (run_directory(cache, run_of(cache).name) / "run.json").unlink()
    troubles = check_cache(cache, contents=False)
    assert sum("without a run.json" in one.what for one in troubles) == 3


def test_a_damaged_result_is_found_and_an_older_one_is_none_of_its_business(cache: Path) -> None:
    (record,) = estimates.load(cache)
    question = Question(
        name="sum", version="1", asked={}, inputs=Inputs(estimates=(record.estimate_key,))
    )
    once(cache, question, lambda: {"value": 1.0})
    save(cache, replace(record, created="2026-11-23T00:00:00+00:00"), pointwise_rows())
    assert check_cache(cache) == []
    (path,) = cache.glob("derived/*/*.json")
    flipped(path, -5)
    found = only(check_cache(cache))
    assert found.where == path.relative_to(cache).as_posix()
    assert "delete it" in found.remedy
