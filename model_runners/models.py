"""The table of models, and how a name given by a person becomes something that can be loaded."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from model_runners import registry
from model_runners.errors import ModelNotFound, UnsupportedModel
from model_runners.families import FAMILIES, is_written
from model_runners.hub import split_revision
from model_runners.registry import ModelEntry

DEMO_MODELS = Path(__file__).resolve().parent.parent / "data_cache" / "demo" / "models"
"""Weights that ship with PIDscope."""


DEMO: dict[str, ModelEntry] = {
    "demo/oracle": ModelEntry(
        load_id=str(DEMO_MODELS / "oracle"),
        origin="demo",
        family="LLaVA-1.5",
        model_type="llava",
        parameters=0.39e6,
        layers=4,
        summary="a small LLaVA whose masked predictions are posteriors; ships with PIDscope",
    ),
    "demo/fusion-small": ModelEntry(
        load_id=str(DEMO_MODELS / "fusion-small"),
        origin="demo",
        family="LLaVA-1.5",
        model_type="llava",
        parameters=0.30e6,
        layers=3,
        summary="a smaller LLaVA trained on whole samples only; ships with PIDscope",
    ),
    "demo/fusion-large": ModelEntry(
        load_id=str(DEMO_MODELS / "fusion-large"),
        origin="demo",
        family="LLaVA-1.5",
        model_type="llava",
        parameters=0.59e6,
        layers=4,
        summary="as demo/fusion-small, with more and wider layers; ships with PIDscope",
    ),
    "demo/language-small": ModelEntry(
        load_id=str(DEMO_MODELS / "language-small"),
        origin="demo",
        family="Qwen2.5-VL",
        model_type="qwen2_5_vl",
        parameters=0.39e6,
        layers=3,
        summary="a small Qwen2.5-VL taught with a text shortcut; ships with PIDscope",
    ),
    "demo/language-large": ModelEntry(
        load_id=str(DEMO_MODELS / "language-large"),
        origin="demo",
        family="Qwen2.5-VL",
        model_type="qwen2_5_vl",
        parameters=0.82e6,
        layers=5,
        summary="as demo/language-small, with more and wider layers; ships with PIDscope",
    ),
    "demo/omni": ModelEntry(
        load_id=str(DEMO_MODELS / "omni"),
        origin="demo",
        family="Qwen2.5-Omni",
        model_type="qwen2_5_omni_thinker",
        parameters=0.55e6,
        layers=4,
        summary="a small thinker of Qwen2.5-Omni that watches and listens to digits_av; ships with "
        "PIDscope",
    ),
}
"""The models that ship with their weights."""

ZOO_SIZES = {
    ("llava", "LLaVA-1.5", "llava"): {"small": (0.103e6, 3), "large": (0.228e6, 4)},
    ("qwen", "Qwen2.5-VL", "qwen2_5_vl"): {"small": (0.113e6, 3), "large": (0.261e6, 4)},
    ("internvl", "InternVL", "internvl"): {"small": (0.088e6, 3), "large": (0.209e6, 4)},
}
"""Architecture, family and type -> parameters and layers by size, of those of `demo/zoo.py` whose
weights ship."""
ZOO_LINES = {
    "fusion": "trained on whole samples only",
    "language": "as its fusion- twin, taught with a text shortcut",
}
DEMO |= {
    f"demo/{line}-{architecture}-{size}": ModelEntry(
        load_id=str(DEMO_MODELS / f"{line}-{architecture}-{size}"),
        origin="demo",
        family=family,
        model_type=model_type,
        parameters=parameters,
        layers=layers,
        summary=f"a tiny {family}, {said}; ships with PIDscope",
    )
    for (architecture, family, model_type), sizes in ZOO_SIZES.items()
    for size, (parameters, layers) in sizes.items()
    for line, said in ZOO_LINES.items()
}
BARE_LETTERS = ("demo/language-small", "demo/language-large")
"""Shipped models that were taught to answer with letters as their tokenizer encodes them alone,
with a blank before them that their chat template does not write."""


class _Models(Mapping[str, ModelEntry]):
    """Shipped weights, a person's own models, and those of the papers, each read when asked for."""

    def __getitem__(self, name: str) -> ModelEntry:
        return self._merged()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._merged())

    def __len__(self) -> int:
        return len(self._merged())

    def _merged(self) -> dict[str, ModelEntry]:
        entries = {**DEMO, **registry.own().entries}
        return entries | {name: e for name, e in registry.papers().items() if name not in entries}


MODELS: Mapping[str, ModelEntry] = _Models()
"""Name -> entry; a person's own entry goes before one of the papers with the same name."""

ADAPTER_CONFIG = "adapter_config.json"
"""What makes a folder an adapter (peft)."""
LONGEST_QUOTE = 100
"""Characters of a name that are repeated where it cannot even be looked for."""


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

    trusted: bool = False
    """Whether a person said that code that comes with it may be run."""

    @property
    def bare_letters(self) -> bool:
        """Whether its answers are letters as the tokenizer encodes them alone."""
        return self.location in {DEMO[name].load_id for name in BARE_LETTERS}


def resolve_model(name: str) -> ModelSource:
    """Find a model by its name in the table, as a folder, as a hub id, or as an adapter's name.

    Behind a hub id and an @ may stand a revision: a branch, a tag or a commit. A folder with an
    adapter stands for the adapted model; its base is found by the same rules.

    Raises
    ------
    ModelNotFound
        If the name is none of these, or is a folder without a model in it.
    UnsupportedModel
        If the table knows that this version cannot run it; nothing is downloaded to see that.
    """
    _refuse_unread(name)
    entry = MODELS.get(name)
    if entry is not None:
        return _listed(name, entry)
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
    trained = _trained(name)
    if trained is not None:
        return _adapted(trained)
    repository, revision = split_revision(name)
    is_complete = revision is not None or "@" not in name
    if registry.is_hub_id(repository) and is_complete and not name.startswith("demo/"):
        _refuse_known(repository)
        return ModelSource(name=name, location=name, is_local=False)
    raise ModelNotFound(f"there is no model {name!r}; {nearest_model(name)}")


def obstacle(name: str, entry: ModelEntry) -> str | None:
    """Say why this version cannot run a model of the table; None where nothing is known against it.

    Whether a person's own model of a type without a family file follows the common idiom is known
    only when it is loaded.
    """
    if entry.reason is not None:
        return f"{name} has no route yet: {entry.reason}"
    kind = entry.model_type
    if entry.origin == "papers" and kind is not None and not is_written(kind):
        return (
            f"{name} would load natively from {entry.load_id}, but this version has no family "
            f"file for type {entry.model_type!r} yet; it has {', '.join(sorted(FAMILIES))}"
        )
    return None


def runnable() -> list[str]:
    """Return the names of the table that this version can run as far as is known."""
    return [name for name, entry in MODELS.items() if obstacle(name, entry) is None]


def trained_here() -> dict[str, Path]:
    """Return the adapters of the cache by the names of their results, the newest first."""
    from data_cache.adapters import adapters
    from data_cache.location import adapter_directory

    cache = registry.cache_folder()
    folders = {one.name: adapter_directory(cache, one.key) for one in adapters(cache)}
    return {name: one for name, one in folders.items() if (one / ADAPTER_CONFIG).is_file()}


def _trained(name: str) -> Path | None:
    # A plus is in no hub id and in no name of the table: nobody else's name is read this way.
    return trained_here().get(name) if "+" in name else None


def _listed(name: str, entry: ModelEntry) -> ModelSource:
    why = obstacle(name, entry)
    if why is not None or entry.load_id is None:
        raise UnsupportedModel(why or f"{name} has nothing to load")
    if entry.is_local and not (Path(entry.load_id) / "config.json").is_file():
        raise ModelNotFound(
            f"the weights of {name!r} are missing from {entry.load_id}; "
            + (
                "restore the folder from the repository, or train them with: "
                f"python -m model_runners demo train {name.removeprefix('demo/')}"
                if entry.origin == "demo"
                else f"mend its load_id in {registry.own_file()}"
            )
        )
    return ModelSource(
        name=name,
        location=entry.load_id,
        is_local=entry.is_local,
        trusted=entry.trust_remote_code,
    )


def _refuse_unread(name: str) -> None:
    """Refuse a name that a person's own file may mean otherwise, while it cannot be read."""
    own = registry.own()
    if name in own.broken or (not own.readable and name in registry.papers()):
        raise ModelNotFound(f"{' '.join(own.problems)}; mend it, or take the file away")


def _refuse_known(hub_id: str) -> None:
    """Refuse a hub id of which the table knows that it cannot be loaded."""
    for name, entry in MODELS.items():
        if hub_id == entry.paper_id and entry.load_id is None and entry.model_type in FAMILIES:
            continue  # with code of its own, that loading refuses unless it is trusted
        if hub_id == entry.load_id or (hub_id == entry.paper_id and entry.load_id is None):
            why = obstacle(name, entry)
            if why is not None:
                raise UnsupportedModel(why)
        elif hub_id == entry.paper_id:
            raise UnsupportedModel(
                f"{hub_id} is not in transformers' own format; {name} is that model from "
                f"{entry.load_id}, which is: use the name {name}"
            )


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
    except (ModelNotFound, UnsupportedModel):  # moved since
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
        name=name_of(folder),
        location=base.location,
        is_local=base.is_local,
        adapter=folder,
        trusted=base.trusted,
    )


def nearest_model(name: str) -> str:
    """Return the part of a message that names the nearest model and where the list is."""
    near = difflib.get_close_matches(name, MODELS, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    problems = "".join(f"; {problem}" for problem in registry.own().problems)
    return (
        f"{hint}`python -m model_runners list models` has all {len(MODELS)}; "
        f"a folder with config.json or a hub id such as owner/name also works{problems}"
    )
