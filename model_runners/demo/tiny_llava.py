"""A small LLaVA from configuration classes: CLIP tower, projector, Llama."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.build import AbstractTinyModel, build_tokenizer

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import LlavaForConditionalGeneration, LlavaProcessor

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{{ message['role'].upper() }}: "
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{{ '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
WITH_LINES = CHAT_TEMPLATE.replace("() }}: ", "() }}:\n").replace("ASSISTANT:", "ASSISTANT:\n")
"""The same with a line break instead of the blank behind a role, so that an answer has no blank."""
PATCH = 8
"""Pixels: 32 x 32 images give 16 image tokens."""


@dataclass(frozen=True, kw_only=True)
class TinyLlava(AbstractTinyModel):
    """Size of a small LLaVA."""

    patch: int = PATCH
    """Pixels a side of what becomes one token."""

    def build_processor(self, corpus: Iterable[str]) -> "LlavaProcessor":
        """Train a tokenizer on a corpus and put it beside a CLIP image processor."""
        from transformers import CLIPImageProcessorPil, LlavaProcessor

        tokenizer = build_tokenizer(
            corpus,
            self.vocabulary,
            {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"},
            image_token="<image>",
            phrases=self.phrases_of(corpus, "SYSTEM:\n", "\nUSER:\n", "\nASSISTANT:\n"),
        )
        images = CLIPImageProcessorPil(
            size={"shortest_edge": IMAGE_SIDE},
            crop_size={"height": IMAGE_SIDE, "width": IMAGE_SIDE},
            image_mean=[0.5, 0.5, 0.5],
            image_std=[0.5, 0.5, 0.5],
        )
        return LlavaProcessor(
            image_processor=images,
            tokenizer=tokenizer,
            patch_size=self.patch,
            vision_feature_select_strategy="default",
            num_additional_image_tokens=1,
            chat_template=WITH_LINES if self.phrases else CHAT_TEMPLATE,
        )

    def build_model(self, processor: Any, *, seed: int) -> "LlavaForConditionalGeneration":
        """Build the model with random weights of a fixed seed."""
        import torch
        from transformers import LlavaConfig, LlavaForConditionalGeneration

        tokenizer = processor.tokenizer
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return LlavaForConditionalGeneration(
                LlavaConfig(
                    vision_config={
                        "model_type": "clip_vision_model",
                        "hidden_size": self.hidden,
                        "intermediate_size": 2 * self.hidden,
                        "num_hidden_layers": self.vision_layers,
                        "num_attention_heads": self.heads,
                        "image_size": IMAGE_SIDE,
                        "patch_size": self.patch,
                        "projection_dim": self.hidden,
                    },
                    text_config={
                        "model_type": "llama",
                        "vocab_size": len(tokenizer),
                        "hidden_size": self.hidden,
                        "intermediate_size": 3 * self.hidden,
                        "num_hidden_layers": self.language_layers,
                        "num_attention_heads": self.heads,
                        "num_key_value_heads": self.heads,
                        "max_position_embeddings": 256,
                        "pad_token_id": tokenizer.pad_token_id,
                        "bos_token_id": tokenizer.bos_token_id,
                        "eos_token_id": tokenizer.eos_token_id,
                    },
                    image_token_index=processor.image_token_id,
                    vision_feature_layer=-1,
                )
            )

    def tower_inputs(self, pixels: "torch.Tensor") -> "dict[str, torch.Tensor]":
        """Return the pixels as they are."""
        return {"pixel_values": pixels}

    def tower_parts(self, model: Any) -> "list[nn.Module]":
        """Return CLIP tower and projector."""
        return [model.model.vision_tower, model.model.multi_modal_projector]

    def projector_parts(self, model: Any) -> "list[nn.Module]":
        """Return the two-layer projector."""
        return [model.model.multi_modal_projector]
