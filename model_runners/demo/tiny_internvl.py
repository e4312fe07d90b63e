"""A small InternVL from configuration classes: InternViT, pixel shuffle, projector, Qwen2."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.build import AbstractTinyModel, build_tokenizer
from model_runners.processors import without_video_slot

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import InternVLForConditionalGeneration

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<IMG_CONTEXT>\n"
    "{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PATCH = 8
"""Pixels."""
SHUFFLE = 2
"""Patches a side that become one token: 32 x 32 images give 4 image tokens."""


@dataclass(frozen=True, kw_only=True)
class TinyInternVL(AbstractTinyModel):
    """Size of a small InternVL."""

    def build_processor(self, corpus: Iterable[str]) -> Any:
        """Train a tokenizer on a corpus and put it beside an image processor that cuts no tiles."""
        from transformers import GotOcr2ImageProcessorPil, InternVLProcessor

        tokenizer = build_tokenizer(
            corpus,
            self.vocabulary,
            {"pad_token": "<|endoftext|>", "eos_token": "<|im_end|>"},
            image_token="<IMG_CONTEXT>",
            context_image_token="<IMG_CONTEXT>",
            start_image_token="<img>",
            end_image_token="</img>",
            video_token="<video>",
            turn_token="<|im_start|>",
            phrases=self.phrases_of(corpus, "system\n", "user\n", "assistant\n"),
        )
        images = GotOcr2ImageProcessorPil(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE},
            crop_to_patches=False,
            image_mean=[0.5, 0.5, 0.5],
            image_std=[0.5, 0.5, 0.5],
        )
        return without_video_slot(InternVLProcessor)(
            image_processor=images,
            tokenizer=tokenizer,
            image_seq_length=(IMAGE_SIDE // PATCH // SHUFFLE) ** 2,
            chat_template=CHAT_TEMPLATE,
        )

    def build_model(self, processor: Any, *, seed: int) -> "InternVLForConditionalGeneration":
        """Build the model with random weights of a fixed seed."""
        import torch
        from transformers import InternVLConfig, InternVLForConditionalGeneration

        tokenizer = processor.tokenizer
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return InternVLForConditionalGeneration(
                InternVLConfig(
                    vision_config={
                        "model_type": "internvl_vision",
                        "hidden_size": self.hidden,
                        "intermediate_size": 2 * self.hidden,
                        "num_hidden_layers": self.vision_layers,
                        "num_attention_heads": self.heads,
                        "image_size": [IMAGE_SIDE, IMAGE_SIDE],
                        "patch_size": [PATCH, PATCH],
                    },
                    text_config={
                        "model_type": "qwen2",
                        "vocab_size": len(tokenizer),
                        "hidden_size": self.hidden,
                        "intermediate_size": 3 * self.hidden,
                        "num_hidden_layers": self.language_layers,
                        "num_attention_heads": self.heads,
                        "num_key_value_heads": self.heads,
                        "max_position_embeddings": 256,
                        "pad_token_id": tokenizer.pad_token_id,
                        "bos_token_id": None,
                        "eos_token_id": tokenizer.eos_token_id,
                    },
                    image_token_id=processor.image_token_id,
                    image_seq_length=processor.image_seq_length,
                    downsample_ratio=1 / SHUFFLE,
                    tie_word_embeddings=False,
                )
            )

    def tower_inputs(self, pixels: "torch.Tensor") -> "dict[str, torch.Tensor]":
        """Return the pixels as they are."""
        return {"pixel_values": pixels}

    def tower_parts(self, model: Any) -> "list[nn.Module]":
        """Return InternViT and projector."""
        return [model.model.vision_tower, model.model.multi_modal_projector]

    def projector_parts(self, model: Any) -> "list[nn.Module]":
        """Return the two-layer projector."""
        return [model.model.multi_modal_projector]
