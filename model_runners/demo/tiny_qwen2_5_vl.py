"""A small Qwen2.5-VL from configuration classes: ViT with merger, M-RoPE, Qwen2 decoder."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.build import AbstractTinyModel, build_tokenizer
from model_runners.processors import GridProcessor

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import Qwen2_5_VLForConditionalGeneration

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PATCH = 4
"""Pixels."""
MERGE = 2
"""Patches a side that become one token: 32 x 32 images give 16 image tokens."""
TEMPORAL = 2
"""Frames of a patch; a still image is shown in all of them."""


@dataclass(frozen=True, kw_only=True)
class TinyQwen2_5_VL(AbstractTinyModel):
    """Size of a small Qwen2.5-VL."""

    patch: int = PATCH
    """Pixels a side; `MERGE` x `MERGE` patches become one token."""

    def build_processor(self, corpus: Iterable[str]) -> GridProcessor:
        """Train a tokenizer on a corpus and put it beside a Qwen2-VL image processor."""
        from transformers import Qwen2VLImageProcessorPil

        tokenizer = build_tokenizer(
            corpus,
            self.vocabulary,
            {"pad_token": "<|endoftext|>", "eos_token": "<|im_end|>"},
            image_token="<|image_pad|>",
            video_token="<|video_pad|>",
            vision_start_token="<|vision_start|>",
            vision_end_token="<|vision_end|>",
            turn_token="<|im_start|>",
            phrases=self.phrases_of(corpus, "system\n", "user\n", "assistant\n"),
        )
        tokenizer.chat_template = CHAT_TEMPLATE
        side = IMAGE_SIDE * IMAGE_SIDE
        images = Qwen2VLImageProcessorPil(
            patch_size=self.patch,
            merge_size=MERGE,
            temporal_patch_size=TEMPORAL,
            size={"shortest_edge": side, "longest_edge": side},
            image_mean=[0.5, 0.5, 0.5],
            image_std=[0.5, 0.5, 0.5],
        )
        return GridProcessor(
            image_processor=images, tokenizer=tokenizer, image_grid="image_grid_thw"
        )

    def build_model(self, processor: Any, *, seed: int) -> "Qwen2_5_VLForConditionalGeneration":
        """Build the model with random weights of a fixed seed."""
        import torch
        from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

        tokenizer = processor.tokenizer
        half = self.hidden // self.heads // 2
        side = half // 3
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return Qwen2_5_VLForConditionalGeneration(
                Qwen2_5_VLConfig(
                    vision_config={
                        "depth": self.vision_layers,
                        "hidden_size": self.hidden,
                        "out_hidden_size": self.hidden,
                        "intermediate_size": 2 * self.hidden,
                        "num_heads": self.heads,
                        "patch_size": self.patch,
                        "spatial_merge_size": MERGE,
                        "temporal_patch_size": TEMPORAL,
                        "window_size": IMAGE_SIDE,
                        "fullatt_block_indexes": list(range(self.vision_layers)),
                    },
                    text_config={
                        "vocab_size": len(tokenizer),
                        "hidden_size": self.hidden,
                        "intermediate_size": 3 * self.hidden,
                        "num_hidden_layers": self.language_layers,
                        "num_attention_heads": self.heads,
                        "num_key_value_heads": self.heads,
                        "max_position_embeddings": 256,
                        "rope_parameters": {
                            "rope_type": "default",
                            "rope_theta": 10000.0,
                            "mrope_section": [half - 2 * side, side, side],
                        },
                        "pad_token_id": tokenizer.pad_token_id,
                        "bos_token_id": None,
                        "eos_token_id": tokenizer.eos_token_id,
                    },
                    image_token_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
                    video_token_id=tokenizer.convert_tokens_to_ids("<|video_pad|>"),
                    vision_start_token_id=tokenizer.convert_tokens_to_ids("<|vision_start|>"),
                    vision_end_token_id=tokenizer.convert_tokens_to_ids("<|vision_end|>"),
                )
            )

    def tower_inputs(self, pixels: "torch.Tensor") -> "dict[str, torch.Tensor]":
        """Cut images into the rows of patches that the family's image processor makes."""
        import torch

        count, colours = pixels.shape[:2]
        grid = pixels.shape[-1] // self.patch
        cells = grid // MERGE
        # (n, colour, cell row, patch row in it, y, cell column, patch column in it, x)
        cut = pixels.reshape(count, colours, cells, MERGE, self.patch, cells, MERGE, self.patch)
        cut = (
            cut.permute(0, 2, 5, 3, 6, 1, 4, 7)
            .unsqueeze(6)
            .expand(-1, -1, -1, -1, -1, -1, TEMPORAL, -1, -1)
        )
        return {
            "pixel_values": cut.reshape(count * grid * grid, -1),
            "image_grid_thw": torch.tensor([[1, grid, grid]]).expand(count, 3),
        }

    def token_inputs(self, vision: "torch.Tensor") -> "dict[str, torch.Tensor]":
        """Return which tokens are an image's; positions are one-dimensional without."""
        return {"mm_token_type_ids": vision.int()}

    def tower_parts(self, model: Any) -> "list[nn.Module]":
        """Return the ViT with its merger."""
        return [model.model.visual]

    def projector_parts(self, model: Any) -> "list[nn.Module]":
        """Return the merger, which is the last part of the ViT."""
        return [model.model.visual.merger]
