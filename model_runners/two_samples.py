"""Two samples that differ, and how each comes to hold what the other shows or says.

A self-test asks of them what a masked modality still does.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from data_cache.samples import Sample
from model_runners.asking import Asking, user_text
from model_runners.encoding import EncodedBatch
from model_runners.errors import SelfTestFailed
from model_runners.loading import LoadedModel
from model_runners.sources import INPUTS, Sources, sources_of

if TYPE_CHECKING:
    import torch

OTHER_WORDS = ("qformer_input_ids",)
"""Names of model inputs with words of the prompt beside `input_ids`."""


def choose_pair(
    loaded: LoadedModel, samples: Sequence[Sample], asking: Asking
) -> tuple[Sample, Sample]:
    """Return two samples that show other things, of different lengths if there are such.

    Raises
    ------
    SelfTestFailed
        If no two of them differ.
    """
    media = sources_of(asking.sources).media

    def differ(a: Sample, b: Sample) -> bool:
        seen = [[image.digest for image in sample.images] for sample in (a, b)]
        heard = [sample.audio or sample.video for sample in (a, b)]
        if "audio" in media and heard[0] == heard[1]:
            return False
        return media == ("audio",) or seen[0] != seen[1]

    # A sample with three images beside others with one proves nothing, wherever it stands.
    for count in dict.fromkeys(len(sample.images) for sample in samples):
        first, *rest = (sample for sample in samples if len(sample.images) == count)
        others = [other for other in rest if differ(first, other)]
        if others:
            break
    else:
        what = {(): "images", ("video",): "videos", ("audio",): "sounds"}.get(media, "clips")
        raise SelfTestFailed(
            f"the self-test needs two samples with different {what}, and this benchmark has none"
        )

    def tokens(sample: Sample) -> int:
        text = user_text(sample, asking)
        return len(loaded.processor.tokenizer(text, add_special_tokens=False)["input_ids"])

    own = tokens(first)
    return first, next((other for other in others if tokens(other) != own), others[0])


def swap_first(loaded: LoadedModel, pair: EncodedBatch, sources: Sources) -> EncodedBatch:
    """Give each sample the other's source 1, in its own places."""
    names = set(loaded.family.pixel_inputs) & pair.inputs.keys() or {
        name for name, value in pair.inputs.items() if value.is_floating_point()
    }
    return _swapped(pair, {INPUTS[sources.media[0]]} if sources.media else names)


def _swapped(pair: EncodedBatch, names: set[str]) -> EncodedBatch:
    return replace(
        pair,
        inputs={
            # One row may hold the patches of all images: then these change places.
            name: value.flip(0 if len(value) > 1 else -1) if name in names else value
            for name, value in pair.inputs.items()
        },
    )


def replace_second(pair: EncodedBatch, sources: Sources) -> EncodedBatch:
    """Give each sample the other's sound where that is source 2; else put its words otherwise.

    Every maskable token becomes another, so that length and places stay.
    """
    if sources.second_medium is not None:
        return _swapped(pair, {INPUTS[sources.second_medium]})
    inputs = {**pair.inputs, "input_ids": _turned(pair.inputs["input_ids"], pair.text)}
    for name in OTHER_WORDS:
        if name in inputs and pair.words is not None:
            # Whatever the family says: a family that forgets who reads along must not pass.
            inputs[name] = _turned(inputs[name], pair.words)
    return replace(pair, inputs=inputs)


def _turned(ids: "torch.Tensor", where: "torch.Tensor") -> "torch.Tensor":
    """Return (B, L) ids whose given positions hold each other's, back to front."""
    turned = ids.clone()
    for row in range(len(ids)):
        turned[row, where[row]] = ids[row, where[row]].roll(1).flip(0)
    return turned
