"""The table of models, and how a name given by a person becomes something that can be loaded."""

import re
from dataclasses import dataclass
from pathlib import Path

from model_runners.errors import ModelNotFound
from pid_core.errors import did_you_mean

DEMO_MODELS = Path(__file__).resolve().parent.parent / "data_cache" / "demo" / "models"
"""Weights that ship with PIDscope."""


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """One line of the table."""

    source: str
    """A hub id, or the folder of a shipped model."""
    family: str
    """Family as papers write it; used to group models in plots."""
    parameters: float
    """Number of parameters."""
    summary: str


MODELS: dict[str, ModelEntry] = {
    "demo/oracle": ModelEntry(
        source=str(DEMO_MODELS / "oracle"),
        family="LLaVA-1.5",
        parameters=0.39e6,
        summary="a small LLaVA whose masked predictions are posteriors; ships with PIDscope",
    ),
    "demo/fusion-small": ModelEntry(
        source=str(DEMO_MODELS / "fusion-small"),
        family="LLaVA-1.5",
        parameters=0.30e6,
        summary="a smaller LLaVA trained on whole samples only; ships with PIDscope",
    ),
    "llava-1.5-7b": ModelEntry(
        source="llava-hf/llava-1.5-7b-hf",
        family="LLaVA-1.5",
        parameters=7.06e9,
        summary="LLaVA-1.5 on Vicuna-7B (hub)",
    ),
    "llava-1.5-13b": ModelEntry(
        source="llava-hf/llava-1.5-13b-hf",
        family="LLaVA-1.5",
        parameters=13.35e9,
        summary="LLaVA-1.5 on Vicuna-13B (hub)",
    ),
}

LONGEST_QUOTE = 100
"""Characters of a name that are repeated where it cannot even be looked for."""
_HUB_ID = re.compile(
    r"(?!.*(?:--|\.\.|\.git\Z))(?=.{3,96}\Z)[a-z0-9](?:[\w.-]*\w)?/\w(?:[\w.-]*\w)?\Z",
    re.ASCII | re.IGNORECASE,
)
"""What the hub accepts as the name of a repository (`validate_repo_id` of huggingface_hub)."""


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """Where a model is loaded from."""

    name: str
    """The name under which results are stored."""
    location: str
    """A folder or a hub id."""
    is_local: bool


def resolve_model(name: str) -> ModelSource:
    """Find a model by its name in the table, as a folder, or as a hub id.

    Raises
    ------
    ModelNotFound
        If the name is none of these, or is a folder without a model in it.
    """
    entry = MODELS.get(name)
    if entry is not None:
        local = Path(entry.source).is_absolute()
        if local and not (Path(entry.source) / "config.json").is_file():
            raise ModelNotFound(
                f"the weights of {name!r} are missing from {entry.source}; "
                "restore the folder from the repository, or train them with: "
                f"python -m model_runners demo train {name.removeprefix('demo/')}"
            )
        return ModelSource(name=name, location=entry.source, is_local=local)
    try:
        folder = Path(name).expanduser()
        is_folder = folder.is_dir()
    except (OSError, RuntimeError, ValueError) as error:  # too long, closed, nobody's home
        raise ModelNotFound(
            f"the model {name[:LONGEST_QUOTE]!r} cannot be looked for ({error.args[-1]}); give a "
            "folder with config.json or a hub id such as owner/name"
        ) from error
    if is_folder:
        if not (folder / "config.json").is_file():
            raise ModelNotFound(
                f"the folder {folder} holds no model: it has no config.json; give the folder that "
                "save_pretrained wrote"
            )
        return ModelSource(
            name=folder.resolve().name, location=str(folder.resolve()), is_local=True
        )
    if _HUB_ID.match(name) and not name.startswith("demo/"):
        return ModelSource(name=name, location=name, is_local=False)
    raise ModelNotFound(f"there is no model {name!r}; {nearest_model(name)}")


def nearest_model(name: str) -> str:
    """Return the part of a message that names the nearest model and the list."""
    return (
        f"{did_you_mean(name, MODELS)}; "
        "a folder with config.json or a hub id such as owner/name also works"
    )
