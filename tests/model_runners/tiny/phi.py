"""A tiny Phi-4-multimodal, whose text stack merges image and text itself."""

from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.tiny_llava import CHAT_TEMPLATE
from model_runners.processors_phi4 import Phi4Images, Phi4Prompts
from tests.model_runners.tiny.parts import HEADS, WIDTH, new_tokenizer, text_settings


def phi4_multimodal() -> tuple[Any, Any]:
    from transformers import Phi4MultimodalConfig, Phi4MultimodalForCausalLM

    tokenizer = new_tokenizer("<|image|>", audio_token="<|audio|>")
    processor = Phi4Prompts(
        image_processor=Phi4Images(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE}, patch_size=4, dynamic_hd=2
        ),
        tokenizer=tokenizer,
        chat_template=CHAT_TEMPLATE.replace("<image>", "<|image|>"),
    )
    config = Phi4MultimodalConfig(
        **text_settings(tokenizer),
        vision_config={
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": HEADS,
            "image_size": IMAGE_SIDE,
            "crop_size": IMAGE_SIDE,
            "patch_size": 4,
            "image_token_id": tokenizer.image_token_id,
        },
        audio_config={
            "hidden_size": WIDTH,
            "intermediate_size": WIDTH,
            "num_blocks": 1,
            "num_attention_heads": HEADS,
            "ext_pw_out_channel": WIDTH,
            "nemo_conv_channels": WIDTH,
            "audio_token_id": tokenizer.audio_token_id,
        },
    )
    return Phi4MultimodalForCausalLM(config), processor
