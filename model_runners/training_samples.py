"""Which samples an estimator that trains a network trains on: the run's own training split."""

from pathlib import Path
from typing import TYPE_CHECKING

from data_cache import queries
from data_cache.conditions import Condition
from data_cache.errors import CacheError
from data_cache.plan import OUTPUT_LAYER
from pid_core import Channels
from pid_core.predictive import predictive
from pid_core.registry import TRAINED

if TYPE_CHECKING:
    from data_cache.queries import Predictions, RunRow


def training_samples(
    cache: Path,
    run: "RunRow",
    estimator: str,
    *,
    subset: str | None = None,
    layer: int = OUTPUT_LAYER,
    draws: int | None = None,
    tau: float,
) -> Channels | None:
    """Return the training split of a run with its embeddings, draws averaged as they are evaluated.

    Parameters
    ----------
    cache
        The cache folder.
    run
        The run that is estimated.
    estimator
        One that trains no network gets None.
    subset, layer, draws, tau
        As for the samples that are evaluated; no limit, so that more of them mean a better fit.

    Returns
    -------
    Channels or None
        None where the run has no training sample: the estimator then trains on what it evaluates.
    """
    if estimator not in TRAINED:
        return None
    try:
        part = queries.predictions(
            cache,
            run.run_key,
            split="train",
            subset=subset,
            layer=layer,
            draws=draws,
            features=True,
        )
    except CacheError:
        # The samples that are evaluated were there, so this split is empty or incomplete.
        return None
    return channels_of(part, tau)


def channels_of(part: "Predictions", tau: float) -> Channels:
    """Return predictions as channels with embeddings, averaged over draws."""
    hats = {
        name: predictive(part.scores[condition], part.valid, tau).mean()
        for name, condition in (
            ("full", Condition.FULL),
            ("only_1", Condition.ONLY_1),
            ("only_2", Condition.ONLY_2),
        )
    }
    return Channels(
        **hats,
        features_1=part.features_1,
        features_2=part.features_2,
        valid=part.valid,
        group_id=part.group_ids,
    )
