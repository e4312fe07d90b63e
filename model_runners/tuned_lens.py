"""The tuned lens: an affine map per layer between its states and what the model's head reads.

The logit lens reads a layer as if it were the last one. Where a model keeps its residual stream in
another basis until late, that gives nothing that can be read. The tuned lens (Belrose et al. 2023)
puts a learned map in between: logits = head(norm(h + W h + b)), one W and b for each layer but the
last, which is the model's own output already. W = 0 and b = 0 give the logit lens.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from data_cache.errors import CacheError
from data_cache.location import lens_path
from model_runners.errors import UnsupportedModel

if TYPE_CHECKING:
    import torch

    from model_runners.loading import LoadedModel

MATRICES = "matrices"
BIASES = "biases"


@dataclass(frozen=True, kw_only=True)
class TunedLens:
    """The maps of all layers but the last."""

    matrices: "torch.Tensor"
    """(layers - 1, d, d): W, from states on the right."""
    biases: "torch.Tensor"
    """(layers - 1, d): b."""
    key: str = ""
    """Of the file that it was read from; empty where it was not."""

    def __call__(self, states: "torch.Tensor") -> "torch.Tensor":
        """Return (layers, ..., d) states, each moved by the map of its layer.

        The last layer's come back as they are, bit by bit.

        Raises
        ------
        UnsupportedModel
            If the lens was trained for another number of layers or another width.
        """
        import torch

        count, width = self.biases.shape
        if states.shape[0] != count + 1 or states.shape[-1] != width:
            raise UnsupportedModel(
                f"a tuned lens for {count + 1} layers of width {width} cannot read "
                f"{states.shape[0]} layers of width {states.shape[-1]}; "
                "train one for this model (python -m model_runners lens)"
            )
        moved = [
            moved_by(state, matrix.to(state.device), bias.to(state.device))
            for state, matrix, bias in zip(states, self.matrices, self.biases, strict=False)
        ]
        return torch.stack([*moved, states[-1]])

    def to(self, device: "torch.device") -> "TunedLens":
        """Return the lens with its maps on a device."""
        return replace(self, matrices=self.matrices.to(device), biases=self.biases.to(device))

    def to_bytes(self, metadata: dict[str, str]) -> bytes:
        """Return the content of a safetensors file with the maps and the given metadata."""
        from safetensors.torch import save

        tensors = {MATRICES: self.matrices.cpu(), BIASES: self.biases.cpu()}
        return save({name: values.contiguous() for name, values in tensors.items()}, metadata)

    @classmethod
    def from_tensors(cls, tensors: "dict[str, torch.Tensor]", *, key: str) -> "TunedLens":
        """Return the lens of a file's tensors; its key goes into the keys of runs.

        Raises
        ------
        KeyError
            If one of them is missing.
        """
        return cls(matrices=tensors[MATRICES], biases=tensors[BIASES], key=key)


def identity(layers: int, width: int) -> TunedLens:
    """Return the lens that moves nothing: the logit lens."""
    import torch

    return TunedLens(
        matrices=torch.zeros(layers - 1, width, width), biases=torch.zeros(layers - 1, width)
    )


def moved_by(
    states: "torch.Tensor", matrix: "torch.Tensor", bias: "torch.Tensor"
) -> "torch.Tensor":
    """Return h + W h + b for (..., d) states, computed in float32 and given in their own type."""
    wide = states.float()
    return (wide + wide @ matrix.float().T + bias.float()).to(states.dtype)


def with_lens(loaded: "LoadedModel", cache: Path, key: str) -> "LoadedModel":
    """Return the model with its layers read through a stored lens.

    Raises
    ------
    CacheError
        If the file cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = lens_path(cache, key)
    try:
        lens = TunedLens.from_tensors(load_file(path), key=key).to(loaded.device)
    except (OSError, SafetensorError, KeyError) as error:
        raise CacheError(
            f"{path} is no tuned lens ({error}); remove it and train it again "
            "(python -m model_runners lens)"
        ) from error
    return replace(loaded, stack=replace(loaded.stack, lens=lens))
