"""What a training does to a spectrum: what each stage changed, and where an atom changes course."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_cache.checkpoints import Checkpoint
from data_cache.layer_rows import LayerRows
from data_cache.records import ATOMS, SpectrumRecord
from pid_core.change_points import FEWEST, ChangePoint, change_point
from pid_core.errors import PidError
from pid_core.phases import Emergence, emergence
from pid_core.trajectories import drawn_trajectories

RESAMPLES = 500
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Gain:
    """How an atom differs between two checkpoints, on the same samples."""

    bits: float
    """Later minus earlier."""
    interval: tuple[float, float]
    """95 %, bits; nan where nothing was drawn."""

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out."""
        low, high = self.interval
        return low > 0 or high < 0


@dataclass(frozen=True, kw_only=True)
class StageGain:
    """What one stage changed: from the last checkpoint before it to its own last one."""

    stage: str
    before: Checkpoint
    after: Checkpoint
    gains: Mapping[str, Gain]
    """By atom, as in `records.ATOMS`."""


@dataclass(frozen=True, kw_only=True)
class AtomCourse:
    """What one atom does in the course of a training; places are numbers of checkpoints, from 0."""

    change: ChangePoint | None
    """None with fewer than six checkpoints."""
    emergence: Emergence
    """The checkpoint from which on it stays above half of its largest value."""


@dataclass(frozen=True, kw_only=True)
class TrainingCourse:
    """What one training does."""

    checkpoints: tuple[Checkpoint, ...]
    stages: tuple[StageGain, ...]
    atoms: Mapping[str, AtomCourse]
    """By atom, as in `records.ATOMS`."""
    samples: int | None
    """What the intervals were drawn from; None where there are no intervals."""


def training_course(
    points: Sequence[tuple[Checkpoint, SpectrumRecord]],
    rows: LayerRows | None,
    *,
    resamples: int = RESAMPLES,
) -> TrainingCourse:
    """Follow the atoms of a training from checkpoint to checkpoint, with 95 % intervals.

    Parameters
    ----------
    points
        Checkpoints by their steps, each with its spectrum; all of one subset and of the same
        settings.
    rows
        What each sample adds to each of them, in their order; the same samples are drawn for all
        checkpoints. None gives no intervals.
    resamples
        Bootstrap samples; whole groups of samples are drawn.

    Raises
    ------
    PidError
        If there is no checkpoint, or the rows are of other checkpoints.
    """
    if not points:
        raise PidError("a training without a measured checkpoint has no course; measure one")
    atoms = np.array([[getattr(record, name) for name in ATOMS] for _, record in points])
    drawn: NDArray[np.float64] | None = None
    if rows is not None and len(rows.influences) > 1:
        drawn = drawn_trajectories(
            atoms, rows.influences, groups=rows.group_ids, resamples=resamples
        )
    checkpoints = tuple(checkpoint for checkpoint, _ in points)
    return TrainingCourse(
        checkpoints=checkpoints,
        stages=tuple(_stages(checkpoints, atoms, drawn)),
        atoms={
            name: AtomCourse(
                change=change_point(
                    atoms[:, place],
                    positions=[checkpoint.step for checkpoint in checkpoints],
                    drawn=_column(drawn, place),
                )
                if len(points) >= FEWEST
                else None,
                emergence=emergence(atoms[:, place], drawn=_column(drawn, place)),
            )
            for place, name in enumerate(ATOMS)
        },
        samples=None if drawn is None or rows is None else len(rows.influences),
    )


def _column(drawn: NDArray[np.float64] | None, place: int) -> Any:
    return None if drawn is None else drawn[:, :, place]


def _stages(
    checkpoints: Sequence[Checkpoint],
    atoms: NDArray[np.float64],
    drawn: NDArray[np.float64] | None,
) -> list[StageGain]:
    """Compare the end of each stage to what was before it; a first one to its first checkpoint."""
    found: list[StageGain] = []
    first = 0
    for place, checkpoint in enumerate(checkpoints):
        is_last = place + 1 == len(checkpoints) or checkpoints[place + 1].stage != checkpoint.stage
        if not is_last:
            continue
        if place > first:
            found.append(
                StageGain(
                    stage=checkpoint.stage,
                    before=checkpoints[first],
                    after=checkpoint,
                    gains={
                        name: _gain(atoms[:, column], _column(drawn, column), first, place)
                        for column, name in enumerate(ATOMS)
                    },
                )
            )
        first = place  # the next stage begins with what this one ends with
    return found


def _gain(values: NDArray[np.float64], drawn: Any, before: int, after: int) -> Gain:
    interval = (nan, nan)
    if drawn is not None:
        tails = [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0]
        low, high = np.quantile(drawn[:, after] - drawn[:, before], tails)
        interval = (float(low), float(high))
    return Gain(bits=float(values[after] - values[before]), interval=interval)
