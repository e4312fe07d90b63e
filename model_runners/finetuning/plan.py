"""What a training does at each step, worked out beforehand: which samples, at which rate."""

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from data_cache.samples import Sample
from model_runners.errors import BadOption
from model_runners.finetuning.mixing import shares
from model_runners.finetuning.objective import refuse_other_splits

WARM_UP = 0.1
"""Share of the steps in which the rate rises."""
EVALUATIONS_PER_EPOCH = 5
"""On the samples that are held out, where there are some."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingPlan:
    """N samples with their weights, and how they are gone through.

    A sample of weight 0 is left out: the plan is that of the others.
    """

    samples: tuple[Sample, ...]
    weights: np.ndarray
    """(N,) 0 or more, not all 0."""
    epochs: int
    batch_size: int
    """The nominal B."""
    micro_batch: int
    """Samples of one forward pass."""
    rate: float
    """Peak learning rate."""
    seed: int
    blocks: tuple[int, ...] | None = None
    """Which benchmark each of the N samples is of, from 0; None where there is one."""
    shares: tuple[float, ...] = (1.0,)
    """Mixing weight of each benchmark."""
    held_out: tuple[Sample, ...] = ()
    """Samples of the train split that are not trained on and tell when to stop."""
    patience: int = 0
    """So many evaluations in a row that were no better than the best end the training."""

    def __post_init__(self) -> None:
        """Let train-split samples pass only, and leave out those of weight 0."""
        refuse_other_splits(self.samples)
        refuse_other_splits(self.held_out)
        kept = np.flatnonzero(self.weights)
        if len(kept) == len(self.samples):
            return
        if not len(kept):
            raise BadOption("every training sample has the weight 0, so there is nothing to train")
        change = object.__setattr__  # the one moment at which a frozen plan may change
        change(self, "samples", tuple(self.samples[i] for i in kept))
        change(self, "weights", self.weights[kept])
        if self.blocks is not None:
            change(self, "blocks", tuple(self.blocks[i] for i in kept))

    @cached_property
    def members(self) -> tuple[np.ndarray, ...]:
        """Rows of each benchmark."""
        if self.blocks is None:
            return (np.arange(len(self.samples)),)
        blocks = np.array(self.blocks)
        return tuple(np.flatnonzero(blocks == block) for block in range(len(self.shares)))

    @cached_property
    def per_epoch(self) -> tuple[int, ...]:
        """Samples of each benchmark that an epoch goes through."""
        counts = {str(block): len(rows) for block, rows in enumerate(self.members)}
        weights = dict(zip(counts, self.shares, strict=True))
        return tuple(shares(counts, weights).values())

    @property
    def epoch_size(self) -> int:
        """Samples of an epoch."""
        return sum(self.per_epoch)

    @property
    def steps_per_epoch(self) -> int:
        """The last step of an epoch may have fewer samples."""
        return math.ceil(self.epoch_size / self.batch_size)

    @property
    def total_steps(self) -> int:
        """In all epochs."""
        return self.epochs * self.steps_per_epoch

    @cached_property
    def mean_weight(self) -> float:
        """Over the training set, each benchmark counted by its share of an epoch."""
        if self.blocks is None:
            return float(self.weights.mean())
        means = [float(self.weights[rows].mean()) for rows in self.members]
        return float(np.average(means, weights=self.per_epoch))

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits of everything that decides the steps."""
        content = [
            [sample.digest for sample in self.samples],
            self.weights.tolist(),
            [self.epochs, self.batch_size, self.rate, self.seed],
            [self.blocks, self.shares],
            [[sample.digest for sample in self.held_out], self.patience],
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

    def indices(self, step: int) -> np.ndarray:
        """Return the samples of a step, from 0; each epoch has an order of its own."""
        epoch, within = divmod(step, self.steps_per_epoch)
        order = self._order(epoch)
        return order[within * self.batch_size : (within + 1) * self.batch_size]

    def _order(self, epoch: int) -> np.ndarray:
        if self.blocks is None:
            return _permutation(len(self.samples), self.seed, epoch)
        taken: list[np.ndarray] = []
        for block, (rows, count) in enumerate(zip(self.members, self.per_epoch, strict=True)):
            drawn = np.random.default_rng([self.seed, block, 1]).permutation(rows)
            # Every epoch goes on where the last one stopped, so that all samples have their turn.
            taken.append(drawn[(epoch * count + np.arange(count)) % len(rows)])
        return np.concatenate(taken)[_permutation(self.epoch_size, self.seed, epoch)]

    def evaluates_after(self, steps: int) -> bool:
        """Tell whether the held-out samples are looked at after so many steps."""
        every = max(1, self.steps_per_epoch // EVALUATIONS_PER_EPOCH)
        return bool(self.held_out) and (steps % every == 0 or steps == self.total_steps)

    def seen(self, steps: int) -> int:
        """Return how many samples have been gone through after some steps."""
        epochs, within = divmod(steps, self.steps_per_epoch)
        return epochs * self.epoch_size + within * self.batch_size

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step: a linear rise, then half a cosine down to 0."""
        rising = max(1, round(WARM_UP * self.total_steps))
        if step < rising:
            return self.rate * (step + 1) / rising
        share = (step - rising) / max(1, self.total_steps - rising)
        return self.rate * 0.5 * (1 + math.cos(math.pi * share))


@lru_cache(maxsize=4)
def _permutation(n: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(n)
