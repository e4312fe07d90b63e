"""How a small LLaVA is built from configuration classes: tokenizer, processor, random weights."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE

if TYPE_CHECKING:
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
PATCH = 8
"""Pixels: 32 x 32 images give 16 image tokens."""


@dataclass(frozen=True, kw_only=True)
class TinyLlava:
    """Size of a small LLaVA."""

    hidden: int = 64
    """Width of tower and language model."""
    vision_layers: int = 3
    language_layers: int = 4
    heads: int = 4
    vocabulary: int = 512


def build_processor(corpus: Iterable[str], size: TinyLlava) -> "LlavaProcessor":
    """Train a byte-level BPE tokenizer on a corpus and put it beside a CLIP image processor."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import CLIPImageProcessorPil, LlavaProcessor, PreTrainedTokenizerFast

    core = Tokenizer(models.BPE(unk_token=None))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    core.decoder = decoders.ByteLevel()
    core.train_from_iterator(
        corpus,
        trainers.BpeTrainer(
            vocab_size=size.vocabulary,
            special_tokens=["<pad>", "<s>", "</s>", "<image>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        extra_special_tokens={"image_token": "<image>"},
        padding_side="left",
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
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )


def build_model(processor: Any, size: TinyLlava, *, seed: int) -> "LlavaForConditionalGeneration":
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
                    "hidden_size": size.hidden,
                    "intermediate_size": 2 * size.hidden,
                    "num_hidden_layers": size.vision_layers,
                    "num_attention_heads": size.heads,
                    "image_size": IMAGE_SIDE,
                    "patch_size": PATCH,
                    "projection_dim": size.hidden,
                },
                text_config={
                    "model_type": "llama",
                    "vocab_size": len(tokenizer),
                    "hidden_size": size.hidden,
                    "intermediate_size": 3 * size.hidden,
                    "num_hidden_layers": size.language_layers,
                    "num_attention_heads": size.heads,
                    "num_key_value_heads": size.heads,
                    "max_position_embeddings": 256,
                    "pad_token_id": tokenizer.pad_token_id,
                    "bos_token_id": tokenizer.bos_token_id,
                    "eos_token_id": tokenizer.eos_token_id,
                },
                image_token_index=processor.image_token_id,
                vision_feature_layer=-1,
            )
        )


def save(model: Any, processor: Any, folder: Path) -> None:
    """Write the ordinary Hugging Face layout: config, safetensors, tokenizer, processor."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder, safe_serialization=True)
    processor.save_pretrained(folder)
