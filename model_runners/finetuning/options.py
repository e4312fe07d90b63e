"""What a person can choose about a fine-tuning."""

import math
from dataclasses import dataclass
from typing import ClassVar

from data_cache.benchmarks.source import Circular
from data_cache.benchmarks.splits import SplitPolicy
from model_runners.benchmark_choice import FRAMES, MAX_BAD_SHARE, check_choice
from model_runners.errors import BadOption
from model_runners.loading import DTYPES, DType
from model_runners.strategies import check_strategy

WIDTH, RATE_AT_WIDTH, HIGHEST_RATE = 4096, 2e-4, 2e-3
"""The usual LoRA rate of a 7B model; a narrower one takes larger steps (muP), up to a cap."""


@dataclass(frozen=True, kw_only=True)
class FinetuneOptions:
    """What to train, on what, and how."""

    kind: ClassVar[str] = "finetune"
    """The kind of job that does it."""

    model: str
    """The base: a name of the table, a folder, or a hub id."""
    benchmark: str
    """A name of the table, with a variant behind a colon, or the path of a file."""
    data: str | None = None
    """The file or folder that holds the benchmark; None looks in $LMUData and the hub's cache."""
    split_policy: SplitPolicy = "group"
    circular: Circular = "all"
    """Of questions that come with their options in several orders: which of them are asked."""
    frames: int = FRAMES
    """Pictures that are taken of a video, 1 to 64."""
    max_bad_rows: float = MAX_BAD_SHARE
    """Share of the benchmark's rows that may be bad, 0 to 1."""
    strategy: str = "pid"
    """A line of `model_runners.strategies.STRATEGIES`."""
    lift_tag: str | None = None
    """The tag whose train samples weigh more, for the strategy `tag` and no other."""
    lifted: str | None = None
    """Key of the selection that holds which samples carried it; see `finetuning.tagged`."""
    subset: str | None = None
    """Train on this subset only."""
    limit: int | None = None
    """Train on the first N train-split samples of the fixed order only."""
    top: int | None = None
    """Gap samples, and as many shortcut samples; None is a quarter of the training samples."""
    epochs: int = 3
    rank: int = 8
    """Of LoRA's matrices; their product is scaled by 2 (alpha = 2 rank)."""
    learning_rate: float | None = None
    """Peak; None is 2e-4 at width 4096, in proportion to 1 / width, 2e-3 at most."""
    batch_size: int = 32
    """The nominal B of the loss: samples of one optimiser step."""
    micro_batch: int | None = None
    """Samples of one forward pass, which add up to `batch_size`; None is `batch_size`."""
    draws: int = 4
    """Draws of noise of the profiles, of those that give the scores and of before and after."""
    seed: int = 0
    """Of LoRA's first weights and of the order of the samples. The noise of the profiles has the
    seed 0 always, so that several fine-tunings of a model share its profiles."""
    device: str = "auto"
    dtype: DType = "auto"

    def __post_init__(self) -> None:
        """Refuse what makes no sense before anything is loaded."""
        for name in ("limit", "top", "epochs", "rank", "batch_size", "micro_batch", "draws"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise BadOption(f"{name.replace('_', ' ')} must be 1 or more, not {value}")
        if self.seed < 0:
            raise BadOption(f"seed must be 0 or more, not {self.seed}")
        rate = self.learning_rate
        if rate is not None and not (math.isfinite(rate) and rate > 0):
            raise BadOption(f"learning rate must be a positive number, not {rate}")
        if self.dtype not in DTYPES:
            raise BadOption(f"precision must be one of {', '.join(DTYPES)}, not {self.dtype!r}")
        entry = check_strategy(self.strategy)
        if entry.needs_tag != (self.lift_tag is not None) or entry.needs_tag != bool(self.lifted):
            raise BadOption(
                f"the strategy {self.strategy!r} lifts the samples of a tag; give --lift-tag"
                if entry.needs_tag
                else f"the strategy {self.strategy!r} takes no tag; choose 'tag', or leave out "
                "--lift-tag"
            )
        check_choice(self)

    def rate(self, width: int) -> float:
        """Return the peak learning rate for a language model of the given width.

        >>> FinetuneOptions(model="m", benchmark="b").rate(2048)
        0.0004
        """
        if self.learning_rate is not None:
            return self.learning_rate
        return min(RATE_AT_WIDTH * WIDTH / width, HIGHEST_RATE)
