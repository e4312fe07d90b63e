"""What reaches a text stack beside the merged embeddings: each keyword, and what it carries.

A *stream* is a set of vectors of one modality that one noise distribution describes. Two of them
lie at the positions of the merged embeddings, `vision` and `text`. The others are *side channels*:
keywords of the text stack that carry a modality past its embeddings, so that noise there alone
would hide nothing. This table is keyed by the keyword, not by the family: a new family that brings
a known keyword is masked as well, and one that brings an unknown one is refused (`stack.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from model_runners.errors import UnsupportedModel

if TYPE_CHECKING:
    import torch

Modality = Literal["vision", "text"]

READ_TEXT = "qformer_text"
"""Stream of the words that the encoder of images reads (`readers.py`)."""
GEOMETRY = frozenset(
    {
        "visual_pos_masks", "vision_mask", "cross_attention_mask", "full_text_row_masked_out_mask",
    }
)  # fmt: skip
"""Keywords that say where an image is and which text sees it; kept, since masking hides content."""


@dataclass(frozen=True, kw_only=True)
class SideStream:
    """The vectors of one side channel, one tensor for each sample of a batch."""

    keyword: str
    """Of the text stack; empty where its vectors go into the image's own (`readers.py`)."""
    modality: Modality
    vectors: "tuple[torch.Tensor, ...]"
    """One (n, d) tensor for each sample."""
    content: "tuple[torch.Tensor, ...] | None" = None
    """One (n,) bool for each sample: the vectors that are no padding; None where all are content.
    Padding becomes the mean when it is masked, and counts for nothing else."""
    at_positions: bool = False
    """Whether a sample has one vector for each position of its prompt; those of the modality's own
    positions are then the content."""
    shape: tuple[int, ...] | None = None
    """One sample's part of the keyword, where that is not (n, d)."""
    listed: bool = False
    """Whether the keyword is a list of which this is one item."""
    keeps_rest: bool = False
    """Whether vectors that are not content stay as they are when the content is masked."""

    def take(self, rows: Sequence[int]) -> "SideStream":
        """Return the given samples, repeated as they occur."""
        return self.of(
            [self.vectors[row] for row in rows],
            None if self.content is None else [self.content[row] for row in rows],
        )

    def of(
        self, vectors: "Sequence[torch.Tensor]", content: "Sequence[torch.Tensor] | None"
    ) -> "SideStream":
        """Return the same channel with other vectors."""
        return replace(
            self, vectors=tuple(vectors), content=None if content is None else tuple(content)
        )

    def contents(self, row: int, positions: "torch.Tensor") -> "torch.Tensor":
        """Return (n,) bool: which vectors of a sample hold its modality.

        Parameters
        ----------
        row
            The sample.
        positions
            (L,) bool: the positions of the modality in the sample's prompt.
        """
        import torch

        vectors = self.vectors[row]
        if self.at_positions:
            return positions.to(vectors.device)
        if self.content is None:
            return torch.ones(len(vectors), dtype=torch.bool, device=vectors.device)
        return self.content[row].to(vectors.device)

    def tensor(self) -> "torch.Tensor":
        """Put the samples together again, as the text stack takes them."""
        import torch

        shape = self.shape
        return torch.cat([v if shape is None else v.reshape(shape) for v in self.vectors])


Splitter = Callable[[Any, Mapping[str, Any], Mapping[str, Any], int], list[SideStream]]
"""Takes a keyword's value, all keywords, the model's inputs and the number of samples."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """How one keyword is taken apart by sample."""

    split: Splitter
    whole: bool = False
    """Whether the modality is nowhere else: its positions hold a placeholder and nothing more. The
    stream then takes the modality's own name, and its positions are left as they are."""


def _rows_of_positions(
    value: Any, keywords: Mapping[str, Any], inputs: Mapping[str, Any], batch: int
) -> list[SideStream]:
    """DeepStack: a list of (image positions of all samples, d), one for each of the first layers.

    Item i is added to the output of layer i at the image's positions (Meng et al. 2024).
    """
    del inputs
    where = keywords.get("visual_pos_masks")
    _fits(
        "deepstack_visual_embeds",
        where is not None
        and where.dim() == 2
        and len(where) == batch
        and all(len(rows) == int(where.sum()) for rows in value),
    )
    counts = keywords["visual_pos_masks"].sum(-1).tolist()
    return [
        SideStream(keyword="deepstack_visual_embeds", modality="vision", listed=True, vectors=rows)
        for rows in (item.split(counts) for item in value)
    ]


def _tiles(
    value: Any, keywords: Mapping[str, Any], inputs: Mapping[str, Any], batch: int
) -> list[SideStream]:
    """Cross-attention: (samples x images x tiles, patches, d); not every tile is of an image.

    Padding tiles are not free of pixels (the tower lets them look at the others), so they are
    masked too.
    """
    del keywords
    import torch

    shape = (len(value) // batch, *value.shape[1:])
    used = inputs.get("aspect_ratio_mask")
    _fits(
        "cross_attention_states",
        value.dim() == 3
        and shape[0] * batch == len(value)
        and (used is None or used.numel() == len(value)),
    )
    used = (
        torch.ones(batch, shape[0], dtype=torch.bool, device=value.device)
        if used is None
        else used.bool().reshape(batch, -1)
    )
    return [
        SideStream(
            keyword="cross_attention_states",
            modality="vision",
            vectors=value.reshape(batch, -1, value.shape[-1]).unbind(0),
            content=used.repeat_interleave(value.shape[1], 1).unbind(0),
            shape=shape,
        )
    ]


def _vectors_of_positions(
    value: Any, keywords: Mapping[str, Any], inputs: Mapping[str, Any], batch: int
) -> list[SideStream]:
    """Per-layer embeddings of the tokens: (samples, L, layers, d)."""
    del keywords, inputs
    _fits("per_layer_inputs", value.dim() == 4 and len(value) == batch)
    return [
        SideStream(
            keyword="per_layer_inputs",
            modality="text",
            at_positions=True,
            vectors=value.flatten(2).unbind(0),
            shape=(1, *value.shape[1:]),
        )
    ]


def _fits(keyword: str, fits: bool) -> None:
    if not fits:
        raise UnsupportedModel(
            f"the text stack is given {keyword} in a shape that does not say which sample each of "
            "its vectors belongs to, so nothing can be masked there (model_runners/channels.py)"
        )


CHANNELS: dict[str, Channel] = {
    "cross_attention_states": Channel(split=_tiles, whole=True),
    "deepstack_visual_embeds": Channel(split=_rows_of_positions),
    "per_layer_inputs": Channel(split=_vectors_of_positions),
}
"""Keyword of a text stack -> how it is masked. Llama-3.2-Vision, Qwen3-VL, Gemma 3n and 4."""


def side_streams(
    keywords: Mapping[str, Any], inputs: Mapping[str, Any], batch: int
) -> dict[str, SideStream]:
    """Take the side channels out of a text stack's keywords.

    Parameters
    ----------
    keywords
        Of the captured call.
    inputs
        Of the model: some say which vectors are padding.
    batch
        Samples.

    Returns
    -------
    dict[str, SideStream]
        By name: the keyword with the number of the item where it is a list
        (`deepstack_visual_embeds.0`), or the modality where it is nowhere else.

    Raises
    ------
    UnsupportedModel
        If the vectors cannot be told apart by sample.
    """
    found: dict[str, SideStream] = {}
    for keyword, channel in CHANNELS.items():
        if keywords.get(keyword) is None:
            continue
        for item, stream in enumerate(channel.split(keywords[keyword], keywords, inputs, batch)):
            name = f"{keyword}.{item}" if stream.listed else keyword
            found[stream.modality if channel.whole else name] = stream
    return found


def side_keywords(streams: Mapping[str, SideStream]) -> dict[str, Any]:
    """Put side channels together again, as keywords of the text stack."""
    found: dict[str, Any] = {}
    for stream in streams.values():
        if not stream.keyword:
            continue
        if stream.listed:
            found.setdefault(stream.keyword, []).append(stream.tensor())
        else:
            found[stream.keyword] = stream.tensor()
    return found
