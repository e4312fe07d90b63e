"""Where the time of runs went: a note beside the cache, one entry for each start that computed.

It is a note for people: what a run is and what it lacks is read from its chunks alone.
"""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from data_cache.atomic import write_atomically
from data_cache.location import times_path

VERSION = 1
MOST = 20
"""Entries that are kept of a run, the newest."""


@dataclass(frozen=True, kw_only=True)
class RunTime:
    """Where the time of one start of a run went."""

    ended: str
    """UTC, ISO 8601."""
    wall: float
    """Seconds from start to end."""
    parts: dict[str, float]
    """Seconds by part; `beside` is not in it."""
    beside: float = 0.0
    """Seconds of pre-processing that went on beside the model, on other cores."""
    samples: int
    """That were computed."""
    passes: int
    """Sequences through the text stack."""
    rows: int
    """Sequences in one pass, at the end."""
    draws: int
    device: str
    device_name: str
    dtype: str
    threads: int
    """Of torch on the CPU."""
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """`positions` that the text stack read, `padding` among them, `shared` that it did not have to
    read again, `images_encoded` and `images_read` from the disk."""

    @property
    def other(self) -> float:
        """Seconds that belong to no part."""
        return max(self.wall - sum(self.parts.values()), 0.0)


def note_time(cache: Path, run_key: str, entry: RunTime) -> None:
    """Add an entry to those of a run.

    Raises
    ------
    CacheError
        If the disk is full.
    """
    entries = [*times_of(cache, run_key), entry][-MOST:]
    content = {"schema_version": VERSION, "entries": [asdict(one) for one in entries]}
    write_atomically(times_path(cache, run_key), f"{json.dumps(content, indent=1)}\n".encode())


def times_of(cache: Path, run_key: str) -> list[RunTime]:
    """Return the entries of a run, the newest last; nothing where they cannot be read."""
    found: list[RunTime] = []
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads(times_path(cache, run_key).read_text("utf-8"))
        for one in content["entries"]:
            with contextlib.suppress(ValueError, KeyError, TypeError):  # of a newer version
                found.append(_entry(cast(Mapping[str, Any], one)))
    return found


def timed_runs(cache: Path) -> list[str]:
    """Return the keys of all runs with an entry, the newest entry first."""
    stamped: list[tuple[float, str]] = []
    for path in times_path(cache, "none").parent.glob("*.json"):
        with contextlib.suppress(OSError):
            stamped.append((path.stat().st_mtime, path.stem))
    return [key for _, key in sorted(stamped, reverse=True)]


def _entry(one: Mapping[str, Any]) -> RunTime:
    return RunTime(
        ended=str(one["ended"]),
        wall=float(one["wall"]),
        parts={str(name): float(seconds) for name, seconds in one["parts"].items()},
        beside=float(one["beside"]),
        samples=int(one["samples"]),
        passes=int(one["passes"]),
        rows=int(one["rows"]),
        draws=int(one["draws"]),
        device=str(one["device"]),
        device_name=str(one["device_name"]),
        dtype=str(one["dtype"]),
        threads=int(one["threads"]),
        counts={str(name): int(count) for name, count in one["counts"].items()},
    )
