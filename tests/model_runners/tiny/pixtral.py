"""A tiny Mistral Small 3, and Pixtral, which transformers keeps as a LLaVA with another tower."""

import json
from pathlib import Path
from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.tiny_llava import CHAT_TEMPLATE
from model_runners.processors_pixtral import PixtralPrompts
from tests.model_runners.tiny import parts


class Saved(PixtralPrompts):
    """Writes the files of a `PixtralProcessor`, which does not load without torchvision."""

    def __init__(self, **parts: Any):
        super().__init__(**parts)
        self.settings = {"processor_class": "PixtralProcessor", **parts["settings"]}

    def save_pretrained(self, folder: str | Path) -> None:
        super().save_pretrained(folder)
        (Path(folder) / "processor_config.json").write_text(json.dumps(self.settings))


def processor(**settings: Any) -> Saved:
    from transformers import PixtralImageProcessorPil

    return Saved(
        image_processor=PixtralImageProcessorPil(size={"longest_edge": 2 * IMAGE_SIDE}),
        tokenizer=parts.new_tokenizer("[IMG]", ends="[IMG_BREAK]", last="[IMG_END]"),
        chat_template=CHAT_TEMPLATE.replace("<image>", "[IMG]"),
        settings={"patch_size": parts.PATCH_SIDE, **settings},
    )


def tower() -> dict[str, Any]:
    return parts.vision_settings("pixtral", image_size=2 * IMAGE_SIDE)


def mistral3() -> tuple[Any, Any]:
    from transformers import Mistral3Config, Mistral3ForConditionalGeneration

    made = processor(patch_size=4, spatial_merge_size=2)
    config = Mistral3Config(
        vision_config={**tower(), "patch_size": 4},
        text_config=parts.text_settings(made.tokenizer, model_type="mistral", head_dim=16),
        image_token_index=made.image_token_id,
        spatial_merge_size=2,
    )
    return Mistral3ForConditionalGeneration(config), made


def pixtral() -> tuple[Any, Any]:
    from transformers import LlavaConfig, LlavaForConditionalGeneration

    made = processor()
    config = LlavaConfig(
        vision_config=tower(),
        text_config=parts.text_settings(made.tokenizer, model_type="mistral", head_dim=16),
        image_token_index=made.image_token_id,
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
    )
    return LlavaForConditionalGeneration(config), made
