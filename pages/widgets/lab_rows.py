"""Rows of the lab: computed once, one at a time for all sessions, and kept while the server runs.

The work is done by one thread beside the page. Whoever leaves or chooses something else while it
works loses nothing: the row in hand is finished and kept.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import Literal

import streamlit as st

from model_runners.audit import AuditRow, AuditTask
from pages.widgets.job_words import duration
from pages.widgets.wishes import acted

KEPT = 512
"""Rows; the oldest is forgotten first."""
LOOK_EVERY = 0.25
"""Seconds between two looks at the row in hand."""


class Workbench:
    """One worker, and the rows that it has finished."""

    def __init__(self) -> None:
        self._rows: OrderedDict[str, AuditRow] = OrderedDict()
        self._pending: dict[str, Future[AuditRow]] = {}
        self._lock = Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="lab")

    def row(self, key: str) -> AuditRow | None:
        """Return a finished row."""
        with self._lock:
            return self._rows.get(key)

    def start(self, task: AuditTask) -> "Future[AuditRow]":
        """Begin a row, or join whoever began it."""
        with self._lock:
            if task.key not in self._pending:
                self._pending[task.key] = self._worker.submit(self._do, task)
            return self._pending[task.key]

    def _do(self, task: AuditTask) -> AuditRow:
        try:
            row = task.work()
            with self._lock:
                self._rows[task.key] = row
                while len(self._rows) > KEPT:
                    self._rows.popitem(last=False)
            return row
        finally:
            with self._lock:
                self._pending.pop(task.key, None)


@st.cache_resource
def workbench() -> Workbench:
    """Return the one workbench of this server."""
    return Workbench()


def compute(
    tasks: Sequence[AuditTask], *, key: str, type: Literal["primary", "secondary"] = "primary"
) -> list[AuditRow]:
    """Draw a button that computes what is missing, and return the rows that are there.

    Parameters
    ----------
    tasks
        One per row.
    key
        The button's name in the session.
    type
        How the button looks.
    """
    bench = workbench()
    missing = [task for task in tasks if bench.row(task.key) is None]
    if not tasks:
        st.text("Choose at least one estimator.")
    elif missing and acted(
        f"Compute {len(missing)} estimate{'s' if len(missing) > 1 else ''}",
        key=key,
        icon=":material/play_arrow:",
        type=type,
    ):
        _work(missing)
        st.rerun()
    return [row for task in tasks if (row := bench.row(task.key)) is not None]


def _work(tasks: Sequence[AuditTask]) -> None:
    """Do the tasks one after the other, and show how far they are."""
    bench, began = workbench(), time.monotonic()
    bar = st.progress(0.0)
    for done, task in enumerate(tasks):
        future, since = bench.start(task), time.monotonic()
        while not future.done():
            bar.progress(
                done / len(tasks),
                text=progress_in_words(task.label, done, len(tasks), began, since),
            )
            wait([future], timeout=LOOK_EVERY)
        future.result()
    bar.empty()


def progress_in_words(label: str, done: int, total: int, began: float, since: float) -> str:
    """Say what is computed, for how long, and about how long the rest takes.

    >>> now = time.monotonic()
    >>> progress_in_words("certified", 0, 2, now, now)
    'certified: 1 s so far; 0 of 2 done'
    >>> progress_in_words("batch", 1, 3, now - 30, now - 10)
    'batch: 10 s so far; 1 of 3 done, 20 s each, about 30 s left'
    """
    now = time.monotonic()
    text = f"{label}: {duration(now - since)} so far; {done} of {total} done"
    if done:
        each = (since - began) / done
        left = max(each * (total - done) - (now - since), each * (total - done - 1), 0.0)
        text += f", {duration(each)} each, about {duration(left)} left"
    return text
