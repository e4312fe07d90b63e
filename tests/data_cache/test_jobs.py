"""Jobs: asking twice is asking once, one process works, and what vanished is seen to be lost."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from data_cache import jobs
from data_cache.errors import CacheDamaged, CacheError, SchemaTooNew
from data_cache.jobs import JobRow
from data_cache.location import jobs_path, log_path

REQUEST = {"model": "m", "limit": 64, "subset": None}


def opened(cache: Path, **changes: object) -> JobRow:
    return jobs.open_or_create(cache, "profile", {**REQUEST, **changes}, "m on b")


def found(cache: Path, key: str) -> JobRow:
    row = jobs.job(cache, key)
    assert row is not None
    return row


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """Another living process."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def gone() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def set_columns(cache: Path, **values: object) -> None:
    with closing(sqlite3.connect(jobs_path(cache))) as connection, connection:
        for name, value in values.items():
            connection.execute(f"UPDATE jobs SET {name} = ?", [value])


class TestOpening:
    def test_the_same_request_is_the_same_job(self, tmp_path: Path) -> None:
        one, two = opened(tmp_path), opened(tmp_path)
        assert one == two
        assert (one.state, one.pid, one.request) == ("queued", None, REQUEST)

    def test_another_request_is_another_job(self, tmp_path: Path) -> None:
        keys = {opened(tmp_path, limit=limit).job_key for limit in (1, 2, None)}
        keys.add(jobs.open_or_create(tmp_path, "finetune", REQUEST, "m on b").job_key)
        assert len(keys) == 4
        assert {row.job_key for row in jobs.jobs(tmp_path)} == keys
        assert len(jobs.jobs(tmp_path, kind="finetune")) == 1
        assert len(jobs.jobs(tmp_path, limit=2)) == 2

    def test_reading_makes_no_file(self, tmp_path: Path) -> None:
        assert jobs.jobs(tmp_path / "none") == []
        assert jobs.job(tmp_path / "none", "abc") is None
        assert jobs.tail(tmp_path / "none", "abc") == []
        assert not (tmp_path / "none").exists()

    def test_a_key_can_be_shortened_while_it_is_clear(self, tmp_path: Path) -> None:
        row = opened(tmp_path)
        assert jobs.find(tmp_path, row.job_key[:6]) == row
        for start in ("", "zz", "'; DROP TABLE jobs"):
            with pytest.raises(CacheError, match="list jobs"):
                jobs.find(tmp_path, start)

    def test_a_job_as_json_has_every_field(self, tmp_path: Path) -> None:
        import json

        row = opened(tmp_path)
        values = json.loads(json.dumps(row.to_dict()))
        assert values["job_key"] == row.job_key
        assert values["log_path"] == str(log_path(tmp_path, row.job_key))
        assert values["remaining_s"] is None


class TestClaiming:
    def test_only_one_of_many_processes_gets_a_job(self, tmp_path: Path) -> None:
        script = (
            "import sys; from pathlib import Path; from data_cache import jobs\n"
            "row = jobs.open_or_create(Path(sys.argv[1]), 'profile', {'a': 1}, 't')\n"
            "mine = jobs.claim(Path(sys.argv[1]), row.job_key)\n"
            "sys.stdout.write(f'{mine!s:5}'); sys.stdout.flush(); input()"
        )
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", script, str(tmp_path)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for _ in range(6)
        ]  # fmt: skip
        answers: list[str] = []
        for process in processes:  # each lives until all have asked
            assert process.stdout is not None
            answers.append(process.stdout.read(5).strip())
        for process in processes:
            process.communicate("\n")
        assert answers.count("True") == 1
        (row,) = jobs.jobs(tmp_path)
        assert row.pid == processes[answers.index("True")].pid
        assert row.state == "lost"  # it went without a word

    def test_a_running_job_is_not_given_away(
        self, tmp_path: Path, other: subprocess.Popen[bytes]
    ) -> None:
        key = opened(tmp_path).job_key
        assert jobs.claim(tmp_path, key, other.pid)
        assert not jobs.claim(tmp_path, key, again=True)
        assert found(tmp_path, key).pid == other.pid

    def test_done_is_done_unless_asked_again(self, tmp_path: Path) -> None:
        key = opened(tmp_path).job_key
        assert jobs.claim(tmp_path, key)
        assert jobs.finish(tmp_path, key, "done", result={"samples": 3})
        assert not jobs.claim(tmp_path, key)
        assert jobs.claim(tmp_path, key, again=True)
        assert found(tmp_path, key).result == {"samples": 3}

    @pytest.mark.parametrize("end", ["failed", "cancelled"])
    def test_what_failed_or_was_cancelled_can_be_taken_up(
        self, tmp_path: Path, end: jobs.Ending
    ) -> None:
        key = opened(tmp_path).job_key
        jobs.claim(tmp_path, key)
        jobs.finish(tmp_path, key, end, "the disk is full")
        assert found(tmp_path, key).state == end
        assert not jobs.claim(tmp_path, key, only_queued=True)
        assert jobs.claim(tmp_path, key)
        row = found(tmp_path, key)
        assert (row.state, row.error, row.finished) == ("running", None, None)

    def test_an_unknown_job_is_named(self, tmp_path: Path) -> None:
        opened(tmp_path)
        with pytest.raises(CacheError, match="no job 'abc'"):
            jobs.claim(tmp_path, "abc")


class TestReserving:
    def test_a_second_start_finds_the_job_reserved(self, tmp_path: Path) -> None:
        key = opened(tmp_path).job_key
        assert jobs.reserve(tmp_path, key)
        assert not jobs.reserve(tmp_path, key)

    def test_the_worker_takes_what_was_reserved_for_it(
        self, tmp_path: Path, other: subprocess.Popen[bytes]
    ) -> None:
        key = opened(tmp_path).job_key
        jobs.reserve(tmp_path, key)
        jobs.hand_over(tmp_path, key, other.pid)
        assert found(tmp_path, key).pid == other.pid
        assert jobs.claim(tmp_path, key, other.pid, only_queued=True)
        assert found(tmp_path, key).state == "running"

    def test_a_worker_that_was_faster_is_not_overwritten(
        self, tmp_path: Path, other: subprocess.Popen[bytes]
    ) -> None:
        key = opened(tmp_path).job_key
        jobs.reserve(tmp_path, key)
        jobs.claim(tmp_path, key, other.pid, only_queued=True)
        jobs.hand_over(tmp_path, key, 1)
        assert found(tmp_path, key).pid == other.pid

    def test_a_worker_that_died_before_its_claim_is_lost_and_replaced(self, tmp_path: Path) -> None:
        key = opened(tmp_path).job_key
        jobs.reserve(tmp_path, key)
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as worker:
            jobs.hand_over(tmp_path, key, worker.pid)
        assert found(tmp_path, key).state == "lost"
        assert jobs.reserve(tmp_path, key)

    def test_a_worker_that_comes_after_a_cancel_does_nothing(self, tmp_path: Path) -> None:
        key = opened(tmp_path).job_key
        jobs.reserve(tmp_path, key)
        assert jobs.request_cancel(tmp_path, key).state == "cancelled"
        assert not jobs.claim(tmp_path, key, only_queued=True)


class TestReporting:
    def test_progress_and_remaining_time(self, tmp_path: Path) -> None:
        key = opened(tmp_path).job_key
        jobs.claim(tmp_path, key)
        orders = jobs.report(tmp_path, key, 16, 64, 4.0, "predictions")
        assert (orders.is_mine, orders.cancel) == (True, False)
        row = found(tmp_path, key)
        assert (row.done, row.total, row.rate, row.message) == (16, 64, 4.0, "predictions")
        assert row.remaining_s == 12.0
        assert row.heartbeat >= (row.started or 0)

    def test_a_worker_learns_that_it_is_to_stop(self, tmp_path: Path) -> None:
        key = opened(tmp_path).job_key
        jobs.claim(tmp_path, key)
        row = jobs.request_cancel(tmp_path, key)
        assert (row.state, row.cancel_requested) == ("running", True)
        assert jobs.report(tmp_path, key, 0, None, None, "").cancel
        assert jobs.finish(tmp_path, key, "cancelled")
        assert not found(tmp_path, key).cancel_requested

    def test_who_lost_a_job_cannot_end_it(
        self, tmp_path: Path, other: subprocess.Popen[bytes]
    ) -> None:
        key = opened(tmp_path).job_key
        jobs.claim(tmp_path, key, other.pid)
        assert not jobs.report(tmp_path, key, 9, 9, None, "").is_mine
        assert not jobs.finish(tmp_path, key, "done")
        assert (found(tmp_path, key).state, found(tmp_path, key).done) == ("running", 0)

    def test_a_job_that_ended_stays_as_it_ended(self, tmp_path: Path) -> None:
        key = opened(tmp_path).job_key
        jobs.claim(tmp_path, key)
        jobs.finish(tmp_path, key, "failed", "one sentence")
        row = jobs.request_cancel(tmp_path, key)
        assert (row.state, row.error) == ("failed", "one sentence")


class TestLost:
    def test_a_vanished_process_loses_its_job_and_another_takes_it(self, tmp_path: Path) -> None:
        key = opened(tmp_path).job_key
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as worker:
            jobs.claim(tmp_path, key, worker.pid)
            assert found(tmp_path, key).state == "running"
        assert found(tmp_path, key).state == "lost"
        assert jobs.claim(tmp_path, key)
        assert found(tmp_path, key).state == "running"

    def test_a_recycled_number_does_not_keep_a_job_alive(self, tmp_path: Path) -> None:
        key = opened(tmp_path).job_key
        jobs.claim(tmp_path, key)  # this process lives, but suppose it started at another time
        place = found(tmp_path, key).process_started.rpartition("/")[0]
        set_columns(tmp_path, process_started=f"{place}/1")
        assert found(tmp_path, key).state == "lost"

    def test_a_process_of_another_machine_is_judged_by_its_heartbeat(self, tmp_path: Path) -> None:
        key = opened(tmp_path).job_key
        jobs.claim(tmp_path, key, gone())
        set_columns(tmp_path, process_started="elsewhere/1")
        assert found(tmp_path, key).state == "running"
        set_columns(tmp_path, heartbeat=found(tmp_path, key).heartbeat - 61)
        assert found(tmp_path, key).state == "lost"

    def test_a_lost_job_is_cancelled_at_once(self, tmp_path: Path) -> None:
        key = opened(tmp_path).job_key
        jobs.claim(tmp_path, key, gone())
        assert jobs.request_cancel(tmp_path, key).state == "cancelled"


class TestLog:
    def test_the_tail_is_the_last_lines_as_plain_text(self, tmp_path: Path) -> None:
        path = log_path(tmp_path, "abc")
        path.parent.mkdir()
        path.write_bytes(
            b"first\n\n  0%|   |\r 50%|## |\r100%|###|\n\x1b[31mred\x1b[0m \x07bell\xff\n"
        )
        assert jobs.tail(tmp_path, "abc") == ["first", "100%|###|", "red bell�"]
        assert jobs.tail(tmp_path, "abc", 1) == ["red bell�"]
        assert jobs.tail(tmp_path, "abc", 0) == []

    def test_a_long_log_is_read_from_its_end(self, tmp_path: Path) -> None:
        path = log_path(tmp_path, "abc")
        path.parent.mkdir()
        path.write_text("".join(f"line {i}\n" for i in range(100_000)))
        assert jobs.tail(tmp_path, "abc", 2) == ["line 99998", "line 99999"]

    def test_a_hostile_key_leads_nowhere(self, tmp_path: Path) -> None:
        with pytest.raises(CacheError, match="is no job key"):
            jobs.tail(tmp_path, "../../etc/passwd")


class TestTrouble:
    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        jobs_path(tmp_path).write_text("hello, I am text, and long enough to be looked at")
        for ask in (lambda: jobs.jobs(tmp_path), lambda: opened(tmp_path)):
            with pytest.raises(CacheDamaged, match="delete it"):
                ask()

    def test_a_newer_file_is_left_alone(self, tmp_path: Path) -> None:
        opened(tmp_path)
        with closing(sqlite3.connect(jobs_path(tmp_path))) as connection:
            connection.execute("PRAGMA user_version=7")
        for ask in (lambda: jobs.jobs(tmp_path), lambda: opened(tmp_path)):
            with pytest.raises(SchemaTooNew, match="schema 7, this one reads 2"):
                ask()

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(CacheError, match="choose another with --cache"):
            opened(tmp_path / "file" / "cache")

    def test_a_full_disk_is_one_sentence_and_keeps_what_was_there(self, tmp_path: Path) -> None:
        row = opened(tmp_path)
        # The limit on file size makes the kernel refuse the write, as a full disk does.
        script = (
            "import resource, sys; from pathlib import Path; from data_cache import jobs\n"
            "from data_cache.errors import CacheError\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
            "try:\n    jobs.open_or_create(Path(sys.argv[1]), 'profile', {}, 't')\n"
            "except CacheError as error:\n    sys.stdout.write(str(error))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], check=True,
            capture_output=True, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        assert "free some space" in done.stdout
        assert jobs.jobs(tmp_path) == [row]
