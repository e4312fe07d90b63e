"""The course of a model's spectrum through its layers: phases, and where each atom emerges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_cache.layer_rows import LayerRows
from data_cache.records import ATOMS, SpectrumRecord
from pid_core.errors import PidError
from pid_core.phases import Emergence, Phases, emergence, phases
from pid_core.trajectories import drawn_trajectories

RESAMPLES = 200


@dataclass(frozen=True, kw_only=True)
class Course:
    """What one trajectory does."""

    phases: Phases
    emergence: Mapping[str, Emergence]
    """By atom, as in `records.ATOMS`: where it passes half of its largest value."""
    samples: int | None
    """What the intervals were drawn from; None where there are no intervals."""


def course_of(
    layers: Sequence[SpectrumRecord], rows: LayerRows | None, *, resamples: int = RESAMPLES
) -> Course:
    """Cut a trajectory into phases and find where its atoms emerge, with 95 % intervals.

    Parameters
    ----------
    layers
        One spectrum per layer, from the first layer on, none left out.
    rows
        What each sample adds to each of them; None gives no intervals.
    resamples
        Bootstrap samples; whole groups of samples are drawn.

    Raises
    ------
    PidError
        If a layer is missing: a course has no holes.
    """
    numbers = [record.layer for record in layers]
    if numbers != list(range(len(layers))) or not layers:
        raise PidError(
            f"phases need a spectrum of every layer, and these are of {numbers}; "
            "profile with --layers and estimate with --layers"
        )
    atoms = np.array([[getattr(record, name) for name in ATOMS] for record in layers])
    drawn: Any = None
    if rows is not None and len(rows.influences) > 1:
        drawn = drawn_trajectories(
            atoms, rows.influences, groups=rows.group_ids, resamples=resamples
        )
    return Course(
        phases=phases(atoms, drawn=drawn),
        emergence={
            name: emergence(atoms[:, place], drawn=None if drawn is None else drawn[:, :, place])
            for place, name in enumerate(ATOMS)
        },
        samples=None if drawn is None or rows is None else len(rows.influences),
    )
