"""What a job of kind `profile` is asked to do, as the JSON of its key, and back."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_cache.samples import Benchmark
from model_runners import benchmark_choice
from model_runners.errors import BadOption
from model_runners.external.spec import lasting, spec_of
from model_runners.lens_options import LOGIT
from model_runners.models import lasting_name, resolve_model, shown_name
from model_runners.profile import ProfileOptions
from model_runners.sources import USUAL_SOURCES
from model_runners.swapping import PARTNERS, WITHIN
from model_runners.unwatched import ignore

KIND = ProfileOptions.kind
_LATER: Mapping[str, Any] = {
    "layer_features": False,
    "lens": LOGIT,
    "image_size": None,
    "answers": "letters",
    "sources": USUAL_SOURCES,
    "pooling": "mean",
    "template": None,
    "trust_remote_code": False,
    "checkpoint": None,
    "device_map": None,
    "quantise": None,
    "probe": "gaussian",
    "partners": PARTNERS,
    "partners_within": "subset",
    "swap_seed": 0,
    "worker": None,
    "worker_adapter": None,
    "worker_code": None,
}
"""Options that jobs of an earlier PIDscope did not have, and what they were then."""


def request_of(options: ProfileOptions) -> dict[str, Any]:
    """Return the options as JSON values that mean the same in every working directory.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    """
    request = lasting({**asdict(options), "model": lasting_name(options.model)})
    for name, default in _LATER.items():
        if request[name] == default:
            del request[name]  # a job without it keeps the key that it always had
    return benchmark_choice.lasting_request(request)


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
    model = options.checkpoint.model if options.checkpoint else shown_name(options.model)
    details = [
        options.subset,
        *benchmark_choice.in_words(options),
        None if options.split == "all" else options.split,
        f"first {options.limit}" if options.limit else None,
        _probe(options),
        "every layer with features"
        if options.layer_features
        else "every layer"
        if options.layers
        else None,
        None if options.lens == LOGIT else f"{options.lens} lens",
        None if options.mask_scope == "all" else f"text mask: {options.mask_scope}",
        None if options.answers == "letters" else f"answers: {options.answers}",
        None if options.template is None else f"prompt: {options.asking.name}",
        None if options.sources == USUAL_SOURCES else options.sources.replace("-", " and "),
        None if options.pooling == "mean" else f"pooling: {options.pooling}",
        f"images of {options.image_size} pixels" if options.image_size else None,
        f"weights in {options.quantise}" if options.quantise else None,
        "spread over devices" if options.device_map else None,
        f"seed {options.seed}" if options.seed else None,
        "in a worker of its own" if options.worker else None,
    ]
    benchmark = benchmark_choice.choice_of(options).title
    return f"{model} on {benchmark} ({', '.join(d for d in details if d)})"


def _probe(options: ProfileOptions) -> str:
    """Say what takes a source away."""
    if options.probe == "swap":
        seed = f", seed {options.swap_seed}" if options.swap_seed else ""
        within = WITHIN[options.partners_within]
        return f"images swapped with {options.partners} partners of {within}{seed}"
    return f"{options.draws} draws" if options.draws > 1 else "1 draw"


def check_names(options: ProfileOptions) -> None:
    """Refuse what cannot be found, in milliseconds.

    Raises
    ------
    ModelNotFound, BenchmarkError
        If there is no such model or benchmark, or the benchmark is not on this machine.
    """
    resolve_model(options.model)
    spec_of(options)
    benchmark_choice.check_there(options)


def check(
    options: ProfileOptions, cache: Path, *, seen: Callable[[Benchmark], None] = ignore
) -> Benchmark:
    """Refuse everything that can be seen without loading the model; returns the benchmark.

    Parameters
    ----------
    options
        What to run.
    cache
        The cache folder, which keeps the images of benchmarks.
    seen
        Told of the benchmark before it may be refused for its bad rows.

    Raises
    ------
    RunnerError, DataError
        If the model, the benchmark, the subset or the device is not there.
    """
    check_names(options)
    if options.device not in {"auto", "cpu"}:
        from model_runners.loading import choose_device

        choose_device(options.device)
    benchmark = benchmark_choice.load_asked(options, cache, seen=seen)
    benchmark.select(subset=options.subset, split=options.split, limit=options.limit)
    return benchmark
