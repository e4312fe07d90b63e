"""Which files the spool holds, and what becomes of one that breaks a rule."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from data_cache.atomic import write_atomically
from data_cache.errors import CacheError
from data_cache.location import QUARANTINE, SAMPLES, quarantine_directory, spool_directory
from data_cache.plan import CHUNK_NAME
from data_cache.runs import SIDECAR_NAME


class Kind(StrEnum):
    """What a file of the spool is, in the order of ingest."""

    RUN = "run"
    SAMPLES = "samples"
    PREDICTIONS = "predictions"
    ESTIMATE = "estimate"


@dataclass(frozen=True, kw_only=True)
class SpoolFile:
    """One file of the spool, as its folder lists it."""

    name: str
    """Path below the spool, with slashes; the ledger's key."""
    path: Path
    kind: Kind
    owner: str
    """Run key, or benchmark key for samples."""
    block: int | None
    """The block of a chunk; None for sidecars and estimates."""
    fingerprint: str
    """Size and time: it changes when the file is replaced."""
    size: int
    """Bytes."""


def scan(cache: Path, run_keys: Collection[str] | None = None) -> Iterator[SpoolFile]:
    """List the spool in order of name: all samples, and the runs named (None: all runs).

    Hidden names are unfinished files and are passed over, and so is whatever has no name of ours.
    """
    spool = spool_directory(cache)
    for folder in _folders(spool / SAMPLES):
        yield from _listed(spool, folder, Kind.SAMPLES, folder.name)
    for folder in _folders(spool):
        if folder.name in {SAMPLES, QUARANTINE}:
            continue
        if run_keys is None or folder.name in run_keys:
            yield from _listed(spool, folder, Kind.PREDICTIONS, folder.name)
            yield from _listed(spool, folder / "estimates", Kind.ESTIMATE, folder.name)


def quarantine(cache: Path, file: SpoolFile, reason: str) -> Path:
    """Move a bad file out of the way and write beside it what is wrong.

    Raises
    ------
    CacheError
        If the disk is full or the file cannot be moved.
    """
    target = quarantine_directory(cache) / file.name
    write_atomically(target.with_name(f"{target.name}.txt"), f"{reason}\n".encode())
    try:
        os.replace(file.path, target)
    except OSError as error:
        raise CacheError(
            f"{file.path} is bad ({reason}) and cannot be moved away: {error.strerror}; remove it"
        ) from error
    return target


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.is_dir() and path.name[0] != ".")


def _listed(spool: Path, folder: Path, kind: Kind, owner: str) -> Iterator[SpoolFile]:
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        name = entry.name
        found: tuple[Kind, int | None] | None = None
        if kind is Kind.PREDICTIONS and name == SIDECAR_NAME:
            found = Kind.RUN, None
        elif kind is Kind.ESTIMATE and name.endswith(".parquet") and name[0] != ".":
            found = Kind.ESTIMATE, None
        elif kind is not Kind.ESTIMATE and (match := CHUNK_NAME.fullmatch(name)):
            found = kind, int(match[1])
        if found is None:
            continue
        try:
            status = entry.stat()
        except FileNotFoundError:  # another process has just quarantined it
            continue
        yield SpoolFile(
            name=Path(entry.path).relative_to(spool).as_posix(),
            path=Path(entry.path),
            kind=found[0],
            owner=owner,
            block=found[1],
            fingerprint=f"{status.st_size}-{status.st_mtime_ns}",
            size=status.st_size,
        )
