"""How images become inputs of Kimi-K2.5: patches of an image at its own size.

transformers' image processor of this family needs torchvision. An image is made smaller where it
has too many patches, never larger, and filled up with black to whole merged patches.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_runners.picture_tensors import filled, normalised, pixels, resized
from model_runners.processors_still import GridProcessor

if TYPE_CHECKING:
    import PIL.Image
    import torch

SETTINGS: dict[str, Any] = {
    "patch_size": 14,
    "merge_size": 2,
    "max_patches": 16384,
    "size": {"max_height": 512, "max_width": 512},
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
"""Sizes in pixels, patches a side (`size`) and patches in all."""


class KimiImages:
    """Image processor: (patches, 3, side, side) of all images in one row, and their grids."""

    model_input_names = ("pixel_values", "image_grid_thw")

    def __init__(self, **settings: Any):
        """Keep what preprocessor_config.json says of `SETTINGS`."""
        self.settings = SETTINGS | {k: v for k, v in settings.items() if k in SETTINGS}
        self.merge_size: int = self.settings["merge_size"]

    def __call__(self, images: "Sequence[PIL.Image.Image]", **_: Any) -> "dict[str, torch.Tensor]":
        """Return `pixel_values` and `image_grid_thw`."""
        import torch

        side: int = self.settings["patch_size"]
        rows: list[torch.Tensor] = []
        grids: list[list[int]] = []
        for image in images:
            levels = pixels(image)
            (height, width), (whole_height, whole_width) = self.sizes(*levels.shape[-2:])
            levels = filled(resized(levels, height, width, "bicubic"), whole_height, whole_width, 0)
            cut = normalised(levels, self.settings).unfold(1, side, side).unfold(2, side, side)
            rows.append(cut.permute(1, 2, 0, 3, 4).flatten(0, 1))
            grids.append([1, whole_height // side, whole_width // side])
        return {"pixel_values": torch.cat(rows), "image_grid_thw": torch.tensor(grids)}

    def sizes(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return height and width after resizing, and after filling up, in pixels."""
        side: int = self.settings["patch_size"]
        most: int = self.settings["size"]["max_height"] * side
        patches = max(1, height // side) * max(1, width // side)
        scale = min(
            1.0, math.sqrt(self.settings["max_patches"] / patches), most / height, most / width
        )
        step = side * self.merge_size
        small = tuple(min(most, max(1, int(length * scale))) for length in (height, width))
        whole = tuple(math.ceil(length / step) * step for length in small)
        return (small[0], small[1]), (whole[0], whole[1])

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the file that transformers' own class loads, too."""
        content = {**self.settings, "image_processor_type": "Kimi_K25ImageProcessor"}
        content["processor_class"] = "Kimi_K25Processor"
        (Path(folder) / "preprocessor_config.json").write_text(json.dumps(content))


def assemble(location: str, settings: dict[str, Any]) -> GridProcessor:
    """Load the parts of a checkpoint's processor from a folder or the hub; no remote code."""
    import transformers

    images, _ = transformers.ImageProcessingMixin.get_image_processor_dict(location)
    tokenizer = transformers.AutoTokenizer.from_pretrained(location, trust_remote_code=False)
    return GridProcessor(
        image_processor=KimiImages(**images),
        tokenizer=tokenizer,
        image_grid="image_grid_thw",
        image_token=getattr(tokenizer, "image_token", None) or "<|media_pad|>",
        chat_template=settings.get("chat_template"),
    )
