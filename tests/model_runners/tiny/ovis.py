"""A tiny Ovis2, which looks up an image's vectors in a table of visual words."""

from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.tiny_llava import CHAT_TEMPLATE
from tests.model_runners.tiny import parts


def ovis2() -> tuple[Any, Any]:
    from transformers import (
        Ovis2Config,
        Ovis2ForConditionalGeneration,
        Ovis2ImageProcessorPil,
        Ovis2Processor,
    )

    marks = ("<IMG_START>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>", "<IMG_END>")
    tokenizer = parts.new_tokenizer(
        "<image>", atom="<IMG_ATOM>", **{f"mark_{i}": mark for i, mark in enumerate(marks)}
    )
    processor = Ovis2Processor(
        image_processor=Ovis2ImageProcessorPil(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE}, max_patches=2, **parts.GREY
        ),
        tokenizer=tokenizer,
        image_seq_length=4,
        chat_template=CHAT_TEMPLATE,
    )
    token = tokenizer.convert_tokens_to_ids
    config = Ovis2Config(
        vision_config=parts.vision_settings(
            "ovis2_vision", vocab_size=64, hidden_stride=2, num_visual_indicator_tokens=5
        ),
        text_config=parts.text_settings(tokenizer, model_type="qwen2"),
        image_token_id=token("<IMG_ATOM>"),
        visual_indicator_token_ids=[token(mark) for mark in marks],
        vocab_size=len(tokenizer),
        hidden_size=parts.WIDTH,
    )
    return Ovis2ForConditionalGeneration(config), processor
