"""Training examples of `digits_av`: digits of the train split, moved anew, with tones at random."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data_cache.benchmarks.digits_av import (
    FRAMES,
    RATE,
    SECONDS,
    TASKS,
    TONES,
    answer_of,
    clips_of,
    frame_png,
    tone_wave,
)
from data_cache.benchmarks.digits_vqa import IMAGE_SIDE, SPLIT_SEED, digit_images
from data_cache.samples import ImageFile, Sample
from model_runners.asking import Asking
from model_runners.clips import encode_clips
from model_runners.demo.lessons import augment, image_tensor

if TYPE_CHECKING:
    import torch

TONES_HEARD = 2048
"""Sounds made for training, of all four tones alike."""
CONDITION_SHARES = {
    **{"full": 0.35, "only_1": 0.2, "only_2": 0.2, "neither": 0.05},
    **{"no_image": 0.1, "no_audio": 0.1},
}
"""How often each condition is shown while training with modality dropout."""
ASKING = Asking(sources="video-audio")


@dataclass(frozen=True, kw_only=True)
class Question:
    """One wording with the media before it, tokenised."""

    ids: "torch.Tensor"
    video: "torch.Tensor"
    """Same length as `ids`, bool: positions of the video."""
    audio: "torch.Tensor"
    positions: "torch.Tensor"
    """(3, length): time, row and column of each token."""


@dataclass(frozen=True, kw_only=True)
class ClipLesson:
    """One training batch of B examples of at most L tokens."""

    input_ids: "torch.Tensor"
    attention_mask: "torch.Tensor"
    position_ids: "torch.Tensor"
    """(3, B, L)."""
    seen: "torch.Tensor"
    """(videos,) image of each row that shows one."""
    heard: "torch.Tensor"
    """(sounds,) sound of each row that plays one."""
    video: "torch.Tensor"
    """(B, L) bool: positions to be masked as video."""
    audio: "torch.Tensor"
    all_video: "torch.Tensor"
    """(B, L) bool: every position of a video, for the noise's statistics."""
    all_audio: "torch.Tensor"
    target: "torch.Tensor"
    """(B,) token of the right letter."""
    digits: "torch.Tensor"
    """(B,) what is shown, 0 to 7."""
    tones: "torch.Tensor"
    """(B,) what is played, 0 to 3."""


class ClipLessons:
    """Draws training batches; same seed, same batches."""

    def __init__(self, model: Any, processor: Any, *, seed: int):
        """Tokenise every wording, and prepare pictures and sounds.

        Parameters
        ----------
        model, processor
            What is trained; of the model its positions are asked.
        seed
            Of everything that is drawn.
        """
        import torch

        images = digit_images()["train"]
        self.digits = images.digits
        # In the middle of the frame; `augment` moves them.
        middle = (IMAGE_SIDE - 26) // 2
        self.pixels = image_tensor(
            [ImageFile(data=frame_png(pixels, middle, middle)) for pixels in images.pixels]
        )
        self.generator = np.random.default_rng(seed)
        made = np.random.default_rng([SPLIT_SEED, 78])
        self.tones = np.arange(TONES_HEARD) % len(TONES)
        waves = [tone_wave(int(tone), made).astype(np.float32) / 2**15 for tone in self.tones]
        self.sounds = _heard(processor, waves)
        self.letters = torch.as_tensor(
            [processor.tokenizer.encode(x, add_special_tokens=False)[0] for x in "ABCD"]
        )
        self.pad = processor.tokenizer.pad_token_id
        self.model, self.processor = model, processor
        self.rows = torch.arange(len(self.digits))
        """Every image."""
        self.clip = clips_of("train", aligned=True)[0]
        self.questions = {
            (subset, wording, condition): self._question(subset, wording, condition)
            for subset in TASKS
            for wording in range(2)
            for condition in CONDITION_SHARES
        }

    def _question(self, subset: str, wording: int, condition: str) -> Question:
        task = TASKS[subset]
        sample = Sample(
            id="lesson",
            group_id="lesson",
            images=self.clip.frames,
            audio=self.clip.sound,
            question=task.wordings[wording],
            options=task.options,
            answer=0,
        )
        batch = encode_clips(
            self.processor,
            [sample],
            scope="all",
            asking=ASKING,
            with_first=condition != "no_image",
            with_second=condition != "no_audio",
        )
        frames = batch.inputs.get("feature_attention_mask")
        positions, _ = self.model.model.get_rope_index(
            batch.inputs["input_ids"],
            None,
            batch.inputs.get("video_grid_thw"),
            batch.inputs["attention_mask"],
            False,
            None if frames is None else frames.sum(-1),
            batch.inputs.get("video_second_per_grid"),
        )
        return Question(
            ids=batch.inputs["input_ids"][0],
            video=batch.vision[0],
            audio=batch.text[0],
            positions=positions[:, 0].long(),
        )

    def draw(self, count: int, *, shares: Mapping[str, float], dropout: bool) -> ClipLesson:
        """Draw a batch: digit, tone, task, wording and (with `dropout`) condition, at random.

        Parameters
        ----------
        count
            Examples.
        shares
            How often each subset is asked.
        dropout
            Whether modalities are dropped.
        """
        import torch

        rng = self.generator
        rows = rng.integers(len(self.digits), size=count)
        tasks = rng.choice(list(shares), p=list(shares.values()), size=count)
        sounds = rng.integers(TONES_HEARD, size=count)
        aligned = tasks == "redundant"
        # Sounds lie in the order of tones, over and over.
        sounds[aligned] += self.digits[rows][aligned] // 2 - self.tones[sounds[aligned]]
        conditions = (
            rng.choice(list(CONDITION_SHARES), p=list(CONDITION_SHARES.values()), size=count)
            if dropout
            else np.full(count, "full")
        )
        wordings = rng.integers(2, size=count)
        asked = [
            self.questions[str(task), int(wording), str(condition)]
            for task, wording, condition in zip(tasks, wordings, conditions, strict=True)
        ]
        length = max(len(question.ids) for question in asked)
        ids = torch.full((count, length), self.pad)
        attention, video, audio = (torch.zeros(count, length, dtype=torch.bool) for _ in range(3))
        positions = torch.ones(3, count, length, dtype=torch.long)
        for row, question in enumerate(asked):
            keep = slice(length - len(question.ids), None)
            positions[:, row, keep] = question.positions
            ids[row, keep] = question.ids
            attention[row, keep] = True
            video[row, keep] = question.video
            audio[row, keep] = question.audio
        seen = torch.as_tensor(rows[conditions != "no_image"])
        heard = torch.as_tensor(sounds[conditions != "no_audio"])
        hides_video = torch.as_tensor(np.isin(conditions, ["only_2", "neither"]))[:, None]
        hides_audio = torch.as_tensor(np.isin(conditions, ["only_1", "neither"]))[:, None]
        answers = [
            answer_of(str(task), int(self.digits[row]), int(self.tones[sound]))
            for task, row, sound in zip(tasks, rows, sounds, strict=True)
        ]
        return ClipLesson(
            input_ids=ids,
            attention_mask=attention.long(),
            position_ids=positions,
            seen=seen,
            heard=heard,
            video=video & hides_video,
            audio=audio & hides_audio,
            all_video=video,
            all_audio=audio,
            target=self.letters[torch.as_tensor(answers)],
            digits=torch.as_tensor(self.digits[rows]),
            tones=torch.as_tensor(self.tones[sounds]),
        )

    def watched(self, rows: "torch.Tensor") -> "dict[str, torch.Tensor]":
        """Return what the model sees of the digits of (n,) rows, in frames moved each by itself."""
        import torch

        frames = [augment(self.pixels[rows], self.generator) for _ in range(FRAMES)]
        images = self.processor.image_processor
        patch, merge = int(images.patch_size), int(images.merge_size)
        grid = IMAGE_SIDE // patch
        cells = grid // merge
        # (n, colour, cell row, patch row in it, y, cell column, patch column in it, x)
        cut = [
            one.reshape(len(rows), 3, cells, merge, patch, cells, merge, patch).permute(
                0, 2, 5, 3, 6, 1, 4, 7
            )
            for one in frames
        ]
        return {
            "pixel_values_videos": torch.stack(cut, 6).reshape(len(rows) * grid * grid, -1),
            "video_grid_thw": torch.tensor([[1, grid, grid]]).expand(len(rows), 3),
            "video_second_per_grid": torch.full((len(rows),), SECONDS),
        }


def _heard(processor: Any, waves: "list[np.ndarray]") -> "dict[str, torch.Tensor]":
    """Return what the model hears of sounds at `RATE`, as a run resamples them."""
    from data_cache.benchmarks.digits_av import encode_wav
    from data_cache.images import MediaFile, sha256
    from data_cache.sounds import read_sound

    sounds: list[np.ndarray] = []
    for wave in waves:
        data = encode_wav(np.rint(wave * 2**15).astype(np.int16))
        media = MediaFile(data=data, digest=sha256(data))
        sounds.append(
            read_sound(
                media, rate=processor.sound_rate, most_seconds=processor.most_sound_seconds
            ).waveform
        )
    assert all(abs(len(sound) / processor.sound_rate - SECONDS) < 1 / RATE for sound in sounds)
    return processor.sounds(sounds)
