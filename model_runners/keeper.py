"""What stands behind a job in the background: wait for a device, work, and try again what may pass.

The work is done in a child process. Where that is killed (by the system, for want of memory, or by
anybody) or runs out of the host's memory, another is set to it after a pause that doubles; finished
chunks are not repeated. If this process is killed, the child goes on.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from data_cache import jobs
from data_cache.jobs import JobRow
from model_runners.errors import Cancelled
from model_runners.turn import wait_for_turn
from model_runners.worker import explained, terminated

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0
"""Seconds before a lost worker is replaced; doubled with each try."""
MAY_PASS = 75
"""Exit code of a worker that failed for what may pass (EX_TEMPFAIL of sysexits.h)."""
LOOK_SECONDS = 0.2

log = logging.getLogger(__name__)


def keep(cache: Path, key: str, work: Callable[[], int]) -> int:
    """Do a queued job, in a child process where it may be tried again; returns the exit code.

    Parameters
    ----------
    cache, key
        The job; nothing is done where it is not queued.
    work
        Claims it and does it; returns an exit code, `MAY_PASS` for a failure that may pass.

    Raises
    ------
    Cancelled
        If this process is told to stop while it waits.
    """
    if not jobs.adopt(cache, key):
        return _nothing(cache, key)
    tries = 0
    while True:
        bound = _wait(cache, key)
        if bound is None:
            return _nothing(cache, key)
        retries = jobs.find(cache, key).terms.retries
        if retries == 0:
            os.environ.update(bound)
            return work()
        code, worker = _in_a_child(bound, work)
        tries += 1
        row = jobs.find(cache, key)
        if tries > retries or not _may_be_tried_again(row, worker, code):
            return code if code >= 0 else 128 - code
        pause = pause_after(tries)
        why = "its worker was lost" if code < 0 else row.error or "its worker failed"
        message = f"{why}; tried again in {pause:.0f} s ({tries} of {retries})"
        log.warning(message)
        if row.pid != os.getpid() and not jobs.reserve(cache, key, message=message):
            return _nothing(cache, key)
        if not _pause(cache, key, pause):
            return _nothing(cache, key)


def pause_after(tries: int) -> float:
    """Return the seconds before the next try.

    >>> [pause_after(tries) for tries in (1, 2, 3, 20)]
    [5.0, 10.0, 20.0, 600.0]
    """
    return min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)


def _wait(cache: Path, key: str) -> dict[str, str] | None:
    stop = threading.Event()
    with terminated(stop):
        try:
            return wait_for_turn(cache, jobs.find(cache, key), say=log.info, stop=stop.is_set)
        except Cancelled as error:
            jobs.finish(cache, key, "cancelled", message=str(error))
            raise
        except Exception as error:
            jobs.finish(cache, key, "failed", explained(error), message=explained(error))
            raise


def _pause(cache: Path, key: str, seconds: float) -> bool:
    """Wait; false as soon as the job is not this process's any more."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        row = jobs.find(cache, key)
        if row.state != "queued" or row.pid != os.getpid():
            return False
        time.sleep(LOOK_SECONDS)
    return True


def _may_be_tried_again(row: JobRow, worker: int, code: int) -> bool:
    """Whether a worker was lost or failed for what may pass, and nobody wished it to stop."""
    if row.cancel_requested or row.state in {"cancelled", "done"}:
        return False
    if row.pid not in {worker, os.getpid()}:  # somebody else has taken the job
        return False
    return code < 0 or code == MAY_PASS


def _in_a_child(bound: dict[str, str], work: Callable[[], int]) -> tuple[int, int]:
    """Return how a child that does the work ended, below 0 for a signal, and its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()  # a group of its own, so that it can be killed alone
            os.environ.update(bound)
            code = work()
        except BaseException:
            log.exception("the worker ended in a way that nobody expected")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def forward(number: int, _frame: object) -> None:
        os.kill(child, number)

    before = signal.signal(signal.SIGTERM, forward)
    try:
        _, status = os.waitpid(child, 0)
    finally:
        signal.signal(signal.SIGTERM, before)
    return os.waitstatus_to_exitcode(status), child


def _nothing(cache: Path, key: str) -> int:
    row = jobs.find(cache, key)
    log.info("nothing to do: job %s is %s", key, row.state)
    return 0
