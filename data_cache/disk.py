"""How much room a cache takes on the disk, by what lies there, and how much is left."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from data_cache.location import (
    adapter_directory,
    database_path,
    databases_directory,
    spool_directory,
)


@dataclass(frozen=True, kw_only=True)
class DiskUse:
    """Bytes of a cache folder."""

    chunks: int
    """The record, from which the database can be made again."""
    database: int
    adapters: int
    rest: int
    """Images of benchmarks, statistics, tuned lenses, logs, jobs."""
    free: int
    """Left on the disk that it lies on."""

    @property
    def total(self) -> int:
        """What the whole folder takes."""
        return self.chunks + self.database + self.adapters + self.rest


def disk_use(cache: Path) -> DiskUse:
    """Add up the files of a cache; what vanishes meanwhile, or may not be read, counts nothing."""
    database = database_path(cache)
    files = [database, database.with_name(f"{database.name}.wal")]
    parts = {
        "chunks": _size(spool_directory(cache)),
        "database": sum(path.stat().st_size for path in files if path.is_file()),
        "adapters": _size(adapter_directory(cache)),
    }
    whole = _size(cache)
    databases = databases_directory(cache)
    if not databases.is_relative_to(cache):
        whole += _size(databases)
    return DiskUse(**parts, rest=whole - sum(parts.values()), free=_free(cache))


def _size(folder: Path) -> int:
    total = 0
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total


def _free(cache: Path) -> int:
    for folder in (cache, *cache.parents):
        if folder.is_dir():
            return shutil.disk_usage(folder).free
    return 0
