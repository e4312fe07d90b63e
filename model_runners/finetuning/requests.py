"""What a job of kind `finetune` is asked to do, as the JSON that its key is made of, and back."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark, Sample
from model_runners import benchmark_choice
from model_runners.errors import BadOption
from model_runners.finetuning.options import FinetuneOptions, StudyOptions
from model_runners.finetuning.tagged import lifted
from model_runners.models import lasting_name, resolve_model, shown_name
from model_runners.unwatched import ignore

LATER: dict[str, Any] = {
    "mix": None,
    "evaluate_on": None,
    "lift_tag": None,
    "lifted": None,
    "select": "all",
    "alpha": None,
    "dropout": 0.0,
    "early_stop": 0,
    "gradient_checkpointing": False,
    "device_map": None,
    "quantise": None,
    "trust_remote_code": False,
}
"""Options that jobs of an earlier PIDscope did not have, and what they did then."""

Kind = TypeVar("Kind", bound=FinetuneOptions)


def request_of(options: FinetuneOptions) -> dict[str, Any]:
    """Return the options as JSON values that mean the same in every working directory.

    What a job of an earlier PIDscope did too is left out, so that it keeps the key that it had.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    """
    request = {**asdict(options), "model": lasting_name(options.model)}
    for name, then in LATER.items():
        if request[name] == then:
            del request[name]
    if options.evaluate_on is not None:
        request["evaluate_on"] = list(options.evaluate_on)
    return benchmark_choice.lasting_request(request)


def options_of(request: Mapping[str, Any]) -> FinetuneOptions:
    """Return the options of a stored request.

    Raises
    ------
    BadOption
        If it was written by a PIDscope with other options.
    """
    return read_options(FinetuneOptions, request)


def read_options(kind: type[Kind], request: Mapping[str, Any]) -> Kind:
    """Return the options of a kind that a stored request holds.

    Raises
    ------
    BadOption
        If it was written by a PIDscope with other options.
    """
    lists = {k: tuple(v) for k, v in request.items() if isinstance(v, list)}
    try:
        return kind(**{**LATER, **request, **lists})
    except TypeError as error:
        raise BadOption(
            f"this job was written by another version of PIDscope ({error}); start it anew"
        ) from error


def title_of(options: FinetuneOptions) -> str:
    """Return one line that tells a person which job it is."""
    strategy = options.strategy
    strategy = strategy if options.lift_tag is None else f"{strategy} {options.lift_tag}"
    return _title(options, strategy, f"seed {options.seed}" if options.seed else None)


def study_title_of(options: StudyOptions) -> str:
    """Return one line that tells a person which study it is."""
    last = options.seed + options.seeds - 1
    return _title(
        options,
        ", ".join(options.strategies),
        f"seed {last}" if options.seeds == 1 else f"seeds {options.seed} to {last}",
    )


def _title(options: FinetuneOptions, strategies: str, seeds: str | None) -> str:
    usual = FinetuneOptions(model=options.model, benchmark=options.benchmark)
    measured = options.measured_on != options.trained_on
    details = [
        strategies,
        f"with {options.mix}" if options.mix else None,
        options.subset,
        *benchmark_choice.in_words(options),
        f"first {options.limit}" if options.limit else None,
        f"top {options.top}" if options.top else None,
        None if options.select == "all" else "those only",
        f"{options.epochs} epochs" if options.epochs > 1 else "1 epoch",
        f"rank {options.rank}",
        None if options.scaled() == 2 * options.rank else f"alpha {options.scaled():g}",
        None if options.dropout == usual.dropout else f"dropout {options.dropout:g}",
        f"rate {options.learning_rate:g}" if options.learning_rate else None,
        None if options.batch_size == usual.batch_size else f"batch {options.batch_size}",
        f"stops early after {options.early_stop}" if options.early_stop else None,
        None if options.draws == usual.draws else f"draws {options.draws}",
        f"weights in {options.quantise}" if options.quantise else None,
        "spread over devices" if options.device_map else None,
        f"measured on {', '.join(options.measured_on)}" if measured else None,
        seeds,
    ]
    return (
        f"LoRA of {shown_name(options.model)} on {benchmark_choice.choice_of(options).title} "
        f"({', '.join(d for d in details if d)})"
    )


def check_names(options: FinetuneOptions) -> None:
    """Refuse what cannot be found, in milliseconds.

    Raises
    ------
    BadOption
        If the model is itself an adapter.
    ModelNotFound, BenchmarkError
        If there is no such model or benchmark.
    """
    source = resolve_model(options.model)
    if source.adapter is not None:
        raise BadOption(
            f"{options.model} is itself an adapter; give its base, which is {source.location}"
        )
    for name in dict.fromkeys((*options.trained_on, *options.measured_on)):
        benchmark_choice.check_there(on_benchmark(options, name))


def on_benchmark(options: FinetuneOptions, name: str) -> FinetuneOptions:
    """Return the options as they ask for another of their benchmarks.

    `data` says where the first one lies, and the others are looked for in the usual places.
    """
    if name == options.benchmark:
        return options
    return replace(options, benchmark=name, data=None, mix=None, evaluate_on=None)


def check(
    options: FinetuneOptions, cache: Path, *, seen: Callable[[Benchmark], None] = ignore
) -> Benchmark:
    """Refuse everything that can be seen without loading the model; returns the benchmark.

    Parameters
    ----------
    options
        What to train.
    cache
        The cache folder, which keeps the images of benchmarks.
    seen
        Told of the benchmark before it may be refused for its bad rows.

    Raises
    ------
    RunnerError, DataError
        If the model, the benchmark, its train split, the subset or the device is not there.
    """
    check_names(options)
    if options.device not in {"auto", "cpu"}:
        from model_runners.loading import choose_device

        choose_device(options.device)
    benchmark = benchmark_choice.load_asked(options, cache, seen=seen)
    samples = training_samples(benchmark, options)
    if options.lifted is not None:
        lifted(options, cache, benchmark, samples)
    return benchmark


def training_samples(benchmark: Benchmark, options: FinetuneOptions) -> tuple[Sample, ...]:
    """Return the samples to train on: of the train split, in the fixed order.

    Raises
    ------
    BenchmarkError
        If there are none, or there is no such subset.
    """
    if not any(sample.split == "train" for sample in benchmark.samples):
        raise BenchmarkError(
            f"benchmark {benchmark.name!r} has no train split, and its test split is not for "
            "training; choose another benchmark"
        )
    return benchmark.select(subset=options.subset, split="train", limit=options.limit)
