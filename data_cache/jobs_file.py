"""How `jobs.sqlite` is opened: briefly, per call, many processes at once; nobody holds it.

SQLite needs some room on the disk even for reading. So that a job can say that the disk is full, a
worker sets some bytes aside when it begins and gives them up when it ends for want of room; not
before, or its own next chunk would eat them.
"""

import contextlib
import random
import re
import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from data_cache.errors import CacheBusy, CacheDamaged, CacheError, SchemaTooNew
from data_cache.location import jobs_path, require_local, spare_path
from data_cache.permission import is_read_only, require_writing

JOBS_VERSION = 2
PATIENCE = 10.0
"""Seconds to wait for other processes' transactions; each takes milliseconds."""

SPARE_BYTES = 512 << 10
"""Ten times what the log and the index of a few transactions take."""

_TABLE = """CREATE TABLE jobs (
    job_key TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, request TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    pid INTEGER, process_started TEXT NOT NULL DEFAULT '', heartbeat REAL NOT NULL,
    done INTEGER NOT NULL DEFAULT 0, total INTEGER, unit TEXT NOT NULL, rate REAL,
    message TEXT NOT NULL DEFAULT '', error TEXT, cancel_requested INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL, started REAL, finished REAL, result TEXT NOT NULL DEFAULT '{}')"""
_QUEUE = (
    "ALTER TABLE jobs ADD COLUMN beat REAL",
    "ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN terms TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE jobs ADD COLUMN ticket INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN wants TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE jobs ADD COLUMN leased TEXT NOT NULL DEFAULT '[]'",
)
"""Heartbeats on the boot's clock, and how a job waits for a device, see `data_cache.job_queue`."""
_MIGRATIONS = ((_TABLE,), _QUEUE)
"""What makes version n + 1 of version n, from an empty file on."""


@contextmanager
def transaction(cache: Path) -> Generator[sqlite3.Connection]:
    """Open the file for one transaction, alone among writers; makes what is missing.

    Raises
    ------
    CacheBusy
        If others wrote for `PATIENCE` seconds.
    CacheDamaged
        If it is no database.
    CacheError
        If the disk is full or the folder cannot be written.
    SchemaTooNew
        If a newer PIDscope wrote it.
    ReadOnly
        If nothing may be written.
    """
    require_writing("change a job")
    with _in_sentences(cache):
        folder = require_local(cache)
        try:
            cache.mkdir(parents=True, exist_ok=True)
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CacheError(
                f"the cache folder {cache} cannot be made ({error.strerror}); "
                "choose another with --cache"
            ) from error
        with contextlib.closing(_connect(cache, "rwc")) as connection:
            _prepare(connection, cache)
            _patiently(connection, "BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


@contextmanager
def reading(cache: Path) -> Generator[sqlite3.Connection | None]:
    """Open the file for a query, beside writers; None where there are no jobs yet.

    Raises
    ------
    CacheError
        As for `transaction`.
    """
    require_local(cache)
    if not jobs_path(cache).is_file():
        yield None
        return
    with _in_sentences(cache), contextlib.closing(_connect_to_read(cache)) as connection:
        yield connection if _version(connection, cache) else None


def set_spare_aside(cache: Path) -> None:
    """Take room on the disk that can be given up when it is full; none where it is full already."""
    path = spare_path(cache)
    with contextlib.suppress(OSError):
        if not path.exists() or path.stat().st_size < SPARE_BYTES:
            path.write_bytes(bytes(SPARE_BYTES))


def give_up_spare(cache: Path) -> bool:
    """Free the room that was set aside; whether there was any."""
    try:
        spare_path(cache).unlink()
    except OSError:
        return False
    return True


def _needs_room(error: Exception) -> bool:
    return any(mark in str(error) for mark in ("full", "disk I/O", "unable to open"))


def _connect(cache: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{jobs_path(cache).as_uri()}?mode={mode}",
        uri=True,
        timeout=PATIENCE,
        isolation_level=None,  # transactions are begun by hand
    )
    try:
        _patiently(connection, "PRAGMA schema_version")  # opens the log and its index, or fails
    except BaseException:
        connection.close()
        raise
    connection.row_factory = sqlite3.Row
    return connection


def _connect_to_read(cache: Path) -> sqlite3.Connection:
    if not is_read_only():
        return _connect(cache, "rw")
    try:
        return _connect(cache, "ro")
    except sqlite3.OperationalError as error:
        if not re.search("readonly|unable to open", str(error)):
            raise
    # The folder cannot be written, so the index of the log cannot be made: without the log.
    return _connect(cache, "ro&immutable=1")


def _version(connection: sqlite3.Connection, cache: Path) -> int:
    version = int(_patiently(connection, "PRAGMA user_version").fetchone()[0])
    if version > JOBS_VERSION:
        raise SchemaTooNew(
            f"{jobs_path(cache)} was written by a newer PIDscope (schema {version}, this one reads "
            f"{JOBS_VERSION}); upgrade or choose another folder with --cache"
        )
    return version


def _prepare(connection: sqlite3.Connection, cache: Path) -> None:
    version = _version(connection, cache)
    if version == JOBS_VERSION:
        return
    if version == 0:
        _patiently(connection, "PRAGMA journal_mode=WAL")
    _patiently(connection, "BEGIN IMMEDIATE")
    try:
        for statements in _MIGRATIONS[_version(connection, cache) :]:  # perhaps another was faster
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={JOBS_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _patiently(connection: sqlite3.Connection, statement: str) -> sqlite3.Cursor:
    # SQLite's own timeout does not cover the change to WAL, nor a log that is being recovered.
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return connection.execute(statement)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(random.uniform(0.005, 0.05))


@contextmanager
def _in_sentences(cache: Path) -> Generator[None]:
    """Turn what SQLite says about files, locks and disks into sentences; SQL errors stay bugs."""
    path = jobs_path(cache)
    try:
        yield
    except sqlite3.DatabaseError as error:
        reason = str(error)
        if "locked" in reason:
            raise CacheBusy(
                f"{path} was in use by other processes for {PATIENCE:g} s; try again in a moment"
            ) from error
        if _needs_room(error) or "readonly" in reason:
            raise CacheError(
                f"{path} cannot be written ({reason}); free some space, or choose another folder "
                "with --cache"
            ) from error
        if any(mark in reason for mark in ("not a database", "malformed")):
            raise CacheDamaged(
                f"{path} is damaged ({reason}); results are not in it: delete it, and start the "
                "work again to go on from the finished chunks"
            ) from error
        raise
