"""What an image's questions share is computed once: the prompt up to its last image position.

A decoder that reads from left to right makes the same keys and values of it whatever the question.
So R prompts about U images cost U beginnings and R endings. Where a stack attends otherwise (both
ways over the image, side channels, encoders that read the question) it is not shared: what carries
a modality past the embeddings is refused from the start, and the first prompts are run both ways.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model_runners.encoding import EncodedBatch
from model_runners.scoring import REBUILT, branch
from model_runners.stack import Captured, TextStack, holds_tensor, replay

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Beginnings:
    """Where R prompts begin and where their images end."""

    member: tuple[int, ...]
    """(R,), which of the U different beginnings a prompt has."""
    rows: tuple[int, ...]
    """(U,), one prompt with that beginning."""
    first: "torch.Tensor"
    """(R,) int: the first position that is no padding."""
    last: "torch.Tensor"
    """(R,) int: the last position of the image."""


def beginnings(batch: EncodedBatch, shown: Sequence[Hashable]) -> Beginnings | None:
    """Find the prompts that begin alike; None where none does, or one ends with its image.

    Parameters
    ----------
    batch
        R encoded prompts.
    shown
        (R,), what says which images a prompt shows.
    """
    import torch

    ids, attended, vision = batch.inputs["input_ids"], batch.inputs["attention_mask"], batch.vision
    length = ids.shape[1]
    first = attended.long().argmax(1)
    last = torch.where(vision, torch.arange(length), -1).amax(1)
    if (last < 0).any() or (last == length - 1).any():
        return None
    known: dict[Hashable, int] = {}
    rows: list[int] = []
    member: list[int] = []
    for row, image in enumerate(shown):
        prompt = ids[row, int(first[row]) : int(last[row]) + 1]
        key = (image, tuple(prompt.tolist()))
        if key not in known:
            known[key] = len(rows)
            rows.append(row)
        member.append(known[key])
    if len(rows) == len(member):
        return None
    return Beginnings(member=tuple(member), rows=tuple(rows), first=first, last=last)


def can_share(stack: TextStack, captured: Captured) -> bool:
    """Whether nothing but embeddings, mask and positions reaches a decoder."""
    others = [name for name in captured.keywords if name not in REBUILT]
    return (
        stack.decoder is None
        and not captured.side
        and captured.reread is None
        and not any(holds_tensor(captured.keywords[name]) for name in others)
    )


def replay_shared(stack: TextStack, captured: Captured, found: Beginnings) -> "torch.Tensor | None":
    """Return (R, d) states at the last position, each beginning computed once.

    None where the stack keeps no keys and values that prompts could share.
    """
    import torch

    embeddings = captured.embeddings
    device, (count, length) = embeddings.device, embeddings.shape[:2]
    first, last = found.first.to(device), found.last.to(device)
    rows = torch.tensor(found.rows, device=device)
    member = torch.tensor(found.member, device=device)
    positions = _positions(captured.keywords.get("position_ids"), count, length, device)
    plain = {name: value for name, value in captured.keywords.items() if name not in REBUILT}

    widths = (last - first + 1)[rows]
    width = int(widths.max())
    steps = torch.arange(width, device=device)
    begun = steps >= width - widths[:, None]  # (U, P), padded on the left
    place = (last[rows][:, None] - (width - 1) + steps).clamp(min=0)
    _, cache = stack.run(
        embeddings[rows[:, None], place] * begun[..., None].to(embeddings.dtype),
        {
            **plain,
            "attention_mask": begun.long(),
            "position_ids": positions[..., rows[:, None], place],
        },
        keep_cache=True,
    )
    cache = _rows_of(cache, member)
    if cache is None:
        return None

    rest = int((length - 1 - last).max())
    columns = torch.arange(length - rest, length, device=device)
    ending = columns > last[:, None]  # (R, T)
    origin = rows[member]
    # Counted from where the prompt begins, which differs by the padding of the two.
    shift = positions[..., origin, first[origin]] - positions[..., torch.arange(count), first]
    later = (positions[..., columns] + shift[..., None]).clamp(min=0)
    return replay(
        stack,
        embeddings[:, columns],
        {
            **plain,
            "attention_mask": torch.cat([begun[member], ending], 1).long(),
            "position_ids": later,
        },
        past=cache,
    ).hidden


def _positions(
    given: "torch.Tensor | None", count: int, length: int, device: "torch.device"
) -> "torch.Tensor":
    """Return (R, L) or (axes, R, L) positions, those that the stack would make where none came."""
    import torch

    if given is None:
        return torch.arange(length, device=device).expand(count, length)
    shape = (count, length) if given.dim() == 2 else (len(given), count, length)
    return given.to(device).expand(shape)


def _rows_of(cache: Any, rows: "torch.Tensor") -> Any:
    """Return the keys and values of some rows; None where they are of another kind."""
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    known = (DynamicLayer, DynamicSlidingWindowLayer)
    if not all(type(layer) in known for layer in getattr(cache, "layers", [None])):
        return None
    taken = branch(cache)
    taken.batch_select_indices(rows)
    return taken
