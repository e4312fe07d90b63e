"""Which checkpoint of a training a run is of: the part of its configuration that says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from data_cache.errors import CacheError

CONFIGURED = "checkpoint"
"""Where a run's configuration says it; runs of anything else do not have it."""
LONGEST_STEP = 10**12


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One point of a training: a model as it was after so many steps."""

    trajectory: str
    """Name of the sequence that it belongs to, for example `demo/fusion-llava-small`."""
    stage: str
    """What was being trained, for example `projector` or `all`; empty where there are no stages."""
    step: int
    """Steps since the beginning of the whole training, 0 or more."""

    def __post_init__(self) -> None:
        """Refuse what could not be told from another checkpoint.

        Raises
        ------
        CacheError
            If a part is of another kind, the trajectory has no name, or a name holds an @.
        """
        if not (_is_name(self.trajectory) and _is_name(self.stage)):
            raise CacheError(
                "a checkpoint's trajectory and stage are text without an @; got "
                f"{self.trajectory!r} and {self.stage!r}"
            )
        if not self.trajectory:
            raise CacheError("the trajectory of a checkpoint must have a name")
        if not _is_step(self.step):
            raise CacheError(
                f"the step of a checkpoint is a whole number from 0 on; got {self.step!r} in "
                f"{self.trajectory}"
            )

    @property
    def model(self) -> str:
        """The name under which its results are stored.

        >>> Checkpoint(trajectory="demo/a", stage="projector", step=100).model
        'demo/a@projector-100'
        """
        stage = f"{self.stage}-" if self.stage else ""
        return f"{self.trajectory}@{stage}{self.step}"

    def to_dict(self) -> dict[str, Any]:
        """Return what stands in a run's configuration under `checkpoint`."""
        return {"trajectory": self.trajectory, "stage": self.stage, "step": self.step}


def checkpoint_from(values: Mapping[str, Any]) -> Checkpoint:
    """Return the checkpoint that a mapping spells out, as `Checkpoint.to_dict` writes it.

    Raises
    ------
    CacheError
        If a part is missing, unknown, or none.
    """
    if set(values) != {"trajectory", "stage", "step"}:
        raise CacheError(
            f"a checkpoint has a trajectory, a stage and a step; got {', '.join(sorted(values))}"
        )
    return Checkpoint(**dict(values))


def checkpoint_of(config: Mapping[str, Any]) -> Checkpoint | None:
    """Return which checkpoint a run with this configuration is of; None where it is of none.

    Raises
    ------
    CacheError
        If the configuration names one that cannot be.
    """
    said: object = config.get(CONFIGURED)
    if said is None:
        return None
    if not isinstance(said, Mapping):
        raise CacheError(f"a run's configuration names no checkpoint that can be read: {said!r}")
    return checkpoint_from(cast("Mapping[str, Any]", said))


def is_of_checkpoint(config: Mapping[str, Any]) -> bool:
    """Whether a run is of a checkpoint, and so belongs to a trajectory."""
    return config.get(CONFIGURED) is not None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and "@" not in value


def _is_step(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LONGEST_STEP
