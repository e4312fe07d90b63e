"""What comes with the program: the demo's chunks, copied into a cache and ingested."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data_cache.atomic import write_atomically
from data_cache.errors import CacheError
from data_cache.ingest import IngestReport, ingest
from data_cache.location import spool_directory
from data_cache.patch_effects import FOLDER
from data_cache.spool import scan

DEMO_DIRECTORY = Path(__file__).parent / "demo"
ZOO = "zoo"
"""Folder below it with a spool of its own: runs of the zoo and of its checkpoints."""


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """What loading the demo did."""

    copied: int
    """Files that were not in the cache's spool yet."""
    present: int
    """Files that were, and stayed as they were."""
    ingest: IngestReport


def load_demo(
    cache: Path,
    *,
    source: Path = DEMO_DIRECTORY,
    zoo: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> DemoReport:
    """Copy what is missing of the shipped spool into a cache, and ingest it.

    Parameters
    ----------
    cache
        The cache folder; made if it is missing.
    source
        A cache folder to copy from.
    zoo
        Whether to copy the models of the zoo and their checkpoints too.
    progress
        Told how many files lie in the cache's spool, and of how many; when all do, they are
        ingested.

    Raises
    ------
    CacheError
        If nothing is shipped, the disk is full, or the database cannot be written.
    """
    files = list(scan(source))
    if not files:
        raise CacheError(
            f"no demo chunks in {spool_directory(source)}; install PIDscope again, or make them "
            "with `python -m model_runners demo train oracle`"
        )
    if zoo:
        files += scan(source / ZOO)
    shipped = {file.name: file.path for file in files}
    for folder in (source, source / ZOO) if zoo else (source,):
        spool = spool_directory(folder)
        shipped |= {
            path.relative_to(spool).as_posix(): path for path in spool.glob(f"*/{FOLDER}/*.parquet")
        }
    copied = 0
    for place, (name, path) in enumerate(shipped.items()):
        progress(place, len(shipped))
        target = spool_directory(cache) / name
        if not target.exists():
            write_atomically(target, path.read_bytes())
            copied += 1
    progress(len(shipped), len(shipped))
    return DemoReport(copied=copied, present=len(shipped) - copied, ingest=ingest(cache))
