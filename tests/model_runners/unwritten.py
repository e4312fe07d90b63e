"""Tiny models of families that no file describes, and what each is meant to show."""

from collections.abc import Callable
from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.tiny_llava import CHAT_TEMPLATE
from model_runners.processors import without_video_slot
from tests.model_runners.tiny import parts


def idefics3() -> tuple[Any, Any]:
    """Markers of rows and columns between the tiles; the text stack is called `text_model`."""
    from transformers import (
        Idefics3Config,
        Idefics3ForConditionalGeneration,
        Idefics3ImageProcessorPil,
        Idefics3Processor,
    )

    marks = ("<fake_token_around_image>", "<global-img>", "<end_of_utterance>")
    tokenizer = parts.new_tokenizer(
        "<image>", **{f"mark_{i}": mark for i, mark in enumerate(marks)}
    )
    processor = Idefics3Processor(
        image_processor=Idefics3ImageProcessorPil(
            size={"longest_edge": 2 * IMAGE_SIDE},
            max_image_size={"longest_edge": IMAGE_SIDE},
            **parts.GREY,
        ),
        tokenizer=tokenizer,
        image_seq_len=4,
        chat_template=CHAT_TEMPLATE,
    )
    config = Idefics3Config(
        vision_config=parts.vision_settings("idefics3_vision"),
        text_config=parts.text_settings(tokenizer, model_type="llama"),
        image_token_id=tokenizer.image_token_id,
        scale_factor=2,
    )
    return Idefics3ForConditionalGeneration(config), processor


def deepseek_vl() -> tuple[Any, Any]:
    """Nothing but the common idiom."""
    from transformers import (
        DeepseekVLConfig,
        DeepseekVLForConditionalGeneration,
        DeepseekVLImageProcessorPil,
        DeepseekVLProcessor,
    )

    tokenizer = parts.new_tokenizer("<image_placeholder>")
    processor = DeepseekVLProcessor(
        image_processor=DeepseekVLImageProcessorPil(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE}, min_size=IMAGE_SIDE, **parts.GREY
        ),
        tokenizer=tokenizer,
        num_image_tokens=16,
        chat_template=CHAT_TEMPLATE.replace("<image>", "<image_placeholder>"),
    )
    config = DeepseekVLConfig(
        vision_config=parts.vision_settings("siglip_vision_model", vision_use_head=False),
        text_config=parts.text_settings(tokenizer, model_type="llama"),
        image_token_id=tokenizer.image_token_id,
    )
    return DeepseekVLForConditionalGeneration(config), processor


def glm4v() -> tuple[Any, Any]:
    """M-RoPE, and a processor with a slot for videos."""
    from transformers import (
        Glm4vConfig,
        Glm4vForConditionalGeneration,
        Glm4vImageProcessorPil,
        Glm4vProcessor,
    )

    tokenizer = parts.new_tokenizer(
        "<|image|>",
        video_token="<|video|>",
        begin="<|begin_of_image|>",
        end="<|end_of_image|>",
        begin_video="<|begin_of_video|>",
        end_video="<|end_of_video|>",
    )
    patches: dict[str, Any] = {"patch_size": 4, "merge_size": 2, "temporal_patch_size": 2}
    processor = without_video_slot(Glm4vProcessor)(
        image_processor=Glm4vImageProcessorPil(
            size={"shortest_edge": 16 * 16 * 2, "longest_edge": IMAGE_SIDE * IMAGE_SIDE * 2},
            **patches,
            **parts.GREY,
        ),
        tokenizer=tokenizer,
        chat_template=CHAT_TEMPLATE.replace(
            "<image>", "<|begin_of_image|><|image|><|end_of_image|>"
        ),
    )
    token = tokenizer.convert_tokens_to_ids
    config = Glm4vConfig(
        vision_config={
            "depth": 2,
            "hidden_size": parts.WIDTH,
            "out_hidden_size": parts.WIDTH,
            "intermediate_size": 2 * parts.WIDTH,
            "num_heads": parts.HEADS,
            "patch_size": 4,
            "image_size": IMAGE_SIDE,
        },
        text_config=parts.text_settings(
            tokenizer,
            rope_parameters={
                "rope_type": "default",
                "rope_theta": 10000.0,
                "partial_rotary_factor": 1.0,
                "mrope_section": [4, 2, 2],
            },
        ),
        image_token_id=tokenizer.image_token_id,
        video_token_id=tokenizer.video_token_id,
        image_start_token_id=token("<|begin_of_image|>"),
        image_end_token_id=token("<|end_of_image|>"),
        video_start_token_id=token("<|begin_of_video|>"),
        video_end_token_id=token("<|end_of_video|>"),
    )
    return Glm4vForConditionalGeneration(config), processor


UNWRITTEN: dict[str, Callable[[], tuple[Any, Any]]] = {
    "deepseek_vl": deepseek_vl,
    "glm4v": glm4v,
    "idefics3": idefics3,
}
