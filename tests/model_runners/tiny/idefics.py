"""Tiny Idefics3 and SmolVLM: markers of rows and columns stand between the tiles of an image."""

from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.tiny_llava import CHAT_TEMPLATE
from tests.model_runners.tiny import parts

MARKS = {
    "fake_image_token": "<fake_token_around_image>",
    "global_image_token": "<global-img>",
    "end_of_utterance_token": "<end_of_utterance>",
}
SIZES: dict[str, Any] = {
    "size": {"longest_edge": 2 * IMAGE_SIDE},
    "max_image_size": {"longest_edge": IMAGE_SIDE},
}


def idefics3() -> tuple[Any, Any]:
    from transformers import (
        Idefics3Config,
        Idefics3ForConditionalGeneration,
        Idefics3ImageProcessorPil,
    )

    tokenizer = parts.new_tokenizer("<image>", **MARKS)
    images = Idefics3ImageProcessorPil(**SIZES, **parts.GREY)
    config = Idefics3Config(**settings(tokenizer, "idefics3_vision"))
    return Idefics3ForConditionalGeneration(config), processor(images, tokenizer)


def smolvlm() -> tuple[Any, Any]:
    from transformers import (
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessorPil,
    )

    tokenizer = parts.new_tokenizer("<image>", **MARKS)
    images = SmolVLMImageProcessorPil(**SIZES, **parts.GREY)
    config = SmolVLMConfig(**settings(tokenizer, "smolvlm_vision"))
    return SmolVLMForConditionalGeneration(config), processor(images, tokenizer, "SmolVLMProcessor")


def settings(tokenizer: Any, tower: str) -> dict[str, Any]:
    return {
        "vision_config": parts.vision_settings(tower),
        "text_config": parts.text_settings(tokenizer, model_type="llama"),
        "image_token_id": tokenizer.image_token_id,
        "scale_factor": 2,
    }


def processor(images: Any, tokenizer: Any, name: str = "Idefics3Processor") -> Any:
    """Return Idefics3's processor under the name that a checkpoint's files are to give it."""
    from transformers import Idefics3Processor

    kind = type(name, (Idefics3Processor,), {})
    return kind(
        image_processor=images, tokenizer=tokenizer, image_seq_len=4, chat_template=CHAT_TEMPLATE
    )
