"""The loop of the published BATCH procedure, in its order and precision (torch, float32)."""

from __future__ import annotations

import time

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pid_core.batch_inputs import Training
from pid_core.batch_network import PairNetwork, epoch_order, tensor
from pid_core.batch_reference import BATCH, Float32Channels, ReferenceRun
from pid_core.information import to_bits
from pid_core.spectrum import TraceStep

EPSILON = 1e-8
"""Added to sums before dividing and to probabilities before taking logarithms."""
SWEEPS = 500
CLOSE = 0.01
"""Absolute distance at which a margin counts as met."""


PUBLISHED = Training()


def run_reference(
    train: Float32Channels,
    test: Float32Channels,
    *,
    seed: int,
    training: Training = PUBLISHED,
) -> ReferenceRun:
    """Train on full batches in a random order and evaluate every full batch of 256 in its own."""
    generator = torch.Generator().manual_seed(seed)
    network = PairNetwork(
        (train.features_1.shape[1], train.features_2.shape[1]),
        train.full.shape[1],
        training,
        generator,
        torch.float32,
    )
    p_y = tensor(train.full).mean(dim=0)
    p_y = torch.where(p_y == 0, p_y + EPSILON, p_y)
    began, trace = time.perf_counter(), list[TraceStep]()
    for epoch in range(training.epochs):
        order = epoch_order(len(train), generator)
        per_batch: list[float] = []
        for start in range(0, len(train) - BATCH + 1, BATCH):
            batch = _Batch(train, order[start : start + BATCH])
            loss = _loss(batch, _fitted(network, batch)[0])
            network.step(loss)
            own = batch.only_1 * (_log(batch.only_1) - torch.log(p_y))
            per_batch.append(float(loss.detach() + own.sum(dim=1).mean()))
        trace.append(
            TraceStep(
                step=epoch + 1,
                seconds=time.perf_counter() - began,
                upper_bits=to_bits(float(np.mean(per_batch))),
                lower_bits=None,
            )
        )
    information: list[np.ndarray] = []
    worst, unmet, fitted = 0.0, 0, 0
    for start in range(0, len(test) - BATCH + 1, BATCH):
        batch = _Batch(test, np.arange(start, start + BATCH))
        with torch.no_grad():
            pairs, missed = _fitted(network, batch)
            information.append(_information(batch, pairs, p_y).double().numpy())
            error = (pairs.sum(dim=0) - batch.only_2).abs().max()
        worst, unmet, fitted = max(worst, float(error)), unmet + missed, fitted + network.classes
    return ReferenceRun(
        p_y=p_y.double().numpy(),
        information=np.concatenate(information),
        margin_error=worst,
        unmet=unmet,
        fitted=fitted,
        trace=tuple(trace),
    )


class _Batch:
    """Rows of one batch as tensors."""

    def __init__(self, part: Float32Channels, rows: np.ndarray) -> None:
        self.features_1 = tensor(part.features_1[rows])
        self.features_2 = tensor(part.features_2[rows])
        self.only_1 = tensor(part.only_1[rows])
        self.only_2 = tensor(part.only_2[rows])
        self.full = tensor(part.full[rows])


def _fitted(
    network: PairNetwork, batch: _Batch
) -> tuple[Float[Tensor, "rows columns classes"], int]:
    """Scale the weights of all pairs to both probes, class by class; count the margins not met."""
    weights = torch.exp(network.scores(batch.features_1, batch.features_2))
    scaled: list[Tensor] = []
    missed = 0
    for y in range(network.classes):
        pairs, met = _scale(weights[..., y], batch.only_1[:, y], batch.only_2[:, y])
        scaled.append(pairs)
        missed += not met
    return torch.stack(scaled, dim=-1), missed


def _scale(
    pairs: Float[Tensor, "rows columns"],
    rows: Float[Tensor, " rows"],
    columns: Float[Tensor, " columns"],
) -> tuple[Float[Tensor, "rows columns"], bool]:
    """Alternate between the two margins; gradients flow through every sweep, as published."""
    for _ in range(SWEEPS):
        pairs = pairs / (pairs.sum(dim=0, keepdim=True) + EPSILON) * columns
        if torch.allclose(pairs.sum(dim=1), rows, rtol=0, atol=CLOSE):
            return pairs, True
        pairs = pairs / (pairs.sum(dim=1, keepdim=True) + EPSILON) * rows[:, None]
        if torch.allclose(pairs.sum(dim=0), columns, rtol=0, atol=CLOSE):
            return pairs, True
    return pairs, False


def _given_first(
    batch: _Batch, pairs: Float[Tensor, "rows columns classes"]
) -> tuple[Float[Tensor, "rows columns classes"], Float[Tensor, "rows columns classes"]]:
    """Return p(y|x1) Q(x2|x1,y) and log Q(x2|x1,y) - log Q(x2|x1)."""
    given = pairs / (pairs.sum(dim=1, keepdim=True) + EPSILON)
    mixed = torch.einsum("ijy,iy->ij", given, batch.only_1)
    ratio = torch.log(given + EPSILON) - torch.log(mixed + EPSILON)[:, :, None]
    return batch.only_1[:, None, :] * given, ratio


def _loss(batch: _Batch, pairs: Float[Tensor, "rows columns classes"]) -> Float[Tensor, ""]:
    """I_Q(X2; Y | X1) of the batch."""
    weight, ratio = _given_first(batch, pairs)
    return (weight * ratio).sum(dim=-1).sum(dim=-1).mean()


def _information(
    batch: _Batch, pairs: Float[Tensor, "rows columns classes"], p_y: Float[Tensor, " classes"]
) -> Float[Tensor, "rows 4"]:
    log_prior = torch.log(p_y)
    alone = [
        (p * (_log(p) - log_prior)).sum(dim=-1) for p in (batch.only_1, batch.only_2, batch.full)
    ]
    weight, ratio = _given_first(batch, pairs)
    slope = torch.log(batch.only_1 + EPSILON) - torch.log(p_y + EPSILON)
    coupled = (weight * (ratio + slope[:, None, :])).sum(dim=-1).sum(dim=-1)
    return torch.stack([*alone, coupled], dim=1)


def _log(p: Float[Tensor, "rows classes"]) -> Float[Tensor, "rows classes"]:
    """Logarithm of rows whose zeros count as 1e-8."""
    return torch.log(torch.where(p == 0, p + EPSILON, p))
