"""A tiny Aya Vision: SigLIP tower, tiles, and the decoder of Command R7B."""

from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.tiny_llava import CHAT_TEMPLATE
from tests.model_runners.tiny import parts


def aya_vision() -> tuple[Any, Any]:
    from transformers import (
        AyaVisionConfig,
        AyaVisionForConditionalGeneration,
        AyaVisionProcessor,
        GotOcr2ImageProcessorPil,
    )

    tokenizer = parts.new_tokenizer(
        "<image>",
        patch="<|IMG_PATCH|>",
        start="<|START_OF_IMG|>",
        end="<|END_OF_IMG|>",
        tile="TILE",
        whole="TILE_GLOBAL",
    )
    processor = AyaVisionProcessor(
        image_processor=GotOcr2ImageProcessorPil(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE}, max_patches=2, **parts.GREY
        ),
        tokenizer=tokenizer,
        patch_size=parts.PATCH_SIDE,
        img_size=IMAGE_SIDE,
        downsample_factor=2,
        chat_template=CHAT_TEMPLATE,
    )
    config = AyaVisionConfig(
        vision_config=parts.vision_settings("siglip_vision_model", vision_use_head=False),
        text_config=parts.text_settings(
            tokenizer,
            model_type="cohere2",
            sliding_window=8,
            layer_types=parts.LAYERS_OF_BOTH_KINDS,
            logit_scale=0.25,
        ),
        image_token_index=processor.image_token_id,
        downsample_factor=2,
    )
    return AyaVisionForConditionalGeneration(config), processor
