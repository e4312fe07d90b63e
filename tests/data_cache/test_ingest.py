import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data_cache.chunks import ChunkPlan, write_chunk
from data_cache.conditions import Condition
from data_cache.errors import CacheDamaged, CacheError
from data_cache.estimates import save, save_all
from data_cache.images import ImageFile
from data_cache.ingest import IngestReport, ingest, rebuild
from data_cache.location import (
    database_path,
    quarantine_directory,
    run_directory,
    samples_directory,
    spool_directory,
)
from data_cache.queries import data_version, predictions, runs, samples, state
from data_cache.sample_chunks import write_samples
from data_cache.schema import TABLES
from data_cache.store import reader
from tests.data_cache.spools import pointwise_rows, profile, rows_of, small_benchmark, spectrum
from tests.data_cache.test_chunks import HOSTILE, from_the_future
from tests.data_cache.test_sample_chunks import dot, showing


def red(value: int) -> ImageFile:
    return ImageFile(data=dot(value))


def content(cache: Path) -> dict[str, list[tuple]]:
    """Every row of every table, in an order of its own; without times of ingest."""
    with reader(cache) as connection:
        return {
            table: sorted(
                map(
                    repr,
                    connection.execute(
                        f"SELECT * EXCLUDE (ingested_at, fingerprint) FROM {table}"
                        if table == "files"
                        else f"SELECT * FROM {table}"
                    ).fetchall(),
                )
            )
            for table in TABLES
        }


def counts(cache: Path) -> dict[str, int]:
    return {table: len(rows) for table, rows in content(cache).items()}


def duplicates(cache: Path) -> int:
    with reader(cache) as connection:
        row = connection.execute(
            """SELECT count(*) - count(DISTINCT (run_key, sample_id, condition, draw, layer))
               FROM predictions"""
        ).fetchone()
    assert row is not None
    return row[0]


def block_chunk(cache: Path, key: str, ids: list[str], **more) -> Path:
    plan = ChunkPlan(run_key=key, index=0, sample_ids=tuple(ids), **more)
    options = {sample.id: len(sample.options) for sample in small_benchmark().samples}
    return write_chunk(run_directory(cache, key), plan, rows_of(plan, options))


def test_everything_of_the_spool_becomes_rows(tmp_path):
    key = profile(tmp_path, small_benchmark(100), draws=2)
    report = ingest(tmp_path)
    assert report == IngestReport(ingested=4)  # two blocks of predictions, two of samples
    assert counts(tmp_path) == {
        "files": 5,
        "runs": 1,
        "blocks": 2,
        "predictions": 100 * (1 + 3 * 2 + 1),
        "features": 100,
        "layer_features": 0,
        "samples": 100,
        "thumbnails": 1,
        "estimates": 0,
        "pointwise": 0,
        "covered": 6,  # of each block the train samples, all "left", and the test samples of both
        "swaps": 0,
    }
    save(tmp_path, spectrum(key), pointwise_rows())
    assert counts(tmp_path)["pointwise"] == 3


def test_an_image_has_one_thumbnail_for_all_that_show_it_and_none_when_nothing_does(tmp_path):
    one, two = showing(*[(red(1),)] * 70), showing((red(2), red(1)), (red(3),))
    for benchmark in (one, two):
        write_samples(tmp_path, benchmark)
    ingest(tmp_path)
    assert counts(tmp_path)["thumbnails"] == 3
    assert samples(tmp_path, two.key, ["s0"])[0].thumbnails == (red(2).data, red(1).data)
    (damaged,) = (spool_directory(tmp_path) / "samples" / two.key).iterdir()
    damaged.write_bytes(b"damaged")
    ingest(tmp_path)
    assert counts(tmp_path)["thumbnails"] == 1
    assert samples(tmp_path, one.key, ["s69"])[0].thumbnails == (red(1).data,)
    rebuild(tmp_path)
    assert counts(tmp_path)["thumbnails"] == 1


def test_a_second_ingest_does_nothing_and_changes_no_version(tmp_path):
    profile(tmp_path, small_benchmark())
    ingest(tmp_path)
    before, version = content(tmp_path), data_version(tmp_path)
    assert ingest(tmp_path) == IngestReport()
    assert content(tmp_path) == before
    assert data_version(tmp_path) == version


def test_the_version_changes_with_an_ingest(tmp_path):
    assert data_version(tmp_path) == "0"
    profile(tmp_path, small_benchmark(), limit=64)
    ingest(tmp_path)
    version = data_version(tmp_path)
    assert version != "0"
    profile(tmp_path, small_benchmark())
    ingest(tmp_path)
    assert data_version(tmp_path) != version


def test_only_the_runs_named_are_ingested(tmp_path):
    one = profile(tmp_path, small_benchmark(10), seed=1)
    profile(tmp_path, small_benchmark(10), seed=2)
    ingest(tmp_path, [one])
    assert [run.run_key for run in runs(tmp_path)] == [one]
    ingest(tmp_path)
    assert len(runs(tmp_path)) == 2


class TestSuperseding:
    def test_a_covering_chunk_takes_the_place_of_the_covered_one(self, tmp_path):
        key = profile(tmp_path, small_benchmark(), limit=10, draws=1)
        ingest(tmp_path)
        profile(tmp_path, small_benchmark(), limit=64, draws=2)
        report = ingest(tmp_path)
        assert (report.ingested, report.superseded) == (1, 1)
        assert counts(tmp_path)["predictions"] == 64 * 8
        assert duplicates(tmp_path) == 0
        with reader(tmp_path) as connection:
            rows = connection.execute(
                "SELECT name, superseded_by FROM files WHERE superseded_by IS NOT NULL"
            ).fetchall()
        assert len(rows) == 1
        assert rows[0][0].startswith(f"{key}/00000-")
        assert len(list(run_directory(tmp_path, key).glob("*.parquet"))) == 2

    def test_a_covered_chunk_that_arrives_late_changes_nothing(self, tmp_path):
        key = profile(tmp_path, small_benchmark(64), draws=2)
        ingest(tmp_path)
        before = content(tmp_path)
        block_chunk(tmp_path, key, ["s0001", "s0002"], draws=1)
        assert ingest(tmp_path).superseded == 1
        after = content(tmp_path)
        assert after["predictions"] == before["predictions"]
        assert after["blocks"] == before["blocks"]

    def test_chunks_that_overlap_without_covering_share_a_block(self, tmp_path):
        benchmark = small_benchmark(64)
        key = profile(tmp_path, benchmark, limit=3, draws=3)  # s0000 to s0002, three draws
        block_chunk(tmp_path, key, ["s0002", "s0003", "s0004", "s0005", "s0006"], draws=1)
        block_chunk(tmp_path, key, ["s0009"], layers=(-1, 0))
        ingest(tmp_path)
        assert duplicates(tmp_path) == 0
        with reader(tmp_path) as connection:
            held = dict(
                connection.execute(
                    """SELECT sample_id, count(*) FROM predictions
                       WHERE condition = 'only_1' GROUP BY sample_id"""
                ).fetchall()
            )
        assert held == {
            **dict.fromkeys(("s0000", "s0001", "s0002"), 3),
            **dict.fromkeys(("s0003", "s0004", "s0005", "s0006"), 1),
            "s0009": 2,
        }
        assert runs(tmp_path)[0].n_samples == 8
        assert runs(tmp_path)[0].draws == 1
        assert runs(tmp_path)[0].layers == (-1,)
        assert predictions(tmp_path, key).draws == 1
        assert predictions(tmp_path, key, limit=3).draws == 3

    def test_the_order_of_arrival_does_not_matter(self, tmp_path):
        benchmark = small_benchmark(64)
        parts = [
            {"ids": ["s0000", "s0001"], "draws": 3},
            {"ids": ["s0001", "s0002"], "layers": (-1, 1)},
            {"ids": ["s0000", "s0001", "s0002"]},
        ]
        seen = []
        for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
            cache = tmp_path / repr(order)
            key = profile(cache, benchmark, limit=1, draws=1)
            for number in order:
                block_chunk(cache, key, **parts[number])
                ingest(cache)
            found = content(cache)
            seen.append((found["predictions"], found["features"], found["blocks"], found["files"]))
        assert seen[0] == seen[1] == seen[2]


class TestBadFiles:
    def test_a_bad_chunk_is_quarantined_and_named_and_the_rest_ingested(self, tmp_path):
        key = profile(tmp_path, small_benchmark(200))
        bad = sorted(run_directory(tmp_path, key).glob("*.parquet"))[1]
        bad.write_bytes(bad.read_bytes()[:-20])
        report = ingest(tmp_path)
        assert [name for name, _ in report.quarantined] == [f"{key}/{bad.name}"]
        assert counts(tmp_path)["predictions"] == (200 - 64) * 8
        assert not bad.exists()
        moved = quarantine_directory(tmp_path) / key / bad.name
        assert moved.is_file()
        assert bad.name in moved.with_name(f"{bad.name}.txt").read_text()
        assert ingest(tmp_path) == IngestReport()
        profile(tmp_path, small_benchmark(200))  # as a resumed run does
        ingest(tmp_path)
        assert counts(tmp_path)["predictions"] == 200 * 8

    def test_bad_samples_and_bad_estimates_are_quarantined_too(self, tmp_path):
        benchmark = small_benchmark(100)
        key = profile(tmp_path, benchmark)
        path = save(tmp_path, spectrum(key), pointwise_rows())
        path.write_bytes(b"PAR1")
        sample_chunk = sorted(samples_directory(tmp_path, benchmark.key).iterdir())[0]
        sample_chunk.write_bytes(b"")
        report = ingest(tmp_path)
        assert len(report.quarantined) == 2
        left = counts(tmp_path)
        assert (left["estimates"], left["pointwise"], left["samples"]) == (0, 0, 36)

    def test_a_block_whose_only_chunk_turns_bad_is_emptied(self, tmp_path):
        key = profile(tmp_path, small_benchmark(10))
        ingest(tmp_path)
        next(run_directory(tmp_path, key).glob("*.parquet")).write_bytes(b"rot")
        assert len(ingest(tmp_path).quarantined) == 1
        left = counts(tmp_path)
        assert (left["predictions"], left["features"], left["blocks"]) == (0, 0, 0)

    def test_a_chunk_from_a_newer_program_stays_and_is_named(self, tmp_path):
        key = profile(tmp_path, small_benchmark(100))
        new = from_the_future(sorted(run_directory(tmp_path, key).glob("*.parquet"))[0])
        report = ingest(tmp_path)
        assert [name for name, _ in report.skipped] == [f"{key}/{new.name}"]
        assert "newer PIDscope" in report.skipped[0][1]
        assert new.exists()
        assert counts(tmp_path)["blocks"] == 1
        assert rebuild(tmp_path).skipped == report.skipped

    def test_chunks_without_a_sidecar_wait_for_it(self, tmp_path):
        key = profile(tmp_path, small_benchmark(10))
        sidecar = run_directory(tmp_path, key) / "run.json"
        text = sidecar.read_bytes()
        for broken in (None, b"{", b"[]", b'{"schema_version":9}'):
            sidecar.unlink() if broken is None else sidecar.write_bytes(broken)
            report = ingest(tmp_path)
            assert f"{key}/run.json" in " ".join(reason for _, reason in report.skipped)
            assert runs(tmp_path) == []
        sidecar.write_bytes(text)
        assert ingest(tmp_path).skipped == ()
        assert len(runs(tmp_path)) == 1

    def test_foreign_and_unfinished_files_are_passed_over(self, tmp_path):
        key = profile(tmp_path, small_benchmark(10))
        folder = run_directory(tmp_path, key)
        (folder / ".00000-abcdefabcdef.parquet.1-ab.tmp").write_bytes(b"half")
        (folder / "notes.txt").write_text("mine")
        (spool_directory(tmp_path) / "README").write_text("mine")
        report = ingest(tmp_path)
        assert (report.quarantined, report.skipped) == ((), ())


def test_hostile_ids_come_back_as_they_went_in(tmp_path):
    key = profile(tmp_path, small_benchmark(10))
    block_chunk(tmp_path, key, list(HOSTILE))
    ingest(tmp_path)
    with reader(tmp_path) as connection:
        rows = connection.execute("SELECT DISTINCT sample_id FROM predictions").fetchall()
    assert set(HOSTILE) <= {row[0] for row in rows}


class TestRebuild:
    def test_a_rebuilt_database_equals_the_ingested_one(self, tmp_path):
        for seed in (1, 2):
            key = profile(tmp_path, small_benchmark(130), limit=20, draws=1, seed=seed)
            ingest(tmp_path)
            profile(tmp_path, small_benchmark(130), draws=2, layers=(-1, 0), seed=seed)
            save_all(
                tmp_path,
                [(spectrum(key, subset=name), pointwise_rows()) for name in ("all", "left")],
            )
        before = content(tmp_path)
        report = rebuild(tmp_path)
        assert content(tmp_path) == before
        assert report.ingested == 2 * 3 + 3 + 2 * 2
        assert report.superseded == 2
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            ".writer.lock",
            "cache.duckdb",
            "spool",
        ]

    def test_a_damaged_database_says_how_to_rebuild_and_is_rebuilt(self, tmp_path):
        profile(tmp_path, small_benchmark())
        ingest(tmp_path)
        before = content(tmp_path)
        database_path(tmp_path).write_bytes(b"no database at all" * 1000)
        for call in (runs, state, ingest):
            with pytest.raises(CacheDamaged, match="python -m model_runners rebuild --cache"):
                call(tmp_path)
        rebuild(tmp_path)
        assert content(tmp_path) == before

    def test_a_stale_log_is_not_replayed_into_the_new_database(self, tmp_path):
        profile(tmp_path, small_benchmark())
        ingest(tmp_path)
        before = content(tmp_path)
        Path(f"{database_path(tmp_path)}.wal").write_bytes(b"stale" * 100)
        rebuild(tmp_path)
        assert content(tmp_path) == before

    def test_an_empty_spool_gives_an_empty_database(self, tmp_path):
        assert rebuild(tmp_path / "new") == IngestReport()
        assert state(tmp_path / "new") == "empty"

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(CacheError, match="cannot be written"):
            rebuild(tmp_path / "file" / "cache")

    def test_what_vanished_from_the_spool_vanishes_on_rebuild(self, tmp_path):
        key = profile(tmp_path, small_benchmark(100))
        ingest(tmp_path)
        sorted(run_directory(tmp_path, key).glob("*.parquet"))[0].unlink()
        ingest(tmp_path)
        assert counts(tmp_path)["blocks"] == 2
        rebuild(tmp_path)
        assert counts(tmp_path)["blocks"] == 1


def start(script: str, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)])


INGEST_FOR_EVER = """
import sys
from pathlib import Path
from data_cache.ingest import ingest, rebuild
from tests.data_cache.spools import profile, small_benchmark
cache = Path(sys.argv[1])
benchmark = small_benchmark(192)
(cache / "started").touch()
for seed in range(1000):
    key = profile(cache, benchmark, limit=70, draws=1, seed=seed)
    ingest(cache)
    profile(cache, benchmark, draws=2, seed=seed)
    ingest(cache)
    if seed % 3 == 2:
        rebuild(cache)
"""


def test_killing_the_ingesting_process_loses_and_repeats_nothing(tmp_path):
    rng = random.Random(5)
    for _ in range(4):
        (tmp_path / "started").unlink(missing_ok=True)
        process = start(INGEST_FOR_EVER, tmp_path)
        while not (tmp_path / "started").exists():
            time.sleep(0.01)
            assert process.poll() is None
        time.sleep(rng.uniform(0.1, 1.2))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        report = ingest(tmp_path)
        assert (report.quarantined, report.skipped) == ((), ())
        assert duplicates(tmp_path) == 0
        now = content(tmp_path)
        fresh = tmp_path / "fresh"
        fresh.mkdir()
        (fresh / "spool").symlink_to(spool_directory(tmp_path))
        rebuild(fresh)
        assert content(fresh) == now
        for leftover in sorted(fresh.iterdir()):
            leftover.unlink()
        fresh.rmdir()
    assert counts(tmp_path)["runs"] > 0


def test_readers_see_whole_transactions_while_another_process_writes(tmp_path):
    key = profile(tmp_path, small_benchmark(192), limit=64)
    ingest(tmp_path)
    process = start(INGEST_FOR_EVER, tmp_path)
    try:
        deadline = time.monotonic() + 60
        sizes: set[int] = set()
        while len(sizes) < 5:
            assert time.monotonic() < deadline
            with reader(tmp_path) as connection:
                rows = connection.execute(
                    """WITH ledger AS (
                           SELECT run_key, sum(n_samples) AS n FROM blocks GROUP BY run_key
                       ), there AS (
                           SELECT run_key, count(DISTINCT sample_id) AS n FROM predictions
                           GROUP BY run_key
                       ) SELECT ledger.n, there.n FROM ledger JOIN there USING (run_key)"""
                ).fetchall()
            assert all(ledger == there for ledger, there in rows)
            sizes.add(sum(there for _, there in rows))
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert predictions(tmp_path, key).scores[Condition.FULL].shape[0] >= 64


def test_many_ingesters_at_once_give_each_row_once(tmp_path):
    script = (
        "import sys; from pathlib import Path; from data_cache.ingest import ingest\n"
        "ingest(Path(sys.argv[1]))"
    )
    for seed in range(3):
        profile(tmp_path, small_benchmark(130), seed=seed)
    processes = [start(script, tmp_path) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert duplicates(tmp_path) == 0
    assert counts(tmp_path)["predictions"] == 3 * 130 * 8
