"""The training loop: deterministic, stoppable between forward passes, resumable to the bit."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_cache.adapters import LossPoint, append_loss, keep_losses
from data_cache.location import adapter_directory
from model_runners.candidates import Candidates
from model_runners.errors import Cancelled, TrainingDiverged
from model_runners.finetuning.checkpoint import load, put, save, take
from model_runners.finetuning.lora import Lora
from model_runners.finetuning.objective import answer_losses, objective
from model_runners.finetuning.plan import TrainingPlan
from model_runners.loading import LoadedModel
from model_runners.unwatched import ignore, never
from model_runners.vision import VisionCache

if TYPE_CHECKING:
    import torch

SAVE_SECONDS = 5.0
"""How often the adapter and the optimiser's state are written."""
LONGEST_GRADIENT = 1.0
"""Gradients are shortened to this norm."""

Report = Callable[[LossPoint], None]
"""Called after each step."""
Keep = Callable[[int], None]
"""Called after each write, with the steps of the adapter on disk."""


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """A base with LoRA in it, and what it is to learn.

    The model stays in evaluation mode: there is no dropout in LoRA, and training mode would only
    switch on that of frozen parts, so that another model would be trained than is measured.
    """

    loaded: LoadedModel
    lora: Lora
    plan: TrainingPlan
    images: VisionCache
    candidates: Candidates

    def gradient(self, indices: np.ndarray, stop: Callable[[], bool] = never) -> float | None:
        """Set the gradient of one step; returns its objective, None if it was stopped.

        Parameters
        ----------
        indices
            Samples of the plan.
        stop
            Asked before each forward pass.
        """
        import torch

        for parameter in self.lora.parameters.values():
            parameter.grad = None
        total = 0.0
        for start in range(0, len(indices), self.plan.micro_batch):
            if stop():
                return None
            part = indices[start : start + self.plan.micro_batch]
            losses = answer_losses(
                self.loaded,
                [self.plan.samples[i] for i in part],
                candidates=self.candidates,
                images=self.images,
            )
            share = objective(
                losses,
                torch.as_tensor(self.plan.weights[part]),
                batch_size=self.plan.batch_size,
                mean_weight=self.plan.mean_weight,
            )
            share.backward()
            total += float(share.detach())
        return total


def train(
    trainer: Trainer,
    cache: Path,
    key: str,
    *,
    stop: Callable[[], bool] = never,
    report: Report = ignore,
    keep: Keep = ignore,
) -> list[LossPoint]:
    """Train to the end of the plan from the last state on disk; returns the losses of all steps.

    Parameters
    ----------
    trainer
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
    """
    import torch

    lora, plan = trainer.lora, trainer.plan
    folder = adapter_directory(cache, key)
    optimiser = torch.optim.AdamW(lora.parameters.values(), lr=plan.rate, weight_decay=0.0)
    found = load(folder, lora, digest=plan.digest)
    if found is not None:
        put(found, lora, optimiser)
    first = found.step if found is not None else 0
    points = keep_losses(cache, key, up_to=first)

    def write(step: int) -> None:
        save(folder, take(lora, optimiser, step), lora, digest=plan.digest)
        keep(step)

    good = take(lora, optimiser, first)
    written = time.monotonic()
    for step in range(first, plan.total_steps):
        loss = trainer.gradient(plan.indices(step), stop)
        if loss is None:
            write(step)
            raise Cancelled(f"stopped after {step} of {plan.total_steps} training steps")
        moved = False
        if math.isfinite(loss):
            good = take(lora, optimiser, step)
            moved = _move(lora, optimiser, plan.rate_at(step))
        if not moved:
            put(good, lora, optimiser)
            keep_losses(cache, key, up_to=good.step)
            write(good.step)
            raise TrainingDiverged(
                f"the training diverged at step {step + 1} of {plan.total_steps} (loss {loss:g}, "
                f"learning rate {plan.rate_at(step):.3g}); the adapter after {good.step} steps is "
                "kept; try a smaller learning rate"
            )
        point = LossPoint(
            step=step + 1,
            epoch=plan.seen(step + 1) / len(plan.samples),
            loss=loss,
            rate=plan.rate_at(step),
        )
        points.append(point)
        append_loss(cache, key, point)
        report(point)
        if time.monotonic() - written > SAVE_SECONDS:
            write(step + 1)
            written = time.monotonic()
    write(plan.total_steps)
    return points


def _move(lora: Lora, optimiser: "torch.optim.AdamW", rate: float) -> bool:
    """Make one step; false if a gradient or a parameter is not finite."""
    import torch

    norm = torch.nn.utils.clip_grad_norm_(lora.parameters.values(), LONGEST_GRADIENT)
    if not bool(torch.isfinite(norm)):
        return False
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.step()
    return all(bool(torch.isfinite(p).all()) for p in lora.parameters.values())
