"""Images are encoded once: the merge of image and text, with a cache of encoded images."""

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
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

    from model_runners.kept_images import KeptImages

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

    @property
    def tensors(self) -> "dict[str, torch.Tensor]":
        """All of it by name."""
        layers = {f"deepstack.{layer}": part for layer, part in enumerate(self.deepstack)}
        return {"features": self.features, **layers}

    @classmethod
    def of(cls, tensors: "Mapping[str, torch.Tensor]") -> "EncodedImage":
        """Put together again what `tensors` took apart."""
        layers = range(len(tensors) - 1)
        return cls(
            features=tensors["features"],
            deepstack=tuple(tensors[f"deepstack.{layer}"] for layer in layers),
        )


class VisionCache:
    """Encoded images by content, the least recently used dropped first."""

    def __init__(self, limit_bytes: int = VISION_CACHE_BYTES, *, kept: "KeptImages | None" = None):
        """Start empty.

        Parameters
        ----------
        limit_bytes
            Of memory.
        kept
            What earlier runs have left on the disk, and where this one adds to it.
        """
        self._limit = limit_bytes
        self._bytes = 0
        self._kept = kept
        self._features: OrderedDict[str, EncodedImage] = OrderedDict()
        self.encoded = 0
        """Images that went through the tower."""
        self.read = 0
        """Images that were taken from the disk instead."""

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
        for digest, image in self._found_or_made(loaded, [(d, pictures[row]) for d, row in new]):
            found[digest] = image
            self._features[digest] = image
            self._bytes += image.size
        for digest in wanted:
            self._features.move_to_end(digest)
        while self._bytes > self._limit and len(self._features) > 1:
            _, dropped = self._features.popitem(last=False)
            self._bytes -= dropped.size
        return [found[digest] for digest in digests]

    def _found_or_made(
        self, loaded: LoadedModel, pictures: "Sequence[tuple[str, dict[str, torch.Tensor]]]"
    ) -> "list[tuple[str, EncodedImage]]":
        """Encode images that are not in memory, but for those that are on the disk."""
        there: dict[str, EncodedImage] = {}
        if self._kept is not None:
            for digest, one in pictures:
                tensors = self._kept.find(one, loaded.device)
                if tensors is not None:
                    there[digest] = EncodedImage.of(tensors)
        self.read += len(there)
        new = [(digest, one) for digest, one in pictures if digest not in there]
        if new:
            started = time.perf_counter()
            made = encode_images(loaded, [one for _, one in new])
            seconds = (time.perf_counter() - started) / len(new)
            for (digest, one), image in zip(new, made, strict=True):
                there[digest] = image
                if self._kept is not None:
                    self._kept.keep(one, image.tensors, seconds)
            self.encoded += len(new)
        return [(digest, there[digest]) for digest, _ in pictures]


def encode_images(
    loaded: LoadedModel, pictures: "Sequence[dict[str, torch.Tensor]]"
) -> list[EncodedImage]:
    """Send images through the vision tower at once."""
    import torch

    with torch.no_grad():
        output = _encoder(loaded.model)(
            **{name: torch.cat([one[name] for one in pictures]) for name in pictures[0]}
        )
    if loaded.device.type == "cuda":
        torch.cuda.synchronize(loaded.device)  # else nobody knows how long it took
    deepstack = getattr(output, "deepstack_features", None) or ()
    return [
        EncodedImage(
            features=output.pooler_output[place],
            deepstack=tuple(layer[place] for layer in deepstack),
        )
        for place in range(len(pictures))
    ]


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


TIMES = ("video_second_per_grid",)
"""Floating-point inputs that are no content: positions are made of them, in full precision."""


def to_device(inputs: dict[str, Any], loaded: LoadedModel) -> dict[str, Any]:
    """Move tensors to the model's device; floating-point inputs take the model's precision."""
    import torch

    precision = getattr(torch, loaded.dtype)
    return {
        name: value.to(
            loaded.device,
            precision if value.is_floating_point() and name not in TIMES else value.dtype,
        )
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
    pictures = all(name in inputs for name in loaded.family.pixel_inputs)  # and no video
    if with_image and images is not None and loaded.family.takes_encoder_outputs and pictures:
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
