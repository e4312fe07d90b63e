"""One tiny random model per family, with a processor put together from parts; no download.

Weights are drawn larger than transformers initialises them: at its own scale a few random layers
hardly let an image move a logit, and a leak would hide below the tolerance.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.build import build_tokenizer, save
from model_runners.demo.recipes import tokenizer_corpus
from model_runners.demo.tiny_llava import CHAT_TEMPLATE, TinyLlava
from model_runners.demo.tiny_qwen2_5_vl import MERGE, PATCH, TEMPORAL, TinyQwen2_5_VL

WIDTH = 32
HEADS = 2
LAYERS = 3
PATCH_SIDE = 8
GREY = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
TILINGS = [[IMAGE_SIDE, 2 * IMAGE_SIDE], [2 * IMAGE_SIDE, IMAGE_SIDE], [IMAGE_SIDE, IMAGE_SIDE]]
"""Height and width in pixels of the canvases that an image may be cut from."""


def _tokenizer(image_token: str, **more: str) -> Any:
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    corpus = tokenizer_corpus()[:64]
    return build_tokenizer(corpus, 512, special, image_token=image_token, **more)


def _tower(model_type: str, **more: Any) -> dict[str, Any]:
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


def _text(tokenizer: Any, **more: Any) -> dict[str, Any]:
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


def _llava() -> tuple[Any, Any]:
    size = TinyLlava(hidden=WIDTH, vision_layers=2, language_layers=LAYERS, heads=HEADS)
    processor = size.build_processor(tokenizer_corpus()[:64])
    return size.build_model(processor, seed=0), processor


def _llava_next() -> tuple[Any, Any]:
    from transformers import (
        LlavaNextConfig,
        LlavaNextForConditionalGeneration,
        LlavaNextImageProcessorPil,
        LlavaNextProcessor,
    )

    tokenizer = _tokenizer("<image>")
    processor = LlavaNextProcessor(
        image_processor=LlavaNextImageProcessorPil(
            size={"shortest_edge": IMAGE_SIDE},
            crop_size={"height": IMAGE_SIDE, "width": IMAGE_SIDE},
            image_grid_pinpoints=TILINGS,
            **GREY,
        ),
        tokenizer=tokenizer,
        patch_size=PATCH_SIDE,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )
    config = LlavaNextConfig(
        vision_config=_tower("clip_vision_model", projection_dim=WIDTH),
        text_config=_text(tokenizer, model_type="llama"),
        image_token_index=processor.image_token_id,
        image_grid_pinpoints=TILINGS,
        vision_feature_layer=-1,
    )
    return LlavaNextForConditionalGeneration(config), processor


def _qwen2_5_vl() -> tuple[Any, Any]:
    size = TinyQwen2_5_VL(hidden=WIDTH, vision_layers=2, language_layers=LAYERS, heads=HEADS)
    processor = size.build_processor(tokenizer_corpus()[:64])
    return size.build_model(processor, seed=0), processor


def _qwen2_vl() -> tuple[Any, Any]:
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    processor = TinyQwen2_5_VL().build_processor(tokenizer_corpus()[:64])
    token = processor.tokenizer.convert_tokens_to_ids
    config = Qwen2VLConfig(
        vision_config={
            "depth": 2,
            "embed_dim": WIDTH,
            "hidden_size": WIDTH,
            "num_heads": HEADS,
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": TEMPORAL,
        },
        text_config=_text(
            processor.tokenizer,
            rope_parameters={
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [4, 2, 2],
            },
        ),
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
    )
    return Qwen2VLForConditionalGeneration(config), processor


TINY: dict[str, Callable[[], tuple[Any, Any]]] = {
    "llava": _llava,
    "llava_next": _llava_next,
    "qwen2_5_vl": _qwen2_5_vl,
    "qwen2_vl": _qwen2_vl,
}
"""`model_type` -> a function that returns model and processor; one line per line of `FAMILIES`."""


def build(model_type: str, folder: Path) -> Path:
    """Write a tiny model of a family in the ordinary layout and return its folder."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, processor = TINY[model_type]()
        _strengthen(model)
    save(model.eval(), processor, folder)
    return folder


def _strengthen(model: Any) -> None:
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() >= 2:
                weight.normal_(std=0.5 if "embed_tokens" in name else 0.15)
    model.tie_weights()
