"""Tiny models of families that no file describes, and what each is meant to show."""

from collections.abc import Callable
from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.recipes import tokenizer_corpus
from model_runners.demo.tiny_llava import CHAT_TEMPLATE, TinyLlava
from tests.model_runners.tiny import deepseek, glm, idefics, parts


def vipllava() -> tuple[Any, Any]:
    """Nothing but the common idiom."""
    from transformers import VipLlavaConfig, VipLlavaForConditionalGeneration

    processor = TinyLlava().build_processor(tokenizer_corpus()[:64])
    config = VipLlavaConfig(
        vision_config=parts.vision_settings("clip_vision_model", projection_dim=parts.WIDTH),
        text_config=parts.text_settings(processor.tokenizer, model_type="llama"),
        image_token_index=processor.image_token_id,
        vision_feature_layer=[-1, -2],
    )
    return VipLlavaForConditionalGeneration(config), processor


def glm46v() -> tuple[Any, Any]:
    """M-RoPE, and a processor with a slot for videos."""
    from transformers import (
        Glm46VConfig,
        Glm46VForConditionalGeneration,
        Glm46VImageProcessorPil,
        Glm46VProcessor,
    )

    processor = glm.processor_of(Glm46VProcessor, Glm46VImageProcessorPil)
    settings = glm.settings(processor.tokenizer)
    settings["vision_config"]["model_type"] = "glm4v_vision"
    settings["text_config"]["model_type"] = "glm4v_text"
    return Glm46VForConditionalGeneration(Glm46VConfig(**settings)), processor


def idefics2() -> tuple[Any, Any]:
    """A Perceiver between tower and text; the text stack is called `text_model`."""
    from transformers import (
        Idefics2Config,
        Idefics2ForConditionalGeneration,
        Idefics2ImageProcessorPil,
        Idefics2Processor,
    )

    tokenizer = parts.new_tokenizer(
        "<image>", **idefics.MARKS, image_boundary_token="<image_boundary>"
    )
    processor = Idefics2Processor(
        image_processor=Idefics2ImageProcessorPil(
            size={"shortest_edge": IMAGE_SIDE, "longest_edge": IMAGE_SIDE},
            do_image_splitting=False,
            **parts.GREY,
        ),
        tokenizer=tokenizer,
        image_seq_len=4,
        chat_template=CHAT_TEMPLATE,
    )
    config = Idefics2Config(
        vision_config=parts.vision_settings("idefics2"),
        perceiver_config={
            "hidden_size": parts.WIDTH,
            "resampler_n_latents": 4,
            "resampler_depth": 1,
            "resampler_n_heads": parts.HEADS,
            "resampler_head_dim": 16,
            "num_key_value_heads": parts.HEADS,
        },
        text_config=parts.text_settings(tokenizer, model_type="mistral"),
        image_token_id=tokenizer.image_token_id,
    )
    return Idefics2ForConditionalGeneration(config), processor


UNWRITTEN: dict[str, Callable[[], tuple[Any, Any]]] = {
    "deepseek_vl_hybrid": deepseek.deepseek_vl_hybrid,
    "glm46v": glm46v,
    "idefics2": idefics2,
    "vipllava": vipllava,
}
