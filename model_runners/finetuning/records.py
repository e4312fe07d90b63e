"""What an adapter is called and what is written down of it when its training begins."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from data_cache import adapters
from data_cache.adapters import AdapterRecord
from data_cache.runs import canonical_json, hash_text
from data_cache.samples import Benchmark, digest_of_ids
from model_runners.benchmark_choice import LATER
from model_runners.finetuning.lora import Lora
from model_runners.finetuning.material import Part
from model_runners.finetuning.mixing import weights_of
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.plan import TrainingPlan
from model_runners.finetuning.requests import request_of
from model_runners.loading import LoadedModel

ADAPTER_VERSION = 2
"""Part of the key; raise it when the same options would train another adapter."""
_ELSEWHERE = {*LATER, "lift_tag", "lifted", "evaluate_on", "device_map", "trust_remote_code"}
"""Options that the key does not take as they are."""


def adapter_key(
    options: FinetuneOptions,
    *,
    loaded: LoadedModel,
    benchmark: Benchmark,
    tagged: Sequence[str] | None = None,
    mixed: Mapping[str, Benchmark] | None = None,
) -> str:
    """Return 16 hexadecimal digits that name an adapter by everything it comes from.

    Parameters
    ----------
    options, loaded, benchmark
        What is trained, on what.
    tagged
        Ids of the training samples that a tag lifts, where there is one: its name does not matter.
    mixed
        The other benchmarks that are trained on, by the name that the options give them.
    """
    weights = weights_of(options.benchmark, options.mix)
    shares = [[one.key, weights[name]] for name, one in (mixed or {}).items()]
    content = {
        # Where the benchmark lies does not matter, and what is taken of it is in its key.
        **{name: value for name, value in request_of(options).items() if name not in _ELSEWHERE},
        **({} if tagged is None else {"tagged": digest_of_ids(tagged)}),
        **({"mix": shares} if shares else {}),
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
    parts: Sequence[Part],
    plan: TrainingPlan,
    warnings: tuple[str, ...] = (),
) -> AdapterRecord:
    """Return the record of an adapter, that on disk if its training has begun.

    Parameters
    ----------
    cache, options, loaded
        What is trained, and where it is kept.
    parts
        What it is trained on; the first is the benchmark of the options.
    plan
        Of these parts.
    warnings
        Sentences.
    """
    first = parts[0]
    tagged = None
    if options.lifted is not None:
        both = zip(first.samples, first.weighting.roles, strict=True)
        tagged = [sample.id for sample, role in both if role == "gap"]
    names = options.trained_on[1:]
    mixed = {n: part.benchmark for n, part in zip(names, parts[1:], strict=True)}
    key = adapter_key(options, loaded=loaded, benchmark=first.benchmark, tagged=tagged, mixed=mixed)
    there = adapters.adapter(cache, key)
    if there is not None and there.total_steps == plan.total_steps:
        return there
    roles = [role for part in parts for role in part.weighting.roles]
    said = dict.fromkeys(one for part in parts for one in part.weighting.warnings)
    return AdapterRecord(
        key=key,
        name=f"{loaded.name}+{options.strategy}-{key[:6]}",
        base=loaded.name,
        base_weights=loaded.weights,
        benchmark=first.benchmark.name,
        strategy=options.strategy,
        options={**request_of(options), "learning_rate": plan.rate, "alpha": options.scaled()},
        n_train=len(plan.samples),
        n_gap=roles.count("gap"),
        n_shortcut=roles.count("shortcut"),
        mean_weight=plan.mean_weight,
        steps=0,
        total_steps=plan.total_steps,
        state="training",
        warnings=(*said, *warnings),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


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
