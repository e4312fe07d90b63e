"""What a run would cost, before it is started: passes, memory, time. Nothing is loaded for it.

Counts are exact. Memory and time come from a finished run of the same model on the same kind of
device in this cache where there is one; else memory is what `memory` counts, or where the weights
are not here their size with a stated margin, and the time is not known.
"""

import json
import math
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_cache import jobs
from data_cache.conditions import NOISY, PROBED
from data_cache.jobs import JobRow
from data_cache.location import cache_directory
from data_cache.samples import Benchmark, Sample
from model_runners import hub
from model_runners.errors import UnsupportedModel
from model_runners.memory import BYTES, measured_sentence, plan_here, sentence
from model_runners.models import MODELS, resolve_model
from model_runners.profile import ProfileOptions
from model_runners.requests import KIND, check, request_of

_STORED = {"F64": 8, "F32": 4, "BF16": 2, "F16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1}
MARGIN_SHARE = 0.2
MARGIN_BYTES = 1 << 30
"""Added to the weights where nothing was measured and they are not here to be counted: a fifth, and
1 GiB for the program and a batch. A rule of thumb; long prompts and large batches take more."""
UNKNOWN_TIME = "no run of this model here yet"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a run would cost."""

    passes_per_sample: int
    """Sequences through the text stack for one sample."""
    samples: int
    passes: int
    """In all; what earlier runs left in the cache is not subtracted."""
    parameters: int | None
    """None where the weights are not on this machine and not in the table."""
    memory_bytes: int | None
    """Of the device that the model runs on."""
    seconds: float | None
    """With loading, without the spectra; None where no such run was measured."""
    basis: str
    """Where memory and time come from, in words."""
    room: str = ""
    """Whether that fits this machine and what would, a sentence; empty where nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What the headers of a model's weight files say."""

    parameters: int
    stored_bytes: int


def estimate_cost(
    options: ProfileOptions, cache: Path | None = None, *, benchmark: Benchmark | None = None
) -> Cost:
    """Estimate the cost of a run without loading weights.

    Parameters
    ----------
    options
        What to run.
    cache
        Where to look for measured runs; None looks nowhere.
    benchmark
        The benchmark of the options, where the caller has loaded it already.

    Raises
    ------
    RunnerError, DataError
        If the model, the benchmark, the subset or the device is not there.
    """
    from model_runners.loading import device_kind

    benchmark = benchmark or check(options, cache_directory(None) if cache is None else cache)
    device = device_kind(options.device)
    wanted = benchmark.select(subset=options.subset, split=options.split, limit=options.limit)
    samples = len(wanted)
    each = 1 + options.partners if options.probe == "swap" else passes_per_sample(options.draws)
    weights = known_weights(options.model)
    measured = newest(cache, options, device) if cache is not None else None
    speed: dict[str, Any] = measured.result["speed"] if measured else {}
    memory = _memory(options, device, weights, measured, wanted)
    return Cost(
        passes_per_sample=each,
        samples=samples,
        passes=each * samples,
        parameters=weights.parameters if weights else None,
        memory_bytes=memory.bytes,
        room=memory.room,
        seconds=speed["setup_seconds"] + each * samples / speed["passes_per_second"]
        if speed
        else None,
        basis=f"time: {_time_basis(measured)}; memory: {memory.basis}",
    )


def passes_per_sample(draws: int) -> int:
    """Return the sequences of one sample: each masked condition once per draw, the others once.

    >>> passes_per_sample(4)
    14
    """
    return sum(draws if condition in NOISY else 1 for condition in PROBED)


def newest(cache: Path, options: ProfileOptions, device: str) -> JobRow | None:
    """Return the newest finished job that measured this model on this kind of device.

    One on the same benchmark goes before others: its prompts and images have the right length.
    """
    model = request_of(options)["model"]
    fitting = [
        job
        for job in jobs.jobs(cache, kind=KIND)
        if job.request.get("model") == model
        and job.request.get("layers") == options.layers
        and job.request.get("quantise") == options.quantise
        and job.request.get("layer_features", False) == options.layer_features
        and job.request.get("answers", "letters") == options.answers
        and (job.result.get("speed") or {}).get("device", "").partition(":")[0] == device
    ]
    asked = request_of(options)["benchmark"]
    same = [job for job in fitting if job.request.get("benchmark") == asked]
    return next(iter(same or fitting), None)


def _time_basis(measured: JobRow | None) -> str:
    if measured is None:
        return UNKNOWN_TIME
    speed = measured.result["speed"]
    return (
        f"{speed['passes_per_second']:.0f} passes/s and {speed['setup_seconds']:.0f} s to load, "
        f"measured by job {measured.job_key} on {measured.request['benchmark']} "
        f"({speed['device']}, {speed['dtype']}, batch size {speed['batch_size']})"
    )


@dataclass(frozen=True, kw_only=True)
class _Memory:
    bytes: int | None
    basis: str
    room: str = ""


def _memory(
    options: ProfileOptions,
    device: str,
    weights: Weights | None,
    measured: JobRow | None,
    samples: Sequence[Sample],
) -> _Memory:
    found = plan_here(options, samples)
    same = measured is not None and all(
        measured.request.get(name) == getattr(options, name)
        for name in ("dtype", "batch_size", "device_map")
    )
    if measured is not None and same and measured.result["speed"]["peak_memory_bytes"]:
        peak: int = measured.result["speed"]["peak_memory_bytes"]
        room = "" if found is None else measured_sentence(peak, found[0], options, found[1])
        return _Memory(bytes=peak, basis=f"peak of job {measured.job_key}", room=room)
    if found is not None:
        planned, shapes = found
        return _Memory(
            bytes=planned.total,
            basis="counted from the shapes of the weights",
            room=sentence(planned, options, shapes),
        )
    if weights is None:
        return _Memory(
            bytes=None, basis="the weights are not on this machine and not in the table of models"
        )
    dtype = "float32" if options.dtype == "auto" and device == "cpu" else options.dtype
    size = weights.parameters * BYTES[dtype] if dtype in BYTES else weights.stored_bytes
    what = dtype if dtype in BYTES else "stored precision"
    total = round(size * (1 + MARGIN_SHARE)) + MARGIN_BYTES
    return _Memory(
        bytes=total,
        basis=f"weights in {what} and a margin of {MARGIN_SHARE:.0%} + 1 GiB, a rule of thumb",
    )


def known_weights(model: str) -> Weights | None:
    """Return the size of a model from its files' headers, else from the table, else None.

    Raises
    ------
    ModelNotFound, UnsupportedModel
        If there is no such model, or a file is no safetensors file.
    """
    source = resolve_model(model)
    # Of a download that was stopped, some shards are there, and they are not the model's size.
    folder = Path(source.location) if source.is_local else hub.stored_model(source.location)
    files = sorted(folder.glob("*.safetensors")) if folder is not None else []
    if files:
        found = [header_weights(path) for path in files]
        return Weights(
            parameters=sum(weights.parameters for weights in found),
            stored_bytes=sum(weights.stored_bytes for weights in found),
        )
    entry = MODELS.get(model)
    if entry is None or entry.parameters is None:
        return None
    return Weights(parameters=round(entry.parameters), stored_bytes=round(entry.parameters * 2))


def hub_folder(hub_id: str) -> Path | None:
    """Return where the hub's cache on this machine has a model, None if it has not."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(hub_id, "config.json")
    return Path(config).parent if isinstance(config, str) else None


def header_weights(path: Path) -> Weights:
    """Read the size of the tensors of a safetensors file from its header.

    The format: eight bytes with the length of the header, then the header in JSON
    (https://github.com/huggingface/safetensors#format).

    Raises
    ------
    UnsupportedModel
        If it is no such file.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, 100_000_000)))
        sizes: Counter[str] = Counter()
        for name, tensor in header.items():
            if name != "__metadata__":
                sizes[tensor["dtype"]] += math.prod(tensor["shape"])
    except (OSError, struct.error, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnsupportedModel(f"{path} has no header of a safetensors file ({error})") from error
    return Weights(
        parameters=sum(sizes.values()),
        stored_bytes=sum(_STORED.get(kind, 4) * count for kind, count in sizes.items()),
    )
