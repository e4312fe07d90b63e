"""Tiny BLIP-2s, whose Q-Former does not read the question; one decodes with T5."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.build import build_tokenizer
from model_runners.demo.recipes import tokenizer_corpus
from model_runners.processors_blip2 import Blip2Prompts
from tests.model_runners.tiny.instructblip import t5_settings
from tests.model_runners.tiny.parts import HEADS, LAYERS, WIDTH, vision_settings

QUERIES = 4


class Saved(Blip2Prompts):
    """Writes the name of transformers' class, too, as checkpoints have it."""

    def save_pretrained(self, folder: str | Path) -> None:
        super().save_pretrained(folder)
        settings = {"processor_class": "Blip2Processor", "num_query_tokens": QUERIES}
        (Path(folder) / "processor_config.json").write_text(json.dumps(settings))


def blip_2(text: Callable[[Any], dict[str, Any]], special: dict[str, str]) -> tuple[Any, Any]:
    from transformers import Blip2Config, Blip2ForConditionalGeneration, BlipImageProcessorPil

    tokenizer = build_tokenizer(tokenizer_corpus()[:64], 512, special, image_token="<image>")
    images = BlipImageProcessorPil(size={"height": IMAGE_SIDE, "width": IMAGE_SIDE})
    processor = Saved(image_processor=images, tokenizer=tokenizer, queries=QUERIES, start=None)
    config = Blip2Config(
        vision_config=vision_settings("blip_2_vision_model", initializer_range=0.02),
        qformer_config={
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": HEADS,
        },
        text_config=text(tokenizer),
        num_query_tokens=QUERIES,
        image_token_index=processor.image_token_id,
    )
    return Blip2ForConditionalGeneration(config), processor


def blip_2_opt() -> tuple[Any, Any]:
    def text(tokenizer: Any) -> dict[str, Any]:
        return {
            "model_type": "opt",
            "vocab_size": len(tokenizer),
            "hidden_size": WIDTH,
            "word_embed_proj_dim": WIDTH,
            "ffn_dim": 2 * WIDTH,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "max_position_embeddings": 512,
            "pad_token_id": tokenizer.pad_token_id,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        }

    return blip_2(text, {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"})


def blip_2_t5() -> tuple[Any, Any]:
    return blip_2(t5_settings, {"pad_token": "<pad>", "eos_token": "</s>"})
