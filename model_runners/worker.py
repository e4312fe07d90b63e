"""What a process does with a job that it has claimed: work, stop when asked, say how it ended."""

import logging
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data_cache import jobs
from data_cache.errors import CacheError
from data_cache.jobs import Ending, JobRow
from data_cache.jobs_file import give_up_spare, set_spare_aside
from data_cache.location import command
from data_cache.samples import Benchmark
from model_runners.deriving import derive, runs_of
from model_runners.errors import USER_ERRORS, Cancelled, OutOfRoom
from model_runners.kinds import kind_entry, work_of
from model_runners.profile import SILENT, Progress
from model_runners.reporter import Reporter

log = logging.getLogger(__name__)


def perform(
    cache: Path, job: JobRow, *, show: Progress = SILENT, benchmark: Benchmark | None = None
) -> JobRow:
    """Do a job that this process has claimed, record how it ends, and return its row.

    Parameters
    ----------
    cache, job
        The job.
    show
        Where else progress goes.
    benchmark
        The job's benchmark, where the caller has loaded it already.

    Raises
    ------
    Cancelled
        If it was stopped by a cancel, SIGTERM or Ctrl-C; the sentence says how to go on.
    RunnerError, DataError, PidError
        If it failed in a way that a person can mend.
    """
    keeps = kind_entry(job.kind).keeps
    resume = f"{keeps} are kept; go on with {command(f'resume {job.job_key}', cache)}"
    module = work_of(job.kind)

    def end(state: Ending, what: str) -> None:
        error = what if state == "failed" else None
        try:
            try:
                jobs.finish(cache, job.job_key, state, error, message=what)
            except CacheError:
                if not give_up_spare(cache):
                    raise
                jobs.finish(cache, job.job_key, state, error, message=what)
        except CacheError as trouble:  # must not hide why the work ended
            log.warning("the end of the job could not be written: %s", trouble)

    def cancelled(what: str) -> Cancelled:
        end("cancelled", what)
        return Cancelled(f"{what}; {resume}")

    set_spare_aside(cache)
    reporter = Reporter(cache, job)
    try:
        with reporter, terminated(reporter.stop):
            result = module.work(cache, job, reporter, show, benchmark)
            _prepare_pages(cache, job, result, reporter, show)
    except Cancelled as error:
        raise cancelled(str(error)) from None
    except KeyboardInterrupt:
        raise cancelled("interrupted") from None
    except USER_ERRORS as error:
        end("failed", str(error))
        raise
    except BaseException as error:
        end("failed", explained(error))
        raise
    jobs.finish(cache, job.job_key, "done", result=result, message=module.outcome(result))
    ended = jobs.job(cache, job.job_key)
    if ended is None:
        raise CacheError(
            f"the folder {cache} was emptied while job {job.job_key} was at work; start it again, "
            "and it computes what is missing"
        )
    return ended


def _prepare_pages(
    cache: Path, job: JobRow, result: dict[str, Any], reporter: Reporter, show: Progress
) -> None:
    """Compute what pages show of the runs that the job has measured.

    Not for a checkpoint: a training has dozens of them, and findings wait for the last one.
    """
    if job.request.get("checkpoint"):
        return

    def say(what: str) -> None:
        reporter.say(f"what pages show: {what}")
        show.stage(f"what pages show: {what}")

    derive(cache, runs_of(result), say=say, stop=reporter.stop.is_set)


def explained(error: BaseException) -> str:
    """Turn what no one expected into one sentence."""
    kind, text = type(error).__name__, str(error).strip()
    first = text.splitlines()[0] if text else "no message"
    if kind == "OutOfMemoryError" or isinstance(error, MemoryError):
        return f"memory ran out ({first}); choose a smaller batch size or another device"
    if "No space left on device" in text:
        return f"the disk is full ({first}); free some space and resume"
    if isinstance(error, OSError):
        return f"the system refused a file ({first}); mend that and resume"
    return f"{kind}: {first}; the log has the rest"


def may_pass(error: BaseException) -> bool:
    """Whether the same work may succeed a little later: the memory of the machine ran out."""
    if isinstance(error, (MemoryError, OutOfRoom)):
        return True
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)


@contextmanager
def terminated(stop: threading.Event) -> Generator[None]:
    """Within the block, SIGTERM sets `stop`, so that the chunk in hand is finished."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_number: int, _frame: object) -> None:
        stop.set()

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
