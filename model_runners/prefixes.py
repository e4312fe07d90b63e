"""What prompts have in common before their first masked word is read once: image and system text.

Of the 1 + 3 D rows of a sample (D draws of noise) all begin with its image, either as it is or as
one of D noises, and so do the rows of every other question about that image. What an autoregressive
stack keeps of such a beginning, its keys and values, serves every row that goes on from it:

    positions read = distinct beginnings x their length + rows x what follows

in place of rows x both. Whether a model reads left to right, so that this is the same, is tried out
before a run begins (`prefix_test.py`); where it is not, every row is read whole.
"""

import copy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from data_cache.conditions import Condition
from data_cache.samples import Sample
from model_runners.encoding import EncodedBatch
from model_runners.errors import UnsupportedModel
from model_runners.masking import MaskedRow
from model_runners.stack import Captured, TextStack, holds_tensor

if TYPE_CHECKING:
    import torch

    from model_runners.inference import BatchRunner, Place

LEAST_PARAMETERS = 20_000_000
"""Of the decoder layers: below, a call costs more than the positions that it saves."""
PAYS = 0.75
"""Share of the positions that may be left at most; nearer to all, the calls cost what is saved."""
VARIABLE = "PIDSCOPE_SHARED_PREFIX"
"""`auto` shares where it pays, `always` wherever it is the same, `off` never."""
NO_VISION = (Condition.ONLY_2, Condition.NEITHER)
NO_TEXT = (Condition.ONLY_1, Condition.NEITHER)

Beginning = tuple[int, int | None]
"""Which sample's beginning, and the draw of noise in place of its image; None for the image."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """What R rows have behind them."""

    cache: Any
    """transformers' keys and values of R rows."""
    attended: "torch.Tensor"
    """(R, N): 1 where a row has a token, 0 where it has padding."""


@dataclass(frozen=True, kw_only=True)
class Divided:
    """A batch of B prompts of at most L tokens, each cut where its masked words begin."""

    begins: "torch.Tensor"
    """(B,) int: the first token that is no padding."""
    cuts: "torch.Tensor"
    """(B,) int: the first masked word."""
    positions: "torch.Tensor"
    """(B, L), or (axes, B, L): the position of each token, as the text stack takes them."""
    same: tuple[int, ...]
    """(B,): the first sample of the batch that begins alike."""
    length: int
    """L."""


def divide(
    captured: Captured, batch: EncodedBatch, samples: Sequence[Sample], stack: TextStack
) -> Divided | None:
    """Cut prompts before their first masked word; None where what follows needs more than a cache.

    Parameters
    ----------
    captured
        The merged call of the batch.
    batch
        The encoding of the samples.
    samples
        B samples.
    stack
        Of the model.
    """
    import torch

    attended = batch.inputs["attention_mask"].bool()
    count, length = attended.shape
    if stack.decoder is not None or captured.reread is not None:
        return None
    if any(not one.listed or one.modality != "vision" for one in captured.side.values()):
        return None
    mask = captured.keywords.get("attention_mask")
    if not isinstance(mask, torch.Tensor) or tuple(mask.shape) != (count, length):
        return None
    for name, value in captured.keywords.items():
        if name != "position_ids" and not _is_of_positions(value, count, length):
            return None
    if any(not one.images or one.audio is not None for one in samples):
        return None
    has_words = batch.text.any(1)
    if not bool(has_words.all()) or not bool(batch.vision.any(1).all()):
        return None
    cuts = batch.text.int().argmax(1)
    if bool((batch.vision.int().cumsum(1).argmax(1) >= cuts).any()):
        return None  # a word before the image
    ids = batch.inputs["input_ids"]
    first: dict[tuple[Any, ...], int] = {}
    begins = attended.int().argmax(1)
    same: list[int] = []
    for row, sample in enumerate(samples):
        tokens = ids[row, begins[row] : cuts[row]].numpy().tobytes()
        key = (tokens, *(image.digest for image in sample.images))
        same.append(first.setdefault(key, row))
    return Divided(
        begins=begins,
        cuts=cuts,
        positions=_positions(captured, attended),
        same=tuple(same),
        length=length,
    )


def _is_of_positions(value: Any, count: int, length: int) -> bool:
    """Whether a keyword holds no tensor, or one value for each position of the prompts."""
    import torch

    if not holds_tensor(value):
        return True
    return isinstance(value, torch.Tensor) and tuple(value.shape) == (count, length)


def _positions(captured: Captured, attended: "torch.Tensor") -> "torch.Tensor":
    positions = captured.keywords.get("position_ids")
    if positions is None:
        return (attended.long().cumsum(1) - 1).clamp(min=0).to(captured.embeddings.device)
    return positions.expand(*positions.shape[:-2], *attended.shape)


def share_of(divided: Divided, places: "Sequence[Place]") -> float:
    """Return the share of the positions that is left where beginnings are read once."""
    begins, cuts = divided.begins.tolist(), divided.cuts.tolist()
    whole = sum(divided.length - begins[index] for index, _, _ in places)
    follows = sum(divided.length - cuts[index] for index, _, _ in places)
    once = sum(cuts[row] - begins[row] for row, _ in {beginning(divided, one) for one in places})
    return (once + follows) / max(whole, 1)


def beginning(divided: Divided, place: "Place") -> Beginning:
    """Return which beginning a row has."""
    index, condition, draw = place
    return divided.same[index], draw if condition in NO_VISION else None


def shared_rows(
    runner: "BatchRunner",
    divided: Divided,
    captured: Captured,
    batch: EncodedBatch,
    samples: Sequence[Sample],
    places: "Sequence[Place]",
) -> "Iterator[tuple[Sequence[Place], Captured, Past]]":
    """Yield what follows the beginnings, as many rows at once as go into one call, with the past.

    Parameters
    ----------
    runner
        Of the run.
    divided
        The batch.
    captured, batch, samples
        As for `divide`.
    places
        All rows with an image.
    """
    import torch

    rows_of: dict[Beginning, list[Place]] = defaultdict(list)
    for place in sorted(places, key=lambda one: (divided.same[one[0]], one[2])):
        rows_of[beginning(divided, place)].append(place)
    waiting, size = list(rows_of), runner.rows_per_pass
    # As many beginnings at once as one call of what follows uses up.
    at_once = max(1, size * len(waiting) // max(len(places), 1))
    for start in range(0, len(waiting), at_once):
        chosen = waiting[start : start + at_once]
        past = read_beginnings(runner, divided, captured, batch, samples, chosen)
        number = {one: row for row, one in enumerate(chosen)}
        mine = [place for one in chosen for place in rows_of[one]]
        for first in range(0, len(mine), size):
            part = mine[first : first + size]
            with runner.watch.part("masking"):
                masked = runner.masker.masked(
                    captured,
                    batch,
                    samples,
                    [
                        MaskedRow(index=index, text=condition in NO_TEXT, draw=draw)
                        for index, condition, draw in part
                    ],
                )
            index = [place[0] for place in part]
            ends = divided.cuts.new_full((len(part),), divided.length)
            follows, attended = cut(masked, divided, index, divided.cuts[index], ends)
            with runner.watch.part("language", runner.loaded.device):
                behind = picked(past, [number[beginning(divided, place)] for place in part])
            whole = torch.cat([behind.attended, attended.to(behind.attended)], 1)
            keywords = {
                **{n: v for n, v in follows.keywords.items() if not holds_tensor(v)},
                "position_ids": follows.keywords["position_ids"],
                "attention_mask": whole,
            }
            runner.watch.count("shared", int(behind.attended.sum()))
            yield (
                part,
                Captured(embeddings=follows.embeddings, keywords=keywords),
                Past(cache=behind.cache, attended=whole),
            )


def read_beginnings(
    runner: "BatchRunner",
    divided: Divided,
    captured: Captured,
    batch: EncodedBatch,
    samples: Sequence[Sample],
    chosen: Sequence[Beginning],
) -> Past:
    """Read beginnings once.

    Raises
    ------
    UnsupportedModel
        If the stack keeps nothing that several rows can go on from.
    """
    import torch

    index = [row for row, _ in chosen]
    with runner.watch.part("masking"):
        masked = runner.masker.masked(
            captured,
            batch,
            samples,
            [MaskedRow(index=row, vision=draw is not None, draw=draw or 0) for row, draw in chosen],
        )
        part, attended = cut(masked, divided, index, divided.begins[index], divided.cuts[index])
    with runner.watch.part("language", runner.loaded.device), torch.no_grad():
        keywords = {**part.arguments(), "attention_mask": attended}
        _, cache = runner.loaded.stack.run(part.embeddings, keywords, keep_cache=True)
    if not can_be_picked(cache):
        raise UnsupportedModel(
            f"{runner.loaded.name} keeps no keys and values that several prompts can share; run it "
            f"with {VARIABLE}=off"
        )
    read = int(attended.sum())
    runner.watch.count("positions", attended.numel())
    runner.watch.count("padding", attended.numel() - read)
    runner.watch.count("shared", -read)
    return Past(cache=cache, attended=attended)


def cut(
    rows: Captured,
    divided: Divided,
    index: Sequence[int],
    begins: "torch.Tensor",
    ends: "torch.Tensor",
) -> "tuple[Captured, torch.Tensor]":
    """Cut R rows to their positions from `begins` to `ends`, padded on the left.

    Parameters
    ----------
    rows
        R rows of the batch.
    divided
        The batch.
    index
        (R,): the sample of each.
    begins, ends
        (R,) int.

    Returns
    -------
    tuple
        The rows, and (R, N) with 1 where there is a token.
    """
    import torch

    device = rows.embeddings.device
    width = int((ends - begins).max())
    places = (ends[:, None] - width + torch.arange(width)).to(device)
    attended = (places >= begins.to(device)[:, None]).long()
    places = places.clamp(min=0)
    each = torch.arange(len(index), device=device)[:, None]
    positions = divided.positions.to(device)[..., torch.tensor(list(index), device=device), :]
    keywords: dict[str, Any] = {}
    for name, value in rows.keywords.items():
        if isinstance(value, torch.Tensor) and name not in ("position_ids", "attention_mask"):
            taken = value.to(device)[each, places]
            keywords[name] = taken & attended.bool() if taken.dtype == torch.bool else taken
        elif not isinstance(value, torch.Tensor):
            keywords[name] = value
    keywords["position_ids"] = positions.gather(-1, places.expand(*positions.shape[:-1], width))
    return replace(rows, embeddings=rows.embeddings[each, places], keywords=keywords), attended


def can_be_picked(cache: Any) -> bool:
    """Whether a cache holds nothing but one row of keys and values for each row read."""
    from transformers.cache_utils import DynamicLayer

    layers = getattr(cache, "layers", None)
    return bool(layers) and all(type(layer) is DynamicLayer for layer in layers)


def picked(past: Past, rows: Sequence[int]) -> Past:
    """Return the past of the given rows, repeated as they occur; what it came from stays."""
    import torch

    cache = copy.copy(past.cache)
    cache.layers = [copy.copy(layer) for layer in past.cache.layers]
    for layer in cache.layers:
        if layer.is_initialized:  # else it shares another layer's
            place = torch.tensor(list(rows), device=layer.keys.device)
            layer.keys = layer.keys.index_select(0, place)
            layer.values = layer.values.index_select(0, place)
    where = torch.tensor(list(rows), device=past.attended.device)
    return Past(cache=cache, attended=past.attended.index_select(0, where))


def parameters_of(stack: TextStack) -> int:
    """Return the parameters of the decoder layers, which every position goes through."""
    return sum(weight.numel() for weight in stack.layers.parameters())
