"""How the demo's model that watches and listens is trained: encoders first, then questions.

As `train.py` does for images: with modality dropout, a masked modality is replaced by the Gaussian
noise of the masked runs, so that the masked predictions are posteriors given what is left.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from data_cache.benchmarks.digits_av import TONES
from data_cache.benchmarks.digits_vqa import DIGITS
from model_runners.demo.clip_lessons import ClipLesson, ClipLessons
from model_runners.demo.train import Average, Report, Schedule, fit, gaussian_rows
from model_runners.stack import before

if TYPE_CHECKING:
    import torch


def loss_of(model: Any, lesson: ClipLesson) -> "torch.Tensor":
    """Cross entropy of the letter over the whole vocabulary, with the lesson's media dropped."""
    from torch.nn import functional

    def mask(keywords: dict[str, Any]) -> dict[str, Any]:
        embeddings = keywords["inputs_embeds"]
        edited = embeddings.clone()
        for rows, seen in ((lesson.video, lesson.all_video), (lesson.audio, lesson.all_audio)):
            if rows.any():
                edited[rows] = gaussian_rows(embeddings, rows, seen)
        return {**keywords, "inputs_embeds": edited}

    with before(model.model.language_model, mask):
        hidden = model.model(**lesson.inputs, use_cache=False).last_hidden_state
    return functional.cross_entropy(model.lm_head(hidden[:, -1]), lesson.target)


def train_encoders(model: Any, lessons: ClipLessons, schedule: Schedule, *, report: Report) -> None:
    """Teach both encoders to tell digits and tones apart, by linear probes that are thrown away."""
    import torch
    from torch import nn
    from torch.nn import functional

    width = model.config.text_config.hidden_size
    probes = nn.ModuleList([nn.Linear(width, DIGITS), nn.Linear(width, len(TONES))])
    parts = nn.ModuleList([model.model.visual, model.model.audio_tower])
    average = Average(parts, schedule.average)
    shares = {"video": 0.5, "audio": 0.5}

    def step_loss() -> "torch.Tensor":
        lesson = lessons.draw(schedule.batch, shares=shares, dropout=False)
        inputs = lesson.inputs
        seen = model.model.get_video_features(
            inputs["pixel_values_videos"], inputs["video_grid_thw"]
        ).pooler_output
        heard = model.model.get_audio_features(
            inputs["input_features"], inputs["feature_attention_mask"]
        ).last_hidden_state.unflatten(0, (schedule.batch, -1))
        of_digit = functional.cross_entropy(
            probes[0](torch.stack([one.mean(0) for one in seen])), lesson.digits
        )
        return of_digit + functional.cross_entropy(probes[1](heard.mean(1)), lesson.tones)

    def after(step: int, loss: float) -> None:
        average.update()
        report("encoders", step + 1, schedule.tower_steps, loss)

    parameters = [p for part in (parts, probes) for p in part.parameters() if p.requires_grad]
    fit(parameters, step_loss, steps=schedule.tower_steps, rate=schedule.rate, after=after)
    average.apply()


def instruct_clips(
    model: Any,
    lessons: ClipLessons,
    schedule: Schedule,
    *,
    shares: Mapping[str, float],
    report: Report,
) -> None:
    """Teach the whole model to answer fresh questions about clips of the train split."""
    average = Average(model, schedule.average)

    def after(step: int, loss: float) -> None:
        average.update()
        report("instruct", step + 1, schedule.instruct_steps, loss)

    fit(
        [p for p in model.parameters() if p.requires_grad],
        lambda: loss_of(
            model, lessons.draw(schedule.batch, shares=shares, dropout=schedule.dropout)
        ),
        steps=schedule.instruct_steps,
        rate=schedule.rate,
        after=after,
    )
    average.apply()
