"""What a job of kind `plan` does: start its cells where there is room until all of them are done.

Cells are processes of their own. If this one is killed they go on, and the plan, resumed, finds
them at work. A cell that failed or lost its process is tried again after a pause that doubles.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_cache import jobs
from data_cache.coverage import coverage
from data_cache.errors import CacheError
from data_cache.jobs import JobRow, Terms
from data_cache.location import command
from data_cache.samples import Benchmark
from model_runners.errors import USER_ERRORS, BadOption, Cancelled
from model_runners.jobs import start
from model_runners.plans.devices import Slot, slots
from model_runners.plans.requests import options_of
from model_runners.plans.standing import is_measured
from model_runners.profile import ProfileOptions, Progress
from model_runners.reporter import Reporter
from model_runners.requests import KIND, request_of, title_of

POLL_SECONDS = 0.5
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0
"""Seconds before a failed cell is tried again; doubled with each try."""


@dataclass(kw_only=True)
class Cell:
    """One cell while the plan is carried out."""

    options: ProfileOptions
    job_key: str
    tries: int = 0
    due: float = 0.0
    """Not to be started before, on the monotonic clock."""
    slot: Slot | None = None
    """Where it runs now."""
    state: str = "waiting"
    """`waiting`, `running`, `done`, `failed` or `stopped`."""
    error: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be done about it."""
        return self.state in {"done", "failed", "stopped"}


def work(
    cache: Path, job: JobRow, reporter: Reporter, show: Progress, benchmark: Benchmark | None
) -> dict[str, Any]:
    """Carry a plan out; returns the job's result."""
    del benchmark  # each cell reads its own
    options = options_of(job.request)
    places, left_out = slots(options.devices, busy=options.busy_devices)
    for sentence in left_out:
        reporter.say(sentence)
        show.tell(sentence)
    cells = [
        Cell(options=cell, job_key=jobs.job_key(KIND, request_of(cell))) for cell in options.cells
    ]
    began = time.monotonic()
    # The cells wait like any job; they are tried again by this one.
    terms = Terms(priority=job.terms.priority, busy_devices=options.busy_devices)
    _carry_out(cache, cells, places, options.retries, terms, reporter, show)
    failed = [cell for cell in cells if cell.state == "failed"]
    result = {
        "cells": [
            {
                "title": title_of(cell.options),
                "job_key": cell.job_key,
                "state": cell.state,
                "tries": cell.tries,
                "error": cell.error,
            }
            for cell in cells
        ],
        "done": sum(cell.state == "done" for cell in cells),
        "failed": len(failed),
        "devices": [place.name for place in places],
        "seconds": time.monotonic() - began,
    }
    if failed:
        again = command(f"resume {job.job_key}", cache)
        raise BadOption(
            f"{len(failed)} of {len(cells)} cells failed, the first {title_of(failed[0].options)}: "
            f"{failed[0].error}; the others are kept, {again} tries these again"
        )
    return result


def outcome(result: dict[str, Any]) -> str:
    """Return one line about what a finished plan did."""
    stopped = len(result["cells"]) - result["done"]
    more = f", {stopped} stopped by hand" if stopped else ""
    return f"{result['done']} of {len(result['cells'])} cells measured{more}"


def _carry_out(
    cache: Path,
    cells: list[Cell],
    places: list[Slot],
    retries: int,
    terms: Terms,
    reporter: Reporter,
    show: Progress,
) -> None:
    _find_begun(cache, cells, places)
    known = sum(cell.is_over for cell in cells)
    began = time.monotonic()
    while True:
        if reporter.stop.is_set():
            _stop(cache, cells)
            over = sum(cell.state == "done" for cell in cells)
            raise Cancelled(f"stopped after {over} of {len(cells)} cells")
        for cell in cells:
            if cell.state == "running":
                _look(cache, cell, retries)
        _start_next(cache, cells, places, retries, terms)
        over = sum(cell.is_over for cell in cells)
        reporter.at(over, len(cells))
        show.samples(over, len(cells))
        if over > known:
            reporter.speed(over - known, time.monotonic() - began)
        reporter.note(_said(cells))
        show.note(_said(cells))
        if over == len(cells):
            return
        time.sleep(POLL_SECONDS)


def _find_begun(cache: Path, cells: list[Cell], places: list[Slot]) -> None:
    """Pass over what is measured, and take up what is at work; that holds a place, any."""
    free, covered = list(places), coverage(cache)
    for cell in cells:
        row = jobs.job(cache, cell.job_key)
        if row is not None and row.is_active:
            cell.state, cell.tries = "running", 1
            cell.slot = free.pop(0) if free else None
        elif is_measured(row, covered):
            cell.state = "done"


def _look(cache: Path, cell: Cell, retries: int) -> None:
    try:
        row = jobs.job(cache, cell.job_key)
    except CacheError:  # a crowd; the next look may be luckier
        return
    if row is not None and row.is_active:
        return
    cell.slot = None
    if row is not None and row.state == "done":
        cell.state = "done"
    elif row is not None and row.state == "cancelled":
        cell.state, cell.error = "stopped", row.message
    else:
        lost = "its process is gone"
        _failed(cell, (row.error if row is not None else None) or lost, retries)


def _failed(cell: Cell, error: str, retries: int) -> None:
    cell.error = error
    if cell.tries > retries:
        cell.state = "failed"
        return
    cell.state = "waiting"
    cell.due = time.monotonic() + min(FIRST_PAUSE * 2 ** (cell.tries - 1), LONGEST_PAUSE)


def _start_next(
    cache: Path, cells: list[Cell], places: list[Slot], retries: int, terms: Terms
) -> None:
    taken = {cell.slot.name for cell in cells if cell.slot is not None}
    for place in places:
        if place.name in taken:
            continue
        now = time.monotonic()
        cell = next((one for one in cells if one.state == "waiting" and one.due <= now), None)
        if cell is None:
            return
        cell.tries += 1
        try:
            # The device is in the environment, not in the request: the cell is the same job
            # wherever it runs.
            start(cache, cell.options, environment=place.environment, terms=terms)
        except USER_ERRORS as error:
            _failed(cell, str(error), retries)
            continue
        cell.state, cell.slot, cell.error = "running", place, ""


def _stop(cache: Path, cells: list[Cell]) -> None:
    """Ask the cells at work to stop, and wait until their chunks are finished."""
    running = [cell for cell in cells if cell.state == "running"]
    for cell in running:
        jobs.request_cancel(cache, cell.job_key)
    _wait(lambda: not any(_is_active(cache, cell) for cell in running))


def _is_active(cache: Path, cell: Cell) -> bool:
    row = jobs.job(cache, cell.job_key)
    return row is not None and row.is_active


def _wait(until: Callable[[], bool]) -> None:
    while not until():
        time.sleep(POLL_SECONDS)


def _said(cells: list[Cell]) -> str:
    running = [cell for cell in cells if cell.state == "running"]
    later = sum(cell.state == "waiting" and cell.tries > 0 for cell in cells)
    parts = [
        f"{title_of(cell.options)}{f' on {cell.slot.name}' if cell.slot else ''}"
        for cell in running
    ]
    parts += [f"{later} to be tried again"] if later else []
    return "; ".join(parts)
