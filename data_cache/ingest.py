"""How files of the spool become rows: validated, in whole transactions, each exactly once.

The rows of a block are a function of the files of that block alone: when a chunk arrives, the
block's rows are made anew from all its chunks. So it does not matter in which order chunks arrive,
whether an ingest was killed, or whether the database was rebuilt.
"""

import os
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data_cache.atomic import sweep_temporary_files, sync_directory, temporary_path
from data_cache.batch import read_batch
from data_cache.errors import CacheMissing, SchemaTooOld
from data_cache.insert import insert
from data_cache.location import database_path
from data_cache.spool import Kind, SpoolFile, quarantine, scan
from data_cache.store import WRITER_PATIENCE, exclusive, reader, settle, transaction, writer

BATCH_BYTES = 64 << 20
"""Parquet bytes per transaction: bounds the memory of an ingest; the demo fits in one."""

OpenWriter = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    """What an ingest did."""

    ingested: int = 0
    """Chunks and estimates whose rows are now in the database."""
    superseded: int = 0
    """Chunks that another chunk covers; their rows are not in the database."""
    quarantined: tuple[tuple[str, str], ...] = ()
    """Name and reason of each bad file; it now lies in spool/quarantine."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Name and reason of each file left in place: from a newer PIDscope, without a sidecar, or
    refused by the operating system."""

    def __add__(self, other: "IngestReport") -> "IngestReport":
        """Join the reports of two passes."""
        return IngestReport(
            ingested=self.ingested + other.ingested,
            superseded=self.superseded + other.superseded,
            quarantined=self.quarantined + other.quarantined,
            skipped=self.skipped + other.skipped,
        )


def ingest(cache: Path, run_keys: Collection[str] | None = None) -> IngestReport:
    """Bring the database up to date with the spool; does nothing when it is.

    Each transaction holds whole blocks with their ledger, so that a crash at any moment neither
    loses nor repeats a row: the next ingest goes on.

    Parameters
    ----------
    cache
        The cache folder.
    run_keys
        The runs to look at, None for all. Samples are always looked at.

    Raises
    ------
    CacheBusy
        If others held the database; the spool is untouched.
    CacheDamaged
        If the database cannot be read; rebuild it.
    SchemaTooNew
        If a newer PIDscope wrote the database.
    """
    if not _has_news(cache, run_keys):
        return IngestReport()
    return _bring_up_to_date(cache, lambda: writer(cache), run_keys)


def rebuild(cache: Path) -> IngestReport:
    """Make the database anew from the spool, whatever state the old one is in.

    It is built beside the old one, which stays in use until it is replaced.

    Raises
    ------
    CacheBusy
        If a writer held the cache.
    CacheError
        If the disk is full or the folder cannot be written.
    """
    with exclusive(cache):
        sweep_temporary_files(cache)
    fresh = temporary_path(database_path(cache))

    def open_fresh() -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return transaction(fresh, cache)

    try:
        with open_fresh():  # an empty spool makes an empty database
            pass
        report = _bring_up_to_date(cache, open_fresh, None)
        with exclusive(cache):
            # What was written to the spool meanwhile; nobody else can ingest now.
            report += _bring_up_to_date(cache, open_fresh, None, passed_over=report.skipped)
            settle(fresh, cache)
            # The old log must not be replayed into the new file.
            Path(f"{database_path(cache)}.wal").unlink(missing_ok=True)
            os.replace(fresh, database_path(cache))
            sync_directory(database_path(cache).parent)
    finally:
        for leftover in (fresh, Path(f"{fresh}.wal")):
            leftover.unlink(missing_ok=True)
    return report


def _has_news(cache: Path, run_keys: Collection[str] | None) -> bool:
    try:
        with reader(cache, patience=WRITER_PATIENCE) as connection:
            return bool(_pending(connection, listed(cache, run_keys)))
    except (CacheMissing, SchemaTooOld):
        return True


def listed(cache: Path, run_keys: Collection[str] | None) -> list[SpoolFile]:
    """List the spool, sidecars first, so that a run is known before its chunks."""
    order = {kind: rank for rank, kind in enumerate(Kind)}
    return sorted(scan(cache, run_keys), key=lambda file: (order[file.kind], file.name))


def _bring_up_to_date(
    cache: Path,
    open_writer: OpenWriter,
    run_keys: Collection[str] | None,
    *,
    passed_over: tuple[tuple[str, str], ...] = (),
) -> IngestReport:
    report = IngestReport()
    ignored = {name for name, _ in passed_over}
    while True:
        with open_writer() as connection:
            files = [file for file in listed(cache, run_keys) if file.name not in ignored]
            pending = _pending(connection, files)
            if not pending:
                return report
            done = _ingest_once(connection, cache, files, pending)
        ignored |= {name for name, _ in done.skipped}
        report += done


def _pending(connection: duckdb.DuckDBPyConnection, files: list[SpoolFile]) -> list[SpoolFile]:
    known: dict[str, str] = dict(
        connection.execute("SELECT name, fingerprint FROM files").fetchall()
    )
    return [file for file in files if known.get(file.name) != file.fingerprint]


def _ingest_once(
    connection: duckdb.DuckDBPyConnection,
    cache: Path,
    files: list[SpoolFile],
    pending: list[SpoolFile],
) -> IngestReport:
    batch = read_batch(cache, files, _first_part(pending))
    for file, reason in batch.bad:
        quarantine(cache, file, reason)
    insert(connection, batch)
    return IngestReport(
        ingested=batch.ingested,
        superseded=batch.superseded,
        quarantined=tuple((file.name, reason) for file, reason in batch.bad),
        skipped=tuple((file.name, reason) for file, reason in batch.skipped),
    )


def _first_part(pending: list[SpoolFile]) -> list[SpoolFile]:
    part: list[SpoolFile] = []
    size = 0
    for file in pending:
        if part and size + file.size > BATCH_BYTES:
            break
        part.append(file)
        size += file.size
    return part
