"""A small thinker of Qwen2.5-Omni from configuration classes: ViT, sound encoder, decoder."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_cache.benchmarks.digits_av import SECONDS
from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.build import build_tokenizer
from model_runners.demo.tiny_qwen2_5_vl import MERGE, TEMPORAL, TinyQwen2_5_VL
from model_runners.processors_omni import OmniProcessor

if TYPE_CHECKING:
    from torch import nn

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_bos|><|IMAGE|><|vision_eos|>"
    "{% elif part['type'] == 'video' %}<|vision_bos|><|VIDEO|><|vision_eos|>"
    "{% elif part['type'] == 'audio' %}<|audio_bos|><|AUDIO|><|audio_eos|>"
    "{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MELS = 16
"""Bands of the spectrum."""
HEARD = 16000
"""Values of sound per second, as in the family's published models; sounds are resampled."""


@dataclass(frozen=True, kw_only=True)
class TinyQwen2_5_Omni(TinyQwen2_5_VL):
    """Size of a small thinker."""

    audio_layers: int = 2

    def build_processor(self, corpus: Iterable[str]) -> OmniProcessor:
        """Train a tokenizer on a corpus and put it beside processors of images and sounds."""
        from transformers import Qwen2VLImageProcessorPil, WhisperFeatureExtractor

        tokenizer = build_tokenizer(
            corpus,
            self.vocabulary,
            {"pad_token": "<|endoftext|>", "eos_token": "<|im_end|>"},
            image_token="<|IMAGE|>",
            video_token="<|VIDEO|>",
            audio_token="<|AUDIO|>",
            vision_bos_token="<|vision_bos|>",
            vision_eos_token="<|vision_eos|>",
            audio_bos_token="<|audio_bos|>",
            audio_eos_token="<|audio_eos|>",
            turn_token="<|im_start|>",
            phrases=self.phrases_of(corpus, "system\n", "user\n", "assistant\n"),
        )
        tokenizer.chat_template = CHAT_TEMPLATE
        side = IMAGE_SIDE * IMAGE_SIDE
        return OmniProcessor(
            image_processor=Qwen2VLImageProcessorPil(
                patch_size=self.patch,
                merge_size=MERGE,
                temporal_patch_size=TEMPORAL,
                size={"shortest_edge": side, "longest_edge": side},
                image_mean=[0.5, 0.5, 0.5],
                image_std=[0.5, 0.5, 0.5],
            ),
            tokenizer=tokenizer,
            feature_extractor=WhisperFeatureExtractor(
                feature_size=MELS,
                sampling_rate=HEARD,
                chunk_length=1,
                return_attention_mask=True,
            ),
        )

    def build_model(self, processor: Any, *, seed: int) -> Any:
        """Build the model with random weights of a fixed seed."""
        import torch
        from transformers import (
            Qwen2_5OmniThinkerConfig,
            Qwen2_5OmniThinkerForConditionalGeneration,
        )

        tokenizer = processor.tokenizer
        token = tokenizer.convert_tokens_to_ids
        half = self.hidden // self.heads // 2
        side = half // 3
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return Qwen2_5OmniThinkerForConditionalGeneration(
                Qwen2_5OmniThinkerConfig(
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
                    audio_config={
                        "num_mel_bins": MELS,
                        "encoder_layers": self.audio_layers,
                        "encoder_attention_heads": self.heads,
                        "encoder_ffn_dim": 2 * self.hidden,
                        "d_model": self.hidden,
                        "output_dim": self.hidden,
                        "max_source_positions": 100,
                        # Windows of attention, in frames halved: one for a clip of `SECONDS`.
                        "n_window": round(100 * SECONDS),
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
                    image_token_index=token("<|IMAGE|>"),
                    video_token_index=token("<|VIDEO|>"),
                    audio_token_index=token("<|AUDIO|>"),
                    audio_start_token_id=token("<|audio_bos|>"),
                    audio_end_token_id=token("<|audio_eos|>"),
                    user_token_id=token("<|im_start|>"),
                    position_id_per_seconds=25,
                    # Read by the model's positions, and no field of the configuration's class.
                    **{
                        "vision_start_token_id": token("<|vision_bos|>"),
                        "vision_end_token_id": token("<|vision_eos|>"),
                    },
                )
            )

    def tower_parts(self, model: Any) -> "list[nn.Module]":
        """Return both encoders."""
        return [model.model.visual, model.model.audio_tower]

    def projector_parts(self, model: Any) -> "list[nn.Module]":
        """Return what turns what was seen and heard into vectors of the language model."""
        return [model.model.visual.merger, model.model.audio_tower.proj]
