"""A training from the last state on disk to its end: deterministic, stoppable, resumable.

The loop is that of `transformers.Trainer`; see `weighted_trainer` for what of it is ours.
"""

import contextlib
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_cache.adapters import LossPoint, keep_losses
from data_cache.location import adapter_directory
from model_runners.candidates import Candidates
from model_runners.errors import Cancelled, OutOfMemory, TrainingDiverged
from model_runners.finetuning.checkpoint import (
    Best,
    TrainingState,
    load,
    put,
    save,
    save_adapter,
    take,
)
from model_runners.finetuning.lora import Lora, checkpointed, drop
from model_runners.finetuning.objective import answer_losses, objective
from model_runners.finetuning.plan import TrainingPlan
from model_runners.loading import LoadedModel
from model_runners.unwatched import ignore, never
from model_runners.vision import VisionCache

if TYPE_CHECKING:
    import torch

Report = Callable[[LossPoint], None]
"""Called after each step."""
Keep = Callable[[int], None]
"""Called after each write, with the steps of the adapter on disk."""


class Stopped(Exception):
    """A signal, not an error: somebody asked to stop between two forward passes."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A base with LoRA in it, and what it is to learn."""

    loaded: LoadedModel
    lora: Lora
    plan: TrainingPlan
    images: VisionCache
    candidates: Candidates
    checkpointing: bool = False
    """Compute the trained layers twice rather than keep their activations."""

    def share(self, indices: np.ndarray) -> "torch.Tensor":
        """Return what some samples of a step have of its objective, with its gradients.

        Parameters
        ----------
        indices
            Samples of the plan.
        """
        import torch

        losses = answer_losses(
            self.loaded,
            [self.plan.samples[i] for i in indices],
            candidates=self.candidates,
            images=self.images,
        )
        return objective(
            losses,
            torch.as_tensor(self.plan.weights[indices]),
            batch_size=self.plan.batch_size,
            mean_weight=self.plan.mean_weight,
        )

    def gradient(
        self, indices: np.ndarray, *, micro_batch: int, stop: Callable[[], bool] = never
    ) -> "torch.Tensor":
        """Set the gradient of one step; returns its objective, in nats.

        Parameters
        ----------
        indices
            Samples of the plan.
        micro_batch
            Samples of one forward pass.
        stop
            Asked before each forward pass.

        Raises
        ------
        Stopped
            If it said so.
        """
        import torch

        for parameter in self.lora.parameters.values():
            parameter.grad = None
        parts: list[torch.Tensor] = []
        for start in range(0, len(indices), micro_batch):
            if stop():
                raise Stopped
            share = self.share(indices[start : start + micro_batch])
            share.backward()
            parts.append(share.detach())
        return torch.stack(parts).sum()

    def held_out_loss(self, stop: Callable[[], bool] = never) -> float:
        """Return the mean cross entropy on the held-out samples, in nats, without dropout.

        Raises
        ------
        Stopped
            If `stop` said so.
        """
        import torch

        samples, size = self.plan.held_out, self.plan.batch_size
        total = 0.0
        drop(self.lora, training=False)
        with torch.no_grad():
            for start in range(0, len(samples), size):
                if stop():
                    raise Stopped
                losses = answer_losses(
                    self.loaded,
                    samples[start : start + size],
                    candidates=self.candidates,
                    images=self.images,
                )
                total += float(losses.sum())
        return total / len(samples)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a training came to."""

    points: list[LossPoint]
    """All steps."""
    steps: int
    """Of the adapter that is kept."""
    warnings: tuple[str, ...] = ()
    """Sentences."""


def train(
    lesson: Lesson,
    cache: Path,
    key: str,
    *,
    stop: Callable[[], bool] = never,
    report: Report = ignore,
    keep: Keep = ignore,
) -> Trained:
    """Train to the end of the plan from the last state on disk.

    Parameters
    ----------
    lesson
        The model and the plan.
    cache, key
        Where the adapter is kept.
    stop
        Asked before each forward pass; what was trained by then is kept.
    report, keep
        Where progress goes.

    Raises
    ------
    Cancelled
        If `stop` said so.
    TrainingDiverged
        If the loss, the gradient or a parameter is not finite; the last finite adapter is kept.
    OutOfMemory
        If one sample alone does not fit; what was trained by then is kept.
    """
    import torch

    from model_runners.finetuning.weighted_trainer import NotFinite, WeightedTrainer

    lora, plan = lesson.lora, lesson.plan
    folder = adapter_directory(cache, key)
    optimiser = torch.optim.AdamW(lora.parameters.values(), lr=plan.rate, weight_decay=0.0)
    found = load(folder, lora, digest=plan.digest) or take(lora, optimiser, 0)
    put(found, lora, optimiser)
    points = keep_losses(cache, key, up_to=found.step)

    def write(state: TrainingState) -> None:
        save(folder, state, lora, digest=plan.digest)
        keep(state.step)

    if found.step < plan.total_steps and not _is_over(found.best, plan):
        with _generators_untouched(lesson):
            trainer = WeightedTrainer(
                lesson, optimiser, start=found, cache=cache, key=key,
                stop=stop, report=report, write=write,
            )  # fmt: skip
            try:
                trainer.train()
            except Stopped:
                _back_to(trainer.good, lora, optimiser, write)
                raise Cancelled(
                    f"stopped after {trainer.good.step} of {plan.total_steps} training steps"
                ) from None
            except NotFinite as error:
                _back_to(trainer.good, lora, optimiser, write)
                keep_losses(cache, key, up_to=trainer.good.step)
                step = trainer.good.step
                raise TrainingDiverged(
                    f"the training diverged at step {step + 1} of {plan.total_steps} (loss "
                    f"{error}, learning rate {plan.rate_at(step):.3g}); the adapter after {step} "
                    "steps is kept; try a smaller learning rate"
                ) from None
            except OutOfMemory as error:
                _back_to(trainer.good, lora, optimiser, write)
                raise OutOfMemory(
                    f"{error}; the adapter after {trainer.good.step} of {plan.total_steps} steps "
                    "is kept"
                ) from error
        points += trainer.points
        found = replace(take(lora, optimiser, points[-1].step), best=trainer.best)
        write(found)
        warnings = trainer.warnings
    else:
        warnings = ()
    if found.best is None:
        return Trained(points=points, steps=found.step, warnings=warnings)
    return _best_of(found.best, found.step, lesson, folder, points, warnings)


def _best_of(
    best: Best,
    steps: int,
    lesson: Lesson,
    folder: Path,
    points: list[LossPoint],
    warnings: tuple[str, ...],
) -> Trained:
    """Keep the adapter that did best on what was held out."""
    import torch

    with torch.no_grad():
        for name, parameter in lesson.lora.parameters.items():
            parameter.copy_(best.parameters[name])
    save_adapter(folder, lesson.lora)
    if steps < lesson.plan.total_steps:
        warnings = (
            *warnings,
            f"stopped early after {steps} of {lesson.plan.total_steps} steps; the adapter after "
            f"{best.step} steps did best on the {len(lesson.plan.held_out)} samples held out",
        )
    return Trained(points=points, steps=best.step, warnings=warnings)


def _is_over(best: Best | None, plan: TrainingPlan) -> bool:
    return best is not None and 0 < plan.patience <= best.misses


def _back_to(
    state: TrainingState,
    lora: Lora,
    optimiser: "torch.optim.AdamW",
    write: Callable[[TrainingState], None],
) -> None:
    put(state, lora, optimiser)
    write(state)


@contextlib.contextmanager
def _generators_untouched(lesson: Lesson) -> Generator[None]:
    """Leave global generators, the configuration and the mode of the model as they were.

    transformers' Trainer seeds every global generator and turns the model's cache off.
    """
    import torch

    config = lesson.loaded.model.config
    missing = object()
    uses_cache = getattr(config, "use_cache", missing)
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    device = lesson.loaded.device
    forked = torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])
    twice = checkpointed(lesson.loaded) if lesson.checkpointing else contextlib.nullcontext()
    try:
        with forked, twice:
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        drop(lesson.lora, training=False)
        if uses_cache is not missing:
            config.use_cache = uses_cache
        elif hasattr(config, "use_cache"):
            del config.use_cache
