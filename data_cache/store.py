"""How the DuckDB file is opened: briefly, per call, with retry; nobody holds a connection.

Facts that decide this (measured with DuckDB 2.0.0, see docs/cache.md): a writer excludes every
other process, a held reader excludes every writer, and reading the file with `open()` in a process
that has it connected drops the process's lock. So readers and writers open it for one call, and
nothing in PIDscope ever opens it other than through DuckDB.
"""

import contextlib
import hashlib
import os
import random
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from data_cache.atomic import sync_directory, temporary_path
from data_cache.errors import CacheBusy, CacheDamaged, CacheError, CacheMissing
from data_cache.location import command, database_path, require_local
from data_cache.permission import require_writing
from data_cache.schema import migrate, refuse_newer, refuse_older, version_of

READER_PATIENCE = 2.0
"""Seconds a reader waits for a writer; a person is looking."""
WRITER_PATIENCE = 30.0
"""Seconds a writer waits for readers and other writers."""

READER_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "lock_configuration": "true",
}
"""A reader's SQL reaches no file and no network, and cannot turn that off."""

_BUSY = (
    "Could not set lock",
    "Conflicting lock",
    # Within one process: another thread has it open in another way, or is just opening or closing.
    "with a different configuration",
    "Unique file handle conflict",
)
_FULL = ("No space left", "not enough space", "Disk quota", "File too large")
_CORRUPT = ("Corrupt", "not a valid DuckDB database")
_DAMAGE = (
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.IOException,
    duckdb.SerializationException,
)


@contextmanager
def reader(
    cache: Path, *, patience: float = READER_PATIENCE
) -> Generator[duckdb.DuckDBPyConnection]:
    """Open the database for reading, for the length of one call.

    Raises
    ------
    CacheMissing
        If there is no database yet.
    CacheBusy
        If a writer held it for `patience` seconds.
    CacheDamaged
        If it cannot be read.
    SchemaTooNew, SchemaTooOld
        If another PIDscope wrote it.
    """
    database = database_path(cache)
    require_local(cache)
    if not database.is_file():
        raise CacheMissing(
            f"there is no cache in {cache} yet; profile a model or load the demo first"
        )
    connection = _connected(
        lambda: duckdb.connect(database, read_only=True, config=READER_CONFIG), cache, patience
    )
    with contextlib.closing(connection), _in_sentences(cache):
        version = version_of(connection)
        refuse_newer(version, cache)
        refuse_older(version, cache)
        yield connection


@contextmanager
def writer(
    cache: Path, *, patience: float = WRITER_PATIENCE
) -> Generator[duckdb.DuckDBPyConnection]:
    """Open the database for one transaction: committed at the end, rolled back by any exception.

    Creates the folder and the database where they are missing, and upgrades an older schema.

    Raises
    ------
    CacheBusy
        If others held it for `patience` seconds.
    CacheDamaged
        If it cannot be read.
    CacheError
        If the disk is full or the folder cannot be written.
    SchemaTooNew
        If a newer PIDscope wrote it.
    """
    with exclusive(cache, patience=patience):
        database = database_path(cache)
        if not database.exists():
            _create(database, cache)
        with transaction(database, cache, patience=patience) as connection:
            yield connection


@contextmanager
def transaction(
    database: Path, cache: Path, *, patience: float = WRITER_PATIENCE
) -> Generator[duckdb.DuckDBPyConnection]:
    """Open one database file for one transaction, without the cache's writer lock."""
    require_writing("write to the database")
    connection = _connected(lambda: duckdb.connect(database), cache, patience)
    with contextlib.closing(connection), _in_sentences(cache):
        migrate(connection, cache)
        connection.execute("BEGIN")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            # A failed COMMIT has rolled back already, and then there is nothing to roll back.
            with contextlib.suppress(duckdb.Error):
                connection.execute("ROLLBACK")
            raise


def settle(database: Path, cache: Path) -> None:
    """Bring everything that was committed into the database file itself, so that it can be moved.

    Closing a database does that, too, but says nothing where the disk is too full for it: then the
    rows are in the log beside the file, and a file that is moved without it has lost them.

    Raises
    ------
    CacheError
        If the disk is full.
    """
    connection = _connected(lambda: duckdb.connect(database), cache, WRITER_PATIENCE)
    with contextlib.closing(connection), _in_sentences(cache):
        connection.execute("CHECKPOINT")
    log = Path(f"{database}.wal")
    if log.exists() and log.stat().st_size:
        raise CacheError(
            f"{database.name} could not be brought up to date in {cache}, its log is still beside "
            f"it; free some space and run {command('ingest', cache)}"
        )


@contextmanager
def exclusive(cache: Path, *, patience: float = WRITER_PATIENCE) -> Generator[None]:
    """Hold the cache's writer lock: writers queue here, and a rebuild can replace the file.

    The operating system drops the lock when the process dies, however it dies.

    Raises
    ------
    CacheBusy
        If another writer held it for `patience` seconds.
    CacheError
        If the folder cannot be written.
    ReadOnly
        If nothing may be written.
    """
    require_writing("write to the cache")
    folder = require_local(cache)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / ".writer.lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise CacheError(
            f"the cache folder {cache} cannot be written ({error.strerror}); "
            "choose another with --cache"
        ) from error
    try:
        _lock(descriptor, cache, patience)
        yield
    finally:
        os.close(descriptor)


def data_version(cache: Path) -> str:
    """Return a text that changes with every ingest, "0" when there is no database.

    It is taken from the file's size, time and inode, so that it costs microseconds and never waits.
    A change without new data is possible (a checkpoint), new data without a change is not.
    """
    facts: list[int] = []
    for path in (database_path(cache), Path(f"{database_path(cache)}.wal")):
        with contextlib.suppress(FileNotFoundError):
            status = path.stat()
            facts += [status.st_size, status.st_mtime_ns, status.st_ino]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12] if facts else "0"


def _create(database: Path, cache: Path) -> None:
    # Built beside its place and renamed: a crash leaves no half-made database behind.
    # A log without its database says nothing that the spool does not say, and must not be replayed.
    Path(f"{database}.wal").unlink(missing_ok=True)
    temporary = temporary_path(database)
    try:
        with transaction(temporary, cache):
            pass
        settle(temporary, cache)
        os.replace(temporary, database)
        sync_directory(database.parent)
    finally:
        for leftover in (temporary, Path(f"{temporary}.wal")):
            leftover.unlink(missing_ok=True)


def _connected(
    connect: Callable[[], duckdb.DuckDBPyConnection], cache: Path, patience: float
) -> duckdb.DuckDBPyConnection:
    for _ in _attempts(patience):
        try:
            with _in_sentences(cache):
                return connect()
        except CacheBusy:
            continue
    raise CacheBusy(
        f"the cache {cache} was in use by another process for {patience:g} s; try again in a moment"
    )


def _attempts(patience: float) -> Iterator[None]:
    deadline = time.monotonic() + patience
    pause = 0.005
    while True:
        yield
        if time.monotonic() >= deadline:
            return
        time.sleep(pause * random.uniform(0.7, 1.3))  # two waiters should not stay in step
        pause = min(pause * 1.6, 0.1)


def _lock(descriptor: int, cache: Path, patience: float) -> None:
    if os.name == "nt":  # there DuckDB's own lock is enough: an open file cannot be replaced
        return
    import fcntl

    for _ in _attempts(patience):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return
    raise CacheBusy(
        f"another process has been writing to the cache {cache} for {patience:g} s; what was "
        f"computed is safe in its spool; run {command('ingest', cache)} later"
    )


@contextmanager
def _in_sentences(cache: Path) -> Generator[None]:
    """Turn what DuckDB says about files, locks and disks into sentences; SQL errors stay bugs."""
    try:
        yield
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        if any(mark in reason for mark in _BUSY):
            raise CacheBusy(f"the cache {cache} is in use by another process") from error
        if any(mark in str(error) for mark in _FULL):
            raise CacheError(
                f"the disk of the cache {cache} is full; free some space and run "
                f"{command('ingest', cache)}"
            ) from error
        if "Permission denied" in reason or "Read-only file system" in reason:
            raise CacheError(f"the cache {cache} cannot be opened: {reason}") from error
        if isinstance(error, _DAMAGE) or any(mark in reason for mark in _CORRUPT):
            raise CacheDamaged(
                f"{database_path(cache)} is damaged ({reason}); its chunks are not: run "
                f"{command('rebuild', cache)}"
            ) from error
        raise
