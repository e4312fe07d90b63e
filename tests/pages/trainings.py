"""Trainings for the tests of the Training page and its figures."""

from collections.abc import Sequence
from pathlib import Path

from data_cache.checkpoints import Checkpoint
from data_cache.estimates import SpectrumRecord
from data_cache.trajectories import Point, Trajectory, write_trajectory
from pages.figures.training_curves import Curve
from tests.pages.caches import build_cache
from tests.pages.spectra import record

STEPS = {"projector": (50, 100, 150), "all": (200, 300, 400)}
CHECKPOINTS = sum(map(len, STEPS.values()))


def checkpoints(trajectory: str) -> list[Checkpoint]:
    return [
        Checkpoint(trajectory=trajectory, stage=stage, step=step)
        for stage, steps in STEPS.items()
        for step in steps
    ]


def at(checkpoint: Checkpoint, subset: str = "synergy") -> SpectrumRecord:
    """Synergy is zero in the first stage and grows by 0.5 bits per 100 steps in the second."""
    later = max(0, checkpoint.step - 150) / 100
    return record(
        subset,
        model=checkpoint.model,
        atoms=(0.0, 0.0, 0.1, 0.5 * later),
        accuracy=0.25 + 0.2 * later,
        d_vision=0.2 * later,
    )


def curve(name: str = "demo/a") -> Curve:
    return Curve(
        name=name,
        points=tuple((one, at(one)) for one in checkpoints(name)),
        stages=tuple(STEPS),
        boundaries=(150,),
        last_step=400,
    )


def build_trainings(
    cache: Path, names: Sequence[str], *, missing: int = 0, others: Sequence[str] = ("demo/x",)
) -> Path:
    """Fill a cache; of each training, the last few checkpoints are known and not measured."""
    everything = [one for name in names for one in checkpoints(name)]
    measured = [one for name in names for one in checkpoints(name)[: CHECKPOINTS - missing]]
    records = [*(at(one) for one in measured), *(record(model=model) for model in others)]
    build_cache(cache, records, checkpoints=everything)
    for name in names:
        points = tuple(Point(checkpoint=one, location="/there") for one in checkpoints(name))
        write_trajectory(
            cache, Trajectory(name=name, kind="folder", source=("/of mine",), points=points)
        )
    return cache
