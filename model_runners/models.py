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
    "demo/fusion-large": ModelEntry(
        source=str(DEMO_MODELS / "fusion-large"),
        family="LLaVA-1.5",
        parameters=0.59e6,
        summary="as demo/fusion-small, with more and wider layers; ships with PIDscope",
    ),
    "demo/language-small": ModelEntry(
        source=str(DEMO_MODELS / "language-small"),
        family="Qwen2.5-VL",
        parameters=0.39e6,
        summary="a small Qwen2.5-VL taught with a text shortcut; ships with PIDscope",
    ),
    "demo/language-large": ModelEntry(
        source=str(DEMO_MODELS / "language-large"),
        family="Qwen2.5-VL",
        parameters=0.82e6,
        summary="as demo/language-small, with more and wider layers; ships with PIDscope",
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
    "qwen2.5-vl-3b": ModelEntry(
        source="Qwen/Qwen2.5-VL-3B-Instruct",
        family="Qwen2.5-VL",
        parameters=3.75e9,
        summary="Qwen2.5-VL 3B (hub)",
    ),
    "qwen2.5-vl-7b": ModelEntry(
        source="Qwen/Qwen2.5-VL-7B-Instruct",
        family="Qwen2.5-VL",
        parameters=8.29e9,
        summary="Qwen2.5-VL 7B (hub)",
    ),
}

ADAPTER_CONFIG = "adapter_config.json"
"""What makes a folder an adapter (peft)."""
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
    adapter: Path | None = None
    """The folder of an adapter that is put onto what lies at `location`."""


def resolve_model(name: str) -> ModelSource:
    """Find a model by its name in the table, as a folder, or as a hub id.

    A folder with an adapter stands for the adapted model; its base is found by the same rules.

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
    if is_folder and not (folder / "config.json").exists() and (folder / ADAPTER_CONFIG).is_file():
        return _adapted(folder.resolve())
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


def lasting_name(name: str) -> str:
    """Return what names the same model in every working directory.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    """
    source = resolve_model(name)
    if source.adapter is not None:
        return str(source.adapter)
    return source.location if source.is_local and name not in MODELS else name


def shown_name(name: str) -> str:
    """Return a short name for titles: that of the table, of the folder or of the adapter."""
    if name in MODELS:
        return name
    try:
        source = resolve_model(name)
    except ModelNotFound:  # moved since
        return Path(name).name
    return Path(name).name if source.adapter is None else source.name


def _adapted(folder: Path) -> ModelSource:
    from model_runners.adapting import base_of, name_of

    given = base_of(folder)
    try:
        base = resolve_model(given)
    except ModelNotFound as error:
        raise ModelNotFound(f"the base of the adapter in {folder} is missing: {error}") from error
    if base.adapter is not None:
        raise ModelNotFound(
            f"the adapter in {folder} has another adapter as its base ({given}); merge that one "
            "first"
        )
    return ModelSource(
        name=name_of(folder), location=base.location, is_local=base.is_local, adapter=folder
    )


def nearest_model(name: str) -> str:
    """Return the part of a message that names the nearest model and the list."""
    return (
        f"{did_you_mean(name, MODELS)}; "
        "a folder with config.json or a hub id such as owner/name also works"
    )
