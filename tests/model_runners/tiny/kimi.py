"""A tiny Kimi-K2.5: MoonViT and the mixture of experts of DeepSeek-V3."""

from typing import Any

from model_runners.demo.tiny_llava import CHAT_TEMPLATE
from model_runners.processors_kimi import KimiImages
from model_runners.processors_still import GridProcessor
from tests.model_runners.tiny.parts import HEADS, WIDTH, new_tokenizer, text_settings


def kimi_k25() -> tuple[Any, Any]:
    from transformers import Kimi_K25Config, Kimi_K25ForConditionalGeneration

    tokenizer = new_tokenizer("<|media_pad|>", video_token="<|kimi_k25_video_placeholder|>")
    processor = GridProcessor(
        image_processor=KimiImages(patch_size=4, merge_size=2),
        tokenizer=tokenizer,
        image_grid="image_grid_thw",
        chat_template=CHAT_TEMPLATE.replace("<image>", "<|media_pad|>"),
    )
    config = Kimi_K25Config(
        vision_config={
            "patch_size": 4,
            "pos_emb_height": 8,
            "pos_emb_width": 8,
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": HEADS,
        },
        text_config=text_settings(
            tokenizer,
            model_type="deepseek_v3",
            moe_intermediate_size=WIDTH,
            n_routed_experts=4,
            num_experts_per_tok=2,
            n_group=1,
            topk_group=1,
            first_k_dense_replace=1,
            q_lora_rank=16,
            kv_lora_rank=16,
            qk_rope_head_dim=8,
            qk_nope_head_dim=8,
            v_head_dim=16,
            num_mtp_layers=0,
        ),
        projection_hidden_size=WIDTH,
        image_token_id=tokenizer.image_token_id,
        video_token_id=tokenizer.video_token_id,
    )
    return Kimi_K25ForConditionalGeneration(config), processor
