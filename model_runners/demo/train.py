"""How a demo model is trained from nothing: tower, then instruction tuning with modality dropout.

The tower stage stands in for the pre-trained vision encoder that an ordinary LLaVA starts from. The
instruction stage answers fresh multiple-choice questions about train-split images. Where a modality
is dropped, its embeddings are replaced by the Gaussian noise that the masked runs use (per
dimension, mean and variance of the batch's own embeddings), so that the masked predictions of the
trained model are posteriors given what is left, and not a guess about a situation that it has never
seen.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_cache.benchmarks.digits_vqa import DIGITS
from model_runners.demo.build import AbstractTinyModel
from model_runners.demo.lessons import Lesson, Lessons, augment
from model_runners.stack import before

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast a demo model is trained."""

    tower_steps: int
    instruct_steps: int
    batch: int = 64
    """Samples per instruction step; the tower stage takes twice as many images."""
    rate: float = 2e-3
    """Peak learning rate of the one-cycle schedule."""
    average: float = 0.998
    """Decay of the exponential moving average of the weights; the average is what is saved."""
    hint: float = 0.5
    """Weight, fading to zero, of naming the answer's own words where the question ends. Without it
    the letter alone teaches a small model very slowly which numbers belong together."""
    dropout: bool = True
    """Train with modality dropout (an oracle) or on whole samples only."""
    shortcut: float = 0.0
    """Share of the synergy questions that the text alone answers (`Lessons.draw`)."""


Report = Callable[[str, int, int, float], None]
"""Called after each step with stage, step, steps and loss."""


def gaussian_rows(
    embeddings: "torch.Tensor", rows: "torch.Tensor", seen: "torch.Tensor"
) -> "torch.Tensor":
    """Noise for the masked rows with the statistics of all rows of that modality in the batch.

    Parameters
    ----------
    embeddings
        (B, L, d).
    rows
        (B, L) bool, the positions to replace.
    seen
        (B, L) bool, the positions whose mean and variance are matched.
    """
    import torch

    values = embeddings[seen].detach()
    noise = torch.randn(int(rows.sum()), embeddings.shape[-1])
    return values.mean(0) + noise * values.std(0)


def loss_of(model: Any, size: AbstractTinyModel, lesson: Lesson, *, hint: float) -> "torch.Tensor":
    """Cross entropy of the letter over the whole vocabulary, with the lesson's modalities dropped.

    Parameters
    ----------
    model
        In training mode.
    size
        What it was built from.
    lesson
        B examples.
    hint
        Weight of the same loss for the answer's own words at the end of the question.
    """
    import torch
    from torch.nn import functional

    def mask(keywords: dict[str, Any]) -> dict[str, Any]:
        embeddings = keywords["inputs_embeds"]
        edited = embeddings.clone()
        for rows, seen in ((lesson.text, lesson.all_text), (lesson.vision, lesson.all_vision)):
            if rows.any():
                edited[rows] = gaussian_rows(embeddings, rows, seen)
        return {**keywords, "inputs_embeds": edited}

    with before(model.model.language_model, mask):
        hidden = model.model(
            input_ids=lesson.input_ids,
            attention_mask=lesson.attention_mask,
            use_cache=False,
            **size.token_inputs(lesson.all_vision),
            **(size.tower_inputs(lesson.pixels) if len(lesson.pixels) else {}),
        ).last_hidden_state
    loss = functional.cross_entropy(model.lm_head(hidden[:, -1]), lesson.target)
    if hint > 0 and bool((lesson.hint_target >= 0).any()):
        asked = hidden[torch.arange(len(hidden)), lesson.hint_column]
        loss = loss + hint * functional.cross_entropy(model.lm_head(asked), lesson.hint_target)
    return loss


def fit(
    parameters: "list[nn.Parameter]",
    step_loss: Callable[[], "torch.Tensor"],
    *,
    steps: int,
    rate: float,
    after: Callable[[int, float], None],
) -> None:
    """Minimise with AdamW, a one-cycle schedule and clipped gradients."""
    import torch

    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rate, total_steps=steps, pct_start=0.1
    )
    for step in range(steps):
        loss = step_loss()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        after(step, float(loss.detach()))


class Average:
    """Exponential moving average of a model's weights."""

    def __init__(self, model: "nn.Module", decay: float):
        """Start at the model's present weights."""
        self.model, self.decay, self.steps = model, decay, 0
        self.shadow = copy.deepcopy(model.state_dict())

    def update(self) -> None:
        """Move towards the present weights; faster in the beginning."""
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        for name, value in self.model.state_dict().items():
            if value.is_floating_point():
                self.shadow[name].lerp_(value, 1 - decay)

    def apply(self) -> None:
        """Give the model the averaged weights."""
        self.model.load_state_dict(self.shadow)


def train_tower(
    model: Any, size: AbstractTinyModel, lessons: Lessons, schedule: Schedule, *, report: Report
) -> None:
    """Teach tower and projector to tell digits apart, by a linear probe that is thrown away."""
    import torch
    from torch import nn
    from torch.nn import functional

    probe = nn.Linear(model.config.text_config.hidden_size, DIGITS)
    digits = torch.as_tensor(lessons.digits)
    parts = size.tower_parts(model)
    average = Average(nn.ModuleList(parts), schedule.average)

    def step_loss() -> "torch.Tensor":
        rows = torch.as_tensor(lessons.generator.integers(len(digits), size=2 * schedule.batch))
        pixels = augment(lessons.pixels[rows], lessons.generator)
        features = torch.stack(
            list(model.model.get_image_features(**size.tower_inputs(pixels)).pooler_output)
        )
        return functional.cross_entropy(probe(features.mean(1)), digits[rows])

    def after(step: int, loss: float) -> None:
        average.update()
        report("tower", step + 1, schedule.tower_steps, loss)

    parameters = [p for part in [*parts, probe] for p in part.parameters() if p.requires_grad]
    fit(parameters, step_loss, steps=schedule.tower_steps, rate=schedule.rate, after=after)
    average.apply()


def instruct(
    model: Any,
    size: AbstractTinyModel,
    lessons: Lessons,
    schedule: Schedule,
    *,
    shares: Mapping[str, float],
    report: Report,
) -> None:
    """Instruction tuning of the whole model on fresh questions about train-split images."""
    average = Average(model, schedule.average)
    done = 0

    def step_loss() -> "torch.Tensor":
        fading = schedule.hint * max(0.0, 1 - 2 * done / schedule.instruct_steps)
        return loss_of(
            model,
            size,
            lessons.draw(
                schedule.batch,
                shares=shares,
                dropout=schedule.dropout,
                shortcut=schedule.shortcut,
            ),
            hint=fading,
        )

    def after(step: int, loss: float) -> None:
        nonlocal done
        done = step + 1
        average.update()
        report("instruct", done, schedule.instruct_steps, loss)

    fit(
        [p for p in model.parameters() if p.requires_grad],
        step_loss,
        steps=schedule.instruct_steps,
        rate=schedule.rate,
        after=after,
    )
    average.apply()


def silent(_stage: str, _step: int, _steps: int, _loss: float) -> None:
    """Report nothing."""
