"""What of each training is measured: its checkpoints in their order, and the runs of each."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_cache.checkpoints import Checkpoint, checkpoint_of
from data_cache.errors import CacheMissing
from data_cache.plan import OUTPUT_LAYER
from data_cache.queries import RunRow
from data_cache.store import reader
from data_cache.trajectories import Trajectory


@dataclass(frozen=True, kw_only=True)
class MeasuredPoint:
    """One checkpoint on one benchmark."""

    checkpoint: Checkpoint
    location: str
    """Where it lies; empty where that is not known."""
    runs: tuple[RunRow, ...]
    """The oldest first; none where it is not measured."""

    @property
    def samples(self) -> int:
        """Samples with predictions, of the run that has most."""
        return max((run.n_samples for run in self.runs), default=0)


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """One trajectory on one benchmark."""

    trajectory: str
    benchmark: str
    known: Trajectory | None
    """Its record in the cache; None where only its runs are known."""
    points: tuple[MeasuredPoint, ...]
    """Every checkpoint that is known, by its step."""

    @property
    def measured(self) -> tuple[MeasuredPoint, ...]:
        """The checkpoints that have predictions."""
        return tuple(point for point in self.points if point.samples)

    @property
    def missing(self) -> tuple[MeasuredPoint, ...]:
        """The checkpoints that have none."""
        return tuple(point for point in self.points if not point.samples)

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages in the order in which they were trained; one without a name where none are."""
        return tuple(dict.fromkeys(point.checkpoint.stage for point in self.points))

    @property
    def boundaries(self) -> tuple[int, ...]:
        """The step at which each stage but the last one ends: that of its last checkpoint."""
        ends = {point.checkpoint.stage: point.checkpoint.step for point in self.points}
        return tuple(ends.values())[:-1]

    @property
    def last_step(self) -> int:
        """Of the last checkpoint."""
        return self.points[-1].checkpoint.step


def training_runs(runs: Iterable[RunRow], known: Iterable[Trajectory]) -> list[TrainingRun]:
    """Return every trajectory on every benchmark that one of its checkpoints was run on.

    By their names; a trajectory that was not run on anything is not among them.

    Parameters
    ----------
    runs
        Runs of checkpoints, and others, which are passed over.
    known
        What the cache knows of trajectories, see `data_cache.trajectories`.
    """
    records = {one.name: one for one in known}
    held: dict[tuple[str, str], dict[Checkpoint, list[RunRow]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for run in runs:
        checkpoint = checkpoint_of(run.config)
        if checkpoint is not None:
            held[checkpoint.trajectory, run.benchmark][checkpoint].append(run)
    return [
        _joined(name, benchmark, measured, records.get(name))
        for (name, benchmark), measured in sorted(held.items())
    ]


def _joined(
    name: str, benchmark: str, held: dict[Checkpoint, list[RunRow]], known: Trajectory | None
) -> TrainingRun:
    """Join what is known of a trajectory to its runs; a run of another checkpoint counts too."""
    places = {point.checkpoint: point.location for point in known.points} if known else {}
    everything = sorted({*places, *held}, key=lambda one: (one.step, one.stage))
    return TrainingRun(
        trajectory=name,
        benchmark=benchmark,
        known=known,
        points=tuple(
            MeasuredPoint(
                checkpoint=checkpoint,
                location=places.get(checkpoint, ""),
                runs=tuple(sorted(held.get(checkpoint, ()), key=lambda run: run.ingested_at)),
            )
            for checkpoint in everything
        ),
    )


def held_samples(cache: Path, run_key: str, sample_ids: Sequence[str]) -> int:
    """Return how many of some samples a run has predictions of; 0 where there is no database.

    Parameters
    ----------
    cache
        The cache folder.
    run_key
        The run.
    sample_ids
        The samples that are asked for.
    """
    try:
        with reader(cache) as connection:
            found = connection.execute(
                """SELECT count(DISTINCT sample_id) FROM predictions
                   WHERE run_key = ? AND layer = ?
                     AND sample_id IN (SELECT unnest(?::VARCHAR[]))""",
                [run_key, OUTPUT_LAYER, list(sample_ids)],
            ).fetchall()
    except CacheMissing:
        return 0
    return int(found[0][0])
