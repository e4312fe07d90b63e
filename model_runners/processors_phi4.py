"""How prompts and images become inputs of Phi-4-multimodal: an image whole, and in square crops.

transformers' image processor of this family needs torchvision. An image is fitted into as many
crops as it fills, at most `dynamic_hd`, the rest being white; patches that are white only are left
out. Of what remains, two by two patches become a token, each row and each part of the image ends in
one more.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_runners.picture_tensors import filled, normalised, pixels, resized
from model_runners.processors_still import AbstractStillProcessor

if TYPE_CHECKING:
    import PIL.Image
    import torch

SETTINGS: dict[str, Any] = {
    "size": {"height": 448, "width": 448},
    "patch_size": 14,
    "dynamic_hd": 36,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
"""Sizes in pixels; the most crops of an image."""
SHORTEST_SIDE = 10
"""Pixels that the shorter side keeps at least; a thinner image is refused, as the makers do."""


class Phi4Images:
    """Image processor: crops, their masks, sizes in pixels and numbers of tokens."""

    model_input_names = ("image_pixel_values", "image_sizes", "image_attention_mask")

    def __init__(self, **settings: Any):
        """Keep what preprocessor_config.json says of `SETTINGS`."""
        self.settings = SETTINGS | {k: v for k, v in settings.items() if k in SETTINGS}
        self.side: int = self.settings["size"]["height"]
        self.patches = self.side // self.settings["patch_size"]

    def __call__(self, images: "Sequence[PIL.Image.Image]", **_: Any) -> dict[str, Any]:
        """Return what the model takes, and `num_img_tokens`, which it does not.

        Raises
        ------
        ValueError
            If an image is too thin.
        """
        import torch

        made = [self._crops(pixels(image)) for image in images]
        most = max(len(crops) for crops, _ in made)
        kept = [masks for _, masks in made]
        grids = [self.grid(image.height, image.width) for image in images]
        return {
            "image_pixel_values": torch.stack([_longer(crops, most, 0) for crops, _ in made]),
            "image_attention_mask": torch.stack([_longer(masks, most, 1) for masks in kept]),
            "image_sizes": torch.tensor([[r * self.side, c * self.side] for r, c in grids]),
            "num_img_tokens": [
                self._tokens(masks[1:], *grid) for masks, grid in zip(kept, grids, strict=True)
            ],
        }

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Return the rows and columns of crops that an image is fitted into."""
        rows, columns = math.ceil(height / self.side), math.ceil(width / self.side)
        most: int = self.settings["dynamic_hd"]
        if rows * columns <= most:
            return rows, columns
        shapes = sorted(
            ((r, c) for c in range(1, most + 1) for r in range(1, most // c + 1)),
            key=lambda shape: shape[0] * shape[1],
        )
        best, least = (1, 1), math.inf
        for r, c in shapes:
            off = abs(width / height - c / r)
            larger = off == least and height * width > 0.5 * self.side**2 * r * c
            if off < least or larger:
                best, least = (r, c), off
        return best

    def _crops(self, levels: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
        """Return (1 + crops, 3, side, side), the whole image first, and masks of their patches."""
        import torch
        from torch.nn.functional import interpolate

        height, width = levels.shape[-2:]
        rows, columns = self.grid(height, width)
        full_height, full_width = rows * self.side, columns * self.side
        by_height, by_width = full_height / height, full_width / width
        if by_width < by_height:
            new_height, new_width = int(height * by_width), full_width
        else:
            new_height, new_width = full_height, int(width * by_height)
        if min(new_height, new_width) < SHORTEST_SIDE:
            raise ValueError(f"the shape of the image is extreme ({height} x {width} pixels)")
        fitted = resized(levels, new_height, new_width, "bilinear")
        whole = normalised(filled(fitted, full_height, full_width, 255), self.settings)
        mask = torch.ones(rows * self.patches, columns * self.patches)
        patch: int = self.settings["patch_size"]
        mask[len(mask) - (full_height - new_height) // patch :] = 0
        mask[:, mask.shape[1] - (full_width - new_width) // patch :] = 0
        small = interpolate(whole[None], (self.side, self.side), mode="bicubic")
        masks = _cut(mask[None], rows, columns, self.patches)[:, 0]
        return (
            torch.cat([small, _cut(whole, rows, columns, self.side)]),
            torch.cat([torch.ones_like(masks[:1]), masks]),
        )

    def _tokens(self, masks: "torch.Tensor", rows: int, columns: int) -> int:
        """Count the tokens of an image whose crops have these masks."""
        half = math.ceil(self.patches / 2)
        merged = masks[: rows * columns, ::2, ::2].reshape(rows, columns, half, half)
        merged = merged.transpose(1, 2).reshape(rows * half, columns * half)
        return half * half + 1 + int(merged.sum()) + int(merged[:, 0].sum()) + half

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the file that transformers' own class loads, too."""
        content = {**self.settings, "image_processor_type": "Phi4MultimodalImageProcessor"}
        content["processor_class"] = "Phi4MultimodalProcessor"
        (Path(folder) / "preprocessor_config.json").write_text(json.dumps(content))


class Phi4Prompts(AbstractStillProcessor):
    """Tokenizer and images; a prompt has the image's token once for each vector."""

    not_inputs = ("num_img_tokens",)

    def standing_for(self, encoded: dict[str, Any]) -> list[str]:
        """Return a row of placeholders for each image."""
        return [self.image_token * count for count in encoded["num_img_tokens"]]


def assemble(location: str, settings: dict[str, Any]) -> Phi4Prompts:
    """Load the parts of a checkpoint's processor from a folder or the hub; no remote code."""
    import transformers

    images, _ = transformers.ImageProcessingMixin.get_image_processor_dict(location)
    return Phi4Prompts(
        image_processor=Phi4Images(**images),
        tokenizer=transformers.AutoTokenizer.from_pretrained(location, trust_remote_code=False),
        chat_template=settings.get("chat_template"),
    )


def _cut(whole: "torch.Tensor", rows: int, columns: int, side: int) -> "torch.Tensor":
    """Cut (channels, rows * side, columns * side) into (crops, channels, side, side)."""
    channels = len(whole)
    cut = whole.reshape(channels, rows, side, columns, side)
    return cut.permute(1, 3, 0, 2, 4).reshape(rows * columns, channels, side, side)


def _longer(crops: "torch.Tensor", most: int, value: float) -> "torch.Tensor":
    import torch

    return torch.cat([crops, torch.full((most - len(crops), *crops.shape[1:]), value)])
