"""What `profile` would be asked for a stored run again: the same questions, masks and noise."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from data_cache.adapters import adapters
from data_cache.checkpoints import checkpoint_of, is_of_checkpoint
from data_cache.coverage import RunCoverage
from data_cache.location import adapter_directory
from model_runners.asking import asking_of_run
from model_runners.benchmark_choice import asked_in
from model_runners.errors import BadOption
from model_runners.loading_options import Where
from model_runners.models import MODELS
from model_runners.profile import ProfileOptions
from model_runners.registry import is_hub_id

if TYPE_CHECKING:
    from data_cache.queries import RunRow


def options_again(
    run: "RunRow",
    *,
    model: str,
    draws: int | None = None,
    where: Where | None = None,
    batch_size: int | None = None,
) -> ProfileOptions:
    """Return what `profile` would be asked for the same run.

    Parameters
    ----------
    run
        Of a model, not imported.
    model
        Where its weights are found, as `profile` takes it.
    draws
        Draws of noise; None takes as many as the run has.
    where, batch_size
        Where and how; what of it is part of the run is as in the run. Nobody's code is trusted
        because somebody trusted it before.

    Raises
    ------
    BadOption
        If the run does not say how its questions were put, or a newer PIDscope wrote it.
    """
    asking = asking_of_run(run.config)
    if asking is None:
        raise BadOption(
            f"the run {run.run_key} does not say how its questions were put; profile it again"
        )
    where = where or Where()
    asked = asked_in(run.environment, run.benchmark)
    return ProfileOptions(
        **asked,
        model=model,
        draws=draws or max(run.draws, 1),
        seed=run.config["seed"],
        device=where.device,
        device_map=where.device_map,
        quantise=where.quantise or run.config.get("quantisation"),
        trust_remote_code=where.trust_remote_code,
        dtype=run.config["dtype"],
        batch_size=batch_size,
        mask_scope=run.config["mask_scope"],
        answers=asking.answers,
        template=asking.template,
        sources=asking.sources,
        pooling=run.config.get("pooling", "mean"),
        image_size=run.config.get("image_size"),
        checkpoint=checkpoint_of(run.config),
    )


def of_the_same_samples(
    options: ProfileOptions, run: "RunRow", held: RunCoverage
) -> ProfileOptions:
    """Return the options for the samples that a run has, so that no block of it is left out.

    Parameters
    ----------
    options
        From `options_again`.
    run
        The run.
    held
        How much of the benchmark it covers.

    >>> from types import SimpleNamespace
    >>> run = SimpleNamespace(environment={"benchmark_samples": {"train": 90, "test": 30}})
    >>> held = RunCoverage(run_key="", samples=20, by_split={"test": 20, "train": 0}, known={},
    ...     spectra=0, layers_with_spectra=0)
    >>> found = of_the_same_samples(ProfileOptions(model="m", benchmark="b"), run, held)
    >>> found.split, found.limit
    ('test', 20)
    """
    splits = [split for split, count in held.by_split.items() if count]
    split = splits[0] if len(splits) == 1 else "all"
    totals: Mapping[str, int] = run.environment.get("benchmark_samples", {})
    whole = sum(count for name, count in totals.items() if split in ("all", name))
    return replace(options, split=split, limit=held.samples if held.samples < whole else None)


def found_as(run: "RunRow", cache: Path) -> str | None:
    """Return where a run's model is found, as `profile` takes it; None where only a person knows.

    Parameters
    ----------
    run
        The run.
    cache
        The cache folder, which holds adapters.
    """
    if "imported" in run.config or is_of_checkpoint(run.config):
        return None
    if run.config.get("adapter") is not None:
        there = (one.key for one in adapters(cache) if one.name == run.model)
        return next((str(adapter_directory(cache, key)) for key in there), None)
    if run.model in MODELS:
        return run.model
    return run.model if is_hub_id(run.model) and not run.model.startswith("demo/") else None
