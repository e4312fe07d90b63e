"""What an adapter is called and what is written down of it when its training begins."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from data_cache import adapters
from data_cache.adapters import AdapterRecord
from data_cache.runs import canonical_json, hash_text
from data_cache.samples import Benchmark, Sample, digest_of_ids
from model_runners.benchmark_choice import LATER
from model_runners.finetuning.lora import Lora
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.plan import TrainingPlan
from model_runners.finetuning.requests import request_of
from model_runners.loading import LoadedModel
from model_runners.strategies import Weighting

ADAPTER_VERSION = 2
"""Part of the key; raise it when the same options would train another adapter."""
_ELSEWHERE = {*LATER, "lift_tag", "lifted", "evaluate_on"}
"""Options that the key does not take as they are."""


def adapter_key(
    options: FinetuneOptions,
    *,
    loaded: LoadedModel,
    benchmark: Benchmark,
    tagged: Sequence[str] | None = None,
) -> str:
    """Return 16 hexadecimal digits that name an adapter by everything it comes from.

    Parameters
    ----------
    options, loaded, benchmark
        What is trained, on what.
    tagged
        Ids of the training samples that a tag lifts, where there is one: its name does not matter.
    """
    content = {
        # Where the benchmark lies does not matter, and what is taken of it is in its key.
        **{name: value for name, value in request_of(options).items() if name not in _ELSEWHERE},
        **({} if tagged is None else {"tagged": digest_of_ids(tagged)}),
        "version": ADAPTER_VERSION,
        "model": loaded.weights,
        "benchmark": benchmark.key,
        "dtype": loaded.dtype,
        "device": loaded.device.type,
        "micro_batch": options.micro_batch or options.batch_size,
    }
    return hash_text(canonical_json(content), 16)


def new_record(
    cache: Path,
    options: FinetuneOptions,
    *,
    loaded: LoadedModel,
    benchmark: Benchmark,
    samples: Sequence[Sample],
    weighting: Weighting,
) -> tuple[AdapterRecord, TrainingPlan]:
    """Return the record of an adapter, that on disk if its training has begun, and the plan.

    Raises
    ------
    SplitLeak
        If a sample is not of the train split.
    """
    plan = TrainingPlan(
        samples=tuple(samples),
        weights=weighting.weights,
        epochs=options.epochs,
        batch_size=options.batch_size,
        micro_batch=min(options.micro_batch or options.batch_size, options.batch_size),
        rate=options.rate(width_of(loaded)),
        seed=options.seed,
    )
    tagged = None
    if options.lifted is not None:
        both = zip(samples, weighting.roles, strict=True)
        tagged = [sample.id for sample, role in both if role == "gap"]
    key = adapter_key(options, loaded=loaded, benchmark=benchmark, tagged=tagged)
    there = adapters.adapter(cache, key)
    if there is not None and there.total_steps == plan.total_steps:
        return there, plan
    request = request_of(options)
    return AdapterRecord(
        key=key,
        name=f"{loaded.name}+{options.strategy}-{key[:6]}",
        base=loaded.name,
        base_weights=loaded.weights,
        benchmark=benchmark.name,
        strategy=options.strategy,
        options={**request, "learning_rate": plan.rate},
        n_train=len(samples),
        n_gap=weighting.roles.count("gap"),
        n_shortcut=weighting.roles.count("shortcut"),
        mean_weight=plan.mean_weight,
        steps=0,
        total_steps=plan.total_steps,
        state="training",
        warnings=weighting.warnings,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    ), plan


def width_of(loaded: LoadedModel) -> int:
    """Return the width of the language model."""
    return int(loaded.model.get_input_embeddings().weight.shape[1])


def described(plan: TrainingPlan, lora: Lora) -> str:
    """Return a few words about what is trained."""
    count = sum(parameter.numel() for parameter in lora.parameters.values())
    return (
        f"{plan.total_steps} steps over {len(plan.samples)} samples, {count:,} parameters in "
        f"{len(lora.targets)} linear maps"
    )
