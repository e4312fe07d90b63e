"""Images of one size: masking hides what an image shows, not how large it is.

Token counts, grids of patches and M-RoPE positions depend on an image's size and shape, and stay as
they are under every mask. Where that matters, each image is made a square of the same side before
the model's own processor sees it, so that every image gets the same number of tokens.
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from model_runners.errors import UnsupportedModel
from model_runners.loading import LoadedModel

if TYPE_CHECKING:
    import PIL.Image
    import torch

SMALLEST, LARGEST = 8, 8192
"""Sides in pixels that can be asked for."""


class FixedSizeProcessor:
    """A processor that makes every image a square of one side, and counts the tokens."""

    def __init__(self, processor: Any, side: int, *, image_token_id: int):
        """Wrap a processor.

        Parameters
        ----------
        processor
            Of the model.
        side
            In pixels.
        image_token_id
            The placeholder's token.
        """
        self.processor = processor
        self.side = side
        self._image_token_id = image_token_id
        self._counts: dict[int, int] = {}

    def __getattr__(self, name: str) -> Any:
        """Everything else is the wrapped processor's."""
        if name == "processor":  # of a copy that is not filled yet
            raise AttributeError(name)
        return getattr(self.processor, name)

    def __call__(
        self, *, images: "Sequence[Sequence[PIL.Image.Image]] | None" = None, **arguments: Any
    ) -> Any:
        """Return the processor's model inputs of squares.

        Raises
        ------
        UnsupportedModel
            If two prompts with as many images get different numbers of image tokens.
        """
        from PIL.Image import Resampling

        if images is None:
            return self.processor(**arguments)
        squares = [
            [image.resize((self.side, self.side), Resampling.BICUBIC) for image in of_prompt]
            for of_prompt in images
        ]
        encoded = self.processor(images=squares, **arguments)
        self.check(encoded["input_ids"], [len(of_prompt) for of_prompt in images])
        return encoded

    def check(self, tokens: "torch.Tensor", images: Sequence[int]) -> None:
        """Compare the number of image tokens with that of the prompts seen before.

        Parameters
        ----------
        tokens
            (B, L) ids.
        images
            Images in each of the B prompts.

        Raises
        ------
        UnsupportedModel
            If they differ.
        """
        for count, number in zip(
            (tokens == self._image_token_id).sum(1).tolist(), images, strict=True
        ):
            first = self._counts.setdefault(number, count)
            if count != first:
                raise UnsupportedModel(
                    f"images of {self.side} x {self.side} pixels become {first} tokens in one "
                    f"prompt and {count} in another, so this model's images cannot be given one "
                    "size; leave out --image-size"
                )


def with_image_size(loaded: LoadedModel, side: int | None) -> LoadedModel:
    """Return the model with every image made a square of one side; None leaves images alone."""
    if side is None or image_size(loaded) == side:
        return loaded
    processor = FixedSizeProcessor(loaded.processor, side, image_token_id=loaded.image_token_id)
    return dataclasses.replace(loaded, processor=processor)


def image_size(loaded: LoadedModel) -> int | None:
    """Return the side of the squares that a model's images are made, in pixels."""
    processor = loaded.processor
    return processor.side if isinstance(processor, FixedSizeProcessor) else None
