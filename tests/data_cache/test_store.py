import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from data_cache import schema, store
from data_cache.errors import (
    CacheBusy,
    CacheDamaged,
    CacheError,
    CacheMissing,
    SchemaTooNew,
    SchemaTooOld,
)
from data_cache.ingest import ingest
from data_cache.location import database_path
from data_cache.queries import data_version, runs, samples, state
from data_cache.store import reader, transaction, writer
from tests.data_cache.spools import profile, small_benchmark

HOLD = """
import sys, time
from pathlib import Path
import duckdb
from data_cache.store import reader, writer
way, cache = sys.argv[1], Path(sys.argv[2])
with {"reader": reader, "writer": writer}[way](cache) as connection:
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def held_elsewhere(way: str, cache: Path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, way, str(cache)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    with writer(tmp_path):
        pass
    return tmp_path


def version_in(cache: Path, version: int) -> None:
    with duckdb.connect(database_path(cache)) as connection:
        connection.execute("UPDATE cache_schema SET version = ?", [version])


class TestStates:
    def test_missing_empty_and_ready(self, tmp_path):
        assert state(tmp_path / "nowhere") == state(tmp_path) == "missing"
        assert runs(tmp_path) == []
        assert data_version(tmp_path) == "0"
        with writer(tmp_path):
            pass
        assert state(tmp_path) == "empty"
        profile(tmp_path, small_benchmark(4))
        ingest(tmp_path)
        assert state(tmp_path) == "ready"

    def test_reading_never_makes_a_file(self, tmp_path):
        with pytest.raises(CacheMissing, match="there is no cache in"), reader(tmp_path / "new"):
            pass
        assert not (tmp_path / "new").exists()

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path):
        (tmp_path / "file").write_text("")
        with (
            pytest.raises(CacheError, match="cannot be written"),
            writer(tmp_path / "file" / "cache"),
        ):
            pass

    def test_a_log_without_its_database_is_not_replayed(self, cache):
        profile(cache, small_benchmark(4))
        ingest(cache)
        database_path(cache).unlink()
        Path(f"{database_path(cache)}.wal").write_bytes(b"stale" * 100)
        ingest(cache)
        assert runs(cache)[0].n_samples == 4


class TestTransactions:
    def test_an_exception_takes_everything_back(self, cache):
        def fail_halfway() -> None:
            with writer(cache) as connection:
                connection.execute("INSERT INTO blocks VALUES ('run', 0, 1, 1, '[]')")
                raise RuntimeError("halfway")

        with pytest.raises(RuntimeError, match="halfway"):
            fail_halfway()
        with reader(cache) as connection:
            assert connection.execute("SELECT count(*) FROM blocks").fetchone() == (0,)

    def test_a_mistake_in_sql_stays_a_mistake(self, cache):
        with pytest.raises(duckdb.CatalogException), writer(cache) as connection:
            connection.execute("SELECT * FROM nonsense")
        with writer(cache):
            pass


class TestReaders:
    def test_a_reader_reaches_no_file_and_cannot_change_that(self, cache):
        with reader(cache) as connection:
            for query in (
                "SELECT * FROM read_csv('/etc/hostname')",
                "ATTACH '/tmp/other.duckdb'",
                "COPY (SELECT 1) TO '/tmp/stolen.csv'",
            ):
                with pytest.raises(duckdb.PermissionException):
                    connection.execute(query)
            with pytest.raises(duckdb.InvalidInputException):
                connection.execute("SET enable_external_access = true")

    def test_a_reader_cannot_write(self, cache):
        with pytest.raises(duckdb.InvalidInputException), reader(cache) as connection:
            connection.execute("DELETE FROM runs")

    def test_threads_of_one_process_read_and_write_side_by_side(self, cache):
        problems: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for turn in range(5):
                    if number == 0:
                        with writer(cache) as connection:
                            connection.execute(
                                "INSERT INTO blocks VALUES ('run', ?, 1, 1, '[]')", [turn]
                            )
                    else:
                        with reader(cache) as connection:
                            connection.execute("SELECT count(*) FROM blocks").fetchone()
            except BaseException as error:
                problems.append(error)
                raise

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        with reader(cache) as connection:
            assert connection.execute("SELECT count(*) FROM blocks").fetchone() == (5,)

    def test_a_held_reader_keeps_showing_the_file_that_was_replaced(self, cache, tmp_path):
        with reader(cache):
            newer = tmp_path / "newer.duckdb"
            with transaction(newer, cache) as connection:
                connection.execute("INSERT INTO blocks VALUES ('run', 0, 1, 1, '[]')")
            newer.replace(database_path(cache))
            with reader(cache) as connection:
                assert connection.execute("SELECT count(*) FROM blocks").fetchall() == [(0,)]
        with reader(cache) as connection:
            assert connection.execute("SELECT count(*) FROM blocks").fetchall() == [(1,)]


class TestOtherProcesses:
    def test_a_reader_waits_for_a_writer_and_then_says_busy(self, cache):
        with (
            held_elsewhere("writer", cache),
            pytest.raises(CacheBusy, match="in use by another process"),
            reader(cache, patience=0.2),
        ):
            pass
        with reader(cache):
            pass

    def test_a_writer_waits_for_a_writer_and_then_says_where_the_work_is(self, cache):
        with (
            held_elsewhere("writer", cache),
            pytest.raises(
                CacheBusy, match=r"safe in its spool; run `python -m model_runners ingest"
            ),
            writer(cache, patience=0.2),
        ):
            pass

    def test_a_writer_waits_for_a_reader(self, cache):
        with (
            held_elsewhere("reader", cache),
            pytest.raises(CacheBusy),
            writer(cache, patience=0.2),
        ):
            pass

    def test_a_writer_that_was_only_waiting_goes_on_when_the_other_ends(self, cache):
        with held_elsewhere("writer", cache) as process:
            threading.Timer(0.3, process.kill).start()
            with writer(cache, patience=10) as connection:
                connection.execute("INSERT INTO blocks VALUES ('run', 0, 1, 1, '[]')")
        with reader(cache) as connection:
            assert connection.execute("SELECT count(*) FROM blocks").fetchone() == (1,)

    def test_a_refused_thread_does_not_open_the_door_to_another_process(self, cache):
        script = (
            "import sys, duckdb\n"
            "try:\n    duckdb.connect(sys.argv[1], read_only=True)\n"
            "except duckdb.IOException:\n    print('refused')"
        )
        with writer(cache):
            with pytest.raises(CacheBusy), reader(cache, patience=0):
                pass
            done = subprocess.run(
                [sys.executable, "-c", script, database_path(cache)],
                capture_output=True,
                check=True,
            )
        assert done.stdout == b"refused\n"

    def test_two_readers_do_not_disturb_each_other(self, cache):
        with held_elsewhere("reader", cache), reader(cache, patience=0):
            pass


class TestDamage:
    def test_junk_truncation_and_a_bad_log_are_told_with_the_way_out(self, cache):
        profile(cache, small_benchmark(100))
        ingest(cache)
        good = database_path(cache).read_bytes()
        for broken in (b"", b"junk", b"\0" * 9000, good[:5000]):
            database_path(cache).write_bytes(broken)
            for way in (reader, writer):
                with pytest.raises(CacheDamaged, match="rebuild --cache"), way(cache):
                    pass

    def test_a_flipped_block_is_told_when_it_is_read(self, cache):
        profile(cache, small_benchmark(300))
        ingest(cache)
        content = bytearray(database_path(cache).read_bytes())
        # Everything after the headers is blocks with a checksum each.
        for place in range(3 * 4096 + 100, len(content), 4096):
            content[place] ^= 0xFF
        database_path(cache).write_bytes(content)
        with pytest.raises(CacheDamaged, match="rebuild"), reader(cache) as connection:
            connection.execute("SELECT * FROM predictions").fetchall()

    def test_a_path_with_spaces_is_quoted_in_the_command(self, tmp_path):
        folder = tmp_path / "my cache"
        folder.mkdir()
        database_path(folder).write_bytes(b"junk")
        with pytest.raises(CacheDamaged, match=r"rebuild --cache '.*my cache'`"), reader(folder):
            pass


class TestSchema:
    def test_a_newer_cache_is_refused_in_one_sentence(self, cache):
        version_in(cache, 7)
        expected = r"written by a newer PIDscope \(schema 7, this one reads 6\); upgrade or choose"
        for call in (runs, state, ingest, lambda path: writer(path).__enter__()):
            with pytest.raises(SchemaTooNew, match=expected):
                call(cache)

    def test_a_reader_asks_for_the_upgrade_of_an_older_cache(self, cache):
        version_in(cache, 0)
        with pytest.raises(SchemaTooOld, match="ingest --cache"), reader(cache):
            pass

    def test_each_schema_that_ever_was_is_upgraded(self, tmp_path):
        for version in range(schema.SCHEMA_VERSION):
            database = tmp_path / f"{version}.duckdb"
            with duckdb.connect(database) as connection:
                for step in schema.MIGRATIONS[:version]:
                    step(connection)
                if version:
                    connection.execute("UPDATE cache_schema SET version = ?", [version])
            with transaction(database, tmp_path) as connection:
                assert schema.version_of(connection) == schema.SCHEMA_VERSION
                for table in schema.TABLES:
                    connection.execute(f"SELECT count(*) FROM {table}")

    def test_an_older_cache_keeps_its_samples_and_each_thumbnail_once(self, tmp_path):
        database = database_path(tmp_path)
        with duckdb.connect(database) as connection:
            for step in schema.MIGRATIONS[:3]:
                step(connection)
            connection.execute("UPDATE cache_schema SET version = 3")
            for position, thumbnails in enumerate([[b"one"], [b"two", b"one"], []]):
                connection.execute(
                    "INSERT INTO samples VALUES ('key', 0, ?, ?, 'g', 'all', 'test', NULL, '?', "
                    "['a', 'b'], 0, '{}', ?)",
                    [position, f"s{position}", thumbnails],
                )
        with writer(tmp_path) as connection:
            assert connection.execute("SELECT count(*) FROM thumbnails").fetchall() == [(2,)]
        found = samples(tmp_path, "key", ["s0", "s1", "s2"])
        assert [one.thumbnails for one in found] == [(b"one",), (b"two", b"one"), ()]
        assert found[0].images == found[1].images[1:]
        assert [one.video for one in found] == [None, None, None]

    def test_thumbnails_are_not_compressed_a_second_time(self, cache):
        rows = [[str(number), os.urandom(8_000)] for number in range(300)]
        with writer(cache) as connection:
            connection.executemany("INSERT INTO thumbnails VALUES (?, ?)", rows)
        with reader(cache) as connection:
            used = connection.execute(
                """SELECT DISTINCT compression FROM pragma_storage_info('thumbnails')
                   WHERE column_name = 'data' AND segment_type = 'BLOB'"""
            ).fetchall()
        assert used == [("Uncompressed",)]

    def test_the_list_of_tables_is_complete(self, cache):
        with reader(cache) as connection:
            rows = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        assert {row[0] for row in rows} == {*schema.TABLES, "cache_schema"}

    def test_a_step_that_fails_changes_nothing(self, cache):
        def fail(connection: duckdb.DuckDBPyConnection) -> None:
            connection.execute("CREATE TABLE half (a INTEGER)")
            raise RuntimeError("in the middle")

        with duckdb.connect(database_path(cache)) as connection:
            steps, version = (*schema.MIGRATIONS, fail), schema.SCHEMA_VERSION + 1
            with pytest.raises(RuntimeError, match="in the middle"):
                schema.migrate(connection, cache, steps=steps)
            assert schema.version_of(connection) == version - 1
            assert "half" not in repr(connection.execute("SHOW TABLES").fetchall())


def test_nothing_in_the_package_opens_the_database_file_itself():
    """Reading the file in a process that has it connected would drop the process's lock."""
    root = Path(store.__file__).parent
    users = [
        path.name
        for path in root.rglob("*.py")
        if "database_path(" in path.read_text() and path.name not in {"location.py"}
    ]
    assert sorted(users) == ["disk.py", "ingest.py", "store.py"]
    for name in users:
        text = (root / name).read_text()
        for line in text.splitlines():
            if "database_path(" in line:
                assert not any(
                    word in line for word in ("open(", "read_bytes", "read_text", "copy")
                )


def test_the_lock_dies_with_its_process(cache):
    with held_elsewhere("writer", cache) as process:
        os.kill(process.pid, 9)
        process.wait()
        with writer(cache, patience=1):
            pass
