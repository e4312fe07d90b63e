"""The command lines that measure a run again and estimate its spectra again.

Each says every setting, so that it means the same where the usual ones have changed.
"""

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from data_cache.checkpoints import is_of_checkpoint
from data_cache.estimates import SpectrumRecord
from data_cache.plan import OUTPUT_LAYER
from data_cache.trajectories import Trajectory
from model_runners.benchmark_choice import arguments_of

if TYPE_CHECKING:
    from data_cache.queries import RunRow

PROGRAM = "python -m model_runners"
OF_EVERY_ESTIMATE = ("tau", "draws", "limit", "marginals", "pointwise", "seed")
OF_SOME = ("clusters", "bootstrap", "resamples", "batch_size", "null")
OF_THE_RUN = ("sources", "mask_scope", "dtype", "pooling", "image_size", "lens", "seed")
"""Names of the configuration that are those of the arguments."""
POOLED = "all"


_OPTION = re.compile(r"[a-z][a-z0-9_]*")


def profile_command(run: "RunRow", *, cache: str = "") -> str:
    """Return what measures a run again, all samples; a comment where no command does.

    Parameters
    ----------
    run
        The run.
    cache
        The folder of the cache, where it is to be said.
    """
    if "imported" in run.config:
        files = ", ".join(map(str, run.environment.get("imported_from", ()))) or "files"
        return _comment(f"{run.model} was imported from {files}; import them again")
    if is_of_checkpoint(run.config):
        return _comment(
            f"{run.model} is a checkpoint; measure its training again with: {PROGRAM} training "
            f"SOURCE {arguments_of(run.benchmark, run.environment)}"
        )
    if run.config.get("adapter") is not None:
        return _comment(f"{run.model} is an adapter; its training is on the LoRA-PID page")
    given: dict[str, Any] = {name: run.config.get(name) for name in OF_THE_RUN}
    given["draws"] = run.draws or None
    given["answers"] = style_of(run.config)
    given["template"] = run.config.get("template_text")
    if run.config.get("probe") == "swap":
        given |= {
            "probe": "swap",
            "partners": given.pop("draws"),
            "partners_within": run.config.get("partners_within"),
            "swap_seed": given.pop("seed"),
            **run.environment.get("slice", {}),
        }
    layers = " --layers" if any(layer != OUTPUT_LAYER for layer in run.layers) else ""
    asked = arguments_of(run.benchmark, run.environment)
    loaded = loading_flags(run.config, run.environment)
    return (
        f"{PROGRAM} profile --model {shlex.quote(run.model)} {asked}{_flags(given)}{layers}{loaded}"
        f"{_place(cache)}"
    )


def training_command(
    known: Trajectory, run: "RunRow | None", *, benchmark: str = "", cache: str = ""
) -> str:
    """Return the verb and arguments that measure what is missing of a training.

    Parameters
    ----------
    known
        Its checkpoints.
    run
        A run of one of them, as which the others are asked; None asks with the usual settings.
    benchmark
        Where there is no run, on which.
    cache
        The folder of the cache, where it is to be said.
    """
    source = " ".join(map(shlex.quote, known.source))
    if known.revisions:
        source += f" --revisions {shlex.quote(','.join(known.revisions))}"
    named = f"training {source} --name {shlex.quote(known.name)}"
    if run is None:
        return f"{named} --benchmark {shlex.quote(benchmark)}{_place(cache)}"
    given: dict[str, Any] = {name: run.config.get(name) for name in OF_THE_RUN}
    given["lens"] = None  # each checkpoint has weights of its own, and a lens is of one model
    given |= {"draws": run.draws or None, "answers": style_of(run.config)}
    given["template"] = run.config.get("template_text")
    given |= run.environment.get("slice", {})
    deep = " --layers" if any(layer != OUTPUT_LAYER for layer in run.layers) else ""
    asked = arguments_of(run.benchmark, run.environment)
    loaded = loading_flags(run.config, run.environment)
    return f"{named} {asked}{_flags(given)}{deep}{loaded}{_place(cache)}"


def loading_flags(config: Mapping[str, Any], environment: Mapping[str, Any]) -> str:
    """Return the arguments that load a run's model as it was loaded, with a blank before each.

    Parameters
    ----------
    config, environment
        Of the run. Who types the command trusts the code that it names.

    >>> loading_flags({"quantisation": "4bit", "remote_code": "0f"}, {"device_map": "auto"})
    ' --device-map auto --quantize 4bit --trust-remote-code'
    """
    worker: Mapping[str, Any] = environment.get("worker") or {}
    given = {
        "device_map": environment.get("device_map"),
        "quantize": config.get("quantisation"),
        "worker": worker.get("python"),
        "worker_adapter": worker.get("adapter"),
        "worker_code": worker.get("code"),
    }
    trusted = " --trust-remote-code" if config.get("remote_code") else ""
    return f"{_flags(given)}{trusted}"


def style_of(config: Mapping[str, Any]) -> str:
    """Return how a run's questions were answered, as `profile --answers` takes it.

    >>> style_of({"candidates": "letters, bare"}), style_of({"candidates": "options"})
    ('letters', 'options')
    """
    style = str(config.get("candidates", "letters"))
    return "letters" if style.startswith("letters") else style


def estimate_commands(records: Iterable[SpectrumRecord], *, cache: str = "") -> list[str]:
    """Return what estimates spectra again from the predictions that are stored.

    Spectra of several subsets or layers, that differ in nothing else, are one command.
    """
    alike: dict[tuple[object, ...], list[SpectrumRecord]] = defaultdict(list)
    for record in records:
        settings = tuple((name, record.settings.get(name)) for name in _names(record.settings))
        is_pooled = record.subset == POOLED
        alike[record.run_key, record.split, record.estimator, is_pooled, settings].append(record)
    return [_estimate(found, cache) for found in alike.values()]


def _estimate(records: Sequence[SpectrumRecord], cache: str) -> str:
    first = records[0]
    names = {"model": first.model, "benchmark": first.benchmark, "run": first.run_key}
    names |= {"split": first.split, "estimator": first.estimator}
    subsets = {record.subset for record in records}
    if len(subsets) > 1:
        names["by"] = "subset"
    elif first.subset != POOLED:
        names["subset"] = first.subset
    layers = {record.layer for record in records}
    if len(layers) > 1:
        depth = " --layers"
    else:
        depth = "" if first.layer == OUTPUT_LAYER else f" --layer {first.layer}"
    given = {name: first.settings.get(name) for name in _names(first.settings)}
    return f"{PROGRAM} estimate{_flags(names)}{_flags(given)}{depth}{_place(cache)}"


def _names(settings: Mapping[str, Any]) -> tuple[str, ...]:
    if settings.get("probe") == "swap":  # its limit is that of the run
        return ("tau", "draws", "seed", "bootstrap")
    return (*OF_EVERY_ESTIMATE, *(name for name in OF_SOME if name in settings))


def _flags(given: Mapping[str, Any]) -> str:
    return "".join(
        f" --{name.replace('_', '-')} {shlex.quote(str(value))}"
        for name, value in given.items()
        if value is not None and _OPTION.fullmatch(name)  # a record may hold anything
    )


def _place(cache: str) -> str:
    return f" --cache {shlex.quote(cache)}" if cache else ""


def _comment(text: str) -> str:
    """Return a line that a shell passes over, also where a name has several lines."""
    return "# " + " ".join(text.split())
