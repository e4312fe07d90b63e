"""What was computed from stored results, kept as one file per question beside them.

A correlation over models with its bootstrap takes seconds, and says the same until something that
it was read from changes. So a result is kept under a fingerprint of exactly that: the code that
computes it, the estimates, answers and samples that it reads, and whatever else its caller gives
it. Nothing is ever updated: other inputs have another fingerprint, under which there is no file
yet. The folder can be deleted at any time; it is made again, by whoever asks next.
"""

import contextlib
import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from data_cache.atomic import write_atomically
from data_cache.errors import CacheError
from data_cache.location import derived_directory
from data_cache.permission import refusal, require_writing
from data_cache.plain import plain, rebuilt
from data_cache.runs import canonical_json, hash_text
from data_cache.store import data_version, reader

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a result is read from, as far as the cache holds it."""

    estimates: tuple[str, ...] = ()
    """Keys of estimates: their records, rows, and the groups of their samples."""
    split: str | None = None
    estimator: str | None = None
    benchmark: str | None = None
    """All estimates of this split, estimator and benchmark, of all layers; None is any. Without a
    split there are none but the named ones."""
    answers: bool = False
    """Whether it reads what the runs of these estimates answered, too."""
    files: tuple[str, ...] = ()
    """Paths below the cache folder, of files or of folders whose files are read."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a result answers."""

    name: str
    """Of the computation: a folder of its own."""
    version: str
    """Of the code that computes it."""
    asked: Mapping[str, Any]
    """Plain JSON; of one question only the newest answer is kept."""
    given: Any = None
    """Plain JSON: what the caller read elsewhere and hands to the computation."""
    inputs: Inputs


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One file of the folder."""

    path: Path
    name: str
    version: str
    fingerprint: str
    size: int
    """Bytes."""
    is_whole: bool
    """Whether it can be read, and has the checksum that it was written with."""
    is_current: bool
    """Whether it is whole and its inputs are still those that it was computed from."""


def fingerprint(cache: Path, question: Question) -> str:
    """Return the 32 hexadecimal digits that change with anything that an answer depends on.

    Raises
    ------
    CacheError
        If the database cannot be read, see `store.reader`.
    """
    with reader(cache) as connection:
        state = _state(connection, cache, question.inputs)
    return _fingerprint(question.version, question.asked, _digest(question.given), state)


def once(
    cache: Path,
    question: Question,
    make: Callable[[], Any],
    *,
    seen: str | None = None,
) -> Any:
    """Return the answer to a question as plain JSON: the kept one, else what `make` makes.

    Parameters
    ----------
    cache
        The cache folder.
    question
        What is asked.
    make
        Computes the answer, plain JSON (see `data_cache.plain`). It is kept unless somebody wrote
        to what it is read from meanwhile: then nobody knows which of the two it was read from.
    seen
        `data_version` at which the caller read what it hands to `make`; None is now. Where the
        database is another one by now, no file is read or written.

    Raises
    ------
    CacheError
        If the database cannot be read. A folder that cannot be written costs time only.
    """
    before = data_version(cache) if seen is None else seen
    key = fingerprint(cache, question)
    is_same = data_version(cache) == before
    if is_same:
        found = find(cache, question, key)
        if found is not None:
            return found
    answer = make()
    may_keep = is_same and refusal() is None
    if may_keep and data_version(cache) == before and fingerprint(cache, question) == key:
        try:
            keep(cache, question, key, answer)
        except CacheError as error:
            log.warning("a result is not kept and will be computed again: %s", error)
    return answer


def find(cache: Path, question: Question, key: str) -> Any:
    """Return the answer under a fingerprint; None where there is none that can be read."""
    path = _path(cache, question, key)
    try:
        content = path.read_bytes()
        if _head(content)["fingerprint"] != key:
            raise ValueError("it has another one's content")
        return json.loads(content.split(b"\n", 1)[1])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be read (%s); its result is computed again", path, error)
        return None


def keep(cache: Path, question: Question, key: str, answer: Any) -> Path:
    """Write an answer and take away older ones of the same question.

    Raises
    ------
    CacheError
        If the disk is full or the folder cannot be written.
    """
    text = json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode()
    head = {
        "version": question.version,
        "asked": dict(question.asked),
        "given": _digest(question.given),
        "inputs": plain(question.inputs),
        "fingerprint": key,
        "sha256": hashlib.sha256(text).hexdigest(),
    }
    path = _path(cache, question, key)
    line = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode()
    write_atomically(path, line + b"\n" + text)
    for other in path.parent.glob(f"{path.name.split('-')[0]}-*.json"):
        if other != path:
            other.unlink(missing_ok=True)
    return path


def listed(cache: Path) -> list[Kept]:
    """Return all files with whether their inputs are still the same.

    What the caller of a computation had given, and its code, are taken to be the same: only they
    know.

    Raises
    ------
    CacheError
        If the database cannot be read.
    """
    paths = sorted(derived_directory(cache).glob("*/*.json"))
    if not paths:
        return []
    with reader(cache) as connection:
        return [_kept(connection, cache, path) for path in paths]


def sweep(cache: Path, versions: Mapping[str, str]) -> int:
    """Remove what nobody will ask for again; returns how many files went.

    Parameters
    ----------
    cache
        The cache folder.
    versions
        Of the code, by the name of the computation; files of other names and versions go.

    Raises
    ------
    CacheError
        If the database cannot be read.
    """
    require_writing("remove older results")
    gone = [
        one for one in listed(cache) if not one.is_current or versions.get(one.name) != one.version
    ]
    for one in gone:
        with contextlib.suppress(OSError):
            one.path.unlink(missing_ok=True)
    return len(gone)


def _kept(connection: duckdb.DuckDBPyConnection, cache: Path, path: Path) -> Kept:
    version = key = ""
    is_whole, is_current, size = False, False, 0
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        content = path.read_bytes()
        size = len(content)
        about = _head(content)
        version, key = str(about["version"]), str(about["fingerprint"])
        state = _state(connection, cache, rebuilt(Inputs, about["inputs"]))
        is_whole = True
        is_current = key == _fingerprint(version, about["asked"], about["given"], state)
    return Kept(
        path=path,
        name=path.parent.name,
        version=version,
        fingerprint=key,
        size=size,
        is_whole=is_whole,
        is_current=is_current,
    )


def _head(content: bytes) -> dict[str, Any]:
    """Return the first line of a file; ValueError or KeyError where the second is another one."""
    head, text = content.split(b"\n", 1)
    about = json.loads(head)
    if about["sha256"] != hashlib.sha256(text).hexdigest():
        raise ValueError("its content is not what was written")
    return about


def _state(connection: duckdb.DuckDBPyConnection, cache: Path, inputs: Inputs) -> str:
    """Return a digest of everything that the inputs name, as it is now."""
    digest = hashlib.sha256()
    # The record is hashed beside its file's size and time: a cache may have been made without files
    # (tests), or copied to where times say nothing.
    rows = connection.execute(
        """WITH chosen AS (
               SELECT estimate_key, run_key, benchmark_key, md5(record) AS content
               FROM estimates JOIN runs USING (run_key)
               WHERE estimate_key IN (SELECT unnest($estimates::VARCHAR[]))
                  OR (split = $split
                      AND ($estimator IS NULL OR estimator = $estimator)
                      AND ($benchmark IS NULL OR estimates.benchmark = $benchmark))
           )
           SELECT 'estimate', estimate_key, content, coalesce(fingerprint, '')
           FROM chosen LEFT JOIN files
                ON files.name = run_key || '/estimates/' || estimate_key || '.parquet'
           UNION ALL
           SELECT kind, name, fingerprint, coalesce(superseded_by, '') FROM files
           WHERE (kind = 'samples' AND owner IN (SELECT benchmark_key FROM chosen))
              OR ($answers AND kind IN ('run', 'predictions')
                  AND owner IN (SELECT run_key FROM chosen))
           ORDER BY ALL""",
        {
            "estimates": list(inputs.estimates),
            "split": inputs.split,
            "estimator": inputs.estimator,
            "benchmark": inputs.benchmark,
            "answers": inputs.answers,
        },
    ).fetchall()
    for row in rows:
        digest.update(repr(row).encode())
    for name, size, changed in _files(cache, inputs.files):
        digest.update(repr((name, size, changed)).encode())
    return digest.hexdigest()


def _files(cache: Path, names: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """Return name, size and time of files, and of those that lie in a folder."""
    for name in names:
        path = cache / name
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        for one in inside:
            if one.name.startswith("."):
                continue
            with contextlib.suppress(FileNotFoundError):
                status = one.stat()
                yield one.relative_to(cache).as_posix(), status.st_size, status.st_mtime_ns


def _fingerprint(version: str, asked: Mapping[str, Any], given: str, state: str) -> str:
    return hash_text(canonical_json([version, dict(asked), given, state]), 32)


def _digest(given: Any) -> str:
    # What is given may hold NaN, which canonical JSON refuses.
    return hash_text(json.dumps(given, sort_keys=True, ensure_ascii=False), 32)


def _path(cache: Path, question: Question, key: str) -> Path:
    slot = hash_text(canonical_json(dict(question.asked)), 12)
    return derived_directory(cache) / question.name / f"{slot}-{key}.json"
