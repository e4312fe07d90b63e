"""How the row of a job is kept up to date while its process works.

The work itself never waits for the jobs' file: a thread writes the latest position and a heartbeat,
and reads whether to stop.
"""

import logging
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from data_cache import jobs
from data_cache.errors import CacheError
from data_cache.jobs import JobRow
from data_cache.processes import HEARTBEAT_SECONDS

TICK_SECONDS = 0.4
"""How often news is written."""
LOG_SECONDS = 10.0
"""How often the position goes into the log."""

log = logging.getLogger(__name__)


class Reporter:
    """Keeps the row of a job up to date from a thread while the work goes on."""

    def __init__(self, cache: Path, job: JobRow):
        """Prepare; the thread starts with the `with` block."""
        self.stop = threading.Event()
        """Set when the work is to end: cancelled, terminated, or taken over."""
        self._cache, self._key, self._unit = cache, job.job_key, job.unit
        self._done, self._total = 0, job.total
        self._rate: float | None = None
        self._message = ""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="heartbeat", daemon=True)

    def at(self, done: int, total: int) -> None:
        """Set the position."""
        with self._lock:
            self._done, self._total = done, total

    def begin(self, total: int | None) -> None:
        """Begin to count anew, at a rate that is not known yet."""
        with self._lock:
            self._done, self._total, self._rate = 0, total, None

    def speed(self, units: int, seconds: float) -> None:
        """Set the rate from what was computed now."""
        with self._lock:
            self._rate = units / seconds if seconds > 0 else None

    def say(self, message: str) -> None:
        """Set what is being done, and log it."""
        log.info(message)
        with self._lock:
            self._message = message

    def note(self, message: str) -> None:
        """Set what is being done, without a line in the log."""
        with self._lock:
            self._message = message

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the thread and write the last position."""
        self._ended.set()
        self._thread.join()
        self._write()

    def _keep(self) -> None:
        written: tuple[object, ...] = ()
        beat = logged = time.monotonic()
        while True:
            now, state = time.monotonic(), (self._done, self._total, self._rate, self._message)
            if state != written or now - beat >= HEARTBEAT_SECONDS:
                self._write()
                written, beat = state, now
            if self._rate and state[0] != self._total and now - logged >= LOG_SECONDS:
                log.info("%s of %s %ss, %.3g a second", *state[:2], self._unit, self._rate)
                logged = now
            if self._ended.wait(TICK_SECONDS):
                return

    def _write(self) -> None:
        with self._lock:
            state = (self._done, self._total, self._rate, self._message)
        try:
            orders = jobs.report(self._cache, self._key, *state)
        except CacheError as error:  # the work is worth more than its row
            log.warning("progress could not be written: %s", error)
            return
        if orders.cancel or not orders.is_mine:
            self.stop.set()
