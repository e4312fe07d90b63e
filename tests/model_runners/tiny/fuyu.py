"""A tiny Fuyu, which has no vision tower."""

from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.build import build_tokenizer
from model_runners.demo.recipes import tokenizer_corpus
from tests.model_runners.tiny.parts import PATCH_SIDE, text_settings


def fuyu() -> tuple[Any, Any]:
    from transformers import FuyuConfig, FuyuForCausalLM, FuyuImageProcessorPil, FuyuProcessor
    from transformers.image_utils import SizeDict

    special = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    tokenizer = build_tokenizer(
        tokenizer_corpus()[:64],
        512,
        special,
        patch="|SPEAKER|",
        newline="|NEWLINE|",
        answer="<0x04>",
    )
    processor = FuyuProcessor(
        image_processor=FuyuImageProcessorPil(
            size={"height": 2 * IMAGE_SIDE, "width": 2 * IMAGE_SIDE},
            patch_size=SizeDict(height=PATCH_SIDE, width=PATCH_SIDE),
        ),
        tokenizer=tokenizer,
    )
    config = FuyuConfig(
        image_size=IMAGE_SIDE,
        patch_size=PATCH_SIDE,
        image_token_id=processor.image_token_id,
        text_config=text_settings(tokenizer, model_type="persimmon"),
    )
    return FuyuForCausalLM(config), processor
