"""Tiny Qwen2-VL to Qwen3-VL, whose image tokens have positions in rows and columns."""

from typing import Any

from model_runners.demo.recipes import tokenizer_corpus
from model_runners.demo.tiny_qwen2_5_omni import TinyQwen2_5_Omni
from model_runners.demo.tiny_qwen2_5_vl import MERGE, PATCH, TEMPORAL, TinyQwen2_5_VL
from tests.model_runners.tiny.parts import HEADS, LAYERS, WIDTH, text_settings


def qwen2_5_vl() -> tuple[Any, Any]:
    size = TinyQwen2_5_VL(hidden=WIDTH, vision_layers=2, language_layers=LAYERS, heads=HEADS)
    processor = size.build_processor(tokenizer_corpus()[:64])
    return size.build_model(processor, seed=0), processor


def qwen2_vl() -> tuple[Any, Any]:
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
        text_config=text_settings(
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


def qwen3_vl() -> tuple[Any, Any]:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    processor, config = like_qwen3_vl(Qwen3VLConfig)
    return Qwen3VLForConditionalGeneration(config), processor


def qwen3_vl_moe() -> tuple[Any, Any]:
    from transformers import Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration

    processor, config = like_qwen3_vl(
        Qwen3VLMoeConfig, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=WIDTH
    )
    return Qwen3VLMoeForConditionalGeneration(config), processor


def like_qwen3_vl(kind: Any, **experts: int) -> tuple[Any, Any]:
    """Return processor and configuration; the tower's first two layers reach the text stack."""
    processor = TinyQwen2_5_VL().build_processor(tokenizer_corpus()[:64])
    token = processor.tokenizer.convert_tokens_to_ids
    config = kind(
        vision_config={
            "depth": 3,
            "hidden_size": WIDTH,
            "out_hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_heads": HEADS,
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": TEMPORAL,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0, 1],
        },
        text_config=text_settings(
            processor.tokenizer,
            head_dim=16,
            rope_parameters={
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [4, 2, 2],
                "mrope_interleaved": True,
            },
            **experts,
        ),
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
    )
    return processor, config


def qwen3_5() -> tuple[Any, Any]:
    """Two layers of linear attention to one that looks back at every token."""
    from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

    processor = TinyQwen2_5_VL().build_processor(tokenizer_corpus()[:64])
    token = processor.tokenizer.convert_tokens_to_ids
    config = Qwen3_5Config(
        vision_config={
            "depth": 2,
            "hidden_size": WIDTH,
            "out_hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_heads": HEADS,
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": TEMPORAL,
            "num_position_embeddings": 64,
        },
        text_config=text_settings(
            processor.tokenizer,
            **linear_attention(),
        ),
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
    )
    return Qwen3_5ForConditionalGeneration(config), processor


def linear_attention() -> dict[str, Any]:
    """Return the settings that Qwen3.5's decoder has beside the usual ones."""
    return {
        "head_dim": 16,
        "linear_key_head_dim": 16,
        "linear_value_head_dim": 16,
        "linear_num_key_heads": HEADS,
        "linear_num_value_heads": HEADS,
        "layer_types": ["linear_attention", "full_attention", "linear_attention"],
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "partial_rotary_factor": 1.0,
            "mrope_section": [4, 2, 2],
            "mrope_interleaved": True,
        },
    }


def qwen2_5_omni_thinker() -> tuple[Any, Any]:
    size = TinyQwen2_5_Omni(hidden=WIDTH, vision_layers=2, language_layers=LAYERS, heads=HEADS)
    processor = size.build_processor(tokenizer_corpus()[:64])
    return size.build_model(processor, seed=0), processor


def qwen2_5_omni() -> tuple[Any, Any]:
    """Return a whole model, as it is published: of it the thinker alone is loaded."""
    from transformers import Qwen2_5OmniConfig, Qwen2_5OmniForConditionalGeneration

    thinker, processor = qwen2_5_omni_thinker()
    config = Qwen2_5OmniConfig(
        thinker_config=thinker.config.to_dict(),
        enable_audio_output=False,
        talker_config={
            "hidden_size": WIDTH,
            "intermediate_size": WIDTH,
            "num_hidden_layers": 1,
            "num_attention_heads": HEADS,
            "num_key_value_heads": 1,
            "head_dim": WIDTH // HEADS,
            "vocab_size": 64,
            "embedding_size": WIDTH,
            "pad_token_id": 0,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [2, 3, 3],
            },
        },
    )
    whole = Qwen2_5OmniForConditionalGeneration(config)
    whole.thinker.load_state_dict(thinker.state_dict())
    return whole, processor
