"""Tasks of the lab on a cached run: estimated as `estimate` does, and stored nowhere."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_cache.conditions import Condition
from model_runners.audit import SOLVER, AuditRow, AuditTask, fingerprint, measure
from model_runners.estimation import EstimateOptions
from model_runners.training_samples import training_samples
from pid_core import Channels, RawScores, Spectrum, estimate_over_draws

if TYPE_CHECKING:
    from data_cache.queries import Predictions, RunRow


def run_tasks(
    cache: Path,
    run: "RunRow",
    asked: Iterable[EstimateOptions],
    *,
    settings: Sequence[str] = (),
    features: str = "as stored",
) -> list[AuditTask]:
    """Return one task per way of estimating a cached run; nothing is stored.

    Parameters
    ----------
    cache
        The cache folder.
    run
        A row of `choose_run`.
    asked
        The estimators and settings.
    settings
        What sets each row apart, in words; nothing where only the estimators differ.
    features
        What estimators on embeddings get: `as stored`, or a name of `FEATURES`.
    """
    listed = list(asked)
    words = list(settings) or [""] * len(listed)

    def task(options: EstimateOptions, setting: str) -> AuditTask:
        label = f"{options.estimator}, {setting}" if setting else options.estimator

        def work() -> AuditRow:
            return measure(
                lambda: spectrum_of_run(cache, run, options, features=features),
                estimator=options.estimator,
                label=label,
                setting=setting,
            )

        about = asdict(options) | {
            "run": run.run_key,
            "held": [run.n_samples, run.draws],
            "setting": setting,
            "features": features,
        }
        return AuditTask(key=fingerprint(about), label=label, work=work)

    return [task(options, setting) for options, setting in zip(listed, words, strict=True)]


FEATURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as stored": lambda x: x,
    "every other dimension": lambda x: x[:, ::2],
    "dealt out at random": lambda x: np.random.default_rng(0).permutation(x),
}
"""What can be done to the embeddings of a run, to see who looks at them."""


def spectrum_of_run(
    cache: Path, run: "RunRow", options: EstimateOptions, *, features: str = "as stored"
) -> Spectrum:
    """Estimate from the stored predictions of a run, as `estimate` does, and store nothing."""
    from data_cache import queries

    subset = None if options.subset in {None, "all"} else options.subset
    part = queries.predictions(
        cache,
        run.run_key,
        split=options.split,
        subset=subset,
        layer=options.layer,
        limit=options.limit,
        draws=options.draws,
        # The solver looks at none; it is given them where they are changed, to show that.
        features=options.estimator != SOLVER or features != "as stored",
    )
    train = training_samples(
        cache,
        run,
        options.estimator,
        subset=subset,
        layer=options.layer,
        draws=options.draws,
        tau=options.tau,
    )
    change = FEATURES[features]
    return estimate_over_draws(
        _scores(part),
        tau=options.tau,
        estimator=options.estimator,
        marginals=options.marginals,
        pointwise=options.pointwise,
        seed=options.seed,
        features_1=_changed(part.features_1, change),
        features_2=_changed(part.features_2, change),
        clusters=options.clusters,
        train=None if train is None else _with_features(train, change),
    )


def _scores(part: "Predictions") -> RawScores:
    return RawScores(
        full=part.scores[Condition.FULL],
        only_1=part.scores[Condition.ONLY_1],
        only_2=part.scores[Condition.ONLY_2],
        neither=part.scores.get(Condition.NEITHER),
        valid=part.valid,
        group_id=part.group_ids,
    )


def _changed(
    features: np.ndarray | None, change: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray | None:
    return None if features is None else change(features)


def _with_features(channels: Channels, change: Callable[[np.ndarray], np.ndarray]) -> Channels:
    """Return the same channels with other embeddings."""
    return Channels(
        full=channels.full,
        only_1=channels.only_1,
        only_2=channels.only_2,
        features_1=_changed(channels.features_1, change),
        features_2=_changed(channels.features_2, change),
        valid=channels.valid,
        group_id=channels.group_id,
    )
