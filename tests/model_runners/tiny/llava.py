"""Tiny models that read an image as tokens among those of the text: LLaVA, and InternVL."""

from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.recipes import tokenizer_corpus
from model_runners.demo.tiny_llava import CHAT_TEMPLATE, TinyLlava
from model_runners.processors import without_video_slot
from tests.model_runners.tiny.parts import (
    GREY,
    HEADS,
    LAYERS,
    PATCH_SIDE,
    TILINGS,
    WIDTH,
    new_tokenizer,
    text_settings,
    vision_settings,
)


def llava() -> tuple[Any, Any]:
    size = TinyLlava(hidden=WIDTH, vision_layers=2, language_layers=LAYERS, heads=HEADS)
    processor = size.build_processor(tokenizer_corpus()[:64])
    return size.build_model(processor, seed=0), processor


def llava_next() -> tuple[Any, Any]:
    from transformers import (
        LlavaNextConfig,
        LlavaNextForConditionalGeneration,
        LlavaNextImageProcessorPil,
        LlavaNextProcessor,
    )

    tokenizer = new_tokenizer("<image>")
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
        vision_config=vision_settings("clip_vision_model", projection_dim=WIDTH),
        text_config=text_settings(tokenizer, model_type="llama"),
        image_token_index=processor.image_token_id,
        image_grid_pinpoints=TILINGS,
        vision_feature_layer=-1,
    )
    return LlavaNextForConditionalGeneration(config), processor


def llava_onevision() -> tuple[Any, Any]:
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionForConditionalGeneration,
        LlavaOnevisionImageProcessorPil,
        LlavaOnevisionProcessor,
    )

    tokenizer = new_tokenizer("<image>", video_token="<video>")
    processor = without_video_slot(LlavaOnevisionProcessor)(
        image_processor=LlavaOnevisionImageProcessorPil(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE},
            image_grid_pinpoints=TILINGS,
            **GREY,
        ),
        tokenizer=tokenizer,
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=CHAT_TEMPLATE,
    )
    config = LlavaOnevisionConfig(
        vision_config=vision_settings("siglip_vision_model", vision_use_head=False),
        text_config=text_settings(tokenizer, model_type="qwen2"),
        image_token_index=processor.image_token_id,
        video_token_index=processor.video_token_id,
        image_grid_pinpoints=TILINGS,
    )
    return LlavaOnevisionForConditionalGeneration(config), processor


def internvl() -> tuple[Any, Any]:
    from transformers import (
        GotOcr2ImageProcessorPil,
        InternVLConfig,
        InternVLForConditionalGeneration,
        InternVLProcessor,
    )

    tokenizer = new_tokenizer(
        "<IMG_CONTEXT>",
        context_image_token="<IMG_CONTEXT>",
        start_image_token="<img>",
        end_image_token="</img>",
        video_token="<video>",
    )
    processor = without_video_slot(InternVLProcessor)(
        image_processor=GotOcr2ImageProcessorPil(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE}, max_patches=2, **GREY
        ),
        tokenizer=tokenizer,
        image_seq_length=4,
        chat_template=CHAT_TEMPLATE.replace("<image>", "<IMG_CONTEXT>"),
    )
    config = InternVLConfig(
        vision_config={
            **vision_settings("internvl_vision"),
            "image_size": [IMAGE_SIDE, IMAGE_SIDE],
            "patch_size": [PATCH_SIDE, PATCH_SIDE],
        },
        text_config=text_settings(tokenizer, model_type="qwen2"),
        image_token_id=processor.image_token_id,
        image_seq_length=4,
    )
    return InternVLForConditionalGeneration(config), processor
