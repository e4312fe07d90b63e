"""What a job of kind `finetune` is asked to do, as the JSON that its key is made of, and back."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark, Sample
from model_runners import benchmark_choice
from model_runners.errors import BadOption
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.tagged import lifted
from model_runners.models import lasting_name, resolve_model, shown_name
from model_runners.unwatched import ignore


def request_of(options: FinetuneOptions) -> dict[str, Any]:
    """Return the options as JSON values that mean the same in every working directory.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    """
    request = {**asdict(options), "model": lasting_name(options.model)}
    for name in ("lift_tag", "lifted"):
        if request[name] is None:
            del request[name]  # a job without a tag keeps the key that it always had
    return benchmark_choice.lasting_request(request)


def options_of(request: Mapping[str, Any]) -> FinetuneOptions:
    """Return the options of a stored request.

    Raises
    ------
    BadOption
        If it was written by a PIDscope with other options.
    """
    try:
        return FinetuneOptions(**request)
    except TypeError as error:
        raise BadOption(
            f"this job was written by another version of PIDscope ({error}); start it anew"
        ) from error


def title_of(options: FinetuneOptions) -> str:
    """Return one line that tells a person which job it is."""
    usual = FinetuneOptions(model=options.model, benchmark=options.benchmark)
    details = [
        options.strategy if options.lift_tag is None else f"{options.strategy} {options.lift_tag}",
        options.subset,
        *benchmark_choice.in_words(options),
        f"first {options.limit}" if options.limit else None,
        f"top {options.top}" if options.top else None,
        f"{options.epochs} epochs" if options.epochs > 1 else "1 epoch",
        f"rank {options.rank}",
        f"rate {options.learning_rate:g}" if options.learning_rate else None,
        None if options.batch_size == usual.batch_size else f"batch {options.batch_size}",
        None if options.draws == usual.draws else f"draws {options.draws}",
        f"seed {options.seed}" if options.seed else None,
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
    benchmark_choice.check_there(options)


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
