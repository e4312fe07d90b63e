"""What goes wrong on real disks ends in the right rows or in a sentence, never in other numbers.

The rest of that list has tests of its own; docs/cache.md, "What survives what", names them.
"""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data_cache.errors import CacheDamaged, CacheMissing
from data_cache.estimates import save
from data_cache.ingest import ingest, rebuild
from data_cache.location import database_path
from data_cache.store import reader
from tests.data_cache.spools import pointwise_rows, profile, small_benchmark, spectrum

ROOT = Path(__file__).resolve().parents[2]

Content = dict[str, tuple[int, str]]


def content(cache: Path) -> Content:
    """Rows of each table and a digest of them, whatever their order."""
    found: Content = {}
    with reader(cache) as connection:
        tables = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        for (table,) in tables:
            times = "EXCLUDE (ingested_at, fingerprint)" if table == "files" else ""
            ((count, digest),) = connection.execute(
                f"""SELECT count(*), bit_xor(hash(CAST(one AS VARCHAR)))
                    FROM (SELECT * {times} FROM {table}) AS one"""
            ).fetchall()
            found[table] = (int(count), str(digest))
    return found


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    key = profile(folder, small_benchmark(40), draws=1)
    ingest(folder)
    save(folder, spectrum(key), pointwise_rows())
    ingest(folder)
    return folder


def test_a_bit_that_turned_over_in_the_database_changes_no_number(cache: Path) -> None:
    expected, whole = content(cache), database_path(cache).read_bytes()
    where, told = random.Random(1), 0
    for _ in range(8):
        damaged = bytearray(whole)
        damaged[where.randrange(len(whole))] ^= 1 << where.randrange(8)
        database_path(cache).write_bytes(damaged)
        try:
            found = content(cache)
        except CacheDamaged:  # a sentence with the way out, see test_store
            told += 1
        else:
            assert found == expected  # the bit was in room that is not used
    assert told > 0
    rebuild(cache)
    assert content(cache) == expected


FULL = """
import resource, sys
from pathlib import Path
from data_cache.errors import CacheError
from data_cache.ingest import ingest, rebuild
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
for do in (ingest, rebuild):
    try:
        do(Path(sys.argv[1]))
        sys.stdout.write("done\\n")
    except CacheError as error:
        sys.stdout.write(f"{error}\\n")
"""
"""The limit on file size makes the kernel refuse to write more, as a full disk does."""


@pytest.mark.parametrize(
    "room",
    [pytest.param(100_000, marks=pytest.mark.slow), 300_000],  # a process each
)
def test_a_disk_that_is_full_for_the_database_loses_no_row(
    cache: Path, tmp_path: Path, room: int
) -> None:
    expected = content(cache)
    full = tmp_path / "full"
    shutil.copytree(cache / "spool", full / "spool")
    said = subprocess.run(
        [sys.executable, "-c", FULL, str(full), str(room)], cwd=ROOT, check=True,
        capture_output=True, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    ).stdout.splitlines()  # fmt: skip
    assert "free some space and run" in said[-1], "a rebuild does not replace what was there"
    if said[0] == "done":  # it went into the log beside the file, which was not thrown away
        assert content(full) == expected
    else:
        assert "free some space and run" in said[0]
        with pytest.raises(CacheMissing):
            content(full)
    assert [one.name for one in full.glob(".cache*")] == []
    ingest(full)  # there is room again
    assert content(full) == expected


def test_a_cache_that_was_deleted_is_missing_and_its_spool_makes_it_again(cache: Path) -> None:
    expected = content(cache)
    for path in cache.glob("cache.duckdb*"):
        path.unlink()
    with pytest.raises(CacheMissing, match="no cache"):
        content(cache)
    ingest(cache)
    assert content(cache) == expected
    shutil.rmtree(cache)
    with pytest.raises(CacheMissing, match="no cache"):
        content(cache)


def test_a_chunk_cut_short_or_flipped_is_set_aside_and_its_rows_are_missing_not_wrong(
    cache: Path,
) -> None:
    expected = content(cache)
    (chunk,) = cache.glob("spool/*/00000-*.parquet")
    whole = chunk.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]):
        chunk.write_bytes(damaged)
        report = rebuild(cache)
        assert len(report.quarantined) == 1
        assert content(cache)["predictions"][0] == 0
        chunk.write_bytes(whole)  # as the same run would compute it again
        ingest(cache)
        assert content(cache) == expected
    shutil.rmtree(cache / "spool" / "quarantine")
