"""What a job of kind `profile` is asked to do, as the JSON of its key, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from data_cache.benchmarks import BENCHMARKS, load_benchmark
from data_cache.samples import Benchmark
from model_runners.errors import BadOption
from model_runners.models import lasting_name, resolve_model, shown_name
from model_runners.profile import ProfileOptions

KIND = ProfileOptions.kind
_LATER: Mapping[str, Any] = {
    "layer_features": False,
    "image_size": None,
    "answers": "letters",
    "pooling": "mean",
    "template": None,
}
"""Options that jobs of an earlier PIDscope did not have, and what they were then."""


def request_of(options: ProfileOptions) -> dict[str, Any]:
    """Return the options as JSON values that mean the same in every working directory.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    """
    request = {**asdict(options), "model": lasting_name(options.model)}
    for name, default in _LATER.items():
        if request[name] == default:
            del request[name]  # a job without it keeps the key that it always had
    return request


def options_of(request: Mapping[str, Any]) -> ProfileOptions:
    """Return the options of a stored request.

    Raises
    ------
    BadOption
        If it was written by a PIDscope with other options.
    """
    try:
        return ProfileOptions(**request)
    except TypeError as error:
        raise BadOption(
            f"this job was written by another version of PIDscope ({error}); start it anew"
        ) from error


def title_of(options: ProfileOptions) -> str:
    """Return one line that tells a person which job it is."""
    model = shown_name(options.model)
    details = [
        options.subset,
        None if options.split == "all" else options.split,
        f"first {options.limit}" if options.limit else None,
        f"{options.draws} draws" if options.draws > 1 else "1 draw",
        "every layer with features"
        if options.layer_features
        else "every layer"
        if options.layers
        else None,
        None if options.mask_scope == "all" else f"text mask: {options.mask_scope}",
        None if options.answers == "letters" else f"answers: {options.answers}",
        None if options.template is None else f"prompt: {options.asking.name}",
        None if options.pooling == "mean" else f"pooling: {options.pooling}",
        f"images of {options.image_size} pixels" if options.image_size else None,
        f"seed {options.seed}" if options.seed else None,
    ]
    return f"{model} on {options.benchmark} ({', '.join(d for d in details if d)})"


def check_names(options: ProfileOptions) -> None:
    """Refuse what cannot be found, in milliseconds.

    Raises
    ------
    ModelNotFound, BenchmarkError
        If there is no such model or benchmark.
    """
    resolve_model(options.model)
    if options.benchmark not in BENCHMARKS:
        load_benchmark(options.benchmark)  # its sentence has the nearest name


def check(options: ProfileOptions) -> Benchmark:
    """Refuse everything that can be seen without loading the model; returns the benchmark.

    Raises
    ------
    RunnerError, DataError
        If the model, the benchmark, the subset or the device is not there.
    """
    check_names(options)
    if options.device not in {"auto", "cpu"}:
        from model_runners.loading import choose_device

        choose_device(options.device)
    benchmark = load_benchmark(options.benchmark)
    benchmark.select(subset=options.subset, split=options.split, limit=options.limit)
    return benchmark
