"""What a cache could do without: listed with its reason, removed only when somebody says so.

Some of it says nothing that is not said elsewhere (`is_safe`): a chunk whose every row another
chunk has, an unfinished file of a process that was killed. The rest somebody may still want.
"""

import contextlib
import shutil
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from data_cache import derived, encoded_images, jobs
from data_cache.atomic import TEMPORARY_SUFFIX, is_being_written
from data_cache.chunks import read_plan
from data_cache.errors import CacheBusy, CacheError
from data_cache.location import (
    SAMPLES,
    exports_directory,
    quarantine_directory,
    run_directory,
    samples_directory,
    spool_directory,
    vision_directory,
)
from data_cache.permission import require_writing
from data_cache.plan import CHUNK_NAME, ChunkPlan, largest_first
from data_cache.runs import Sidecar, canonical_json, read_sidecar
from data_cache.store import exclusive

UNFINISHED_SECONDS = 3600.0
"""An unfinished file that is younger may belong to a living process."""
RENEWED = ("weights", "benchmark_key", "noise", "version")
"""What differs between a run and the one that took its place: the model's files or the benchmark's
changed under an unchanged name."""


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """One thing that could go."""

    kind: str
    """What it is, in a word or two."""
    path: Path
    """A file, or a folder with all that is in it."""
    why: str
    """One sentence without a full stop, plain text."""
    size: int
    """Bytes."""
    is_safe: bool
    """Nothing that anybody can see goes with it."""


def leftovers(cache: Path, *, now: float | None = None) -> list[Leftover]:
    """List what a cache could do without; nothing is touched.

    Parameters
    ----------
    cache
        The cache folder.
    now
        Seconds since the epoch.
    """
    sidecars = _sidecars(cache)
    return [
        *_unfinished(cache, time.time() if now is None else now),
        *_covered(cache, sidecars),
        *_renewed(cache, sidecars),
        *_without_runs(cache, sidecars),
        *_whole(quarantine_directory(cache), "set aside", "broke a rule and gives no rows"),
        *_older_results(cache),
        *_encoded_images(cache),
        *_whole(exports_directory(cache), "export", "was written for somebody to take along"),
    ]


def remove(cache: Path, found: Iterable[Leftover]) -> int:
    """Remove what was listed; returns the bytes that were freed.

    Where runs or samples went, the database still has their rows until it is rebuilt.

    Raises
    ------
    CacheBusy
        If a job is at work in this cache, or another process writes to it.
    CacheError
        If something cannot be removed; what went before it is gone.
    """
    require_writing("remove anything")
    busy = [job for job in jobs.jobs(cache, limit=-1) if job.is_active]
    if busy:
        raise CacheBusy(
            f"the job {busy[0].job_key} is at work in {cache}; wait for it, or cancel it, and "
            "clean up then"
        )
    freed = 0
    with exclusive(cache):
        for one in found:
            try:
                if one.path.is_dir():
                    shutil.rmtree(one.path)
                else:
                    one.path.unlink(missing_ok=True)
            except OSError as error:
                raise CacheError(f"{one.path} cannot be removed ({error.strerror})") from error
            freed += one.size
    return freed


def _sidecars(cache: Path) -> dict[str, Sidecar]:
    found: dict[str, Sidecar] = {}
    for path in spool_directory(cache).glob("*/run.json"):
        with contextlib.suppress(CacheError):  # the check-up names it; it is nobody's leftover
            found[path.parent.name] = read_sidecar(cache, path.parent.name)
    return found


def _unfinished(cache: Path, now: float) -> Iterable[Leftover]:
    for path in sorted(cache.rglob(f".*{TEMPORARY_SUFFIX}*")):
        with contextlib.suppress(FileNotFoundError):  # it has just been finished
            age = now - path.stat().st_mtime
            if age > UNFINISHED_SECONDS and not is_being_written(path):
                yield Leftover(
                    kind="unfinished",
                    path=path,
                    why=f"was left behind {age / 3600:.0f} hours ago by a process that ended",
                    size=_size(path),
                    is_safe=True,
                )


def _covered(cache: Path, keys: Iterable[str]) -> Iterable[Leftover]:
    for key in sorted(keys):
        blocks: dict[int, dict[ChunkPlan, Path]] = defaultdict(dict)
        for path in sorted(run_directory(cache, key).glob("*.parquet")):
            if CHUNK_NAME.fullmatch(path.name):
                with contextlib.suppress(CacheError):
                    plan = read_plan(path)
                    blocks[plan.index][plan] = path
        for chunks in blocks.values():
            kept: list[ChunkPlan] = []
            for plan in largest_first(chunks):
                cover = next((other for other in kept if other.covers(plan)), None)
                if cover is None:
                    kept.append(plan)
                    continue
                yield Leftover(
                    kind="covered chunk",
                    path=chunks[plan],
                    why=f"has no row that {cover.name} has not",
                    size=_size(chunks[plan]),
                    is_safe=True,
                )


def _renewed(cache: Path, sidecars: dict[str, Sidecar]) -> Iterable[Leftover]:
    alike: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for key, sidecar in sidecars.items():
        same = {name: value for name, value in sidecar.config.items() if name not in RENEWED}
        # Two ways of dividing one benchmark are two benchmarks: neither replaces the other.
        same["asked"] = sidecar.environment.get("asked")
        alike[canonical_json(same)].append((_last_written(run_directory(cache, key)), key))
    for runs in alike.values():
        *older, (_, newest) = sorted(runs)
        for _, key in older:
            mine, its = sidecars[key].config, sidecars[newest].config
            differs = [name for name in RENEWED if mine.get(name) != its.get(name)]
            if not {"weights", "benchmark_key", "version"} & set(differs):
                continue
            yield Leftover(
                kind="renewed run",
                path=run_directory(cache, key),
                why=f"{mine['model']} on {mine['benchmark']} was measured again as {newest}, with "
                f"other {' and '.join(name.replace('_', ' ') for name in differs)}",
                size=_size(run_directory(cache, key)),
                is_safe=False,
            )


def _without_runs(cache: Path, sidecars: dict[str, Sidecar]) -> Iterable[Leftover]:
    used = {str(one.config["benchmark_key"]) for one in sidecars.values()}
    for folder in sorted((spool_directory(cache) / SAMPLES).glob("*")):
        if folder.is_dir() and folder.name not in used:
            yield Leftover(
                kind="samples",
                path=samples_directory(cache, folder.name),
                why="belong to a benchmark that no run of this cache was measured on",
                size=_size(folder),
                is_safe=False,
            )
    for folder in sorted(spool_directory(cache).glob("*")):
        if folder.is_dir() and folder.name not in {*sidecars, SAMPLES, "quarantine"}:
            yield Leftover(
                kind="nameless run",
                path=folder,
                why="has no readable run.json, so that nobody knows what was measured",
                size=_size(folder),
                is_safe=False,
            )


def _older_results(cache: Path) -> Iterable[Leftover]:
    with contextlib.suppress(CacheError):  # without a database nobody knows which are older
        for one in derived.listed(cache):
            if not one.is_current:
                yield Leftover(
                    kind="older result",
                    path=one.path,
                    why="was computed from what is not stored any more"
                    if one.is_whole
                    else "is damaged, and is computed again when somebody asks",
                    size=one.size,
                    is_safe=True,
                )


def _encoded_images(cache: Path) -> Iterable[Leftover]:
    for folder in sorted(vision_directory(cache).glob("*")):
        files = encoded_images.listed(folder)
        last = max((used for _, _, used in files), default=0.0)
        day = datetime.fromtimestamp(last, UTC).date().isoformat()
        yield Leftover(
            kind="encoded images",
            path=folder,
            why=f"{len(files)} images as one model's encoder gave them, last used on {day}; a run "
            "that needs them again makes them again",
            size=sum(size for _, size, _ in files),
            is_safe=False,
        )


def _whole(folder: Path, kind: str, why: str) -> Iterable[Leftover]:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file():
            yield Leftover(kind=kind, path=path, why=why, size=_size(path), is_safe=False)


def _last_written(folder: Path) -> float:
    return max((path.stat().st_mtime for path in folder.rglob("*") if path.is_file()), default=0.0)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(one.stat().st_size for one in files if one.is_file())
