"""Jobs in processes of their own: what is killed goes on, two starts are one, nobody need watch."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data_cache import jobs, queries
from data_cache.store import reader
from model_runners.__main__ import main
from model_runners.commands.foreground import watch
from model_runners.jobs import cancel, follow, open_job, resume, start
from model_runners.profile import profile
from model_runners.requests import request_of
from tests.model_runners.small_jobs import (
    chunk_bytes,
    command_line,
    options,
    row_of,
    wait_for,
)

ROOT = Path(__file__).resolve().parents[2]


def rows_in_database(cache: Path, run_key: str) -> tuple[int, int]:
    """Predictions of a run, and how many of them are different."""
    with reader(cache) as connection:
        (found,) = connection.execute(
            """SELECT count(*), count(DISTINCT (sample_id, condition, draw, layer))
               FROM predictions WHERE run_key = ?""",
            [run_key],
        ).fetchall()
    return found[0], found[1]


@pytest.fixture
def killed_at_the_end() -> Iterator[list[int]]:
    """Numbers of workers that must not outlive the test, whatever happens in it."""
    workers: list[int] = []
    yield workers
    for pid in workers:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


STEM = """
import os, signal, sys
import duckdb, pyarrow.parquet, transformers
from transformers import AutoModelForMultimodalLM, AutoProcessor, LlavaForConditionalGeneration
from model_runners.__main__ import main
from model_runners import estimation, worker
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    key, cache = line.rstrip().split(" ", 1)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        os._exit(main(["work", key, "--cache", cache]))
    print(child, flush=True)
"""
"""Starts workers that need not import everything anew: many real processes in little time."""


@pytest.fixture
def workers() -> Iterator[Callable[[Path, str], int]]:
    with subprocess.Popen(
        [sys.executable, "-c", STEM], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as stem:  # fmt: skip
        assert stem.stdin is not None
        assert stem.stdout is not None

        def spawn(cache: Path, key: str) -> int:
            assert stem.stdin is not None
            assert stem.stdout is not None
            assert jobs.reserve(cache, key)
            stem.stdin.write(f"{key} {cache}\n")
            stem.stdin.flush()
            pid = int(stem.stdout.readline())
            jobs.hand_over(cache, key, pid)
            return pid

        yield spawn
        stem.stdin.close()


class TestKilled:
    def test_kills_at_random_moments_leave_the_undisturbed_run(
        self, untrained: Path, tmp_path: Path, workers: Callable[[Path, str], int]
    ) -> None:
        chosen = options(untrained, limit=320)
        undisturbed = profile(chosen, tmp_path / "undisturbed")
        cache = tmp_path / "killed"
        # Most of what a worker of so few samples computes; a run makes the same again.
        shutil.copytree(tmp_path / "undisturbed/statistics", cache / "statistics")
        key = open_job(cache, chosen).job_key
        moments = random.Random(5)
        for kill in range(3):
            pid = workers(cache, key)
            if kill < 1:  # anywhere: while it claims, loads, observes, computes
                time.sleep(moments.uniform(0, 0.8))
            else:  # around the next chunk
                had = len(list(cache.glob("spool/*/0*.parquet")))
                wait_for(lambda had=had: len(list(cache.glob("spool/*/0*.parquet"))) > had)
                time.sleep(moments.uniform(0, 0.05))
            assert row_of(cache, key).is_active
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: row_of(cache, key).state == "lost")
        assert len(chunk_bytes(cache, undisturbed.run_key)) < 5
        workers(cache, key)
        ended = follow(cache, key)
        assert (ended.state, ended.error) == ("done", None)
        assert (ended.done, ended.total) == (320, 320)
        assert 0 < ended.result["computed"] < 320
        assert chunk_bytes(cache, undisturbed.run_key) == chunk_bytes(
            tmp_path / "undisturbed", undisturbed.run_key
        )
        assert rows_in_database(cache, undisturbed.run_key) == (320 * 5, 320 * 5)
        assert len(queries.predictions(cache, undisturbed.run_key).sample_ids) == 320

    def test_a_vanished_worker_is_replaced_by_the_next_start(
        self, untrained: Path, tmp_path: Path
    ) -> None:
        key = open_job(tmp_path, options(untrained, limit=64)).job_key
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as worker:
            assert jobs.claim(tmp_path, key, worker.pid)
        assert row_of(tmp_path, key).state == "lost"
        assert main(["resume", key[:8], "--cache", str(tmp_path)]) == 0
        assert row_of(tmp_path, key).pid == os.getpid()
        assert row_of(tmp_path, key).state == "done"


START = """
import sys
from pathlib import Path
from model_runners.jobs import start
from model_runners.profile import ProfileOptions
sys.stdin.readline()
job = start(Path(sys.argv[1]), ProfileOptions(**__import__("json").loads(sys.argv[2])))
print(job.job_key, flush=True)
sys.stdin.readline()
"""
"""What a dashboard does on a click, and then it waits for the next one."""


@pytest.mark.slow  # four processes: 30 s
def test_two_starts_are_one_job_which_outlives_both_and_can_be_followed(
    untrained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    killed_at_the_end: list[int],
) -> None:
    chosen = options(untrained, limit=640)
    dashboards = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(tmp_path), json.dumps(request_of(chosen))],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    keys: set[str] = set()
    for dashboard in dashboards:
        assert dashboard.stdin is not None
        dashboard.stdin.write("\n")
        dashboard.stdin.flush()
    for dashboard in dashboards:
        assert dashboard.stdout is not None
        keys.add(dashboard.stdout.readline().strip())
    for dashboard in dashboards:
        os.killpg(dashboard.pid, signal.SIGKILL)
        with dashboard:
            pass
    (key,) = keys
    (job,) = jobs.jobs(tmp_path)
    assert job.is_active
    wait_for(lambda: row_of(tmp_path, key).state == "running")
    worker = row_of(tmp_path, key).pid
    assert worker is not None
    killed_at_the_end.append(worker)
    assert main(command_line("profile", chosen, tmp_path)) == 0  # a third start
    said = capsys.readouterr().err
    assert f"job {key} is running already" in said
    assert "640 samples of digits_vqa" in said
    job = row_of(tmp_path, key)
    assert (job.state, job.pid, job.done) == ("done", worker, 640)
    assert sum("begins" in line for line in jobs.tail(tmp_path, key, 1000)) == 1


@pytest.mark.slow  # workers; in a browser, tests/browser/test_run.py
def test_cancel_stops_a_worker_and_resume_sets_another_to_work(
    untrained: Path, tmp_path: Path, killed_at_the_end: list[int]
) -> None:
    job = start(tmp_path, options(untrained, limit=None))
    assert job.pid is not None
    killed_at_the_end.append(job.pid)
    wait_for(lambda: row_of(tmp_path, job.job_key).done > 0)
    assert main(["cancel", job.job_key, "--cache", str(tmp_path)]) == 0
    ended = follow(tmp_path, job.job_key)
    assert ended.state == "cancelled"
    assert 0 < ended.done < (ended.total or 0)
    assert ended.message.startswith("stopped after")
    again = resume(tmp_path, job.job_key)
    assert again.pid not in {None, job.pid}
    killed_at_the_end.append(again.pid or 0)
    assert cancel(tmp_path, job.job_key, now=True).state == "cancelled"
    assert not row_of(tmp_path, job.job_key).is_active


@pytest.mark.parametrize(
    ("end", "code", "says"),
    [
        ("failed", 2, "pidscope: the disk is full"),
        ("cancelled", 130, "pidscope: stopped after 3 of 9 samples; go on with"),
        ("vanished", None, "has vanished; going on from its chunks"),
    ],
)
def test_who_follows_ends_as_the_job_does(
    end: str,
    code: int | None,
    says: str,
    untrained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = open_job(tmp_path, options(untrained)).job_key
    script = (
        "import sys, time; from pathlib import Path; from data_cache import jobs\n"
        "cache, key, end = Path(sys.argv[1]), *sys.argv[2:]\n"
        "jobs.claim(cache, key); jobs.report(cache, key, 3, 9, None, 'predictions')\n"
        "print('claimed', flush=True); time.sleep(0.5)\n"
        "error, message = 'the disk is full', 'stopped after 3 of 9 samples'\n"
        "end == 'vanished' or jobs.finish(cache, key, end, error, message=message)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), key, end], cwd=ROOT, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert watch(tmp_path, key) == code
    assert says in capsys.readouterr().err
