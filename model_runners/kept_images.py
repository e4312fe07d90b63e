"""Encoded images kept across runs: named by the encoder's weights and by what it was given.

A run with another template, other options, more draws or another seed gives the encoder the same
pixels and gets the same vectors; so do the checkpoints of a LoRA, which changes nothing before the
text stack. What is read again has the bits that were written.
"""

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any, Literal

from data_cache.encoded_images import EncodedImages
from model_runners.errors import BadOption

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch

    from model_runners.loading import LoadedModel

Keeping = Literal["auto", "always", "off"]
VARIABLE = "PIDSCOPE_VISION_CACHE"
"""`auto` keeps what is slower to encode than to read, `always` everything, `off` nothing."""
LIMIT_VARIABLE = "PIDSCOPE_VISION_GIB"
LIMIT_GIB = 10.0
VERSION = 1
"""Raise it when the same pixels would be encoded otherwise, or the files have another form."""
OPEN_SECONDS = 2e-3
READ_BYTES = 3e8
"""A second: reading, checking and moving to a device, on a slow disk."""


class KeptImages:
    """The encoded images of one model, on the disk."""

    def __init__(self, files: EncodedImages, keeping: Keeping = "auto"):
        """Open what earlier runs have kept.

        Parameters
        ----------
        files
            Where they lie.
        keeping
            Which new ones are added.
        """
        self.files = files
        self._keeping: Keeping = keeping
        self._looks = not files.is_empty

    def find(
        self, pictures: "Mapping[str, torch.Tensor]", device: "torch.device"
    ) -> "dict[str, torch.Tensor] | None":
        """Return what the encoder once made of one image's inputs, on a device; None if unknown."""
        from safetensors import SafetensorError
        from safetensors.torch import load

        if not self._looks:
            return None
        content = self.files.read(key_of(pictures))
        if content is None:
            return None
        try:
            return {name: value.to(device) for name, value in load(content).items()}
        except (SafetensorError, ValueError, KeyError):  # of another form
            return None

    def keep(
        self,
        pictures: "Mapping[str, torch.Tensor]",
        encoded: "Mapping[str, torch.Tensor]",
        seconds: float,
    ) -> bool:
        """Keep what the encoder made of one image's inputs, where that pays.

        Parameters
        ----------
        pictures
            What it was given.
        encoded
            What it gave.
        seconds
            How long it took.
        """
        from safetensors.torch import save

        size = sum(value.numel() * value.element_size() for value in encoded.values())
        if self._keeping == "auto" and seconds < OPEN_SECONDS + size / READ_BYTES:
            return False
        self._looks = True
        content = save({name: value.cpu().contiguous() for name, value in encoded.items()})
        return self.files.write(key_of(pictures), content)


def kept_images(loaded: "LoadedModel", cache: "Path") -> KeptImages | None:
    """Open the encoded images of a model; None where its family or the user has none.

    Raises
    ------
    BadOption
        If $PIDSCOPE_VISION_CACHE or $PIDSCOPE_VISION_GIB says something else.
    """
    keeping, limit = chosen()
    if keeping == "off" or limit == 0 or not loaded.family.takes_encoder_outputs:
        return None
    return KeptImages(EncodedImages(cache, encoder_of(loaded), limit_bytes=limit), keeping)


def chosen() -> tuple[Keeping, int]:
    """Return which images are kept and in how many bytes, as the environment says.

    Raises
    ------
    BadOption
        If it says something else.
    """
    keeping = os.environ.get(VARIABLE, "").strip().lower() or "auto"
    if keeping not in ("auto", "always", "off"):
        raise BadOption(f"${VARIABLE} must be auto, always or off, not {keeping!r}")
    said = os.environ.get(LIMIT_VARIABLE, "").strip()
    try:
        limit = float(said) if said else LIMIT_GIB
    except ValueError:
        limit = -1.0
    if not 0 <= limit < 1e6:
        raise BadOption(f"${LIMIT_VARIABLE} must be a number of GiB, 0 or more, not {said!r}")
    return keeping, int(limit * 2**30)


def encoder_of(loaded: "LoadedModel") -> str:
    """Return 16 hexadecimal digits that name a model's encoder of images, and how it is run.

    An adapter is no part of it: `adapting.check_reach` refuses one that reaches the encoder. Other
    versions or kinds of device give other last digits, and so other names.
    """
    import torch
    import transformers

    content: list[Any] = [
        VERSION,
        loaded.family.model_type,
        loaded.weights,
        loaded.code,
        loaded.dtype,
        loaded.quantisation,
        loaded.attention,
        loaded.device.type,
        torch.__version__,
        transformers.__version__,
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def key_of(pictures: "Mapping[str, torch.Tensor]") -> str:
    """Return 32 hexadecimal digits of the exact inputs of one image, whatever file they are of."""
    import torch

    digest = hashlib.sha256()
    for name in sorted(pictures):
        value = pictures[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)};".encode())
        digest.update(value.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:32]
