"""Processor of the thinkers of Qwen's omni models, for pictures, clips and sounds.

That of transformers needs torchvision for its videos. What it does with them is little: two frames
at a time share the patches that a still image fills twice. Image processor, feature extractor and
tokenizer load without it, and the rest is here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_runners.processors_still import GridProcessor

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image
    import torch

GRID = "image_grid_thw"


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The frames of one clip, in the order of time."""

    frames: "Sequence[PIL.Image.Image]"
    seconds: float
    """How long the clip is."""


class OmniProcessor(GridProcessor):
    """Gives the inputs of prompts with images, or with at most one video and one sound each.

    tests/model_runners/test_processors_omni.py holds them to those of transformers' own class.
    """

    usual_image_token = "<|IMAGE|>"

    def __init__(
        self,
        *,
        image_processor: Any,
        tokenizer: Any,
        feature_extractor: Any,
        chat_template: Any = None,
    ):
        """Put the parts together.

        Parameters
        ----------
        image_processor, tokenizer, chat_template
            As those of any processor.
        feature_extractor
            Of sounds: Whisper's.

        Raises
        ------
        ValueError
            If the tokenizer has no placeholder for images, videos or sounds.
        """
        super().__init__(
            image_processor=image_processor,
            tokenizer=tokenizer,
            image_grid=GRID,
            chat_template=chat_template,
        )
        self.feature_extractor = feature_extractor
        self.video_token: str = getattr(tokenizer, "video_token", None) or "<|VIDEO|>"
        self.audio_token: str = getattr(tokenizer, "audio_token", None) or "<|AUDIO|>"
        self.video_token_id: int = self.id_of(self.video_token)
        self.audio_token_id: int = self.id_of(self.audio_token)

    @property
    def sound_rate(self) -> int:
        """Values per second that sounds must have."""
        return int(self.feature_extractor.sampling_rate)

    @property
    def most_sound_seconds(self) -> float:
        """How much of a sound the model hears; the rest is cut off."""
        return float(self.feature_extractor.n_samples) / self.sound_rate

    def beside(self, encoded: dict[str, Any]) -> dict[str, Any]:
        """Return nothing: these models find the places of images themselves."""
        del encoded
        return {}

    def of_clips(
        self,
        *,
        text: Sequence[str],
        videos: Sequence[Pictures] | None,
        sounds: "Sequence[np.ndarray] | None",
        text_kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Return model inputs of B prompts, each with one placeholder per medium.

        Parameters
        ----------
        text
            B prompts.
        videos
            B clips; None where the prompts have no placeholder for one.
        sounds
            B waveforms, (n,) float32 at `sound_rate`; None likewise.
        text_kwargs, options
            To the tokenizer.

        Raises
        ------
        ValueError
            If a prompt has other than one placeholder of a medium, or a sound is too short for a
            single token.
        """
        inputs: dict[str, Any] = {}
        counts: dict[str, list[int]] = {}
        if videos is not None:
            made = self._videos(videos)
            merged = self.image_processor.merge_size**2
            counts[self.video_token] = (made["video_grid_thw"].prod(-1) // merged).tolist()
            inputs |= made
        if sounds is not None:
            made = self.sounds(sounds)
            lengths = made["feature_attention_mask"].sum(-1)
            counts[self.audio_token] = sound_tokens(lengths).tolist()
            inputs |= made
        written: list[str] = []
        for row, prompt in enumerate(text):
            expanded = prompt
            for token in (self.video_token, self.audio_token):
                wanted = 1 if token in counts else 0
                if prompt.count(token) != wanted:
                    raise ValueError(
                        f"the prompt has {prompt.count(token)} placeholders {token}, not {wanted}"
                    )
                if wanted:
                    if counts[token][row] < 1:
                        raise ValueError("the sound is too short to be heard")
                    expanded = expanded.replace(token, token * counts[token][row])
            written.append(expanded)
        return inputs | dict(self.tokenizer(written, **(text_kwargs or {}), **options))

    def _videos(self, videos: Sequence[Pictures]) -> "dict[str, torch.Tensor]":
        import torch

        temporal = int(self.image_processor.temporal_patch_size)
        patches: list[torch.Tensor] = []
        grids: list[torch.Tensor] = []
        seconds: list[float] = []
        for video in videos:
            frames = list(video.frames)
            seconds.append(video.seconds * temporal / len(frames))
            frames += [frames[-1]] * (-len(frames) % temporal)
            # Each image fills all `temporal` slots of its patches; of frame t one slot is kept.
            made = [dict(self.image_processor([one], return_tensors="pt")) for one in frames]
            grid = made[0][self.image_grid][0]
            if any(not torch.equal(one[self.image_grid][0], grid) for one in made):
                raise ValueError("the frames of a video differ in size")
            side = int(self.image_processor.patch_size) ** 2
            cut = [one["pixel_values"].unflatten(-1, (-1, temporal, side)) for one in made]
            for start in range(0, len(cut), temporal):
                slots = [cut[start + slot][:, :, slot] for slot in range(temporal)]
                patches.append(torch.stack(slots, 2).flatten(1))
            grids.append(torch.stack([grid.new_tensor(len(cut) // temporal), grid[1], grid[2]]))
        return {
            "pixel_values_videos": torch.cat(patches),
            "video_grid_thw": torch.stack(grids),
            "video_second_per_grid": torch.tensor(seconds),
        }

    def sounds(self, sounds: "Sequence[np.ndarray]") -> "dict[str, torch.Tensor]":
        """Return the spectra of sounds, (B, bands, frames), and (B, frames) which frames count."""
        made = self.feature_extractor(
            list(sounds),
            sampling_rate=self.sound_rate,
            padding="max_length",
            return_attention_mask=True,
            return_tensors="pt",
        )
        return {
            "input_features": made["input_features"],
            "feature_attention_mask": made["attention_mask"],
        }

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the files that both this class and the family's own processor load."""
        super().save_pretrained(folder)
        # One file holds the settings of both; each class leaves what is the other's alone.
        self.feature_extractor.save_pretrained(folder)
        self._merge_settings(Path(folder))

    def _merge_settings(self, folder: Path) -> None:
        import json

        from model_runners.errors import UnsupportedModel

        images: dict[str, Any] = self.image_processor.to_dict()
        sounds: dict[str, Any] = self.feature_extractor.to_dict()
        for name in ("mel_filters", "window"):
            sounds.pop(name, None)
        both = {**sounds, **images, "feature_extractor_type": "WhisperFeatureExtractor"}
        try:
            text = json.dumps(both, indent=2, sort_keys=True, default=str)
        except TypeError as error:
            raise UnsupportedModel(f"the processor cannot be written: {error}") from error
        (folder / "preprocessor_config.json").write_text(text + "\n")


def sound_tokens(frames: "torch.Tensor") -> "torch.Tensor":
    """Return how many tokens a sound of so many spectral frames becomes.

    Two convolutions, of which one halves, then a pooling of two.
    """
    return ((frames - 1) // 2 + 1 - 2) // 2 + 1


def assemble(location: str, settings: dict[str, Any]) -> OmniProcessor:
    """Load the parts from a model's folder and put them together.

    Parameters
    ----------
    location
        A folder.
    settings
        What its processor_config.json says.
    """
    import transformers

    choices: dict[str, Any] = {"backend": "pil", "trust_remote_code": False}
    return OmniProcessor(
        image_processor=transformers.AutoImageProcessor.from_pretrained(location, **choices),
        tokenizer=transformers.AutoTokenizer.from_pretrained(location, trust_remote_code=False),
        feature_extractor=transformers.AutoFeatureExtractor.from_pretrained(
            location, trust_remote_code=False
        ),
        chat_template=settings.get("chat_template"),
    )
