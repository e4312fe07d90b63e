"""Jobs with real processes: what is killed goes on, two starts are one, no window is needed."""

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
from data_cache.jobs import JobRow
from data_cache.location import run_directory
from data_cache.store import reader
from model_runners.__main__ import main
from model_runners.commands.foreground import watch
from model_runners.errors import Cancelled, ModelNotFound
from model_runners.jobs import cancel, follow, open_job, resume, start
from model_runners.profile import ProfileOptions, Progress, profile
from model_runners.reporter import Reporter
from model_runners.requests import options_of, request_of, title_of
from model_runners.worker import perform

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120
"""Seconds after which a test gives up; nothing is measured by it."""


def options(model: Path, **changes: object) -> ProfileOptions:
    given: dict[str, object] = {
        "model": str(model), "benchmark": "digits_vqa", "limit": 192, "draws": 1, "device": "cpu",
        "batch_size": 64,
    } | changes  # fmt: skip
    return ProfileOptions(**given)  # pyright: ignore[reportArgumentType]


def command_line(verb: str, chosen: ProfileOptions, cache: Path) -> list[str]:
    named = {name: getattr(chosen, name) for name in ("model", "benchmark", "limit", "draws")}
    named |= {"device": chosen.device, "batch-size": chosen.batch_size, "cache": cache}
    return [verb, *(word for name, value in named.items() for word in (f"--{name}", str(value)))]


def chunk_bytes(cache: Path, key: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run_directory(cache, key).glob("*.parquet")}


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def row_of(cache: Path, key: str) -> JobRow:
    row = jobs.job(cache, key)
    assert row is not None
    return row


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
    def test_five_kills_at_random_moments_leave_the_undisturbed_run(
        self, untrained: Path, tmp_path: Path, workers: Callable[[Path, str], int]
    ) -> None:
        chosen = options(untrained, limit=640)
        undisturbed = profile(chosen, tmp_path / "undisturbed")
        cache = tmp_path / "killed"
        key = open_job(cache, chosen).job_key
        moments = random.Random(5)
        for kill in range(5):
            pid = workers(cache, key)
            if kill < 2:  # anywhere: while it claims, loads, observes, computes
                time.sleep(moments.uniform(0, 0.8))
            else:  # around the next chunk
                had = len(list(cache.glob("spool/*/0*.parquet")))
                wait_for(lambda had=had: len(list(cache.glob("spool/*/0*.parquet"))) > had)
                time.sleep(moments.uniform(0, 0.05))
            assert row_of(cache, key).is_active
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: row_of(cache, key).state == "lost")
        assert len(chunk_bytes(cache, undisturbed.run_key)) < 10
        workers(cache, key)
        ended = follow(cache, key)
        assert (ended.state, ended.error) == ("done", None)
        assert (ended.done, ended.total) == (640, 640)
        assert 0 < ended.result["computed"] < 640
        assert chunk_bytes(cache, undisturbed.run_key) == chunk_bytes(
            tmp_path / "undisturbed", undisturbed.run_key
        )
        assert rows_in_database(cache, undisturbed.run_key) == (640 * 5, 640 * 5)
        assert len(queries.predictions(cache, undisturbed.run_key).sample_ids) == 640

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
    worker = job.pid
    assert worker is not None
    killed_at_the_end.append(worker)
    assert job.is_active
    wait_for(lambda: row_of(tmp_path, key).state == "running")
    assert main(command_line("profile", chosen, tmp_path)) == 0  # a third start
    said = capsys.readouterr().err
    assert f"job {key} is running already" in said
    assert "640 samples of digits_vqa" in said
    job = row_of(tmp_path, key)
    assert (job.state, job.pid, job.done) == ("done", worker, 640)
    assert sum("begins" in line for line in jobs.tail(tmp_path, key, 1000)) == 1


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


class TestStopped:
    def test_sigterm_finishes_the_chunk_in_hand_and_resume_gives_the_same_bytes(
        self, untrained: Path, tmp_path: Path
    ) -> None:
        undisturbed = profile(options(untrained), tmp_path / "undisturbed")
        cache = tmp_path / "stopped"
        job = open_job(cache, options(untrained))
        assert jobs.claim(cache, job.job_key)

        def terminate(done: int, _total: int) -> None:
            if done == 64:
                os.kill(os.getpid(), signal.SIGTERM)

        with pytest.raises(Cancelled, match=r"stopped after 64 of 192 samples.*resume"):
            perform(cache, job, show=Progress(samples=terminate))
        row = row_of(cache, job.job_key)
        assert (row.state, row.done) == ("cancelled", 64)
        assert len(queries.predictions(cache, undisturbed.run_key).sample_ids) == 64
        assert main(["resume", job.job_key, "--cache", str(cache)]) == 0
        row = row_of(cache, job.job_key)
        assert (row.state, row.result["computed"]) == ("done", 128)
        assert chunk_bytes(cache, undisturbed.run_key) == chunk_bytes(
            tmp_path / "undisturbed", undisturbed.run_key
        )

    def test_ctrl_c_leaves_the_job_cancelled_with_a_sentence(
        self, untrained: Path, tmp_path: Path
    ) -> None:
        job = open_job(tmp_path, options(untrained))
        jobs.claim(tmp_path, job.job_key)

        def interrupt(done: int, _total: int) -> None:
            if done == 64:
                raise KeyboardInterrupt

        with pytest.raises(Cancelled, match=rf"interrupted.*resume {job.job_key}"):
            perform(tmp_path, job, show=Progress(samples=interrupt))
        assert row_of(tmp_path, job.job_key).state == "cancelled"

    def test_a_cancel_reaches_a_worker_that_says_nothing_new(
        self, untrained: Path, tmp_path: Path
    ) -> None:
        job = open_job(tmp_path, options(untrained))
        jobs.claim(tmp_path, job.job_key)
        with Reporter(tmp_path, job) as reporter:
            assert not reporter.stop.is_set()
            jobs.request_cancel(tmp_path, job.job_key)
            assert reporter.stop.wait(PATIENCE)

    def test_a_worker_whose_job_was_taken_over_stops(self, untrained: Path, tmp_path: Path) -> None:
        job = open_job(tmp_path, options(untrained))
        with Reporter(tmp_path, job) as reporter:  # never claimed by this process
            assert reporter.stop.wait(PATIENCE)


class TestFailed:
    def test_a_missing_model_is_the_job_s_sentence(
        self, untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        model = tmp_path / "model"
        shutil.copytree(untrained, model)
        cache = tmp_path / "cache"
        key = open_job(cache, options(model)).job_key
        jobs.reserve(cache, key)
        shutil.rmtree(model)
        assert main(["work", key, "--cache", str(cache)]) == 2
        row = row_of(cache, key)
        assert row.state == "failed"
        assert row.error is not None
        assert "there is no model" in row.error
        assert row.error in capsys.readouterr().err

    def test_a_full_disk_is_the_job_s_sentence_and_keeps_what_was_computed(
        self, untrained: Path, tmp_path: Path
    ) -> None:
        key = open_job(tmp_path, options(untrained, limit=64)).job_key
        jobs.reserve(tmp_path, key)
        # The limit on file size makes the kernel refuse to write the database, as a full disk does.
        script = (
            "import resource, sys\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
            "from model_runners.__main__ import main\n"
            "sys.exit(main(['work', sys.argv[1], '--cache', sys.argv[2]]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, key, str(tmp_path)], cwd=ROOT, capture_output=True,
            text=True, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        assert done.returncode == 2
        row = row_of(tmp_path, key)
        assert row.state == "failed"
        assert row.error is not None
        assert "free some space" in row.error
        assert done.stderr.splitlines()[-1] == f"pidscope: {row.error}"
        assert main(["resume", key, "--cache", str(tmp_path)]) == 0
        assert row_of(tmp_path, key).result["computed"] == 0

    def test_a_worker_that_comes_late_does_nothing(self, untrained: Path, tmp_path: Path) -> None:
        key = open_job(tmp_path, options(untrained)).job_key
        jobs.reserve(tmp_path, key)
        jobs.request_cancel(tmp_path, key)
        assert main(["work", key, "--cache", str(tmp_path)]) == 0
        assert row_of(tmp_path, key).state == "cancelled"

    def test_an_unknown_model_makes_no_job(self, tmp_path: Path) -> None:
        with pytest.raises(ModelNotFound):
            start(tmp_path / "cache", options(Path("demo/oracel")))
        assert not (tmp_path / "cache").exists()

    def test_an_unknown_key_is_one_sentence(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for verb in ("resume", "cancel", "work"):
            assert main([verb, "0123", "--cache", str(tmp_path)]) == 2
            assert "no job with a key that starts with '0123'" in capsys.readouterr().err


class TestRequests:
    def test_a_request_survives_json(self, untrained: Path) -> None:
        chosen = options(untrained, subset="vision", limit=None, layers=True)
        assert options_of(json.loads(json.dumps(request_of(chosen)))) == chosen

    def test_a_folder_means_the_same_from_everywhere(
        self, untrained: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(untrained.parent)
        assert request_of(options(Path(untrained.name))) == request_of(options(untrained))

    def test_the_title_tells_what_is_not_ordinary(self) -> None:
        plain = ProfileOptions(model="demo/oracle", benchmark="digits_vqa")
        assert title_of(plain) == "demo/oracle on digits_vqa (4 draws)"
        other = ProfileOptions(
            model="/a/b", benchmark="digits_vqa", subset="vision", split="test", limit=8, draws=1
        )
        assert title_of(other) == "b on digits_vqa (vision, test, first 8, 1 draw)"


class TestResults:
    def test_a_finished_job_has_its_spectra_and_a_second_start_computes_nothing(
        self, untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from data_cache import estimates

        chosen = options(untrained, limit=64)
        assert main(command_line("profile", chosen, tmp_path)) == 0
        assert "5 spectra" in capsys.readouterr().err
        subsets = {record.subset for record in estimates.load(tmp_path)}
        assert subsets == {"all", "language", "redundant", "synergy", "vision"}
        (job,) = jobs.jobs(tmp_path)
        speed = job.result["speed"]
        assert main(command_line("profile", chosen, tmp_path)) == 0
        assert "nothing left to compute" in capsys.readouterr().err
        (job,) = jobs.jobs(tmp_path)
        assert job.result["computed"] == 0
        assert job.result["speed"] == speed  # still the last one measured

    def test_a_run_without_test_samples_says_why_it_has_no_spectrum(
        self, untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(command_line("profile", options(untrained, limit=1), tmp_path)) == 0
        (job,) = jobs.jobs(tmp_path)
        said = capsys.readouterr().err
        assert job.result["spectra"] == 0
        (sentence,) = job.result["without_spectrum"]
        assert "no sample of this run belongs to the test split" in sentence
        assert sentence in said

    def test_jobs_are_listed_as_a_table_and_as_json(
        self, untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["list", "jobs", "--cache", str(tmp_path)]) == 0
        assert capsys.readouterr().out == "no jobs\n"
        key = open_job(tmp_path, options(untrained)).job_key
        assert main(["list", "jobs", "--cache", str(tmp_path)]) == 0
        header, line = capsys.readouterr().out.splitlines()
        assert header.split()[:2] == ["job_key", "state"]
        assert line.split()[:2] == [key, "queued"]
        assert main(["list", "jobs", "--json", "--cache", str(tmp_path)]) == 0
        (row,) = json.loads(capsys.readouterr().out)
        assert row["request"]["limit"] == 192
