"""Profile a model while transformers' Trainer trains it: each checkpoint is a run in the cache.

    from model_runners.training_callback import ProfilingCallback

    callback = ProfilingCallback("my-model", "pope", limit=64, every=100)
    Trainer(..., processing_class=processor, callbacks=[callback]).train()

What it measures is on the Training page at once. The training goes on as it would without it: same
batches, same dropout, same weights.
"""

import logging
import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from data_cache.checkpoints import Checkpoint
from data_cache.location import cache_directory
from data_cache.samples import Benchmark
from data_cache.trajectories import Point, Trajectory, trajectories, write_trajectory
from model_runners.benchmark_choice import load_asked
from model_runners.errors import USER_ERRORS, BadOption
from model_runners.estimation import EstimateOptions, choose_run, estimate_run
from model_runners.in_memory import at_rest, loaded_from
from model_runners.profile import ProfileOptions, profile
from model_runners.profile_job import parts

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

LIMIT = 64
"""Samples of the slice that is measured, unless more are asked for."""

log = logging.getLogger(__name__)


class ProfilingCallback(TrainerCallback):
    """Measures a small slice of a benchmark at the beginning, every few steps, and at the end.

    Parameters
    ----------
    trajectory
        What the training is called; no @ in it.
    benchmark
        A name of `list benchmarks`, a file, or one that is read already.
    cache
        The cache folder; None takes $PIDSCOPE_CACHE, else ~/.cache/pidscope.
    every
        Steps between two measurements; None measures whenever the Trainer saves a checkpoint.
    stage
        What is being trained, where a training has several stages.
    first_step
        Steps of the stages before this one: steps count from the start of the whole training.
    at_beginning
        Measure before the first step too.
    processor
        The model's processor; None takes the Trainer's `processing_class`.
    limit
        Samples of the fixed order.
    asked
        More of `ProfileOptions`, for example `draws` or `data`.

    Raises
    ------
    BadOption
        If an option makes no sense.
    DataError
        If the benchmark cannot be read, or the training's name cannot be.
    """

    def __init__(
        self,
        trajectory: str,
        benchmark: str | Benchmark,
        *,
        cache: Path | str | None = None,
        every: int | None = None,
        stage: str = "",
        first_step: int = 0,
        at_beginning: bool = True,
        processor: Any = None,
        limit: int = LIMIT,
        **asked: Any,
    ):
        """Read the benchmark, so that what cannot be measured is said before the training."""
        if every is not None and every < 1:
            raise BadOption(f"every must be 1 step or more, not {every}")
        self.cache = cache_directory(cache)
        self.every = every
        self.at_beginning = at_beginning
        self.processor = processor
        self.stage = stage
        self.first_step = first_step
        self.trajectory = trajectory
        self.checkpoint(0)  # refuses a name that cannot be
        try:
            self.options = ProfileOptions(
                model=trajectory,
                benchmark=benchmark if isinstance(benchmark, str) else benchmark.name,
                limit=limit,
                **asked,
            )
        except TypeError as error:
            raise BadOption(f"a callback takes what `profile` takes: {error}") from error
        self.benchmark = (
            load_asked(self.options, self.cache) if isinstance(benchmark, str) else benchmark
        )
        self.measured: list[Checkpoint] = []
        """What was measured so far."""
        self.failures: list[str] = []
        """One sentence for each checkpoint that could not be measured."""
        self._last = -1

    def checkpoint(self, step: int) -> Checkpoint:
        """Return the checkpoint after so many steps of this stage."""
        return Checkpoint(trajectory=self.trajectory, stage=self.stage, step=self.first_step + step)

    def on_train_begin(
        self, args: "TrainingArguments", state: "TrainerState", control: "TrainerControl", **of: Any
    ) -> None:
        """Measure the model as it comes, unless the training goes on from a checkpoint."""
        if self.at_beginning and state.global_step == 0:
            self._measure(args, state, of)

    def on_step_end(
        self, args: "TrainingArguments", state: "TrainerState", control: "TrainerControl", **of: Any
    ) -> None:
        """Measure every few steps."""
        if self.every is not None and state.global_step % self.every == 0:
            self._measure(args, state, of)

    def on_save(
        self, args: "TrainingArguments", state: "TrainerState", control: "TrainerControl", **of: Any
    ) -> None:
        """Measure what was just saved, where no other rhythm was asked for."""
        if self.every is None:
            self._measure(args, state, of)

    def on_train_end(
        self, args: "TrainingArguments", state: "TrainerState", control: "TrainerControl", **of: Any
    ) -> None:
        """Measure the model as it leaves, unless its last step was measured already."""
        self._measure(args, state, of)

    def _measure(
        self, args: "TrainingArguments", state: "TrainerState", of: dict[str, Any]
    ) -> None:
        """Measure the model now; what goes wrong is kept and does not end the training."""
        step = state.global_step
        if not state.is_world_process_zero or step == self._last:
            return
        self._last = step
        checkpoint = self.checkpoint(step)
        processor = self.processor or of.get("processing_class")
        before = random.getstate()
        try:
            with at_rest(of["model"]):
                self._profile(of["model"], processor, checkpoint)
            folder = Path(args.output_dir or "") / f"checkpoint-{step}"
            self._note(checkpoint, str(folder.absolute()) if folder.is_dir() else "")
        except USER_ERRORS as error:
            self.failures.append(f"{checkpoint.model}: {error}")
            log.warning("%s could not be measured: %s", checkpoint.model, error)
        else:
            self.measured.append(checkpoint)
        finally:
            random.setstate(before)

    def _profile(self, model: Any, processor: Any, checkpoint: Checkpoint) -> None:
        if processor is None:
            raise BadOption("there is no processor; give processing_class to the Trainer")
        options = replace(self.options, checkpoint=checkpoint)
        loaded = loaded_from(model, processor, name=checkpoint.model)
        report = profile(options, self.cache, benchmark=self.benchmark, loaded=loaded)
        run = choose_run(
            self.cache, model=report.model, benchmark=report.benchmark, run_key=report.run_key
        )
        asked = parts(options, self.benchmark)
        for subset in asked.subsets:
            chosen = EstimateOptions(
                split=asked.split, by="none", subset=None if subset == "all" else subset
            )
            estimate_run(self.cache, run, chosen, reuse=True)

    def _note(self, checkpoint: Checkpoint, location: str) -> None:
        """Add the checkpoint to what the cache knows of the training."""
        known = {one.name: one for one in trajectories(self.cache)}.get(self.trajectory)
        points = {point.checkpoint.step: point for point in known.points} if known else {}
        points[checkpoint.step] = Point(checkpoint=checkpoint, location=location)
        write_trajectory(
            self.cache,
            Trajectory(
                name=self.trajectory,
                kind=known.kind if known else "callback",
                source=known.source if known else (),
                revisions=known.revisions if known else (),
                points=tuple(points[step] for step in sorted(points)),
            ),
        )
