"""Whether everything that a cache holds is whole: every file read, every count compared.

Nothing is changed. What is found says where, what, and what to do about it.
"""

import contextlib
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data_cache import derived, jobs
from data_cache.chunks import read_plan
from data_cache.errors import CacheError, CacheMissing, SchemaTooNew
from data_cache.image_store import store_path
from data_cache.ingest import listed
from data_cache.location import command, jobs_path, spool_directory, tags_path
from data_cache.plan import largest_first
from data_cache.schema import TABLES
from data_cache.spool import Kind, SpoolFile
from data_cache.spool_parts import check_part, part_of, spool_files
from data_cache.store import reader

LITTLE_ROOM = 1 << 30
"""Bytes of free disk below which a run may not get far."""

Report = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One thing that is not as it should be."""

    where: str
    """A file below the cache folder, a table, a job."""
    what: str
    """Plain text, no full stop."""
    remedy: str
    """What to do about it."""


def check_cache(
    cache: Path, *, contents: bool = True, report: Report = lambda _done, _total: None
) -> list[Trouble]:
    """Examine a cache; an empty list says that nothing is wrong.

    Parameters
    ----------
    cache
        The cache folder; it need not exist.
    contents
        Read every chunk and every row; else only what names, ledger and jobs say.
    report
        Called with the files that are done and how many there are.
    """
    if not cache.is_dir():
        return []
    return [
        *_spool(cache, contents, report),
        *_database(cache, contents),
        *_derived(cache),
        *_sqlite(cache),
        *_jobs(cache),
        *_disk(cache),
    ]


def _spool(cache: Path, contents: bool, report: Report) -> Iterator[Trouble]:
    files = list(spool_files(cache))
    spool = spool_directory(cache)
    for done, (name, path) in enumerate(files):
        report(done, len(files))
        if any(part.startswith(".") for part in Path(name).parts):
            continue  # unfinished: `gc` lists it
        found = part_of(name)
        if found is None:
            yield Trouble(
                where=f"spool/{name}",
                what="is no file that belongs into a spool",
                remedy="move it elsewhere; it is passed over",
            )
        elif name.count("/") and not (path.parent / "run.json").is_file() and _needs_run(name):
            yield Trouble(
                where=f"spool/{name}",
                what="belongs to a run without a run.json",
                remedy="start the run again, or copy its run.json here",
            )
        elif contents:
            try:
                check_part(spool, name)
            except SchemaTooNew as error:
                yield Trouble(where=f"spool/{name}", what=str(error), remedy="upgrade PIDscope")
            except CacheError as error:
                yield Trouble(
                    where=f"spool/{name}",
                    what=str(error),
                    remedy=f"{command('rebuild', cache)} sets it aside; then start the run again, "
                    "or copy the file from where it is whole",
                )
    report(len(files), len(files))


def _needs_run(name: str) -> bool:
    return name.endswith(".parquet") and name.count("/") == 1


def _database(cache: Path, contents: bool) -> Iterator[Trouble]:
    again = command("rebuild", cache)
    files = listed(cache, None)
    try:
        with reader(cache) as connection:
            known: dict[str, str] = dict(
                connection.execute("SELECT name, fingerprint FROM files").fetchall()
            )
            yield from _ledger(cache, files, known)
            if contents:
                yield from _tables(connection, again)
                yield from _rows(connection, files, known, again)
    except CacheMissing:
        if files:
            yield Trouble(
                where="cache.duckdb",
                what=f"is missing, and the spool has {len(files)} files",
                remedy=command("ingest", cache),
            )
    except CacheError as error:
        yield Trouble(where="cache.duckdb", what=str(error), remedy=again)


def _ledger(cache: Path, files: list[SpoolFile], known: dict[str, str]) -> Iterator[Trouble]:
    behind = [file.name for file in files if known.get(file.name) != file.fingerprint]
    gone = sorted(known.keys() - {file.name for file in files})
    if behind:
        yield Trouble(
            where="cache.duckdb",
            what=f"is behind the spool by {len(behind)} files, first {behind[0]}",
            remedy=command("ingest", cache),
        )
    if gone:
        yield Trouble(
            where="cache.duckdb",
            what=f"has rows of {len(gone)} files that the spool has no more, first {gone[0]}",
            remedy=f"copy them back, or drop their rows with {command('rebuild', cache)}",
        )


def _tables(connection: duckdb.DuckDBPyConnection, again: str) -> Iterator[Trouble]:
    for table in TABLES:
        try:  # every value is read, and DuckDB holds each block to its checksum
            connection.execute(f"SELECT bit_xor(hash(COLUMNS(*))) FROM {table}").fetchall()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            yield Trouble(where=f"cache.duckdb: {table}", what=reason, remedy=again)


def _rows(
    connection: duckdb.DuckDBPyConnection,
    files: list[SpoolFile],
    known: dict[str, str],
    again: str,
) -> Iterator[Trouble]:
    """Compare the number of predictions of each block with what its chunks give."""
    held: dict[tuple[str, int], tuple[int, int]] = {
        (key, block): (int(rows), int(different))
        for key, block, rows, different in connection.execute(
            """SELECT run_key, block, count(*),
                      count(DISTINCT hash(sample_id, condition, draw, layer))
               FROM predictions GROUP BY ALL"""
        ).fetchall()
    }
    blocks: dict[tuple[str, int], list[SpoolFile]] = defaultdict(list)
    for file in files:
        if file.kind is Kind.PREDICTIONS and known.get(file.name) == file.fingerprint:
            blocks[file.owner, file.block or 0].append(file)
    for (key, block), members in sorted(blocks.items()):
        rows, different = held.get((key, block), (0, 0))
        expected = _expected(members)
        if expected is not None and (rows != expected or different != rows):
            yield Trouble(
                where=f"cache.duckdb: run {key}, block {block}",
                what=f"has {rows} predictions ({rows - different} twice), its chunks {expected}",
                remedy=again,
            )


def _expected(members: list[SpoolFile]) -> int | None:
    try:
        plans = largest_first([read_plan(file.path) for file in members])
    except CacheError:
        return None  # named where the files are checked
    if all(plans[0].covers(plan) for plan in plans[1:]):
        return plans[0].rows
    keys = {
        (sample_id, condition, draw, layer)
        for plan in plans
        for sample_id in plan.sample_ids
        for condition in plan.conditions
        for draw in range(plan.draws_of(condition))
        for layer in plan.layers
    }
    return len(keys)


def _derived(cache: Path) -> Iterator[Trouble]:
    with contextlib.suppress(CacheError):  # named above
        for one in derived.listed(cache):
            if not one.is_whole:
                yield Trouble(
                    where=one.path.relative_to(cache).as_posix(),
                    what="is damaged",
                    remedy="delete it; it is computed again when a page asks",
                )


def _sqlite(cache: Path) -> Iterator[Trouble]:
    remedies = {
        jobs_path(cache): "delete it; results are not in it",
        tags_path(cache): "copy it from a backup: it holds tags and slices that came from you",
        store_path(cache): "delete it; it is made again when the benchmarks are read",
    }
    for path, remedy in remedies.items():
        if not path.is_file():
            continue
        try:
            connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)
            with contextlib.closing(connection):
                found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            found = str(error)
        if found != "ok":
            yield Trouble(where=path.name, what=f"is damaged ({found})", remedy=remedy)


def _jobs(cache: Path) -> Iterator[Trouble]:
    try:
        found = jobs.jobs(cache, limit=-1)
    except CacheError:
        return  # named above
    for job in found:
        if job.state == "lost":
            yield Trouble(
                where=f"job {job.job_key}",
                what=f"has lost its process ({job.title})",
                remedy=command(f"resume {job.job_key}", cache),
            )


def _disk(cache: Path) -> Iterator[Trouble]:
    free = shutil.disk_usage(cache).free
    if free < LITTLE_ROOM:
        yield Trouble(
            where=str(cache),
            what=f"has {free / 2**20:.0f} MiB of free disk",
            remedy=f"free some; {command('gc', cache)} lists what the cache could do without",
        )
