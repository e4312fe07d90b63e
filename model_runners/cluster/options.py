"""What can be chosen about a run on a Ray cluster: it changes where a run happens, not its key."""

import importlib
from dataclasses import dataclass
from types import ModuleType

from model_runners.errors import BadOption

ENGINES = ("local", "ray")
PACKAGE = "ray"
RETRIES = 3


@dataclass(frozen=True, kw_only=True)
class RayOptions:
    """Where, and with what, the tasks of a run work."""

    address: str = "auto"
    """Of the cluster's head; `auto` is the one that this machine belongs to, or $RAY_ADDRESS."""
    spool: str | None = None
    """Address, as fsspec has them, of the spool that tasks read and write; None is that of the
    cache folder, which every node must then have under the same path."""
    gpus: float = 0.0
    """Of each task; a fraction shares one."""
    cpus: float = 1.0
    """Of each task, and so many threads, at least one."""
    tasks: int | None = None
    """Parts of the run, 1 or more; None is two for each that fit at once."""
    retries: int = RETRIES
    """How often Ray begins a task again whose process or node is lost, 0 or more."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        for name, value, least in (
            ("the GPUs of a task", self.gpus, 0),
            ("the CPUs of a task", self.cpus, 0),
            ("the number of tasks", 1 if self.tasks is None else self.tasks, 1),
            ("the number of retries", self.retries, 0),
        ):
            if not value >= least:
                raise BadOption(f"{name} must be {least} or more, not {value}")
        if not self.gpus and not self.cpus:
            raise BadOption("a task needs a CPU or a GPU, or it would have no place")


def ray_package() -> ModuleType:
    """Return Ray, which is asked for only here.

    Raises
    ------
    BadOption
        If it is not installed.
    """
    try:
        return importlib.import_module(PACKAGE)
    except ImportError as error:
        raise BadOption(
            "the engine `ray` needs Ray on every node; run `pip install -r requirements-ray.txt`"
        ) from error
