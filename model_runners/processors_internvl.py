"""How prompts and images become inputs of InternVL in its makers' format, which has no processor.

An image is cut into tiles of one size, as many as go with its shape, and shown whole beside them.
Each tile is as many tokens as its merged patches. The makers' code does that in a function that
answers a question; the numbers are in config.json.
"""

import json
from pathlib import Path
from typing import Any

from model_runners.processors_still import AbstractStillProcessor

CONTEXT, BEGIN, END = "<IMG_CONTEXT>", "<img>", "</img>"
"""A vector of an image, and what stands around those of one image."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet."""


class InternVLPrompts(AbstractStillProcessor):
    """Tokenizer and tiles."""

    usual_image_token = CONTEXT
    not_inputs = ("num_patches",)

    def __init__(self, *, tokens_per_tile: int, **parts: Any):
        """Put the parts together; `parts` as `AbstractStillProcessor` takes them."""
        super().__init__(**parts)
        self.tokens_per_tile = tokens_per_tile

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
        """Render messages; the templates of these models take text only."""
        turns = [{**turn, "content": _as_text(turn["content"])} for turn in conversation]
        return super().apply_chat_template(turns, **options)

    def standing_for(self, encoded: dict[str, Any]) -> list[str]:
        """Return the vectors of each image's tiles between two marks."""
        return [
            BEGIN + CONTEXT * (self.tokens_per_tile * int(tiles)) + END
            for tiles in encoded["num_patches"]
        ]

    def beside(self, encoded: dict[str, Any]) -> dict[str, Any]:
        """Return that each tile is of an image; the code takes samples without one, too."""
        import torch

        if "pixel_values" not in encoded:
            return {}
        return {"image_flags": torch.ones(len(encoded["pixel_values"]), 1, dtype=torch.long)}


def assemble(location: str, settings: dict[str, Any]) -> InternVLPrompts:
    """Put a processor together from config.json and the tokenizer, whose code is trusted too."""
    import transformers

    config = json.loads((Path(location) / "config.json").read_text("utf-8"))
    vision = config["vision_config"]
    side = config.get("force_image_size") or vision["image_size"]
    merged = (side // vision["patch_size"]) ** 2 * config.get("downsample_ratio", 0.5) ** 2
    most = config.get("max_dynamic_patch", 12) if config.get("dynamic_image_size", True) else 1
    images = transformers.GotOcr2ImageProcessorPil(
        size={"height": side, "width": side},
        crop_to_patches=most > 1,
        min_patches=config.get("min_dynamic_patch", 1),
        max_patches=most,
        image_mean=list(MEAN),
        image_std=list(STD),
    )
    # A folder whose config.json brings code was refused unless it is trusted (`remote_code.py`); of
    # one that brings none there, none beside the tokenizer is run either.
    brings_code = "auto_map" in config
    return InternVLPrompts(
        tokens_per_tile=int(merged),
        image_processor=images,
        tokenizer=transformers.AutoTokenizer.from_pretrained(
            location, trust_remote_code=brings_code
        ),
        image_token=CONTEXT,
        chat_template=settings.get("chat_template"),
    )


def _as_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(f"{CONTEXT}\n" if part["type"] == "image" else part["text"] for part in content)
