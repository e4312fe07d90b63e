"""Start work that outlives its caller, follow it, stop it, go on with it.

A worker is a process group of its own: it survives the dashboard, the terminal and the browser.
Two starts of one request, from wherever they come, are one job.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from data_cache import jobs
from data_cache.errors import CacheError
from data_cache.jobs import JobRow, Terms
from data_cache.permission import require_writing
from data_cache.processes import is_here
from model_runners.kinds import Options, kind_entry, requests_of

POLL_SECONDS = 0.3
PATIENCE_SECONDS = 15.0
"""How long the jobs' file may refuse an answer before following it is given up."""
RETRIES = 2
"""How often the worker of a job in the background is replaced where it was lost."""
ROOT = Path(__file__).resolve().parent.parent
"""Where the packages lie; a worker finds them from any working directory."""


def open_job(cache: Path, options: Options) -> JobRow:
    """Return the job of a request, made if it is new; nobody is set to work.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    CacheError
        If the cache folder cannot be written.
    """
    requests = requests_of(options.kind)
    return jobs.open_or_create(
        cache,
        options.kind,
        requests.request_of(options),
        requests.title_of(options),
        unit=kind_entry(options.kind).unit,
    )


def start(
    cache: Path,
    options: Options,
    *,
    environment: Mapping[str, str] | None = None,
    terms: Terms | None = None,
) -> JobRow:
    """Set a worker to a request, unless one is at it already, and return at once.

    The worker waits until a device is its own.

    Parameters
    ----------
    cache, options
        What to do.
    environment
        Variables that the worker gets on top of this process's own.
    terms
        How it waits for a device, and how often a lost worker is replaced; None leaves that as it
        was asked for before.

    Raises
    ------
    ModelNotFound, BenchmarkError
        If there is no such model or benchmark.
    CacheError
        If the cache folder cannot be written.
    """
    require_writing("start a job")
    requests_of(options.kind).check_names(options)
    job = open_job(cache, options)
    terms = terms or replace(job.terms, retries=RETRIES)
    return _set_to_work(cache, job, terms, environment or {})


def resume(cache: Path, key: str, *, terms: Terms | None = None) -> JobRow:
    """Set a worker to a job that has ended or lost its process; finished chunks are not repeated.

    Parameters
    ----------
    cache, key
        The job.
    terms
        As for `start`.

    Raises
    ------
    CacheError
        If there is no such job, or the cache folder cannot be written.
    """
    require_writing("go on with a job")
    job = jobs.find(cache, key)
    requests_of(job.kind).options_of(job.request)  # refuse here, not in the worker
    return _set_to_work(cache, job, terms or replace(job.terms, retries=RETRIES))


def set_priority(cache: Path, key: str, priority: int) -> JobRow:
    """Let a job go sooner or later than others that wait for a device; returns its row.

    Raises
    ------
    CacheError
        If there is no such job.
    """
    require_writing("change the order of jobs")
    return jobs.set_priority(cache, jobs.find(cache, key).job_key, priority)


def cancel(cache: Path, key: str, *, now: bool = False) -> JobRow:
    """Ask a job to stop after the chunk in hand, or stop its process on the spot.

    Parameters
    ----------
    cache, key
        The job.
    now
        Kill the process; at most the chunk in hand is lost.

    Raises
    ------
    CacheError
        If there is no such job, or its process runs on another machine.
    """
    require_writing("stop a job")
    row = jobs.request_cancel(cache, jobs.find(cache, key).job_key)
    if not now or row.state != "running" or row.pid is None:
        return row
    if not is_here(row.process_started):
        raise CacheError(
            f"job {row.job_key} runs on another machine or in another container; it was asked to "
            "stop after the chunk in hand, and can be killed there only"
        )
    if row.pid == os.getpid():
        raise CacheError(f"job {row.job_key} is this very process; it was asked to stop")
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        is_worker = os.getsid(row.pid) == row.pid  # it leads a session, and so a group, of its own
        (os.killpg if is_worker else os.kill)(row.pid, signal.SIGKILL)
    ended = _wait(cache, row.job_key, until=lambda job: job.state != "running", seconds=10)
    return jobs.request_cancel(cache, ended.job_key)


def follow(cache: Path, key: str, progress: Callable[[JobRow], None] = lambda _: None) -> JobRow:
    """Watch a job until it ends; returns its last row, whose state is then not queued or running.

    Parameters
    ----------
    cache, key
        The job.
    progress
        Called with each state of the row.
    """

    def seen(job: JobRow) -> bool:
        progress(job)
        return not job.is_active

    return _wait(cache, key, until=seen)


def _wait(
    cache: Path, key: str, *, until: Callable[[JobRow], bool], seconds: float = float("inf")
) -> JobRow:
    began = heard = time.monotonic()
    while True:
        try:
            job = jobs.job(cache, key) or jobs.find(cache, key)
        except CacheError:  # a full disk or a crowd: wait for how the worker takes it
            if time.monotonic() - heard > PATIENCE_SECONDS:
                raise
        else:
            heard = time.monotonic()
            if until(job) or heard - began > seconds:
                return job
        time.sleep(POLL_SECONDS)


def _set_to_work(
    cache: Path,
    job: JobRow,
    terms: Terms,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> JobRow:
    cache = cache.absolute()  # the worker has another working directory
    if jobs.reserve(cache, job.job_key, terms=terms):
        try:
            worker = _spawn(cache, job, environment)
        except OSError as error:
            sentence = f"no process could be started for it ({error.strerror or error})"
            jobs.finish(cache, job.job_key, "failed", sentence, message=sentence)
            raise CacheError(f"job {job.job_key}: {sentence}") from error
        jobs.hand_over(cache, job.job_key, worker)
    return jobs.find(cache, job.job_key)


def _spawn(cache: Path, job: JobRow, environment: Mapping[str, str]) -> int:
    job.log_path.parent.mkdir(parents=True, exist_ok=True)
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    arguments = ["work", job.job_key, "--cache", str(cache)]
    with job.log_path.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "model_runners", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=cache,
            env={
                **os.environ,
                **environment,
                "PYTHONPATH": os.pathsep.join(paths),
                "PYTHONUNBUFFERED": "1",
            },
        )
    # Collects the worker when it ends, if this process lives that long.
    threading.Thread(target=process.wait, name=f"wait for {job.job_key}", daemon=True).start()
    return process.pid
