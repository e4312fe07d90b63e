"""A tiny Llama-3.2-Vision, which reads an image past the embeddings, through cross-attention."""

from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.tiny_llava import CHAT_TEMPLATE
from tests.model_runners.tiny.parts import (
    GREY,
    HEADS,
    PATCH_SIDE,
    WIDTH,
    new_tokenizer,
    text_settings,
)


def mllama() -> tuple[Any, Any]:
    import torch
    from transformers import (
        MllamaConfig,
        MllamaForConditionalGeneration,
        MllamaImageProcessorPil,
        MllamaProcessor,
    )

    tokenizer = new_tokenizer("<|image|>")
    processor = MllamaProcessor(
        image_processor=MllamaImageProcessorPil(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE}, max_image_tiles=2, **GREY
        ),
        tokenizer=tokenizer,
        chat_template=CHAT_TEMPLATE.replace("<image>", "<|image|>"),
    )
    config = MllamaConfig(
        vision_config={
            "hidden_size": WIDTH,
            "num_hidden_layers": 2,
            "num_global_layers": 1,
            "attention_heads": HEADS,
            "intermediate_size": 2 * WIDTH,
            "vision_output_dim": 2 * WIDTH,
            "image_size": IMAGE_SIDE,
            "patch_size": PATCH_SIDE,
            "max_num_tiles": 2,
            "intermediate_layers_indices": [0],
            "supported_aspect_ratios": [[1, 1], [1, 2], [2, 1]],
        },
        # The last layer is one of those that a prompt without an image leaves out; the first never
        # is, since transformers reads the length of what is cached from it.
        text_config=text_settings(tokenizer, cross_attention_layers=[1, 2]),
        image_token_index=tokenizer.image_token_id,
    )
    model = MllamaForConditionalGeneration(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("gate"):
                weight.fill_(1.0)  # cross-attention begins shut
    return model, processor
