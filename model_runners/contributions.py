"""Modality contributions of a cached run: over k, under noise, or layer by layer."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data_cache import queries
from data_cache.conditions import Condition
from data_cache.plan import OUTPUT_LAYER
from model_runners.benchmark_choice import arguments_of
from model_runners.errors import BadOption
from pid_core import Channels, predictive
from pid_core.contributions import (
    CLUSTERS,
    NOISE_SCALES,
    ContributionRow,
    contribution_table,
    noise_stability,
)

if TYPE_CHECKING:
    from data_cache.queries import Predictions, RunRow

MIDDLE = CLUSTERS[1]
"""Codes per source where k is not what is varied."""


@dataclass(frozen=True, kw_only=True)
class ContributionOptions:
    """What a person can choose about a table of contributions."""

    clusters: tuple[int, ...] | None = None
    """Codes per source; None takes 16, 64 and 256, and 64 alone where noise or layers vary."""
    noise: bool = False
    """Vary Gaussian noise added to the embeddings."""
    layers: bool = False
    """Vary the layer after which the embeddings were pooled."""
    split: str = "test"
    by: Literal["subset", "none"] = "none"
    subset: str | None = None
    limit: int | None = None
    tau: float = 0.3
    """Candidates' mass below which an answer counts as uniform."""
    hard_answers: bool = False
    """Most likely answers instead of distributions."""
    seeds: int = 3
    """Seeds of k-means, 0 to seeds - 1."""
    permutations: int = 3
    """Random answers for the reference; 0 leaves it out."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense before anything is read."""
        if self.noise and self.layers:
            raise BadOption("either noise or layers can be varied, not both")
        for name, value, least in (
            ("seeds", self.seeds, 1),
            ("permutations", self.permutations, 0),
            ("clusters", min(self.codes, default=0), 1),
        ):
            if value < least:
                raise BadOption(f"{name} must be {least} or more, not {value}")

    @property
    def codes(self) -> tuple[int, ...]:
        """Codes per source to go through."""
        if self.clusters is not None:
            return self.clusters
        return (MIDDLE,) if self.noise or self.layers else CLUSTERS


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """One row of the table of a run."""

    model: str
    benchmark: str
    subset: str
    run_key: str
    n: int
    """Samples."""
    layer: int
    """After which layer the embeddings were pooled; -1 is the model's input."""
    row: ContributionRow

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; what is not a number becomes null."""
        values = {**asdict(self), **asdict(self.row), "cautions": list(self.row.cautions)}
        del values["row"]
        return {
            name: None if isinstance(value, float) and isnan(value) else value
            for name, value in values.items()
        }


def contributions(
    cache: Path,
    run: "RunRow",
    options: ContributionOptions,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[Contribution]:
    """Return the contributions of image and text to a run's own answers.

    The answers are those of the model's output throughout; layers only change whose embeddings are
    clustered. Nothing is stored.

    Parameters
    ----------
    cache
        The cache folder.
    run
        A row of `estimation.choose_run`.
    options
        What to vary.
    progress
        Called with tables done and in all.

    Raises
    ------
    BadOption
        If layers are asked for and the run kept no features of them.
    CacheError, PidError
        If samples lack features.

    Notes
    -----
    In a causal model the text, which comes after the image, reads it; the image cannot read the
    text. So behind the first layer the text's positions can hold what both say, and C leans to the
    text by position alone, whatever the model makes of the image.
    """
    layers = (
        (OUTPUT_LAYER, *layers_with_features(cache, run)) if options.layers else (OUTPUT_LAYER,)
    )
    subsets = [options.subset or "all"]
    if options.by == "subset" and options.subset is None:
        everything = queries.predictions(cache, run.run_key, split=options.split)
        subsets = sorted(set(everything.subsets.tolist()))
    found: list[Contribution] = []
    done = 0
    for subset in subsets:
        for layer in layers:
            part = queries.predictions(
                cache,
                run.run_key,
                split=options.split,
                subset=None if subset == "all" else subset,
                limit=options.limit,
                features_layer=layer,
            )
            found += [
                Contribution(
                    model=run.model,
                    benchmark=run.benchmark,
                    subset=subset,
                    run_key=run.run_key,
                    n=len(part.sample_ids),
                    layer=layer,
                    row=row,
                )
                for row in rows_of(part, options)
            ]
            done += 1
            if progress is not None:
                progress(done, len(subsets) * len(layers))
    return found


def layers_with_features(cache: Path, run: "RunRow") -> tuple[int, ...]:
    """Return the inner layers of which a run kept features.

    Raises
    ------
    BadOption
        If there are none; the message says how to add them.
    """
    layers = queries.features_by_layer(cache, run.run_key)
    if not layers:
        raise BadOption(
            f"the run {run.run_key} of {run.model!r} on {run.benchmark!r} kept no features of its "
            f"layers; add them with: python -m model_runners profile --model {run.model} "
            f"{arguments_of(run.benchmark, run.environment)} --layer-features"
        )
    return layers


def rows_of(part: "Predictions", options: ContributionOptions) -> list[ContributionRow]:
    """Return the rows of one set of samples and embeddings."""
    answers = predictive(part.scores[Condition.FULL], part.valid, options.tau).mean()
    channels = Channels(
        full=answers,
        only_1=answers,  # contributions read no masked run
        only_2=answers,
        features_1=part.features_1,
        features_2=part.features_2,
        valid=part.valid,
    )
    seeds = tuple(range(options.seeds))
    if options.noise:
        return [
            row
            for clusters in options.codes
            for row in noise_stability(
                channels,
                NOISE_SCALES,
                clusters=clusters,
                seeds=seeds,
                hard_answers=options.hard_answers,
                permutations=options.permutations,
            )
        ]
    return contribution_table(
        channels,
        options.codes,
        seeds=seeds,
        hard_answers=options.hard_answers,
        permutations=options.permutations,
    )
