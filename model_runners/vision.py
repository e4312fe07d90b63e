"""Images are encoded once: the merge of image and text, with a cache of encoded images."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from data_cache.samples import Sample
from model_runners.encoding import EncodedBatch
from model_runners.errors import UnsupportedModel
from model_runners.families import Family
from model_runners.loading import LoadedModel
from model_runners.readers import capture_reading
from model_runners.stack import Captured, capture, follow

if TYPE_CHECKING:
    import torch

VISION_CACHE_BYTES = 256 * 2**20
"""Encoded images kept for the next questions about them; the order of samples keeps those close."""


@dataclass(frozen=True, kw_only=True)
class EncodedImage:
    """What the vision tower makes of one image."""

    features: Any
    """(tokens, d): goes to the image's positions."""
    deepstack: "tuple[torch.Tensor, ...]" = ()
    """(tokens, d) for each of the first layers of the text stack, in families that have it."""

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(part.numel() * part.element_size() for part in (self.features, *self.deepstack))


class VisionCache:
    """Encoded images by content, the least recently used dropped first."""

    def __init__(self, limit_bytes: int = VISION_CACHE_BYTES):
        """Start empty."""
        self._limit = limit_bytes
        self._bytes = 0
        self._features: OrderedDict[str, EncodedImage] = OrderedDict()
        self.encoded = 0
        """Images that went through the tower."""

    def features(
        self, loaded: LoadedModel, samples: Sequence[Sample], inputs: "dict[str, torch.Tensor]"
    ) -> list[EncodedImage]:
        """Return the features of each image of a batch; equal images are encoded once.

        Parameters
        ----------
        loaded
            The model.
        samples
            B samples.
        inputs
            The model inputs of the batch.

        Raises
        ------
        UnsupportedModel
            If the processor did not make one part of the inputs per image.
        """
        import torch

        digests = [image.digest for sample in samples for image in sample.images]
        pictures = by_image(loaded.family, inputs)
        if len(digests) != len(pictures):
            raise UnsupportedModel(
                f"{loaded.family.name}'s processor made {len(pictures)} tensors of "
                f"{len(digests)} images; this family cannot reuse encoded images"
            )
        wanted = {digest: row for row, digest in reversed(list(enumerate(digests)))}
        new = [(digest, row) for digest, row in wanted.items() if digest not in self._features]
        found = {digest: self._features[digest] for digest in wanted if digest in self._features}
        if new:
            with torch.no_grad():
                output = _encoder(loaded.model)(
                    **{
                        name: torch.cat([pictures[row][name] for _, row in new])
                        for name in pictures[0]
                    }
                )
            self.encoded += len(new)
            deepstack = getattr(output, "deepstack_features", None) or ()
            for place, (digest, _) in enumerate(new):
                image = EncodedImage(
                    features=output.pooler_output[place],
                    deepstack=tuple(layer[place] for layer in deepstack),
                )
                found[digest] = image
                self._features[digest] = image
                self._bytes += image.size
        for digest in wanted:
            self._features.move_to_end(digest)
        while self._bytes > self._limit and len(self._features) > 1:
            _, dropped = self._features.popitem(last=False)
            self._bytes -= dropped.size
        return [found[digest] for digest in digests]


def _encoder(model: Any) -> Any:
    """Return the method that encodes images: some classes have it only below their head."""
    return getattr(model, "get_image_features", None) or model.base_model.get_image_features


def by_image(family: Family, inputs: "dict[str, torch.Tensor]") -> "list[dict[str, torch.Tensor]]":
    """Return what the vision tower takes of a batch's inputs, for one image after the other."""
    (pixels,) = (inputs[name] for name in family.pixel_inputs)
    if family.image_grid is None:
        names = (*family.pixel_inputs, *(n for n in family.image_rows if n in inputs))
        rows = zip(*(inputs[name].split(1) for name in names), strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]
    grid = inputs[family.image_grid]
    return [
        {family.pixel_inputs[0]: patches, family.image_grid: size}
        for patches, size in zip(pixels.split(grid.prod(-1).tolist()), grid.split(1), strict=True)
    ]


def to_device(inputs: dict[str, Any], loaded: LoadedModel) -> dict[str, Any]:
    """Move tensors to the model's device; floating-point inputs take the model's precision."""
    import torch

    precision = getattr(torch, loaded.dtype)
    return {
        name: value.to(loaded.device, precision if value.is_floating_point() else value.dtype)
        if isinstance(value, torch.Tensor)
        else value
        for name, value in inputs.items()
    }


def merge(
    loaded: LoadedModel,
    batch: EncodedBatch,
    samples: Sequence[Sample],
    *,
    with_image: bool = True,
    images: VisionCache | None = None,
) -> Captured:
    """Run tower and merge for an encoded batch, reusing encoded images where the family can."""
    import torch

    inputs = to_device(batch.inputs, loaded)
    if not with_image and loaded.family.without_image is not None:
        part = follow(loaded.model, loaded.family.without_image)
        assert part is not None  # find_stack has looked
        taken = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        return capture(part, loaded.stack, taken)
    if with_image and loaded.family.reads_text is not None:
        reads = loaded.family.reads_text
        return capture_reading(loaded.model, loaded.stack, inputs, reads, batch.words)
    if with_image and images is not None and loaded.family.takes_encoder_outputs:
        encoded = images.features(loaded, samples, inputs)
        features: Any = [image.features for image in encoded]
        if loaded.family.stacks_features:
            features = torch.stack(features)
        for name in loaded.family.pixel_inputs:
            del inputs[name]
        inputs["mm_encoder_outputs"] = {
            "image": SimpleNamespace(
                pooler_output=features,
                deepstack_features=list(zip(*(image.deepstack for image in encoded), strict=True)),
            )
        }
    return capture(loaded.model, loaded.stack, inputs)
