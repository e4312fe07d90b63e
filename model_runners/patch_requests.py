"""What a job of kind `patch` is asked to do, as the JSON of its key, and back."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from model_runners.errors import BadOption, ModelNotFound, UnsupportedModel
from model_runners.models import lasting_name, resolve_model, shown_name
from model_runners.patch_run import PatchOptions, chosen_run
from model_runners.patching import SHARE

LATER: Mapping[str, Any] = {"device_map": None, "quantise": None, "trust_remote_code": False}
"""Options that jobs of an earlier PIDscope did not have, and what they were then."""


def request_of(options: PatchOptions) -> dict[str, Any]:
    """Return the options as JSON values that mean the same in every working directory.

    Raises
    ------
    ModelNotFound
        If there is no such folder of weights.
    """
    weights = None if options.weights is None else lasting_name(options.weights)
    request = {**asdict(options), "model": _lasting(options.model), "weights": weights}
    for name, default in LATER.items():
        if request[name] == default:
            del request[name]
    return request


def options_of(request: Mapping[str, Any]) -> PatchOptions:
    """Return the options of a stored request.

    Raises
    ------
    BadOption
        If it was written by a PIDscope with other options.
    """
    try:
        return PatchOptions(**request)
    except TypeError as error:
        raise BadOption(
            f"this job was written by another version of PIDscope ({error}); start it anew"
        ) from error


def title_of(options: PatchOptions) -> str:
    """Return one line that tells a person which job it is."""
    details = [
        None if options.run_key is None else f"run {options.run_key[:8]}",
        options.subset,
        None if options.split == "all" else options.split,
        f"first {options.limit}" if options.limit else None,
        None if options.draws is None else f"draws {options.draws}",
        None if options.share == SHARE else f"the last {options.share:.0%} of the layers",
        "spread over devices" if options.device_map else None,
    ]
    said = ", ".join(filter(None, details))
    return (
        f"causal check of {shown_name(options.model)} on {options.benchmark}"
        f"{f' ({said})' if said else ''}"
    )


def check_names(options: PatchOptions) -> None:
    """Refuse a model that cannot be found, in milliseconds.

    Raises
    ------
    ModelNotFound, UnsupportedModel
        If there is none; a run's stored name need not say where its weights lie.
    """
    resolve_model(options.weights or options.model)


def of_stored_run(options: PatchOptions, cache: Path) -> PatchOptions:
    """Return the options with the run that they mean now, so that the job means it later, too.

    Raises
    ------
    BadOption
        If there is no such run, or it was imported and has no model to patch.
    """
    run = chosen_run(cache, options)
    return replace(options, run_key=run.run_key, benchmark=run.benchmark)


def _lasting(model: str) -> str:
    """Return a model's lasting name; the name of a run whose weights lie elsewhere stays."""
    try:
        return lasting_name(model)
    except (ModelNotFound, UnsupportedModel):
        return model
