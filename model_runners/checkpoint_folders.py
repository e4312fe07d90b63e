"""Whether folders are checkpoints of one training: models of one kind, or adapters of one base.

Nothing is loaded: what is missing is said before a run has begun.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_cache.trajectories import Kind
from model_runners import adapting
from model_runners.errors import BadTrajectory, RunnerError
from model_runners.models import ADAPTER_CONFIG, lasting_name, resolve_model

CONFIG, TOKENIZERS = "config.json", ("tokenizer_config.json", "tokenizer.json", "tokenizer.model")
WEIGHTS = ".safetensors"


@dataclass(frozen=True, kw_only=True)
class Place:
    """One checkpoint as it was found."""

    stage: str
    step: int
    location: str


def checked_folders(name: str, kind: Kind, places: Sequence[Place]) -> tuple[Kind, Sequence[Place]]:
    """Refuse folders that are no checkpoints of one training.

    Parameters
    ----------
    name
        What the trajectory is called.
    kind
        What it was found as.
    places
        The checkpoints, by their steps.

    Returns
    -------
    The kind, `adapters` where they are that, and the checkpoints; before adapters comes their
    base, as step 0.

    Raises
    ------
    BadTrajectory
        If one is missing or broken, or they are of different models or bases.
    """
    folders = [Path(place.location) for place in places]
    for folder in folders:
        if not folder.is_dir():
            raise BadTrajectory(f"the checkpoint {folder} of {name!r} is not there; take it out")
    bare = [folder for folder in folders if not (folder / CONFIG).is_file()]
    if not bare:
        types = {_model_type(folder): folder for folder in folders}
        if len(types) > 1:
            told = " and ".join(f"{folder.name} is {kind!r}" for kind, folder in types.items())
            raise BadTrajectory(f"the checkpoints of {name!r} are of different models: {told}")
        for folder in folders:
            if not any((folder / file).is_file() for file in TOKENIZERS):
                raise BadTrajectory(
                    f"{folder} has no processor ({TOKENIZERS[0]} and its like); copy those files "
                    "from the base model, or train with processing_class=processor"
                )
            if not any(path.suffix == WEIGHTS for path in folder.iterdir()):
                raise BadTrajectory(
                    f"{folder} has no weights in safetensors, the only format that is read here"
                )
        return kind, places
    adapters = [folder for folder in folders if (folder / ADAPTER_CONFIG).is_file()]
    for folder in bare:
        if folder not in adapters:
            raise BadTrajectory(
                f"{folder} holds no model: it has neither {CONFIG} nor {ADAPTER_CONFIG}; the "
                "training may have been stopped while it wrote it"
            )
    if len(bare) < len(folders):
        raise BadTrajectory(
            f"some checkpoints of {name!r} are adapters and some whole models; give either"
        )
    try:
        bases = {lasting_name(adapting.base_of(folder)): folder for folder in folders}
        if len(bases) > 1:
            raise BadTrajectory(
                f"the adapters of {name!r} are of different bases: {', '.join(sorted(bases))}"
            )
        [base] = bases
        resolve_model(base)
    except RunnerError as error:
        if isinstance(error, BadTrajectory):
            raise
        raise BadTrajectory(f"the base of the adapters of {name!r}: {error}") from error
    before = () if places[0].step == 0 else (Place(stage=places[0].stage, step=0, location=base),)
    return "adapters", (*before, *places)


def _model_type(folder: Path) -> str:
    try:
        content: Any = json.loads((folder / CONFIG).read_text("utf-8"))
        return str(content["model_type"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadTrajectory(
            f"{folder / CONFIG} does not say which model it is of ({error}); save it anew"
        ) from error
