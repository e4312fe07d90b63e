"""Which checkpoints a training has, measured or not: one small file in the cache per trajectory.

The runs of a cache say what was measured; what is still missing is known from here only.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from data_cache.atomic import write_atomically
from data_cache.checkpoints import Checkpoint, checkpoint_from
from data_cache.errors import CacheError
from data_cache.location import trajectories_directory
from data_cache.runs import hash_text

Kind = Literal["folder", "trainer", "revisions", "adapters", "callback"]
"""What it was found as: a folder with trajectory.json, the Trainer's folders, revisions of a
repository on the hub, adapters of one base, or measured by a callback while it was trained."""
VERSION = 1

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One checkpoint and where it lies."""

    checkpoint: Checkpoint
    location: str
    """What a model is loaded from: a folder, or a repository with its revision behind an @; empty
    where it was measured without being stored."""


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """A sequence of checkpoints of one model."""

    name: str
    kind: Kind
    source: tuple[str, ...]
    """What was given to find it, so that it means the same in every working directory."""
    revisions: tuple[str, ...] = ()
    """Where they are revisions, which."""
    points: tuple[Point, ...]
    """By their steps."""

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages in the order in which they were trained."""
        return tuple(dict.fromkeys(point.checkpoint.stage for point in self.points))


def write_trajectory(cache: Path, trajectory: Trajectory) -> Path:
    """Keep what checkpoints there are; what was known of a trajectory of that name is replaced.

    Raises
    ------
    CacheError
        If it has no checkpoint, one of them is of another trajectory, steps do not grow, or the
        disk is full.
    """
    check_trajectory(trajectory)
    content = {
        "schema_version": VERSION,
        "name": trajectory.name,
        "kind": trajectory.kind,
        "source": list(trajectory.source),
        "revisions": list(trajectory.revisions),
        "checkpoints": [
            {**point.checkpoint.to_dict(), "location": point.location}
            for point in trajectory.points
        ],
    }
    text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    path = trajectories_directory(cache) / f"{hash_text(trajectory.name, 16)}.json"
    if path.is_file() and path.read_bytes() == text.encode():
        return path
    return write_atomically(path, text.encode())


def trajectories(cache: Path) -> list[Trajectory]:
    """Return the known trajectories by name; a broken file is passed over with a line in the log.

    None where there is no folder yet.
    """
    folder = trajectories_directory(cache)
    found: list[Trajectory] = []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            found.append(_read(path))
        except CacheError as error:
            log.warning("a trajectory is passed over: %s", error)
    return sorted(found, key=lambda one: one.name)


def _read(path: Path) -> Trajectory:
    try:
        content = cast("dict[str, Any]", json.loads(path.read_text("utf-8")))
        if int(content["schema_version"]) > VERSION:
            raise CacheError(f"{path} was written by a newer PIDscope; upgrade")
        if content["kind"] not in get_args(Kind):
            raise ValueError(f"there is no kind {content['kind']!r}")
        one = Trajectory(
            name=str(content["name"]),
            kind=content["kind"],
            source=tuple(map(str, content["source"])),
            revisions=tuple(map(str, content["revisions"])),
            points=tuple(_point(item) for item in content["checkpoints"]),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CacheError(f"{path} is no trajectory ({error}); remove it") from error
    check_trajectory(one)
    return one


def _point(item: Mapping[str, Any]) -> Point:
    said = dict(item)
    location = str(said.pop("location"))
    return Point(checkpoint=checkpoint_from(said), location=location)


def check_trajectory(one: Trajectory) -> None:
    """Refuse a sequence that is none.

    Raises
    ------
    CacheError
        If it has no checkpoint, one of them is of another trajectory, steps do not grow, or a stage
        begins again.
    """
    steps = [point.checkpoint.step for point in one.points]
    others = {point.checkpoint.trajectory for point in one.points} - {one.name}
    if not steps or others:
        what = f"checkpoints of {', '.join(sorted(others))}" if others else "no checkpoints"
        raise CacheError(f"the trajectory {one.name!r} has {what}; give its own")
    if sorted(set(steps)) != steps:
        raise CacheError(
            f"the steps of the trajectory {one.name!r} must grow from checkpoint to checkpoint; "
            f"got {', '.join(map(str, steps))}"
        )
    stages = [point.checkpoint.stage for point in one.points]
    changes = [stage for place, stage in enumerate(stages) if stages[place - 1 : place] != [stage]]
    if len(changes) != len(one.stages):
        raise CacheError(
            f"a stage of the trajectory {one.name!r} begins again after another one: "
            f"{', '.join(changes)}; give it a name of its own"
        )
