"""`compact`: give back the room of what is kept twice, without losing a number."""

import argparse
import contextlib
import sqlite3
import sys
from pathlib import Path

from data_cache.location import cache_directory, jobs_path, tags_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Drop covered chunks and unfinished files, and make the database anew without gaps."""
    from data_cache.ingest import rebuild
    from data_cache.leftovers import leftovers, remove

    cache = cache_directory(arguments.cache)
    before = _size(cache)
    found = [one for one in leftovers(cache) if one.is_safe]
    remove(cache, found)
    if cache.is_dir():
        rebuild(cache)
        for path in (jobs_path(cache), tags_path(cache)):
            if path.is_file():
                with contextlib.closing(sqlite3.connect(path, timeout=10)) as connection:
                    connection.execute("VACUUM")
    print(
        f"{cache}: {before / 2**20:.1f} MiB before, {_size(cache) / 2**20:.1f} MiB now; "
        f"{len(found)} files that said nothing new are gone",
        file=sys.stderr,
    )
    return 0


def _size(cache: Path) -> int:
    return sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
