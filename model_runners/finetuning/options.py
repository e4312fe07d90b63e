"""What a person can choose about a fine-tuning, and about several beside each other."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Literal, get_args

from data_cache.benchmarks.source import Circular
from data_cache.benchmarks.splits import SplitPolicy
from model_runners.benchmark_choice import FRAMES, MAX_BAD_SHARE, check_choice
from model_runners.errors import BadOption
from model_runners.finetuning.mixing import mixed_names, weights_of
from model_runners.loading import DTYPES, DType
from model_runners.placement import check_device_map
from model_runners.quantisation import check_quantisation
from model_runners.strategies import check_strategy

WIDTH, RATE_AT_WIDTH, HIGHEST_RATE = 4096, 1e-4, 2e-3
"""The rate of a model of 4096 dimensions; a narrower one takes larger steps (muP), up to a cap."""
ALPHA_PER_RANK = 2.0
TOP_SHARE = 0.2
"""Of the training samples of a benchmark: so many are lifted, and as many lowered."""

Select = Literal["all", "topk"]
SELECT: tuple[Select, ...] = get_args(Select)
TAG = "tag"
"""The strategy that lifts the samples of a tag."""


@dataclass(frozen=True, kw_only=True)
class FinetuneOptions:
    """What to train, on what, and how.

    The usual values are ours; MI26 publishes the weights, the layers and the number of seeds only.
    """

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
    mix: str | None = None
    """Further benchmarks to train on, `a,b=2`: their share of an epoch's samples is in proportion
    to these weights, where none is given 1, which is also that of `benchmark`."""
    evaluate_on: tuple[str, ...] | None = None
    """Benchmarks on whose test split before and after are measured beside that of `benchmark`;
    None takes those that are trained on."""
    strategy: str = "pid"
    """A line of `model_runners.strategies.STRATEGIES`."""
    lift_tag: str | None = None
    """The tag whose train samples weigh more, for the strategy `tag` and no other."""
    lifted: str | None = None
    """Key of the selection that holds which samples carried it; see `finetuning.tagged`."""
    subset: str | None = None
    """Train on this subset only."""
    limit: int | None = None
    """Train on the first N train-split samples of the fixed order only, of each benchmark."""
    top: int | None = None
    """K: gap samples, and as many shortcut samples, of each benchmark; None is a fifth of its
    training samples."""
    select: Select = "all"
    """`topk` trains on the gap and shortcut samples only; the others are left out."""
    epochs: int = 1
    rank: int = 16
    """Of LoRA's matrices."""
    alpha: float | None = None
    """Their product is scaled by alpha / rank; None is twice the rank."""
    dropout: float = 0.05
    """Of what goes into LoRA's matrices, 0 to below 1. The frozen parts never drop anything."""
    learning_rate: float | None = None
    """Peak; None is 1e-4 at width 4096, in proportion to 1 / width, 2e-3 at most."""
    batch_size: int = 16
    """The nominal B of the loss: samples of one optimiser step."""
    micro_batch: int | None = None
    """Samples of one forward pass, which add up to `batch_size`; None is `batch_size`."""
    early_stop: int = 0
    """Stop when so many evaluations in a row on a held-out tenth of the train split were no better
    than the best, whose adapter is kept; 0 trains to the end, on all samples."""
    gradient_checkpointing: bool = False
    """Compute the trained layers twice rather than keep their activations."""
    draws: int = 4
    """Draws of noise of the profiles, of those that give the scores and of before and after."""
    seed: int = 0
    """Of LoRA's first weights, its dropout and the order of the samples. The noise of the profiles
    has the seed 0 always, so that several fine-tunings of a model share its profiles."""
    device: str = "auto"
    dtype: DType = "auto"
    device_map: str | None = None
    """Spread the base over all devices, one of `placement.DEVICE_MAPS`; None puts it on one."""
    quantise: str | None = None
    """The base's weights in `8bit` or `4bit` (QLoRA); None leaves them as the checkpoint has them.
    What is trained is in full precision, and measured on the base as it was trained on."""
    trust_remote_code: bool = False
    """Whether code that comes with the base may be run."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense before anything is loaded."""
        for name in ("limit", "top", "epochs", "rank", "batch_size", "micro_batch", "draws"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise BadOption(f"{name.replace('_', ' ')} must be 1 or more, not {value}")
        for name in ("seed", "early_stop"):
            value = getattr(self, name)
            if value < 0:
                raise BadOption(f"{name.replace('_', ' ')} must be 0 or more, not {value}")
        for name in ("learning_rate", "alpha"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise BadOption(f"{name.replace('_', ' ')} must be a positive number, not {value}")
        if not 0 <= self.dropout < 1:
            raise BadOption(f"dropout must be 0 or more and less than 1, not {self.dropout}")
        if self.select not in SELECT:
            raise BadOption(f"select must be one of {', '.join(SELECT)}, not {self.select!r}")
        if self.dtype not in DTYPES:
            raise BadOption(f"precision must be one of {', '.join(DTYPES)}, not {self.dtype!r}")
        check_device_map(self.device_map, device=self.device)
        check_quantisation(self.quantise)
        entry = check_strategy(self.strategy)
        if entry.needs_tag != (self.lift_tag is not None) or entry.needs_tag != bool(self.lifted):
            raise BadOption(
                f"the strategy {self.strategy!r} lifts the samples of a tag; give --lift-tag"
                if entry.needs_tag
                else f"the strategy {self.strategy!r} takes no tag; choose 'tag', or leave out "
                "--lift-tag"
            )
        if self.mix is not None:
            weights_of(self.benchmark, self.mix)
            if self.lift_tag is not None or self.subset is not None:
                raise BadOption(
                    "a tag and a subset belong to one benchmark; leave out --train-on, or "
                    "--lift-tag and --subset"
                )
        check_choice(self)

    def rate(self, width: int) -> float:
        """Return the peak learning rate for a language model of the given width.

        >>> FinetuneOptions(model="m", benchmark="b").rate(2048)
        0.0002
        """
        if self.learning_rate is not None:
            return self.learning_rate
        return min(RATE_AT_WIDTH * WIDTH / width, HIGHEST_RATE)

    def scaled(self) -> float:
        """Return alpha.

        >>> FinetuneOptions(model="m", benchmark="b").scaled()
        32.0
        """
        return ALPHA_PER_RANK * self.rank if self.alpha is None else self.alpha

    def top_of(self, samples: int) -> int:
        """Return K for the training samples of one benchmark, at least 1.

        >>> FinetuneOptions(model="m", benchmark="b").top_of(1000)
        200
        """
        return self.top or max(1, round(TOP_SHARE * samples))

    @property
    def trained_on(self) -> tuple[str, ...]:
        """The benchmarks that are trained on, `benchmark` first."""
        return (self.benchmark, *mixed_names(self.mix))

    @property
    def measured_on(self) -> tuple[str, ...]:
        """The benchmarks on which before and after are measured, `benchmark` first."""
        more = self.trained_on if self.evaluate_on is None else self.evaluate_on
        return tuple(dict.fromkeys((self.benchmark, *more)))


@dataclass(frozen=True, kw_only=True)
class StudyOptions(FinetuneOptions):
    """Several strategies over several seeds; `strategy` and `seed` are those of the first."""

    kind: ClassVar[str] = "study"

    strategies: tuple[str, ...] = ("pid", "uniform", "random", "accuracy", "ablation")
    """Lines of the table of strategies, each once; `tag` needs the tag."""
    seeds: int = 3
    """Counted up from `seed`."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense before anything is loaded."""
        super().__post_init__()
        tuple(self.trainings())

    @classmethod
    def of(
        cls, options: FinetuneOptions, strategies: tuple[str, ...], seeds: int
    ) -> "StudyOptions":
        """Return the study that trains as `options` say, but with these strategies and seeds.

        Raises
        ------
        BadOption
            If there is no such strategy, one is named twice, or there are no seeds.
        """
        kept = {
            one.name: getattr(options, one.name)
            for one in fields(FinetuneOptions)
            if one.name != "strategy"
        }
        first = TAG if options.lift_tag is not None else next(iter(strategies), "pid")
        return cls(**kept, strategy=first, strategies=tuple(strategies), seeds=seeds)

    def trainings(self) -> Iterator[FinetuneOptions]:
        """Return one training per strategy and seed, strategy after strategy.

        Raises
        ------
        BadOption
            If there is no such strategy, one is named twice, or there are no seeds.
        """
        if self.seeds < 1:
            raise BadOption(f"seeds must be 1 or more, not {self.seeds}")
        if not self.strategies:
            raise BadOption("a study needs at least one strategy")
        if len(set(self.strategies)) < len(self.strategies):
            raise BadOption(f"a strategy is named twice in {','.join(self.strategies)}")
        if self.lift_tag is not None and TAG not in self.strategies:
            raise BadOption("--lift-tag belongs to the strategy 'tag', which is not among these")
        plain = FinetuneOptions(
            **{one.name: getattr(self, one.name) for one in fields(FinetuneOptions)}
        )
        for name in self.strategies:
            tagged = {} if name == TAG else {"lift_tag": None, "lifted": None}
            for number in range(self.seeds):
                yield replace(plain, **tagged, strategy=name, seed=self.seed + number)
