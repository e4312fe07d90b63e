"""Trains the two encoders of BATCH to lower I_Q of their coupling (torch, float64)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from pid_core.batch_inputs import Training
from pid_core.batch_network import PairNetwork, tensor
from pid_core.information import to_bits
from pid_core.pair_coupling import Scores, batch_margins, slope
from pid_core.spectrum import TraceStep

SLOPE_TOLERANCE = 1e-4
"""Relative error of the margins, and error of the potentials in nats, at which a slope is taken."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedPairs:
    """A trained network, with how it got there."""

    network: PairNetwork
    standards: tuple[Standard, Standard]
    trace: tuple[TraceStep, ...]
    """After each epoch the mean I_Q of its batches."""

    def scores(
        self,
        features_1: Float[np.ndarray, "rows width_1"],
        features_2: Float[np.ndarray, "columns width_2"],
    ) -> Scores:
        """Return the scores of all pairs of these samples, a block of rows at a time."""
        with torch.no_grad():
            first, second = (
                self.network.embed(source, self.standards[source].of(features)).numpy()
                for source, features in enumerate((features_1, features_2))
            )
        first = np.moveaxis(first, 1, 0)
        second = np.moveaxis(second, 0, 2) / math.sqrt(self.network.embedding)
        return lambda part: np.matmul(first[:, part], second)


@dataclass(frozen=True, kw_only=True, eq=False)
class Standard:
    """Mean and deviation of the training samples; columns that are constant there become 0."""

    mean: Float[np.ndarray, " width"]
    deviation: Float[np.ndarray, " width"]

    @classmethod
    def from_samples(cls, features: Float[np.ndarray, "samples width"]) -> Standard:
        """Measure them."""
        return cls(mean=features.mean(axis=0), deviation=features.std(axis=0))

    def of(self, features: Float[np.ndarray, "samples width"]) -> torch.Tensor:
        """Standardise."""
        varies = self.deviation > 1e-12 * np.maximum(1.0, np.abs(self.mean))
        scale = np.where(varies, self.deviation, 1.0)
        return tensor(np.where(varies, (features - self.mean) / scale, 0.0))


def fit_pairs(
    features: tuple[Float[np.ndarray, "samples width_1"], Float[np.ndarray, "samples width_2"]],
    probes: tuple[Float[np.ndarray, "samples classes"], Float[np.ndarray, "samples classes"]],
    prior: Float[np.ndarray, " classes"],
    training: Training,
    *,
    seed: int,
) -> FittedPairs:
    """Train on batches in a random order; the last ones are no smaller than the others.

    Parameters
    ----------
    features : of both sources, as they come.
    probes : aligned p(y|x_m), whose means are the prior.
    seed : of the weights and of the order; no global random state is read or changed.
    """
    generator = torch.Generator().manual_seed(seed)
    standards = Standard.from_samples(features[0]), Standard.from_samples(features[1])
    first, second = standards[0].of(features[0]), standards[1].of(features[1])
    network = PairNetwork(
        (first.shape[1], second.shape[1]), len(prior), training, generator, torch.float64
    )
    n = len(first)
    began, trace = time.perf_counter(), list[TraceStep]()
    for epoch in range(training.epochs):
        order = torch.randperm(n, generator=generator).numpy()
        reached: list[float] = []
        for rows in np.array_split(order, math.ceil(n / training.batch)):
            used, a, b = batch_margins(probes[0][rows], probes[1][rows], prior)
            pairs = network.scores(first[rows], second[rows]).permute(2, 0, 1)[used]
            found = slope(pairs.detach().numpy(), a, b, tolerance=SLOPE_TOLERANCE)
            network.step(pairs, tensor(found.gradient))
            reached.append(found.information * len(rows) / n)
        trace.append(
            TraceStep(
                step=epoch + 1,
                seconds=time.perf_counter() - began,
                upper_bits=to_bits(sum(reached)),
                lower_bits=None,
            )
        )
    return FittedPairs(network=network, standards=standards, trace=tuple(trace))
