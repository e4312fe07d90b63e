"""VITA-1.5: an image is cut into patches, each with a sentinel; a silent sound goes beside it."""

from __future__ import annotations

from typing import Any

from .forks import Fork

PATCH_SIDE = 448
MOST_PATCHES = 12
SILENCE = (400, 80)
"""Frames and bands of the sound that the input path wants where a prompt has none."""


class Adapter(Fork):
    """VITA-1.5 with images and text; sound is not asked about."""

    package = "vita"
    family = "VITA"
    default_conversation = "qwen2p5_instruct"

    def module(self, name: str) -> Any:
        """Return a module of the repository, which keeps its tools in a folder of their own."""
        return super().module("util." + name if name == "mm_utils" else name)

    def load(self) -> tuple[Any, Any, Any]:
        """Load as the repository's own demo does."""
        import torch

        folder = self.request["model"].rstrip("/")
        name = self.module("mm_utils").get_model_name_from_path(folder)
        tokenizer, model, processor, _ = self.module("model.builder").load_pretrained_model(
            folder, None, name, self.conversation
        )
        model.resize_token_embeddings(len(tokenizer))
        tower = model.get_vision_tower()
        if not tower.is_loaded:
            tower.load_model()
        model.get_audio_encoder().to(dtype=torch.float16)
        return tokenizer, model, getattr(tower, "image_processor", processor)

    def pictures(self, images: list[Any]) -> tuple[Any, list[int]]:
        """Cut every image into patches and a thumbnail; one sentinel for each."""
        import torch

        cut = self.module("util.data_utils_video_audio_neg_patch").dynamic_preprocess
        patches: list[Any] = []
        counts: list[int] = []
        for image in images:
            made, number = cut(
                image, min_num=1, max_num=MOST_PATCHES, image_size=PATCH_SIDE, use_thumbnail=True
            )
            patches.append(self.moved(self.model.process_images(made, self.model.config)))
            counts.append(sum(number))
        return torch.cat(patches), counts

    def more_arguments(self, images: list[Any]) -> dict[str, Any]:
        """Return a silent sound for each prompt."""
        import torch

        frames, bands = SILENCE
        lengths = torch.full((len(images),), frames)
        sounds = {
            "audios": torch.zeros(len(images), frames, bands),
            "lengths": lengths.float(),
            "lengths_for_llm": lengths.float(),
        }
        return {
            "audios": {name: self.moved(value) for name, value in sounds.items()},
            "sf_masks": None,
            "shared_v_pid_stride": None,
        }

    def written(self, conversation: Any, with_image: bool) -> str:
        """Return the text of a conversation, whose system message names the modality."""
        return conversation.get_prompt("image" if with_image else "lang")
