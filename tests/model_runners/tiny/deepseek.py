"""A tiny DeepSeek-VL, the common idiom and nothing else, and one of the hybrid with two towers."""

from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.tiny_llava import CHAT_TEMPLATE
from tests.model_runners.tiny import parts

PLACEHOLDER = "<image_placeholder>"


def deepseek_vl() -> tuple[Any, Any]:
    from transformers import (
        DeepseekVLConfig,
        DeepseekVLForConditionalGeneration,
        DeepseekVLImageProcessorPil,
        DeepseekVLProcessor,
    )

    tokenizer = parts.new_tokenizer(PLACEHOLDER)
    processor = DeepseekVLProcessor(
        image_processor=DeepseekVLImageProcessorPil(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE}, min_size=IMAGE_SIDE, **parts.GREY
        ),
        tokenizer=tokenizer,
        num_image_tokens=16,
        chat_template=CHAT_TEMPLATE.replace("<image>", PLACEHOLDER),
    )
    config = DeepseekVLConfig(
        vision_config=parts.vision_settings("siglip_vision_model", vision_use_head=False),
        text_config=parts.text_settings(tokenizer, model_type="llama"),
        image_token_id=tokenizer.image_token_id,
    )
    return DeepseekVLForConditionalGeneration(config), processor


def deepseek_vl_hybrid() -> tuple[Any, Any]:
    """Two towers, one of them for a larger picture of the same image."""
    from transformers import (
        DeepseekVLHybridConfig,
        DeepseekVLHybridForConditionalGeneration,
        DeepseekVLHybridImageProcessorPil,
        DeepseekVLHybridProcessor,
    )

    tokenizer = parts.new_tokenizer(PLACEHOLDER)
    side = {"height": IMAGE_SIDE, "width": IMAGE_SIDE}
    large = {"height": 2 * IMAGE_SIDE, "width": 2 * IMAGE_SIDE}
    processor = DeepseekVLHybridProcessor(
        image_processor=DeepseekVLHybridImageProcessorPil(
            size=side, high_res_size=large, min_size=IMAGE_SIDE, **parts.GREY
        ),
        tokenizer=tokenizer,
        num_image_tokens=16,
        chat_template=CHAT_TEMPLATE.replace("<image>", PLACEHOLDER),
    )
    config = DeepseekVLHybridConfig(
        vision_config=parts.vision_settings("siglip_vision_model", vision_use_head=False),
        high_res_vision_config={
            **parts.vision_settings("sam_vision_model"),
            "image_size": 2 * IMAGE_SIDE,
            "patch_size": 4,
            "output_channels": parts.WIDTH,
            "mlp_dim": 2 * parts.WIDTH,
            "window_size": 0,
            "global_attn_indexes": [0, 1],
        },
        text_config=parts.text_settings(tokenizer, model_type="llama"),
        image_token_id=tokenizer.image_token_id,
    )
    return DeepseekVLHybridForConditionalGeneration(config), processor
