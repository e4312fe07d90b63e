"""How the demo's model that watches and listens is trained: encoders first, then questions.

As `train.py` does for images: with modality dropout, a masked modality is replaced by the Gaussian
noise of the masked runs, so that the masked predictions are posteriors given what is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_cache.benchmarks.digits_av import TONES
from data_cache.benchmarks.digits_vqa import DIGITS
from model_runners.demo.clip_lessons import ClipLesson, ClipLessons
from model_runners.demo.train import Average, Report, Schedule, fit, gaussian_rows

if TYPE_CHECKING:
    import torch

VARIANTS = 6
"""Ways in which each image is moved for the language model's training."""


def train_encoders(model: Any, lessons: ClipLessons, schedule: Schedule, *, report: Report) -> None:
    """Teach both encoders to tell digits and tones apart, by linear probes that are thrown away."""
    from torch import nn
    from torch.nn import functional

    width = model.config.text_config.hidden_size
    probes = nn.ModuleList([nn.Linear(width, DIGITS), nn.Linear(width, len(TONES))])
    parts = nn.ModuleList([model.model.visual, model.model.audio_tower])
    average = Average(parts, schedule.average)
    shares = {"video": 0.5, "audio": 0.5}

    def step_loss() -> "torch.Tensor":
        lesson = lessons.draw(schedule.batch, shares=shares, dropout=False)
        seen = _seen(model, lessons.watched(lesson.seen))
        sounds = {name: value[lesson.heard] for name, value in lessons.sounds.items()}
        heard = _heard(model, sounds)
        of_digit = functional.cross_entropy(probes[0](seen.mean(1)), lesson.digits)
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
    """Teach the language model to answer fresh questions about clips of the train split.

    The encoders stay as they are, so what they make of each clip is computed once: a step takes a
    fifth of the time.
    """
    from torch import nn

    bank = EncodedClips.of(model, lessons)
    language = nn.ModuleList([model.model.language_model, model.lm_head])
    average = Average(language, schedule.average)

    def after(step: int, loss: float) -> None:
        average.update()
        report("instruct", step + 1, schedule.instruct_steps, loss)

    fit(
        [p for p in language.parameters() if p.requires_grad],
        lambda: loss_of(
            model, bank, lessons.draw(schedule.batch, shares=shares, dropout=schedule.dropout)
        ),
        steps=schedule.instruct_steps,
        rate=schedule.rate,
        after=after,
    )
    average.apply()


@dataclass(frozen=True, kw_only=True)
class EncodedClips:
    """What the encoders make of everything that lessons show and play."""

    seen: "torch.Tensor"
    """(variants, digits' images, tokens, d)."""
    heard: "torch.Tensor"
    """(sounds, tokens, d)."""

    @classmethod
    def of(cls, model: Any, lessons: ClipLessons) -> "EncodedClips":
        """Encode every sound, and every image of a digit moved in `VARIANTS` ways."""
        import torch

        with torch.no_grad():
            seen = [
                torch.cat([_seen(model, lessons.watched(rows)) for rows in lessons.rows.split(64)])
                for _ in range(VARIANTS)
            ]
            heard = [
                _heard(model, {name: value[part] for name, value in lessons.sounds.items()})
                for part in torch.arange(len(lessons.tones)).split(64)
            ]
        return cls(seen=torch.stack(seen), heard=torch.cat(heard))


def _seen(model: Any, inputs: "Mapping[str, torch.Tensor]") -> "torch.Tensor":
    import torch

    found = model.model.get_video_features(
        inputs["pixel_values_videos"], inputs["video_grid_thw"]
    ).pooler_output
    return torch.stack(list(found))


def _heard(model: Any, inputs: "Mapping[str, torch.Tensor]") -> "torch.Tensor":
    found = model.model.get_audio_features(
        inputs["input_features"], inputs["feature_attention_mask"]
    ).last_hidden_state
    return found.unflatten(0, (len(inputs["input_features"]), -1))


def loss_of(model: Any, bank: EncodedClips, lesson: ClipLesson) -> "torch.Tensor":
    """Cross entropy of the letter over the whole vocabulary, with the lesson's media dropped."""
    import torch
    from torch.nn import functional

    language = model.model.language_model
    embeddings = language.get_input_embeddings()(lesson.input_ids)
    variants = torch.randint(len(bank.seen), (len(lesson.seen),))
    embeddings = embeddings.masked_scatter(
        lesson.all_video[..., None], bank.seen[variants, lesson.seen]
    ).masked_scatter(lesson.all_audio[..., None], bank.heard[lesson.heard])
    masked = embeddings.clone()
    for rows, seen in ((lesson.video, lesson.all_video), (lesson.audio, lesson.all_audio)):
        if rows.any():
            masked[rows] = gaussian_rows(embeddings, rows, seen)
    hidden = language(
        inputs_embeds=masked,
        attention_mask=lesson.attention_mask,
        position_ids=lesson.position_ids,
        use_cache=False,
    ).last_hidden_state
    return functional.cross_entropy(model.lm_head(hidden[:, -1]), lesson.target)
