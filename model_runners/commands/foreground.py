"""How a command does a job in the foreground: itself, or by following the process that does."""

import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from data_cache import jobs
from data_cache.jobs import JobRow, Terms
from data_cache.location import command
from data_cache.samples import Benchmark
from model_runners.bad_samples import FILE_NAME
from model_runners.check_words import check_in_words
from model_runners.errors import Cancelled
from model_runners.jobs import follow
from model_runners.profile import Progress
from model_runners.progress import progress
from model_runners.turn import wait_for_turn
from model_runners.worker import perform


def do(
    cache: Path,
    job: JobRow,
    *,
    benchmark: Benchmark | None = None,
    terms: Terms | None = None,
) -> int:
    """Do a job when its turn comes, or follow it and take it over if its process vanishes.

    Returns 0 when it is done, 2 when it failed elsewhere, 130 when it was stopped.

    Parameters
    ----------
    cache, job
        The job.
    benchmark
        Its benchmark, where the caller has loaded it already.
    terms
        How it waits for a device; None leaves that as it was.
    """
    key = job.job_key
    while not jobs.reserve(cache, key, terms=terms):
        code = watch(cache, key)
        if code is not None:
            return code
    bound = _wait(cache, key)
    if bound is None or not jobs.claim(cache, key, only_queued=True):
        state = jobs.find(cache, key).state
        print(f"pidscope: job {key} was {state} while it waited", file=sys.stderr)
        return 130
    with _bound(bound), progress(job.kind, job.unit) as bar:
        ended = perform(
            cache,
            jobs.find(cache, key),
            show=Progress(
                statistics=bar.to, samples=bar.to, stage=bar.name, tell=bar.tell, note=bar.note
            ),
            benchmark=benchmark,
        )
    tell(ended)
    return 0


def _wait(cache: Path, key: str) -> dict[str, str] | None:
    def say(sentence: str) -> None:
        print(f"job {key} {sentence}", file=sys.stderr)

    try:
        return wait_for_turn(cache, jobs.find(cache, key), say=say)
    except KeyboardInterrupt:
        message = "stopped while it waited for a device"
        jobs.finish(cache, key, "cancelled", message=message)
        raise Cancelled(message) from None
    except BaseException as error:
        jobs.finish(cache, key, "failed", str(error), message=str(error))
        raise


@contextmanager
def _bound(variables: Mapping[str, str]) -> Generator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def watch(cache: Path, key: str) -> int | None:
    """Follow a job that another process does; None where that process vanished."""
    job = jobs.find(cache, key)
    doing = "waiting" if job.waits_for else "running"
    print(f"job {key} is {doing} already (process {job.pid}); following it", file=sys.stderr)
    try:
        with progress(job.kind, job.unit) as bar:

            def show(row: JobRow) -> None:
                bar.note(row.message if row.is_active else row.state)
                if row.total is not None:
                    bar.to(row.done, row.total)

            ended = follow(cache, key, show)
    except KeyboardInterrupt:
        print(
            f"pidscope: stopped following; job {key} goes on; "
            f"stop it with {command(f'cancel {key}', cache)}",
            file=sys.stderr,
        )
        return 130
    if ended.state == "done":
        tell(ended)
        return 0
    resume = command(f"resume {key}", cache)
    if ended.state == "failed":
        print(f"pidscope: {ended.error}", file=sys.stderr)
        return 2
    if ended.state == "cancelled":
        print(f"pidscope: {ended.message}; go on with {resume}", file=sys.stderr)
        return 130
    print(f"the process of job {key} has vanished; going on from its chunks", file=sys.stderr)
    return None


def tell(job: JobRow) -> None:
    """Say on stderr what a finished job did."""
    print(job.message, file=sys.stderr)
    for check in job.result.get("self_test", {}).get("checks", ()):
        print(f"  self-test: {check_in_words(check)}", file=sys.stderr)
    for sentence in job.result.get("without_spectrum", ()):
        print(f"  no spectrum of {sentence}", file=sys.stderr)
    if remark := job.result.get("lens_remark"):
        print(f"  warning: {remark}", file=sys.stderr)
    listed = job.result.get("bad_samples", [])
    for one in listed:
        print(f"  sample {one['sample_id']!r} was left out: {one['reason']}", file=sys.stderr)
    more = job.result.get("bad_sample_count", 0) - len(listed)
    if more:
        where = f"spool/{job.result['run_key']}/{FILE_NAME}"
        print(f"  and {more} more, see {where} in the cache folder", file=sys.stderr)
