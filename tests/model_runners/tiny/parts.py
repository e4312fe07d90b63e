"""What the tiny models are put together from: a tokenizer, a tower, a language model."""

from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.build import build_tokenizer
from model_runners.demo.recipes import tokenizer_corpus

WIDTH = 32
HEADS = 2
LAYERS = 3
PATCH_SIDE = 8
LAYERS_OF_BOTH_KINDS = ["sliding_attention", "full_attention", "sliding_attention"]
GREY: dict[str, Any] = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
TILINGS = [[IMAGE_SIDE, 2 * IMAGE_SIDE], [2 * IMAGE_SIDE, IMAGE_SIDE], [IMAGE_SIDE, IMAGE_SIDE]]
"""Height and width in pixels of the canvases that an image may be cut from."""


def new_tokenizer(image_token: str, **more: str) -> Any:
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    corpus = tokenizer_corpus()[:64]
    return build_tokenizer(corpus, 512, special, image_token=image_token, **more)


def vision_settings(model_type: str, **more: Any) -> dict[str, Any]:
    """Return a vision tower of 4 x 4 patches."""
    return {
        "model_type": model_type,
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": HEADS,
        "image_size": IMAGE_SIDE,
        "patch_size": PATCH_SIDE,
        **more,
    }


def text_settings(tokenizer: Any, **more: Any) -> dict[str, Any]:
    """Return what the language model of every family is told."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "max_position_embeddings": 512,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        **more,
    }
