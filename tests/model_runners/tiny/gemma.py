"""Tiny Gemma 3 and 4, whose layers look back a window or all the way."""

from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.tiny_llava import CHAT_TEMPLATE
from model_runners.demo.tiny_qwen2_5_vl import MERGE, PATCH
from model_runners.processors import without_video_slot
from tests.model_runners.tiny.parts import (
    GREY,
    HEADS,
    LAYERS_OF_BOTH_KINDS,
    WIDTH,
    new_tokenizer,
    text_settings,
    vision_settings,
)


def gemma3() -> tuple[Any, Any]:
    from transformers import (
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        Gemma3ImageProcessorPil,
        Gemma3Processor,
    )

    tokenizer = new_tokenizer(
        "<image_soft_token>", boi_token="<start_of_image>", eoi_token="<end_of_image>"
    )
    processor = Gemma3Processor(
        image_processor=Gemma3ImageProcessorPil(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE}, **GREY
        ),
        tokenizer=tokenizer,
        image_seq_length=4,
        chat_template=CHAT_TEMPLATE.replace("<image>", "<start_of_image>"),
    )
    config = Gemma3Config(
        vision_config=vision_settings("siglip_vision_model", vision_use_head=False),
        text_config=text_settings(
            tokenizer, head_dim=16, sliding_window=8, layer_types=LAYERS_OF_BOTH_KINDS
        ),
        mm_tokens_per_image=4,
        image_token_index=tokenizer.image_token_id,
        boi_token_index=tokenizer.boi_token_id,
        eoi_token_index=tokenizer.eoi_token_id,
    )
    return Gemma3ForConditionalGeneration(config), processor


def gemma4() -> tuple[Any, Any]:
    from transformers import (
        Gemma4AudioFeatureExtractor,
        Gemma4Config,
        Gemma4ForConditionalGeneration,
        Gemma4ImageProcessorPil,
        Gemma4Processor,
    )

    tokenizer = new_tokenizer(
        "<|image|>",
        boi_token="<|image>",
        eoi_token="<image|>",
        audio_token="<|audio|>",
        boa_token="<|audio>",
        eoa_token="<audio|>",
    )
    processor = without_video_slot(Gemma4Processor)(
        feature_extractor=Gemma4AudioFeatureExtractor(),
        image_processor=Gemma4ImageProcessorPil(
            patch_size=PATCH, pooling_kernel_size=MERGE, max_soft_tokens=70
        ),
        tokenizer=tokenizer,
        video_processor=None,
        chat_template=CHAT_TEMPLATE.replace("<image>", "<|image|>"),
    )
    token = tokenizer.convert_tokens_to_ids
    config = Gemma4Config(
        vision_config={
            **vision_settings("gemma4_vision"),
            "num_key_value_heads": HEADS,
            "head_dim": 16,
            "patch_size": PATCH,
            "pooling_kernel_size": MERGE,
            "position_embedding_size": 64,
        },
        text_config=text_settings(
            tokenizer,
            head_dim=16,
            global_head_dim=16,
            sliding_window=8,
            layer_types=["sliding_attention", "sliding_attention", "full_attention"],
            vocab_size_per_layer_input=len(tokenizer),
            hidden_size_per_layer_input=8,
            final_logit_softcapping=5.0,
        ),
        audio_config=None,
        image_token_id=token("<|image|>"),
        video_token_id=token("<|video|>"),
        audio_token_id=token("<|audio|>"),
        boi_token_id=token("<|image>"),
        eoi_token_id=token("<image|>"),
        boa_token_id=token("<|audio>"),
        eoa_token_index=token("<audio|>"),
    )
    return Gemma4ForConditionalGeneration(config), processor


def paligemma() -> tuple[Any, Any]:
    from transformers import (
        PaliGemmaConfig,
        PaliGemmaForConditionalGeneration,
        PaliGemmaProcessor,
        SiglipImageProcessorPil,
    )

    tokenizer = new_tokenizer("<image>")
    images = SiglipImageProcessorPil(size={"height": IMAGE_SIDE, "width": IMAGE_SIDE}, **GREY)
    setattr(images, "image_seq_length", 16)  # noqa: B010 -- as preprocessor_config.json gives it
    processor = PaliGemmaProcessor(image_processor=images, tokenizer=tokenizer)
    config = PaliGemmaConfig(
        vision_config=vision_settings("siglip_vision_model", vision_use_head=False),
        text_config=text_settings(
            tokenizer,
            model_type="gemma2",
            head_dim=16,
            sliding_window=8,
            layer_types=LAYERS_OF_BOTH_KINDS,
            final_logit_softcapping=5.0,
        ),
        image_token_index=tokenizer.image_token_id,
        projection_dim=WIDTH,
    )
    return PaliGemmaForConditionalGeneration(config), processor
