"""Pixels as tensors: what image processors of transformers do with torchvision, done with torch."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import PIL.Image
    import torch


def pixels(image: "PIL.Image.Image") -> "torch.Tensor":
    """Return (3, height, width) float32 levels from 0 to 255."""
    import numpy as np
    import torch

    return torch.from_numpy(np.asarray(image.convert("RGB")).copy()).permute(2, 0, 1).float()


def resized(levels: "torch.Tensor", height: int, width: int, mode: str) -> "torch.Tensor":
    """Resize (3, H, W) levels with antialiasing and round them, as for images of 8 bits.

    Parameters
    ----------
    levels
        From 0 to 255.
    height, width
        In pixels.
    mode
        `bilinear` or `bicubic`.
    """
    from torch.nn.functional import interpolate

    made = interpolate(levels[None], (height, width), mode=mode, antialias=True)[0]
    return made.round().clamp(0, 255)


def filled(levels: "torch.Tensor", height: int, width: int, level: float) -> "torch.Tensor":
    """Fill (3, H, W) up to a size, below and on the right."""
    from torch.nn.functional import pad

    return pad(levels, (0, width - levels.shape[-1], 0, height - levels.shape[-2]), value=level)


def normalised(levels: "torch.Tensor", settings: dict[str, Any]) -> "torch.Tensor":
    """Return levels from 0 to 255 as numbers around 0, by `image_mean` and `image_std`."""
    import torch

    mean = torch.tensor(settings["image_mean"])[:, None, None]
    std = torch.tensor(settings["image_std"])[:, None, None]
    return (levels / 255 - mean) / std
