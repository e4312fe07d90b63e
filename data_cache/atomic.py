"""How a file appears whole or not at all: temporary name, fsync, rename, fsync of the folder."""

import contextlib
import os
import re
import secrets
import time
from pathlib import Path

from data_cache.errors import CacheError
from data_cache.permission import require_writing

TEMPORARY_SUFFIX = ".tmp"


def write_atomically(path: Path, content: bytes) -> Path:
    """Write `content` so that no reader and no crash ever sees half of it.

    Raises
    ------
    CacheError
        If the disk is full or the folder cannot be written; the temporary file is removed.
    ReadOnly
        If nothing may be written.
    """
    require_writing(f"write {path.name}")
    temporary = temporary_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)  # after the rename there is none
        sync_directory(path.parent)
    except OSError as error:
        raise CacheError(
            f"{path} could not be written ({error.strerror}); "
            "free some space, or choose another folder with --cache"
        ) from error
    return path


def temporary_path(path: Path) -> Path:
    """Return a hidden, unique name beside `path`; scans of the spool pass over hidden names."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")


def is_being_written(path: Path) -> bool:
    """Whether the process that a temporary file is named after may still be at it.

    A process of another machine that shares the folder cannot be looked for.
    """
    found = re.search(rf"\.(\d+)-[0-9a-f]{{8}}{re.escape(TEMPORARY_SUFFIX)}", path.name)
    if found is None or os.name == "nt":  # there, looking for a process would end it
        return False
    try:
        os.kill(int(found[1]), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True


def sync_directory(directory: Path) -> None:
    """Make a rename inside `directory` durable."""
    if os.name == "nt":  # Windows cannot open a folder; its renames are journalled
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep_temporary_files(directory: Path, *, older_than: float = 3600.0) -> int:
    """Remove what killed writers left behind, if it is older than `older_than` seconds.

    What a living process may still be writing stays: a clock that jumps ahead makes it old.
    """
    limit = time.time() - older_than
    swept = 0
    for path in directory.rglob(f".*{TEMPORARY_SUFFIX}*"):
        with contextlib.suppress(FileNotFoundError):  # its writer has just renamed it
            if path.stat().st_mtime < limit and not is_being_written(path):
                path.unlink()
                swept += 1
    return swept
