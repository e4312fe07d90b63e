"""A tiny MiniCPM-V 4.6, whose patches of all images lie in one row."""

import json
from pathlib import Path
from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.tiny_llava import CHAT_TEMPLATE
from model_runners.processors_minicpm import MARKS, MiniCPMPrompts
from tests.model_runners.tiny.parts import (
    GREY,
    HEADS,
    WIDTH,
    new_tokenizer,
    text_settings,
)
from tests.model_runners.tiny.qwen import linear_attention


class Saved(MiniCPMPrompts):
    """Writes the name of transformers' class, too, as checkpoints have it."""

    def save_pretrained(self, folder: str | Path) -> None:
        super().save_pretrained(folder)
        settings = {"processor_class": "MiniCPMV4_6Processor"}
        (Path(folder) / "processor_config.json").write_text(json.dumps(settings))


def minicpmv4_6() -> tuple[Any, Any]:
    from transformers import (
        MiniCPMV4_6Config,
        MiniCPMV4_6ForConditionalGeneration,
        MiniCPMV4_6ImageProcessorPil,
    )

    marks = {f"{m}_start_token": f"<{m}>" for m in MARKS}
    marks |= {f"{m}_end_token": f"</{m}>" for m in MARKS}
    tokenizer = new_tokenizer("<|image_pad|>", video_token="<|video_pad|>", **marks)
    processor = Saved(
        image_processor=MiniCPMV4_6ImageProcessorPil(
            scale_resolution=IMAGE_SIDE, patch_size=4, max_slice_nums=2, **GREY
        ),
        tokenizer=tokenizer,
        chat_template=CHAT_TEMPLATE.replace("<image>", "<|image_pad|>"),
    )
    config = MiniCPMV4_6Config(
        vision_config={
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": HEADS,
            "image_size": IMAGE_SIDE,
            "patch_size": 4,
        },
        text_config=text_settings(tokenizer, model_type="qwen3_5_text", **linear_attention()),
        insert_layer_id=0,
        image_token_id=tokenizer.image_token_id,
        video_token_id=tokenizer.video_token_id,
    )
    return MiniCPMV4_6ForConditionalGeneration(config), processor
