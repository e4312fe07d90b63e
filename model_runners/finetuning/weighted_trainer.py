"""transformers' Trainer, taught our objective, our order and where our adapters are kept.

What is ours, and why:

- A batch of the data loader is one optimiser step, and `training_step` cuts it into micro batches
  itself. Trainer's own accumulation divides by the number of pieces, or by the tokens that count;
  our objective divides by the nominal batch and the mean weight, which are constants.
- The order of samples and the rates are those of the plan, so that a step is the same whether the
  training was stopped before it or not; Trainer gets the steps that are left.
- Frozen parts stay in evaluation mode, where `training_step` would put all into training mode.
- Dropout is drawn from seed and step, so that no state of a generator has to be kept.
- Nothing is moved: the model lies where it was loaded, on one device or on several.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import Dataset
from transformers.trainer_callback import PrinterCallback

from data_cache.adapters import LossPoint, append_loss
from model_runners.errors import OutOfMemory
from model_runners.finetuning.checkpoint import Best, TrainingState, take
from model_runners.finetuning.lora import drop
from model_runners.finetuning.training import Lesson

SAVE_SECONDS = 5.0
"""How often the adapter and the optimiser's state are written."""
LONGEST_GRADIENT = 1.0
"""Gradients are shortened to this norm."""


class NotFinite(Exception):
    """A loss, a gradient or a parameter is not a finite number; the text is the loss."""


class Steps(Dataset[dict[str, Any]]):
    """The optimiser steps that are left; an item says which samples a step takes."""

    def __init__(self, lesson: Lesson, first: int):
        """Begin after `first` steps."""
        self.plan, self.first = lesson.plan, first

    def __len__(self) -> int:
        """Return how many steps are left."""
        return self.plan.total_steps - self.first

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return a step and the rows of its samples."""
        step = self.first + index
        return {"step": step, "indices": self.plan.indices(step)}


class WeightedTrainer(transformers.Trainer):
    """Trains the LoRA matrices of a lesson from a state to the end of its plan."""

    def __init__(
        self,
        lesson: Lesson,
        optimiser: torch.optim.AdamW,
        *,
        start: TrainingState,
        cache: Path,
        key: str,
        stop: Callable[[], bool],
        report: Callable[[LossPoint], None],
        write: Callable[[TrainingState], None],
    ):
        """Prepare; parameters and optimiser are those of `start` already."""
        plan = lesson.plan
        self.lesson, self.plain_optimiser = lesson, optimiser
        self.first, self.good, self.best = start.step, start, start.best
        self.stop, self.report, self.write = stop, report, write
        self.cache, self.key = cache, key
        self.micro_batch = plan.micro_batch
        self.points: list[LossPoint] = []
        self.warnings: tuple[str, ...] = ()
        self.loss = math.nan
        for group in optimiser.param_groups:
            group["lr"] = group["initial_lr"] = plan.rate
        rates = LambdaLR(
            optimiser,
            lambda step: plan.rate_at(min(step, plan.total_steps - 1)) / plan.rate,
            last_epoch=start.step - 1,
        )
        arguments = transformers.TrainingArguments(
            output_dir=str(cache / "adapters" / key),
            per_device_train_batch_size=1,  # one step; `training_step` cuts it into micro batches
            num_train_epochs=1,  # of the steps that are left
            max_grad_norm=LONGEST_GRADIENT,
            seed=plan.seed,
            use_cpu=lesson.loaded.device.type == "cpu",
            use_cache=bool(getattr(lesson.loaded.model.config, "use_cache", False)),
            disable_tqdm=True,
            report_to=[],
            logging_strategy="no",
            logging_nan_inf_filter=False,
            save_strategy="no",
            dataloader_pin_memory=False,
            remove_unused_columns=False,
        )
        arguments._n_gpu = min(arguments.n_gpu, 1)  # DataParallel would copy the model
        super().__init__(
            model=lesson.lora.wrapped,
            args=arguments,
            train_dataset=Steps(lesson, start.step),
            data_collator=lambda steps: steps[0],
            optimizers=(optimiser, rates),
            callbacks=[_AfterStep(self)],
        )
        self.remove_callback(PrinterCallback)
        self.written = time.monotonic()

    def _build_accelerator_args(self, **more: Any) -> dict[str, Any]:
        return super()._build_accelerator_args(**more) | {"device_placement": False}

    def _move_model_to_device(self, model: Any, device: Any) -> None:
        """Leave the model where it was loaded."""

    def _get_train_sampler(self, *_: Any, **__: Any) -> torch.utils.data.Sampler[int]:
        return torch.utils.data.SequentialSampler(self.train_dataset)  # pyright: ignore[reportArgumentType] -- it has a length

    def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return inputs

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Count nothing: what a step takes is samples of a plan."""
        return 0

    def training_step(
        self, model: torch.nn.Module, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Set the gradient of one optimiser step; returns its objective, in nats.

        Raises
        ------
        NotFinite
            If the objective is not finite.
        OutOfMemory
            If one sample alone does not fit.
        """
        lesson = self.lesson
        self.good = take(lesson.lora, self.plain_optimiser, inputs["step"], self.best)
        while True:
            torch.manual_seed(dropout_seed(lesson.plan.seed, inputs["step"]))
            drop(lesson.lora, training=True)
            try:
                loss = lesson.gradient(
                    inputs["indices"], micro_batch=self.micro_batch, stop=self.stop
                )
                break
            except (RuntimeError, MemoryError) as error:
                if not ran_out(error):
                    raise
                self._halve(len(inputs["indices"]), error)
        self.loss = float(loss)
        if not math.isfinite(self.loss):
            raise NotFinite(f"{self.loss:g}")
        return loss.to(self.args.device)

    def _halve(self, samples: int, error: BaseException) -> None:
        tried = min(self.micro_batch, samples)
        if tried == 1:
            raise OutOfMemory(
                "memory ran out with one sample in a forward pass; take --gradient-checkpointing, "
                "a smaller --image-size of the model's processor, or another device"
            ) from error
        self.micro_batch = math.ceil(tried / 2)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.warnings = (
            *self.warnings,
            f"memory ran out with {tried} samples in a forward pass, so it went on with "
            f"{self.micro_batch}; the gradients are the same but for rounding and dropout",
        )

    def _clip_grad_norm(self, model: torch.nn.Module) -> Any:
        norm = super()._clip_grad_norm(model)
        length = float(torch.as_tensor(norm))
        if not math.isfinite(length):
            raise NotFinite(f"{self.loss:g}, gradient {length:g}")
        return norm

    def after_step(self) -> bool:
        """Tell and keep what a step came to; returns whether to stop early."""
        lesson, plan = self.lesson, self.lesson.plan
        step = self.good.step + 1
        if not all(bool(torch.isfinite(p).all()) for p in lesson.lora.parameters.values()):
            raise NotFinite(f"{self.loss:g}, parameters")
        held_out = self._look_at_held_out(step) if plan.evaluates_after(step) else None
        point = LossPoint(
            step=step,
            epoch=plan.seen(step) / plan.epoch_size,
            loss=self.loss,
            rate=plan.rate_at(step - 1),
            held_out=held_out,
        )
        self.points.append(point)
        append_loss(self.cache, self.key, point)
        self.report(point)
        if time.monotonic() - self.written > SAVE_SECONDS:
            self.write(take(lesson.lora, self.plain_optimiser, step, self.best))
            self.written = time.monotonic()
        return self.best is not None and 0 < plan.patience <= self.best.misses

    def _look_at_held_out(self, step: int) -> float:
        loss, best = self.lesson.held_out_loss(self.stop), self.best
        if best is None or loss < best.loss:
            copied = {n: p.detach().clone() for n, p in self.lesson.lora.parameters.items()}
            self.best = Best(loss=loss, step=step, misses=0, parameters=copied)
        else:
            self.best = Best(
                loss=best.loss, step=best.step, misses=best.misses + 1, parameters=best.parameters
            )
        return loss


class _AfterStep(transformers.TrainerCallback):
    def __init__(self, trainer: WeightedTrainer):
        self.trainer = trainer

    def on_step_end(
        self, args: Any, state: Any, control: transformers.TrainerControl, **_: Any
    ) -> None:
        control.should_training_stop |= self.trainer.after_step()


def dropout_seed(seed: int, step: int) -> int:
    """Return what seeds the dropout of a step.

    >>> dropout_seed(0, 1) != dropout_seed(1, 0)
    True
    """
    return (seed * 0x9E3779B97F4A7C15 + step) % 2**63


def ran_out(error: BaseException) -> bool:
    """Tell whether memory ran out, on a GPU or on a CPU."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        "can't allocate memory" in str(error)
    )
