"""Which model runs in a process of its own, and in which environment."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from model_runners.errors import BadOption, ModelNotFound
from model_runners.models import MODELS, resolve_model

ADAPTERS = ("cambrian", "vita", "llava")
"""Those that come with PIDscope; any other name is the path of a Python file."""


@dataclass(frozen=True, kw_only=True)
class WorkerSpec:
    """How a model is run outside of this process."""

    python: Path
    """The environment's interpreter; not resolved, as a link to it means another environment."""
    adapter: str
    """A name of `ADAPTERS`, or the path of a file with a class `Adapter`."""
    conversation: str | None = None
    """Name of the repository's conversation template; None takes the adapter's choice."""
    code: Path | None = None
    """The repository's folder; None where it is installed in the environment."""
    name: str
    """Under which results are stored."""
    folder: Path
    """The model's files."""


class Asked(Protocol):
    """Options that name a model, and perhaps an environment for it."""

    @property
    def model(self) -> str:  # noqa: D102 - as `ProfileOptions` has it
        ...
    @property
    def worker(self) -> str | None:  # noqa: D102 - as `ProfileOptions` has it
        ...
    @property
    def worker_adapter(self) -> str | None:  # noqa: D102 - as `ProfileOptions` has it
        ...
    @property
    def worker_code(self) -> str | None:  # noqa: D102 - as `ProfileOptions` has it
        ...


def lasting(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request whose paths mean the same in every working directory."""
    found = dict(request)
    for name in ("worker", "worker_code"):
        if found.get(name) is not None:
            found[name] = str(Path(found[name]).expanduser().absolute())
    adapter, colon, conversation = (found.get("worker_adapter") or "").partition(":")
    if adapter and adapter not in ADAPTERS:
        found["worker_adapter"] = f"{Path(adapter).expanduser().absolute()}{colon}{conversation}"
    return found


def spec_of(options: Asked) -> WorkerSpec | None:
    """Return how a model is run outside, or None where it is run here.

    Parameters
    ----------
    options
        What they leave open is taken from the model's entry in the table.

    Raises
    ------
    BadOption
        If something is missing or not there.
    ModelNotFound
        If the model is not in a folder of this machine.
    """
    model = options.model
    entry = MODELS.get(model)
    names = ("worker", "worker_adapter", "worker_code")
    said = {name: getattr(options, name) or (entry and getattr(entry, name)) for name in names}
    if said["worker"] is None:
        if options.worker_adapter is not None or options.worker_code is not None:
            raise BadOption(
                "an adapter or a repository was named without an environment to run it in; give "
                "--worker, the path of that environment's python"
            )
        return None
    python = Path(said["worker"]).expanduser().absolute()
    if not os.access(python, os.X_OK) or python.is_dir():
        raise BadOption(
            f"the worker's python {python} is no program; give the interpreter of the environment "
            "that holds the repository's packages (docs/external-worker.md)"
        )
    if said["worker_adapter"] is None:
        raise BadOption(
            f"nothing says how {model} takes its inputs; give --worker-adapter, one of "
            f"{', '.join(ADAPTERS)} or a file of your own (docs/external-worker.md)"
        )
    name, _, conversation = str(said["worker_adapter"]).partition(":")
    if name not in ADAPTERS:
        path = Path(name).expanduser().absolute()
        if not path.is_file():
            raise BadOption(
                f"there is no adapter {name!r}; give one of {', '.join(ADAPTERS)}, or the path of "
                "a Python file (docs/external-worker.md)"
            )
        name = str(path)
    repository = None
    if said["worker_code"] is not None:
        repository = Path(said["worker_code"]).expanduser().absolute()
        if not repository.is_dir():
            raise BadOption(f"the worker's repository {repository} is no folder; mend its path")
    source = resolve_model(model)
    if not source.is_local or source.adapter is not None:
        raise ModelNotFound(
            f"a worker reads a model from a folder, and {model} is none; bring it here with "
            f"`hf download {source.location} --local-dir FOLDER` and give the folder"
        )
    return WorkerSpec(
        python=python,
        adapter=name,
        conversation=conversation or None,
        code=repository,
        name=source.name,
        folder=Path(source.location),
    )
