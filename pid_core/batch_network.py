"""The two encoders of BATCH, and how much they want each pair of samples to go together (torch).

Imported by the two estimators when they are called, never by `import pid_core`.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from pid_core.batch_inputs import Training


def tensor(values: np.ndarray) -> Tensor:
    """Share the memory of an array."""
    return torch.from_numpy(values)  # pyright: ignore[reportUnknownMemberType] -- untyped in torch


class PairNetwork:
    """Embeds both sources once per class and scores every pair of samples.

    Embeddings are centred and scaled to unit variance over their own numbers, as published, and a
    score is their inner product divided by sqrt(embedding). With 10 numbers it lies within 2.85 of
    0, so a coupling may prefer one pair to another by a factor of 300 at the most.
    """

    def __init__(
        self,
        widths: tuple[int, int],
        classes: int,
        training: Training,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> None:
        self.classes, self.embedding = classes, training.embedding
        self.encoders: list[list[tuple[Tensor, Tensor]]] = []
        for width in widths:
            sizes = [width, *[training.hidden] * training.hidden_layers, 0]
            sizes[-1] = training.embedding * classes
            self.encoders.append(
                [_linear(inputs, outputs, generator, dtype) for inputs, outputs in pairwise(sizes)]
            )

        self._adam = torch.optim.Adam(self.parameters, lr=training.learning_rate)

    def step(self, output: Tensor, slope: Tensor | None = None) -> None:
        """Take one step of Adam down from an output, a number or with its slope handed in."""
        self._adam.zero_grad()
        output.backward(slope)  # pyright: ignore[reportUnknownMemberType] -- untyped in torch
        self._adam.step()  # pyright: ignore[reportUnknownMemberType]

    @property
    def parameters(self) -> list[Tensor]:
        """Weights and biases of both encoders."""
        return [tensor for encoder in self.encoders for layer in encoder for tensor in layer]

    def embed(
        self, source: int, features: Float[Tensor, "samples width"]
    ) -> Float[Tensor, "samples classes embedding"]:
        """Embed the samples of source 0 or 1."""
        layers = self.encoders[source]
        x = features
        for number, (weight, bias) in enumerate(layers):
            x = torch.nn.functional.linear(x, weight, bias)
            if number < len(layers) - 1:
                x = torch.relu(x)
        x = x.reshape(len(features), self.classes, self.embedding)
        centred = x - x.mean(dim=2, keepdim=True)
        # 1e-8: an embedding that is constant, as with constant features and dead units, stays 0.
        return centred / torch.sqrt(x.var(dim=2, keepdim=True) + 1e-8)

    def scores(
        self, first: Float[Tensor, "rows width_1"], second: Float[Tensor, "columns width_2"]
    ) -> Float[Tensor, "rows columns classes"]:
        """Score every pair of samples, per class."""
        pairs = torch.einsum("ikd,jkd->ijk", self.embed(0, first), self.embed(1, second))
        return pairs / math.sqrt(self.embedding)


def _linear(
    inputs: int, outputs: int, generator: torch.Generator, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Draw a layer as `torch.nn.Linear` does: uniform within 1 / sqrt(inputs), in float32."""
    bound = math.sqrt(3.0) * (math.sqrt(2.0 / 6.0) / math.sqrt(inputs))
    weight = torch.empty(outputs, inputs).uniform_(-bound, bound, generator=generator)
    bias = torch.empty(outputs)
    bias.uniform_(-1.0 / math.sqrt(inputs), 1.0 / math.sqrt(inputs), generator=generator)
    return weight.to(dtype).requires_grad_(), bias.to(dtype).requires_grad_()


def epoch_order(n: int, generator: torch.Generator) -> Int[np.ndarray, " samples"]:
    """Draw the order of one epoch as a shuffling `DataLoader` does from the global generator.

    It first draws a seed for its workers, then one for the order.
    """
    torch.empty((), dtype=torch.int64).random_(generator=generator)
    seed = int(torch.empty((), dtype=torch.int64).random_(generator=generator))
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed)).numpy()
