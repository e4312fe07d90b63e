"""Work that outlives the window it was started from: who does it, how far it is, how it ended.

One row a job in `jobs.sqlite`. The key is a hash of what is asked for, so asking twice finds the
same job, and `claim` lets exactly one process work on it. Nothing that was computed lies here: the
file can be deleted, and the next start goes on from the chunks.
"""

import json
import os
import re
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_cache.errors import CacheError
from data_cache.job_rows import Ending, JobRow, Orders, State, Terms
from data_cache.jobs_file import reading, transaction
from data_cache.location import command, log_path
from data_cache.processes import boot_clock, is_alive, stamp
from data_cache.runs import canonical_json, hash_text

LIST_LIMIT = 200
TAIL_BYTES = 1 << 17
"""How much of the end of a log is read at most."""


def job_key(kind: str, request: Mapping[str, Any]) -> str:
    """Return the 16 hexadecimal digits that name a job.

    >>> job_key("profile", {"a": 1, "b": 2}) == job_key("profile", {"b": 2, "a": 1})
    True
    """
    return hash_text(canonical_json({"kind": kind, "request": dict(request)}), 16)


def open_or_create(
    cache: Path, kind: str, request: Mapping[str, Any], title: str, *, unit: str = "sample"
) -> JobRow:
    """Return the job of a request; a new one is queued, and nobody works on it yet.

    Raises
    ------
    CacheError
        If the folder cannot be written or the request is not plain JSON.
    """
    key, now = job_key(kind, request), time.time()
    with transaction(cache) as connection:
        connection.execute(
            """INSERT OR IGNORE INTO jobs
                   (job_key, kind, title, request, state, heartbeat, unit, created)
               VALUES (?, ?, ?, ?, 'queued', ?, ?, ?)""",
            [key, kind, title, canonical_json(dict(request)), now, unit, now],
        )
        return _existing(connection, cache, key)


def reserve(
    cache: Path, key: str, *, pid: int | None = None, terms: Terms | None = None, message: str = ""
) -> bool:
    """Queue a job for a worker that this process is about to start.

    True for exactly one of several who ask at once, until that one or its worker is gone.

    Parameters
    ----------
    cache, key
        The job.
    pid
        The process; this one by default.
    terms
        How it waits; None leaves them as they were. The priority of one that waits is set, too.
    message
        One line for lists.
    """
    with transaction(cache) as connection:
        row = _existing(connection, cache, key)
        is_taken = row.is_active and row.pid is not None
        if terms is not None and (not is_taken or row.waits_for):
            kept = asdict(row.terms if is_taken else terms)
            del kept["priority"]
            connection.execute(
                "UPDATE jobs SET priority = ?, terms = ? WHERE job_key = ?",
                [terms.priority, canonical_json(kept), key],
            )
        if is_taken:
            return False
        _take(connection, key, "queued", _me(pid), message)
        return True


def set_priority(cache: Path, key: str, priority: int) -> JobRow:
    """Let a job go sooner or later than others that wait; returns its row.

    Raises
    ------
    CacheError
        If there is no such job.
    """
    with transaction(cache) as connection:
        _existing(connection, cache, key)
        connection.execute("UPDATE jobs SET priority = ? WHERE job_key = ?", [priority, key])
        return _existing(connection, cache, key)


def hand_over(cache: Path, key: str, worker: int, *, pid: int | None = None) -> None:
    """Note the worker that the reserving process has started, unless it has claimed already."""
    with transaction(cache) as connection:
        connection.execute(
            """UPDATE jobs SET pid = ?, process_started = ?, heartbeat = ?, beat = ?
               WHERE job_key = ? AND state = 'queued' AND pid = ?""",
            [worker, stamp(worker), time.time(), boot_clock(), key, _me(pid)],
        )


def adopt(cache: Path, key: str, *, pid: int | None = None) -> bool:
    """Take the place of the process that queued a job; false where it is not queued any more."""
    me = _me(pid)
    with transaction(cache) as connection:
        changed = connection.execute(
            """UPDATE jobs SET pid = ?, process_started = ?, heartbeat = ?, beat = ?
               WHERE job_key = ? AND state = 'queued'""",
            [me, stamp(me), time.time(), boot_clock(), key],
        ).rowcount
        return changed == 1


def claim(
    cache: Path,
    key: str,
    pid: int | None = None,
    *,
    again: bool = False,
    only_queued: bool = False,
) -> bool:
    """Take a job for a process; true for exactly one of several who ask at once.

    Parameters
    ----------
    cache, key
        The job.
    pid
        The process; this one by default.
    again
        Take a job that is done, too.
    only_queued
        Take it only if it waits for a worker: a worker that comes late does not undo a cancel.

    Raises
    ------
    CacheError
        If there is no such job.
    """
    with transaction(cache) as connection:
        row = _existing(connection, cache, key)
        if row.state == "running" or (row.state == "done" and not again):
            return False
        if only_queued and _stored_state(connection, key) != "queued":
            return False
        _take(connection, key, "running", _me(pid))
        if row.state == "queued":  # what it waited for is its own now
            _lease(connection, key, row.leased)
        return True


def report(
    cache: Path,
    key: str,
    done: int,
    total: int | None,
    rate: float | None,
    message: str,
    *,
    pid: int | None = None,
) -> Orders:
    """Say how far the work is and that its process lives; learn whether to go on."""
    with transaction(cache) as connection:
        changed = connection.execute(
            """UPDATE jobs SET done = ?, total = ?, rate = ?, message = ?, heartbeat = ?, beat = ?
               WHERE job_key = ? AND state = 'running' AND pid = ?""",
            [done, total, rate, message, time.time(), boot_clock(), key, _me(pid)],
        ).rowcount
        row = _existing(connection, cache, key)
        return Orders(is_mine=changed == 1, cancel=row.cancel_requested)


def finish(
    cache: Path,
    key: str,
    state: Ending,
    error: str | None = None,
    result: Mapping[str, Any] | None = None,
    *,
    message: str = "",
    pid: int | None = None,
) -> bool:
    """Record how the work ended; false, and nothing is changed, if the job is not this process's.

    Parameters
    ----------
    cache, key, state
        The job and its end.
    error
        One sentence where it failed.
    result
        What was found, JSON values; None keeps that of an earlier attempt.
    message
        One line for lists.
    pid
        The process that worked; this one by default.
    """
    with transaction(cache) as connection:
        changed = connection.execute(
            """UPDATE jobs SET state = ?, error = ?, message = ?, result = coalesce(?, result),
                   finished = ?, heartbeat = ?, cancel_requested = 0, wants = '', leased = '[]'
               WHERE job_key = ? AND state IN ('queued', 'running') AND pid = ?""",
            [
                state,
                error,
                message,
                None if result is None else canonical_json(dict(result)),
                *[time.time()] * 2,
                key,
                _me(pid),
            ],
        ).rowcount
        return changed == 1


def request_cancel(cache: Path, key: str) -> JobRow:
    """Ask the process of a job to stop; a job without one is cancelled at once.

    A job that has ended stays as it is.

    Raises
    ------
    CacheError
        If there is no such job.
    """
    with transaction(cache) as connection:
        row = _existing(connection, cache, key)
        if row.state == "running":
            connection.execute("UPDATE jobs SET cancel_requested = 1 WHERE job_key = ?", [key])
        elif row.state in {"queued", "lost"}:
            connection.execute(
                """UPDATE jobs SET state = 'cancelled', message = 'cancelled', finished = ?
                   WHERE job_key = ?""",
                [time.time(), key],
            )
        return _existing(connection, cache, key)


def jobs(cache: Path, *, kind: str | None = None, limit: int = LIST_LIMIT) -> list[JobRow]:
    """Return the jobs, the last started first; none where there is no file."""
    with reading(cache) as connection:
        if connection is None:
            return []
        rows = connection.execute(
            """SELECT * FROM jobs WHERE ? IS NULL OR kind = ?
               ORDER BY coalesce(started, created) DESC, job_key LIMIT ?""",
            [kind, kind, limit],
        ).fetchall()
    return [_job(row, cache) for row in rows]


def job(cache: Path, key: str) -> JobRow | None:
    """Return a job, or None if there is none with that key."""
    with reading(cache) as connection:
        return None if connection is None else _find(connection, cache, key)


def find(cache: Path, start: str) -> JobRow:
    """Return the one job whose key starts with the given digits.

    Raises
    ------
    CacheError
        If there is none, or more than one.
    """
    found = [row for row in jobs(cache, limit=-1) if start and row.job_key.startswith(start)]
    if len(found) != 1:
        what = "several jobs" if found else "no job"
        raise CacheError(
            f"{cache} has {what} with a key that starts with {start!r}; "
            f"see {command('list jobs', cache)}"
        )
    return found[0]


def tail(cache: Path, key: str, lines: int = 50) -> list[str]:
    """Return the last lines of a job's log as plain text; none where it has written nothing."""
    try:
        with log_path(cache, key).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - TAIL_BYTES, 0))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CacheError(f"the log of job {key} cannot be read ({error.strerror})") from error
    # A progress bar rewrites its line after a carriage return: only the last state counts.
    shown = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    printable = [_CONTROL.sub("", line).rstrip() for line in shown]
    return [line for line in printable if line][-lines:] if lines > 0 else []


_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Escape sequences of terminals, and control characters other than the tab."""


def _me(pid: int | None) -> int:
    return os.getpid() if pid is None else pid


def _take(
    connection: sqlite3.Connection, key: str, state: str, pid: int, message: str = ""
) -> None:
    now = time.time()
    connection.execute(
        """UPDATE jobs SET state = ?, pid = ?, process_started = ?, heartbeat = ?, beat = ?,
               done = 0, rate = NULL, message = ?, error = NULL, cancel_requested = 0,
               started = ?, finished = NULL, wants = '', leased = '[]',
               ticket = (SELECT max(ticket) + 1 FROM jobs)
           WHERE job_key = ?""",
        [
            *[state, pid, stamp(pid), now, boot_clock(), message],
            *[now if state == "running" else None, key],
        ],
    )


def _lease(connection: sqlite3.Connection, key: str, devices: Sequence[str]) -> None:
    connection.execute(
        "UPDATE jobs SET leased = ? WHERE job_key = ?", [json.dumps(list(devices)), key]
    )


def _existing(connection: sqlite3.Connection, cache: Path, key: str) -> JobRow:
    found = _find(connection, cache, key)
    if found is None:
        raise CacheError(f"{cache} has no job {key!r}; see {command('list jobs', cache)}")
    return found


def _find(connection: sqlite3.Connection, cache: Path, key: str) -> JobRow | None:
    row = connection.execute("SELECT * FROM jobs WHERE job_key = ?", [key]).fetchone()
    return None if row is None else _job(row, cache)


def _stored_state(connection: sqlite3.Connection, key: str) -> str:
    return connection.execute("SELECT state FROM jobs WHERE job_key = ?", [key]).fetchone()[0]


def _job(row: sqlite3.Row, cache: Path) -> JobRow:
    state: State = row["state"]
    pid: int | None = row["pid"]
    has = set(row.keys())  # a file that nobody has written to since it was upgraded lacks some
    if state in {"queued", "running"} and pid is not None:
        beat = row["beat"] if "beat" in has else None
        alive = is_alive(pid, row["process_started"], row["heartbeat"], beat)
        state = state if alive else "lost"
    same = ("job_key", "kind", "title", "pid", "process_started", "heartbeat", "done", "total")
    more = ("unit", "rate", "message", "error", "created", "started", "finished")
    terms: dict[str, Any] = json.loads(row["terms"]) if "terms" in has else {}
    wants: dict[str, Any] = json.loads(row["wants"] or "{}") if "wants" in has else {}
    return JobRow(
        **{name: row[name] for name in (*same, *more)},
        state=state,
        request=json.loads(row["request"]),
        result=json.loads(row["result"]),
        cancel_requested=bool(row["cancel_requested"]),
        log_path=log_path(cache, row["job_key"]),
        terms=Terms(
            priority=row["priority"] if "priority" in has else 0,
            devices=tuple(terms.get("devices", ())),
            busy_devices=bool(terms.get("busy_devices", False)),
            retries=int(terms.get("retries", 0)),
        ),
        waits_for=tuple(wants.get("names", ())) if state == "queued" else (),
        leased=tuple(json.loads(row["leased"])) if "leased" in has else (),
    )
