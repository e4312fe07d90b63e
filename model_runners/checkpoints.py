"""Which checkpoints a training has: in a folder, as revisions on the hub, or named one by one."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data_cache.checkpoints import Checkpoint
from data_cache.errors import CacheError
from data_cache.trajectories import Kind, Point, Trajectory, check_trajectory
from model_runners import registry
from model_runners.checkpoint_folders import Place, checked_folders
from model_runners.errors import BadTrajectory

FILE_NAME = "trajectory.json"
"""What makes a folder a trajectory, see docs/training.md."""
OF_TRAINER = re.compile(r"checkpoint-(\d+)")
"""How transformers' Trainer calls the folders of its checkpoints."""
_STEP = re.compile(r"step[-_]?(\d+)", re.IGNORECASE)
_STAGE = re.compile(r"(stage[-_]?\w+?)[-_]", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)(?!.*\d)")


def find_trajectory(
    sources: Sequence[str], *, revisions: Sequence[str] = (), name: str | None = None
) -> Trajectory:
    """Find the checkpoints of a training and check that they are one.

    Parameters
    ----------
    sources
        A folder with `trajectory.json` or with the Trainer's `checkpoint-*` folders; a repository
        on the hub, with revisions; or several folders of models or of adapters of one base, whose
        names end in their steps.
    revisions
        Branches, tags or commits of the repository, whose names say their steps.
    name
        What the trajectory is called; None takes the name in its file, of its folder or of its
        repository.

    Raises
    ------
    BadTrajectory
        If there is none, a checkpoint is missing or broken, they are of different models, or the
        steps do not grow.
    """
    if not sources:
        raise BadTrajectory("name a folder, a repository or the folders of several checkpoints")
    if revisions:
        return _of_revisions(sources, revisions, name)
    if len(sources) > 1:
        return _of_folders([_folder(source) for source in sources], name, "folder")
    if registry.is_hub_id(sources[0]) and not Path(sources[0]).expanduser().is_dir():
        raise BadTrajectory(
            f"of the repository {sources[0]} revisions are needed: --revisions step-100,step-200 "
            "(branches, tags or commits); a folder of that name is not here"
        )
    folder = _folder(sources[0])
    if (folder / FILE_NAME).is_file():
        return _of_file(folder, name)
    numbered = {
        int(match[1]): path
        for path in folder.iterdir()
        if path.is_dir() and (match := OF_TRAINER.fullmatch(path.name))
    }
    if not numbered:
        raise BadTrajectory(
            f"{folder} holds no training: it has neither {FILE_NAME} nor folders called "
            "checkpoint-STEP as transformers' Trainer writes them"
        )
    places = [Place(stage="", step=step, location=str(numbered[step])) for step in sorted(numbered)]
    return _checked(name or folder.name, "trainer", [str(folder)], places)


def _of_file(folder: Path, name: str | None) -> Trajectory:
    """Read `trajectory.json`."""
    path = folder / FILE_NAME
    try:
        content: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadTrajectory(f"{path} cannot be read ({error}); write it anew") from error
    if not isinstance(content, dict) or not isinstance(content.get("checkpoints"), list):
        raise BadTrajectory(f"{path} has no list of checkpoints; docs/training.md shows one")
    stages = content.get("stages")
    if stages is not None and not (
        isinstance(stages, list) and all(isinstance(stage, str) for stage in stages)
    ):
        raise BadTrajectory(f"the stages in {path} must be a list of names, in their order")
    places: list[Place] = []
    for number, item in enumerate(content["checkpoints"], start=1):
        where = f"checkpoint {number} in {path}"
        if not isinstance(item, dict) or not isinstance(item.get("step"), int):
            raise BadTrajectory(f"{where} needs a step, a whole number; got {item!r}")
        stage = item.get("stage", "")
        if stages is not None and stage not in stages:
            raise BadTrajectory(
                f"{where} is of stage {stage!r}, which is none of {', '.join(stages)}"
            )
        places.append(Place(stage=stage, step=item["step"], location=_place(item, folder, where)))
    places.sort(key=lambda place: place.step)
    begun = list(dict.fromkeys(place.stage for place in places))
    if stages is not None and begun != [stage for stage in stages if stage in begun]:
        raise BadTrajectory(
            f"the stages in {path} are {', '.join(stages)}, but by their steps they come as "
            f"{', '.join(begun)}; `step` counts from the start of the whole training"
        )
    called = name or content.get("name") or folder.name
    return _checked(str(called), "folder", [str(folder)], places)


def _place(item: dict[str, Any], folder: Path, where: str) -> str:
    """Return where the checkpoint of an entry lies."""
    named = item.get("folder")
    if not isinstance(named, str) or not named:
        raise BadTrajectory(f"{where} needs the name of its folder; got {item!r}")
    place = folder / named
    if not place.resolve().is_relative_to(folder.resolve()):
        raise BadTrajectory(f"{where} lies outside of {folder}: {named!r}; move it into it")
    return str(place)


def _of_revisions(sources: Sequence[str], revisions: Sequence[str], name: str | None) -> Trajectory:
    if len(sources) > 1 or not registry.is_hub_id(sources[0]):
        raise BadTrajectory(
            f"revisions belong to one repository on the hub such as owner/name; got "
            f"{', '.join(sources)}"
        )
    [repository] = sources
    places: list[Place] = []
    for revision in revisions:
        stage, rest = "", revision
        if (match := _STAGE.match(revision)) is not None:
            stage, rest = match[1], revision[match.end() :]
        step = _STEP.search(rest) or _NUMBER.search(rest)
        if step is None:
            raise BadTrajectory(
                f"the revision {revision!r} of {repository} does not say its step; name "
                "revisions such as step-1000 or stage1-step1000"
            )
        places.append(Place(stage=stage, step=int(step[1]), location=f"{repository}@{revision}"))
    places.sort(key=lambda place: place.step)
    return _checked(name or repository, "revisions", sources, places, revisions)


def _of_folders(folders: Sequence[Path], name: str | None, kind: Kind) -> Trajectory:
    """Take folders one by one; their names end in their steps."""
    places: list[Place] = []
    for folder in folders:
        step = _NUMBER.search(folder.name)
        if step is None:
            raise BadTrajectory(
                f"the name of {folder} does not end in its step; call it such as {folder.name}-100"
            )
        places.append(Place(stage="", step=int(step[1]), location=str(folder)))
    places.sort(key=lambda place: place.step)
    called = name or _NUMBER.sub("", folders[0].name).rstrip("-_.") or folders[0].parent.name
    return _checked(called, kind, list(map(str, folders)), places)


def _checked(
    name: str,
    kind: Kind,
    sources: Sequence[str],
    places: Sequence[Place],
    revisions: Sequence[str] = (),
) -> Trajectory:
    """Refuse checkpoints that are no models, or not of one training."""
    if kind != "revisions":
        kind, places = checked_folders(name, kind, places)
    try:
        trajectory = Trajectory(
            name=name,
            kind=kind,
            source=tuple(sources),
            revisions=tuple(revisions),
            points=tuple(
                Point(
                    checkpoint=Checkpoint(trajectory=name, stage=place.stage, step=place.step),
                    location=place.location,
                )
                for place in places
            ),
        )
        check_trajectory(trajectory)
    except CacheError as error:
        raise BadTrajectory(str(error)) from error
    return trajectory


def _folder(source: str) -> Path:
    path = Path(source).expanduser()
    if not path.is_dir():
        raise BadTrajectory(f"there is no folder {source!r}; give one, or a repository of the hub")
    return path.resolve()
