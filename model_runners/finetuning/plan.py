"""What a training does at each step, worked out beforehand: which samples, at which rate."""

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from data_cache.samples import Sample
from model_runners.finetuning.objective import refuse_other_splits

WARM_UP = 0.1
"""Share of the steps in which the rate rises."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingPlan:
    """N samples with their weights, and how they are gone through."""

    samples: tuple[Sample, ...]
    weights: np.ndarray
    """(N,) positive."""
    epochs: int
    batch_size: int
    """The nominal B."""
    micro_batch: int
    """Samples of one forward pass."""
    rate: float
    """Peak learning rate."""
    seed: int

    def __post_init__(self) -> None:
        """Let train-split samples pass only."""
        refuse_other_splits(self.samples)

    @property
    def steps_per_epoch(self) -> int:
        """The last step of an epoch may have fewer samples."""
        return math.ceil(len(self.samples) / self.batch_size)

    @property
    def total_steps(self) -> int:
        """In all epochs."""
        return self.epochs * self.steps_per_epoch

    @cached_property
    def mean_weight(self) -> float:
        """Over the whole training set."""
        return float(self.weights.mean())

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits of everything that decides the steps."""
        content = [
            [sample.digest for sample in self.samples],
            self.weights.tolist(),
            [self.epochs, self.batch_size, self.rate, self.seed],
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

    def indices(self, step: int) -> np.ndarray:
        """Return the samples of a step, from 0; each epoch has an order of its own."""
        epoch, within = divmod(step, self.steps_per_epoch)
        order = _order(len(self.samples), self.seed, epoch)
        return order[within * self.batch_size : (within + 1) * self.batch_size]

    def seen(self, steps: int) -> int:
        """Return how many samples have been gone through after some steps."""
        epochs, within = divmod(steps, self.steps_per_epoch)
        return epochs * len(self.samples) + within * self.batch_size

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step: a linear rise, then half a cosine down to 0."""
        rising = max(1, round(WARM_UP * self.total_steps))
        if step < rising:
            return self.rate * (step + 1) / rising
        share = (step - rising) / max(1, self.total_steps - rising)
        return self.rate * 0.5 * (1 + math.cos(math.pi * share))


@lru_cache(maxsize=4)
def _order(n: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(n)
