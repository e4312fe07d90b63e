"""A user's own marks on samples: tags, and slices that were saved under a name.

They come from nobody's spool, so they lie in a file of their own, `tags.sqlite`, which a rebuild of
the database leaves alone. A tag belongs to one benchmark as it was read: the key says which. A
saved slice is a tag that was put on all samples of a list at once, with the sentence of how they
were chosen.
"""

import contextlib
import re
import secrets
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from data_cache.errors import CacheBusy, CacheDamaged, CacheError, SchemaTooNew
from data_cache.location import tags_path
from data_cache.permission import require_writing

TAGS_VERSION = 1
LONGEST_NAME = 60
"""Characters of a tag's name."""
LONGEST_DESCRIPTION = 2000
"""Characters of a tag's description."""
PATIENCE = 10.0
"""Seconds to wait for another process that writes; each takes milliseconds."""

_TABLES = """
CREATE TABLE tags (
    tag_id INTEGER PRIMARY KEY, name TEXT NOT NULL, benchmark TEXT NOT NULL,
    benchmark_key TEXT NOT NULL, description TEXT NOT NULL, created TEXT NOT NULL,
    UNIQUE (name, benchmark_key));
CREATE TABLE tagged (
    place INTEGER PRIMARY KEY AUTOINCREMENT, tag_id INTEGER NOT NULL, sample_id TEXT NOT NULL,
    UNIQUE (tag_id, sample_id));
CREATE INDEX tagged_by_sample ON tagged (sample_id);
CREATE TABLE changes (file TEXT NOT NULL, number INTEGER NOT NULL);
"""


@dataclass(frozen=True, kw_only=True)
class Tag:
    """A name on some samples of one benchmark."""

    name: str
    benchmark: str
    benchmark_key: str
    """The benchmark as it was read when the samples were tagged."""
    samples: int
    """How many carry it; never 0."""
    description: str
    """How they were chosen, a sentence a line; may be empty. Plain text."""
    created: str
    """ISO 8601, UTC."""


def tags(cache: Path, benchmark: str | None = None) -> list[Tag]:
    """Return the tags by name; those of one benchmark, or of all.

    Raises
    ------
    CacheError
        If the file is busy, damaged or from a newer PIDscope; as for every function here.
    """
    with _reading(cache) as connection:
        if connection is None:
            return []
        rows = connection.execute(
            """SELECT name, benchmark, benchmark_key, count(*), description, created
               FROM tags JOIN tagged USING (tag_id) WHERE ?1 IS NULL OR benchmark = ?1
               GROUP BY tag_id ORDER BY name, benchmark, benchmark_key""",
            [benchmark],
        ).fetchall()
    return [
        Tag(name=row[0], benchmark=row[1], benchmark_key=row[2], samples=row[3],
            description=row[4], created=row[5])
        for row in rows
    ]  # fmt: skip


def find(cache: Path, name: str, benchmark: str | None = None) -> Tag:
    """Return the tag of a name.

    Parameters
    ----------
    cache
        The cache folder.
    name
        The tag's.
    benchmark
        The benchmark's name or key; None where only one has such a tag.

    Raises
    ------
    CacheError
        If there is none, or more than one.
    """
    there = tags(cache)
    found = [
        tag
        for tag in there
        if tag.name == name and benchmark in (None, tag.benchmark, tag.benchmark_key)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(f"{tag.benchmark} ({tag.benchmark_key})" for tag in found)
        raise CacheError(
            f"{len(found)} benchmarks have a tag {name!r}: {several}; say which with --benchmark"
        )
    where = "" if benchmark is None else f" on {benchmark}"
    names = ", ".join(dict.fromkeys(tag.name for tag in there)) or "none"
    raise CacheError(f"there is no tag {name!r}{where}; the tags of this cache: {names}")


def tagged(cache: Path, name: str, benchmark_key: str) -> tuple[str, ...]:
    """Return the ids of the samples that carry a tag, in the order they were added."""
    with _reading(cache) as connection:
        if connection is None:
            return ()
        rows = connection.execute(
            """SELECT sample_id FROM tagged JOIN tags USING (tag_id)
               WHERE name = ? AND benchmark_key = ? ORDER BY place""",
            [name, benchmark_key],
        ).fetchall()
    return tuple(row[0] for row in rows)


def tags_of(cache: Path, benchmark_key: str, sample_id: str) -> tuple[str, ...]:
    """Return the names of the tags on a sample, by name."""
    with _reading(cache) as connection:
        if connection is None:
            return ()
        rows = connection.execute(
            """SELECT name FROM tagged JOIN tags USING (tag_id)
               WHERE sample_id = ? AND benchmark_key = ? ORDER BY name""",
            [sample_id, benchmark_key],
        ).fetchall()
    return tuple(row[0] for row in rows)


def add(
    cache: Path,
    name: str,
    *,
    benchmark: str,
    benchmark_key: str,
    sample_ids: Iterable[str],
    description: str = "",
) -> int:
    """Put a tag on samples and return how many did not carry it; one that is there grows.

    Parameters
    ----------
    cache
        The cache folder.
    name
        1 to 60 printable characters without a space at either end.
    benchmark
        The benchmark's name.
    benchmark_key
        The key of the benchmark as it was read.
    sample_ids
        In the order that they are to be kept in; without any, nothing is made.
    description
        How the samples were chosen; joins what a tag that is there says, as a line of its own.

    Raises
    ------
    CacheError
        If the name or the description cannot be kept, or the file cannot be written.
    """
    checked_name(name)
    ids = list(sample_ids)
    if not ids:
        return 0
    with _writing(cache) as connection:
        found = connection.execute(
            "SELECT tag_id, description FROM tags WHERE name = ? AND benchmark_key = ?",
            [name, benchmark_key],
        ).fetchone()
        kept = _joined(found[1] if found else "", description, name)
        if found:
            tag_id = int(found[0])
            connection.execute("UPDATE tags SET description = ? WHERE tag_id = ?", [kept, tag_id])
        else:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            tag_id = connection.execute(
                """INSERT INTO tags (name, benchmark, benchmark_key, description, created)
                   VALUES (?, ?, ?, ?, ?)""",
                [name, benchmark, benchmark_key, kept, now],
            ).lastrowid
        before = connection.total_changes
        connection.executemany(
            "INSERT OR IGNORE INTO tagged (tag_id, sample_id) VALUES (?, ?)",
            ((tag_id, sample_id) for sample_id in ids),
        )
        return connection.total_changes - before


def take_off(
    cache: Path, name: str, benchmark_key: str, sample_ids: Sequence[str] | None = None
) -> int:
    """Take a tag off samples and return how many carried it; a tag on none is gone.

    Parameters
    ----------
    cache
        The cache folder.
    name
        The tag; one that is not there is on no sample.
    benchmark_key
        The key of its benchmark.
    sample_ids
        None means all: the tag is deleted.
    """
    if not tags_path(cache).is_file():
        return 0
    with _writing(cache) as connection:
        found = connection.execute(
            "SELECT tag_id FROM tags WHERE name = ? AND benchmark_key = ?", [name, benchmark_key]
        ).fetchone()
        if found is None:
            return 0
        before = connection.total_changes
        if sample_ids is None:
            connection.execute("DELETE FROM tagged WHERE tag_id = ?", [found[0]])
        else:
            connection.executemany(
                "DELETE FROM tagged WHERE tag_id = ? AND sample_id = ?",
                ((found[0], sample_id) for sample_id in sample_ids),
            )
        gone = connection.total_changes - before
        connection.execute(
            """DELETE FROM tags WHERE tag_id = ?1
               AND NOT EXISTS (SELECT 1 FROM tagged WHERE tag_id = ?1)""",
            [found[0]],
        )
        return gone


def version(cache: Path) -> str:
    """Return a text that changes with every change of the tags, "0" where there are none yet."""
    with _reading(cache) as connection:
        if connection is None:
            return "0"
        file, number = connection.execute("SELECT file, number FROM changes").fetchone()
    return f"{file}-{number}"


def checked_name(name: str) -> str:
    """Return the name of a tag if it can be one.

    Raises
    ------
    CacheError
        If it is empty, too long, or has characters that cannot be seen.
    """
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise CacheError(
            f"{name[:LONGEST_NAME]!r} cannot be a tag's name; give it 1 to {LONGEST_NAME} "
            "printable characters, without a space at either end"
        )
    return name


def _joined(old: str, new: str, name: str) -> str:
    """Return the lines of both descriptions, each once."""
    lines = dict.fromkeys(line for line in (*old.split("\n"), new) if line)
    joined = "\n".join(lines)
    if not all(line.isprintable() for line in lines) or len(joined) > LONGEST_DESCRIPTION:
        raise CacheError(
            f"the tag {name!r} can be described by up to {LONGEST_DESCRIPTION:,} printable "
            "characters; shorten its description"
        )
    return joined


@contextmanager
def _reading(cache: Path) -> Generator[sqlite3.Connection | None]:
    """Open the file for a query; None where there is none yet."""
    if not tags_path(cache).is_file():
        yield None
        return
    with _in_sentences(cache), contextlib.closing(_connect(cache, "ro")) as connection:
        yield connection if _version(connection, cache) else None


@contextmanager
def _writing(cache: Path) -> Generator[sqlite3.Connection]:
    """Open the file for one transaction, alone among writers; makes what is missing."""
    require_writing("change tags or slices")
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CacheError(
            f"the cache folder {cache} cannot be made ({error.strerror}); "
            "choose another with --cache"
        ) from error
    with _in_sentences(cache), contextlib.closing(_connect(cache, "rwc")) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection, cache) == 0:
                _make(connection)
            yield connection
            connection.execute("UPDATE changes SET number = number + 1")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _connect(cache: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{tags_path(cache).absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=PATIENCE,
        isolation_level=None,  # transactions are begun by hand
    )


def _make(connection: sqlite3.Connection) -> None:
    for statement in filter(str.strip, _TABLES.split(";")):  # a script would commit in between
        connection.execute(statement)
    # A file that was deleted and made again must not repeat the versions of the one before.
    connection.execute("INSERT INTO changes VALUES (?, 0)", [secrets.token_hex(6)])
    connection.execute(f"PRAGMA user_version={TAGS_VERSION}")


def _version(connection: sqlite3.Connection, cache: Path) -> int:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > TAGS_VERSION:
        raise SchemaTooNew(
            f"{tags_path(cache)} was written by a newer PIDscope (schema {found}, this one reads "
            f"{TAGS_VERSION}); upgrade or choose another folder with --cache"
        )
    return found


@contextmanager
def _in_sentences(cache: Path) -> Generator[None]:
    """Turn what SQLite says about files, locks and disks into sentences; SQL errors stay bugs."""
    path = tags_path(cache)
    try:
        yield
    except sqlite3.DatabaseError as error:
        reason = str(error)
        if "locked" in reason:
            raise CacheBusy(
                f"{path} was in use by another process for {PATIENCE:g} s; try again in a moment"
            ) from error
        if re.search("full|disk I/O|unable to open|readonly", reason):
            raise CacheError(
                f"the tags in {path} cannot be read or written ({reason}); check the disk and "
                "who may write there"
            ) from error
        if re.search("not a database|malformed", reason):
            raise CacheDamaged(
                f"{path} is damaged ({reason}); it holds tags and saved slices, no results: put a "
                "copy of it back, or move it away"
            ) from error
        raise
