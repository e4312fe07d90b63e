"""Tiny GLM-4V and GLM-4.6V: M-RoPE, and a processor with a slot for videos."""

from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.tiny_llava import CHAT_TEMPLATE
from model_runners.processors import without_video_slot
from tests.model_runners.tiny import parts


def glm4v() -> tuple[Any, Any]:
    from transformers import (
        Glm4vConfig,
        Glm4vForConditionalGeneration,
        Glm4vImageProcessorPil,
        Glm4vProcessor,
    )

    processor = processor_of(Glm4vProcessor, Glm4vImageProcessorPil)
    return Glm4vForConditionalGeneration(Glm4vConfig(**settings(processor.tokenizer))), processor


def processor_of(kind: Any, images: Any) -> Any:
    tokenizer = parts.new_tokenizer(
        "<|image|>",
        video_token="<|video|>",
        begin="<|begin_of_image|>",
        end="<|end_of_image|>",
        begin_video="<|begin_of_video|>",
        end_video="<|end_of_video|>",
    )
    return without_video_slot(kind)(
        image_processor=images(
            size={"shortest_edge": 16 * 16 * 2, "longest_edge": IMAGE_SIDE * IMAGE_SIDE * 2},
            patch_size=4,
            merge_size=2,
            temporal_patch_size=2,
            **parts.GREY,
        ),
        tokenizer=tokenizer,
        chat_template=CHAT_TEMPLATE.replace(
            "<image>", "<|begin_of_image|><|image|><|end_of_image|>"
        ),
    )


def settings(tokenizer: Any, **text: Any) -> dict[str, Any]:
    token = tokenizer.convert_tokens_to_ids
    return {
        "vision_config": {
            "depth": 2,
            "hidden_size": parts.WIDTH,
            "out_hidden_size": parts.WIDTH,
            "intermediate_size": 2 * parts.WIDTH,
            "num_heads": parts.HEADS,
            "patch_size": 4,
            "image_size": IMAGE_SIDE,
        },
        "text_config": parts.text_settings(
            tokenizer,
            rope_parameters={
                "rope_type": "default",
                "rope_theta": 10000.0,
                "partial_rotary_factor": 1.0,
                "mrope_section": [4, 2, 2],
            },
            **text,
        ),
        "image_token_id": tokenizer.image_token_id,
        "video_token_id": tokenizer.video_token_id,
        "image_start_token_id": token("<|begin_of_image|>"),
        "image_end_token_id": token("<|end_of_image|>"),
        "video_start_token_id": token("<|begin_of_video|>"),
        "video_end_token_id": token("<|end_of_video|>"),
    }
