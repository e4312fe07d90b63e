"""Image encoders that read the prompt: with the text masked they must read noise, too.

InstructBLIP's Q-Former looks at an image through the eyes of the question, so words reach the
language model inside the image's own vectors, where a mask of the text cannot find them. The words
that it reads are a stream of their own, `qformer_text`. Where text is masked and the image is kept,
the image is encoded again from words that are noise; pixels go through the vision tower only once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from model_runners.channels import READ_TEXT, SideStream
from model_runners.families import ReadsText
from model_runners.stack import Captured, TextStack, capture, follow

if TYPE_CHECKING:
    import torch
    from torch import nn


def capture_reading(
    model: "nn.Module",
    stack: TextStack,
    inputs: dict[str, Any],
    reads: ReadsText,
    words: "torch.Tensor | None",
) -> Captured:
    """Capture the merged call of a model whose image encoder reads the prompt.

    Parameters
    ----------
    model, stack, inputs
        As for `capture`.
    reads
        What reads, of the model's family.
    words
        (B, W) bool: of the words it reads, those that are masked with the text.

    Returns
    -------
    Captured
        With the stream `qformer_text` and with `reread`, which encodes the images anew.
    """
    import torch

    embedder, tower = follow(model, reads.embedder), follow(model, reads.tower)
    assert embedder is not None  # find_stack has looked
    assert tower is not None
    count = inputs[reads.words].shape[1]
    seen: dict[str, Any] = {}

    def keep(name: str) -> Any:
        def hook(_module: Any, _args: Any, output: Any) -> None:
            seen[name] = output

        return hook

    handles = [
        embedder.register_forward_hook(keep("words")),
        tower.register_forward_hook(keep("image")),
    ]
    try:
        captured = capture(model, stack, inputs)
    finally:
        for handle in handles:
            handle.remove()
    read: torch.Tensor = seen["words"][:, -count:]
    image = seen["image"]
    if words is None:
        words = torch.zeros(read.shape[:2], dtype=torch.bool)

    def reread(rows: Sequence[int], vectors: Sequence[torch.Tensor]) -> torch.Tensor:
        index = torch.tensor(list(rows), device=read.device)
        other = {
            name: value.index_select(0, index.to(value.device))
            if isinstance(value, torch.Tensor)
            else value
            for name, value in inputs.items()
        }
        noise = torch.stack(list(vectors))
        with _answering(tower, _rows(image, index)), _ending_in(embedder, noise):
            return capture(model, stack, other).embeddings

    stream = SideStream(
        keyword="",
        modality="text",
        vectors=read.unbind(0),
        content=words.unbind(0),
        keeps_rest=True,
    )
    return replace(captured, side={**captured.side, READ_TEXT: stream}, reread=reread)


def _rows(output: Any, index: "torch.Tensor") -> Any:
    """Return the given rows of every tensor of a transformers output."""
    return type(output)(**{name: value.index_select(0, index) for name, value in output.items()})


@contextmanager
def _answering(module: "nn.Module", output: Any) -> Iterator[None]:
    """Within the block, let a module return `output` and compute nothing."""
    wrapped = vars(module).get("forward")  # accelerate, for one, puts its own there
    module.forward = lambda *_args, **_keywords: output
    try:
        yield
    finally:
        if wrapped is None:
            del module.forward
        else:
            module.forward = wrapped


@contextmanager
def _ending_in(module: "nn.Module", vectors: "torch.Tensor") -> Iterator[None]:
    """Within the block, replace the last (B, W, d) vectors of a module's output."""

    def hook(_module: Any, _args: Any, output: Any) -> Any:
        changed = output.clone()
        changed[:, -vectors.shape[1] :] = vectors.to(output)
        return changed

    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
