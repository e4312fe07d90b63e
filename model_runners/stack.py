"""The text stack of a model: where merged embeddings arrive, and how to read or change them there.

One mechanism serves every family: a forward pre-hook on the module that owns the decoder layers. By
then the image features have been merged into the token embeddings and the position ids are made.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from model_runners.channels import CHANNELS, GEOMETRY, SideStream, side_keywords, side_streams
from model_runners.decoding import Decoder
from model_runners.errors import UnsupportedModel
from model_runners.logits import LogitSteps
from model_runners.tuned_lens import TunedLens

if TYPE_CHECKING:
    import torch
    from torch import nn

    from model_runners.encoding import EncodedBatch

STANDARD = frozenset(
    {
        "input_ids", "inputs_embeds", "attention_mask", "position_ids", "past_key_values",
        "use_cache", "return_dict", "output_hidden_states", "output_attentions", "labels",
        "token_type_ids", "mm_token_type_ids", "cache_position", "logits_to_keep",
    }
)  # fmt: skip
"""Keyword arguments of a text stack that carry neither pixels nor words beside the embeddings."""
NOT_REPLAYED = frozenset(
    {
        "input_ids", "inputs_embeds", "past_key_values", "use_cache", "return_dict",
        "output_hidden_states", "output_attentions", "labels", "logits_to_keep", "cache_position",
    }
)  # fmt: skip


class _Stop(Exception):  # a signal, not an error
    """Ends a forward pass once the merged call has been seen."""


@dataclass(frozen=True, kw_only=True)
class TextStack:
    """The parts of a model's language side that a run needs."""

    module: "nn.Module"
    """Owns the decoder layers; the hooks go here."""
    layers: "nn.ModuleList"
    norm: "nn.Module"
    """The final norm, applied by `module` to its last hidden state."""
    head: "nn.Module"
    """Hidden states to vocabulary; `logits` is what to call."""
    steps: LogitSteps = field(default_factory=LogitSteps)
    """What the model does around its head."""
    merge: "nn.Module | None" = None
    """Puts out the merged embeddings, in a stack that merges; None where that is done before."""
    decoder: Decoder | None = None
    """Reads the answer, in an encoder-decoder; `layers` and `norm` are then its own."""
    lens: TunedLens | None = None
    """Moves each layer's states to where the norm and the head read them; None is the logit lens,
    which takes them as they are."""

    def logits(self, hidden: "torch.Tensor") -> "torch.Tensor":
        """Return (..., V) logits, float32 or wider, of (..., d) states after the final norm."""
        return self.steps.logits(self.head, hidden)

    def seen(self, states: "torch.Tensor") -> "torch.Tensor":
        """Return (layers, ..., d) states through the lens and the final norm, ready for `logits`.

        Parameters
        ----------
        states
            (layers, ..., d): what each decoder layer puts out, before the final norm.
        """
        return self.norm(states if self.lens is None else self.lens(states))

    def run(
        self,
        embeddings: "torch.Tensor",
        keywords: dict[str, Any],
        *,
        keep_cache: bool = False,
        past: Any = None,
    ) -> "tuple[torch.Tensor, Any]":
        """Return states after the final norm, and what more tokens can follow.

        Parameters
        ----------
        embeddings
            (R, L, d), merged.
        keywords
            `Captured.arguments` of the same rows.
        keep_cache
            Whether to return keys and values of every position; None otherwise.
        past
            Keys and values of what comes before these embeddings; they grow by these.

        Returns
        -------
        tuple
            (R, L, d), or (R, 1, d) for prompts of an encoder-decoder; and the cache.
        """
        if self.decoder is not None:
            return self.decoder.run(
                self.module, embeddings, keywords, keep_cache=keep_cache, past=past
            )
        before_it: dict[str, Any] = {} if past is None else {"past_key_values": past}
        output = self.module(
            inputs_embeds=embeddings,
            use_cache=keep_cache or past is not None,
            **before_it,
            **keywords,
        )
        return output.last_hidden_state, output.past_key_values if keep_cache else None


@dataclass(frozen=True, kw_only=True)
class Captured:
    """The merged call of one batch, as it would have reached the text stack."""

    embeddings: "torch.Tensor"
    """(B, L, d): token embeddings with the image features in their places."""
    keywords: dict[str, Any]
    """What the stack was given and holds no modality: masks, position ids."""
    side: dict[str, SideStream] = field(default_factory=dict)
    """Side channels by the name of their stream (`channels.py`)."""
    reread: "Callable[[Sequence[int], Sequence[torch.Tensor]], torch.Tensor] | None" = None
    """Where the image's encoder reads the prompt (`readers.py`): takes rows of the batch and the
    vectors of the words that it reads in place of theirs, and returns (R, L, d) embeddings."""

    def arguments(self) -> dict[str, Any]:
        """Return the keywords of the text stack beside the embeddings, side channels included."""
        return {**self.keywords, **side_keywords(self.side)}


def follow(module: Any, path: str) -> Any:
    """Return what is at a dotted path of attributes, or None."""
    found: Any = module
    for name in path.split("."):
        found = getattr(found, name, None)
        if found is None:
            return None
    return found


@contextmanager
def before(
    module: "nn.Module", action: Callable[[dict[str, Any]], dict[str, Any] | None]
) -> Iterator[None]:
    """Within the block, let `action` see and replace the keywords of each call of `module`."""

    def hook(_: "nn.Module", args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        changed = action(keywords)
        return None if changed is None else (args, changed)

    handle = module.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def capture(model: "nn.Module", stack: TextStack, inputs: dict[str, Any]) -> Captured:
    """Run the vision tower and the merge, and stop before the first decoder layer.

    Raises
    ------
    UnsupportedModel
        If an argument that PIDscope does not know reaches the text stack: it might carry the very
        modality that is to be masked.
    """
    import torch

    seen: dict[str, Any] = {}

    def look(keywords: dict[str, Any]) -> None:
        seen.update(keywords)
        if stack.merge is None:
            raise _Stop

    with (
        before(stack.module, look),
        _merged_within(stack.merge, seen),
        torch.no_grad(),
        suppress(_Stop),
    ):
        model(**inputs, use_cache=False)
    embeddings = seen.get("inputs_embeds")
    if embeddings is None and seen.get("input_ids") is not None:
        module: Any = stack.module
        with torch.no_grad():
            embeddings = module.get_input_embeddings()(seen["input_ids"])
    if embeddings is None:
        raise UnsupportedModel(
            f"{type(model).__name__} hands no merged embeddings to its text stack, "
            "so nothing can be masked there"
        )
    known = STANDARD | GEOMETRY | CHANNELS.keys()
    unknown = sorted(k for k, v in seen.items() if k not in known and holds_tensor(v))
    if unknown:
        raise UnsupportedModel(
            f"{type(model).__name__} hands its text stack {', '.join(unknown)}, "
            "which may carry image or text past the mask; "
            "nothing says yet how that is masked (model_runners/channels.py)"
        )
    keywords = {k: v for k, v in seen.items() if k not in NOT_REPLAYED and v is not None}
    return Captured(
        embeddings=embeddings,
        side=side_streams(keywords, inputs, len(embeddings)),
        keywords={k: v for k, v in keywords.items() if k not in CHANNELS},
    )


@contextmanager
def _merged_within(merge: "nn.Module | None", seen: dict[str, Any]) -> Iterator[None]:
    """Within the block, stop behind the part of a stack that merges.

    What it puts out takes the place of the tokens, and its own keywords have done their work.
    """
    if merge is None:
        yield
        return

    def after(_: "nn.Module", _args: Any, keywords: dict[str, Any], output: Any) -> None:
        for name in keywords:
            seen.pop(name, None)
        seen["inputs_embeds"] = output
        raise _Stop

    handle = merge.register_forward_hook(after, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def holds_tensor(value: Any) -> bool:
    """Whether a keyword's value is a tensor, or has one inside."""
    import torch

    if isinstance(value, dict):
        return any(holds_tensor(v) for v in value.values())
    if isinstance(value, (list, tuple)):
        return any(holds_tensor(v) for v in value)
    return isinstance(value, torch.Tensor)


def take(captured: Captured, rows: Sequence[int]) -> Captured:
    """Return the captured call of the given rows of the batch, repeated as they occur."""
    import torch

    batch = len(captured.embeddings)
    index = torch.tensor(list(rows), dtype=torch.long, device=captured.embeddings.device)
    return Captured(
        embeddings=captured.embeddings.index_select(0, index),
        keywords={
            name: _take(name, value, index, batch) for name, value in captured.keywords.items()
        },
        side={name: stream.take(rows) for name, stream in captured.side.items()},
    )


def content(
    captured: Captured, batch: "EncodedBatch", *, beside: bool = True
) -> "dict[str, list[torch.Tensor]]":
    """Return the vectors of every stream that hold its modality: (n, d) for each sample.

    `vision` and `text` lie at the positions of the mask scope, or in the side channel that alone
    carries the modality. With `beside=False` they are all that is returned.
    """
    found: dict[str, list[torch.Tensor]] = {}
    for name, positions in (("vision", batch.vision), ("text", batch.text)):
        where = positions.to(captured.embeddings.device)
        if name not in captured.side:
            found[name] = [
                rows[held] for rows, held in zip(captured.embeddings, where, strict=True)
            ]
        for stream_name, stream in captured.side.items():
            if stream.modality == name and (beside or stream_name == name):
                found[stream_name] = [
                    vectors[stream.contents(row, where[row])]
                    for row, vectors in enumerate(stream.vectors)
                ]
    return found


def _take(name: str, value: Any, rows: "torch.Tensor", batch: int) -> Any:
    import torch

    if isinstance(value, dict):
        return {key: _take(name, item, rows, batch) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_take(name, item, rows, batch) for item in value)
    if not isinstance(value, torch.Tensor) or value.dim() == 0:
        return value
    # M-RoPE: (3 or 4, B, L)
    axis = 1 if name == "position_ids" and value.dim() == 3 and value.shape[1] == batch else 0
    if value.shape[axis] != batch:
        return value
    return value.index_select(axis, rows.to(value.device))


@dataclass(frozen=True, kw_only=True)
class LastToken:
    """What a replay gives at the last position."""

    hidden: "torch.Tensor"
    """(R, d): after the final norm; (R, L, d) where every position was asked for."""
    layers: "torch.Tensor | None"
    """(layers, R, d), or (layers, R, L, d): the output of each decoder layer, after the lens and
    the final norm; on request. A layer that the stack leaves out, such as one of cross-attention
    without an image, repeats the one below."""
    means: "torch.Tensor | None" = None
    """(layers, M, P, d) float32 on the CPU: mean output of each decoder layer, before the final
    norm, over each of M sets of positions in the first P rows; on request."""
    cache: Any = None
    """transformers' keys and values of every position, to go on from; on request."""


def replay(
    stack: TextStack,
    embeddings: "torch.Tensor",
    keywords: dict[str, Any],
    *,
    with_layers: bool = False,
    positions: "torch.Tensor | None" = None,
    keep_cache: bool = False,
    past: Any = None,
    every_position: bool = False,
) -> LastToken:
    """Run the text stack on (R, L, d) embeddings and keep the last position.

    The per-layer states come from hooks on the layers, which see them before the final norm; the
    norm is applied here, once (transformers' own `hidden_states[-1]` already has it).

    Parameters
    ----------
    stack
        Of the model.
    embeddings
        Merged, perhaps masked.
    keywords
        `Captured.arguments` of the same rows.
    with_layers
        Whether to keep the last position of every layer.
    positions
        (M, P, L) bool: of the first P rows, M sets of positions whose states are averaged at every
        layer. An empty set gives zeros.
    keep_cache
        Whether to return keys and values, so that more tokens can follow these.
    past
        Keys and values of what comes before these embeddings; they grow by these.
    every_position
        Whether to return all L positions in place of the last one.
    """
    import torch

    where = slice(None) if every_position else -1
    kept: dict[int, torch.Tensor] = {}
    means: dict[int, torch.Tensor] = {}

    def keep(layer: int, state: torch.Tensor) -> None:
        if with_layers:
            kept[layer] = state[:, where]
        if positions is not None:
            means[layer] = _means(state, positions)

    def hook(layer: int) -> Callable[..., None]:
        def after(_module: Any, _args: Any, output: Any) -> None:
            keep(layer, output[0] if isinstance(output, tuple) else output)

        return after

    wanted = with_layers or positions is not None
    handles = (
        [layer.register_forward_hook(hook(i)) for i, layer in enumerate(stack.layers)]
        if wanted
        else []
    )
    keep(-1, embeddings)
    try:
        with torch.no_grad():
            states, cache = stack.run(embeddings, keywords, keep_cache=keep_cache, past=past)
            hidden = states[:, where]
            layers = stack.seen(_each_layer(stack, kept)) if with_layers else None
    finally:
        for handle in handles:
            handle.remove()
    return LastToken(
        hidden=hidden,
        layers=layers,
        means=_each_layer(stack, means) if positions is not None else None,
        cache=cache,
    )


def _each_layer(stack: TextStack, found: "dict[int, torch.Tensor]") -> "torch.Tensor":
    """Stack the layers' states; one that did not run repeats what came into it.

    Of a model that is spread over devices they come to where the last layer is, as the norm does.
    """
    import torch

    states: list[torch.Tensor] = []
    device = found[max(found)].device
    below = found[-1].to(device)
    for layer in range(len(stack.layers)):
        below = found[layer].to(device) if layer in found else below
        states.append(below)
    return torch.stack(states)


def _means(state: "torch.Tensor", positions: "torch.Tensor") -> "torch.Tensor":
    """Average (R, L, d) states over (M, P, L) sets of positions of the first P rows, in float32."""
    import torch

    where = positions.to(state.device, torch.float32)
    # Row by row: a float32 copy of the whole batch would be the largest tensor of the pass.
    sums = torch.stack([where[:, row] @ state[row].float() for row in range(where.shape[1])], 1)
    return (sums / where.sum(-1).clamp(min=1)[..., None]).cpu()
