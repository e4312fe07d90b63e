"""What trainings would take, before they are started: passes, memory, time. Nothing is loaded.

Time comes from how fast an earlier job trained this model here; else from how fast a profile ran
it, a training pass counting as a profile pass and a half; else it is not known. Memory comes from
the peak of such a training; else it is the weights, what the optimiser keeps of LoRA's matrices,
and a stated margin. Every number says which.
"""

import json
import re
import struct
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from data_cache import jobs
from data_cache.jobs import JobRow
from data_cache.samples import Benchmark
from model_runners import hub
from model_runners.cost import (
    BYTES,
    MARGIN_BYTES,
    MARGIN_SHARE,
    known_weights,
    newest,
    passes_per_sample,
)
from model_runners.finetuning.lora import SHARE
from model_runners.finetuning.options import FinetuneOptions, StudyOptions
from model_runners.finetuning.scores import profile_options
from model_runners.models import lasting_name, resolve_model
from model_runners.strategies import STRATEGIES

KINDS = ("study", "finetune")
PASSES_OF_A_STEP = 1.5
"""Of a training sample, in passes of a profile: once forward, then back through the last fifth of
the layers, whose gradients cost about twice their forward pass, and what a step does besides."""
TRAINING_BYTES = 16
"""Per trained parameter: itself, its gradient and the two moments of AdamW, in float32."""
_LAYER = re.compile(r"\.(?:layers|h|blocks?)\.(\d+)\.")
_ELSEWHERE = re.compile(r"vision|visual|audio|qformer|image|video")
"""Names of towers that are not adapted."""


@dataclass(frozen=True, kw_only=True)
class TrainingCost:
    """What one training, or all of a study, would take."""

    trainings: int
    trained: int
    """Samples that are gone through, in all epochs of all trainings."""
    passes: int
    """Sequences of the profiles: of the train split for the scores, of the test split before and
    after; without what is stored already."""
    seconds: float | None
    """None where nothing was measured that tells."""
    memory_bytes: int | None
    """Of the device; None where the size of the model is not known."""
    time_basis: str
    memory_basis: str


@dataclass(frozen=True, kw_only=True)
class Held:
    """What of the profiles is stored already."""

    scores: bool = False
    """Of the train split."""
    before: bool = False
    """Of the base on the test split."""


def training_cost(
    options: FinetuneOptions | StudyOptions,
    cache: Path,
    *,
    benchmark: Benchmark,
    train: int,
    held: Held = Held(),
) -> TrainingCost:
    """Estimate what trainings take.

    Parameters
    ----------
    options
        One training, or a study.
    cache
        Where to look for measured jobs.
    benchmark
        The benchmark of the options.
    train
        Samples that an epoch goes through.
    held
        What is stored already.

    Raises
    ------
    RunnerError
        If the model or the device is not there.
    """
    from model_runners.loading import device_kind

    device = device_kind(options.device)
    every = list(options.trainings()) if isinstance(options, StudyOptions) else [options]
    trained = len(every) * options.epochs * train
    test = sum(one.split == "test" for one in benchmark.samples)
    scored = any(STRATEGIES[one.strategy].needs_scores for one in every) and not held.scores
    each = passes_per_sample(options.draws)
    passes = each * (train * scored + test * (len(every) + (not held.before)))
    profiled = newest(cache, profile_options(options, model=options.model, split="test"), device)
    before = measured(cache, options, device)
    memory, memory_basis = _memory(options, device, before)
    seconds, time_basis = _seconds(passes, trained, len(every), profiled, before)
    return TrainingCost(
        trainings=len(every),
        trained=trained,
        passes=passes,
        seconds=seconds,
        memory_bytes=memory,
        time_basis=time_basis,
        memory_basis=memory_basis,
    )


def measured(cache: Path, options: FinetuneOptions, device: str) -> JobRow | None:
    """Return the newest finished job that trained this model on this kind of device."""
    model = lasting_name(options.model)
    for kind in KINDS:
        for job in jobs.jobs(cache, kind=kind):
            of_device = str(_speed_of(job).get("device", "")).partition(":")[0]
            if job.request.get("model") == model and of_device == device:
                return job
    return None


def _speed_of(job: JobRow) -> dict[str, Any]:
    """Return how fast a job trained; of a study, how fast its last training was."""
    results: list[dict[str, Any]] = job.result.get("trainings") or [job.result]
    return results[-1].get("training_speed") or {}


def lora_parameters(model: str, rank: int) -> int | None:
    """Return how many parameters LoRA adds, as the headers of the model's files tell.

    About: of a file it is not known which maps are linear, so all matrices of the last fifth of the
    layers count. None where the files are not on this machine.

    Raises
    ------
    ModelNotFound, UnsupportedModel
        If there is no such model.
    """
    source = resolve_model(model)
    folder = Path(source.location) if source.is_local else hub.stored_model(source.location)
    shapes: dict[int, int] = {}
    for path in sorted(folder.glob("*.safetensors")) if folder is not None else []:
        for name, shape in _shapes(path):
            found = _LAYER.search(name)
            if found and len(shape) == 2 and not _ELSEWHERE.search(name):
                layer = int(found[1])
                shapes[layer] = shapes.get(layer, 0) + rank * sum(shape)
    if not shapes:
        return None
    layers = max(shapes) + 1
    return sum(size for layer, size in shapes.items() if layer >= layers - ceil(SHARE * layers))


def _shapes(path: Path) -> list[tuple[str, list[int]]]:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header: dict[str, Any] = json.loads(file.read(min(length, 100_000_000)))
    except (OSError, struct.error, ValueError):
        return []  # `known_weights` has said so already
    return [(name, one["shape"]) for name, one in header.items() if name != "__metadata__"]


def _memory(options: FinetuneOptions, device: str, before: JobRow | None) -> tuple[int | None, str]:
    if before is not None:
        same = all(
            before.request.get(name) == getattr(options, name)
            for name in ("dtype", "rank", "batch_size", "micro_batch")
        )
        peak = _speed_of(before).get("peak_memory_bytes")
        if same and peak:
            return peak, f"peak of job {before.job_key}"
    weights = known_weights(options.model)
    if weights is None:
        return None, "the weights are not on this machine and not in the table of models"
    dtype = "float32" if options.dtype == "auto" and device == "cpu" else options.dtype
    size = weights.parameters * BYTES[dtype] if dtype in BYTES else weights.stored_bytes
    added = lora_parameters(options.model, options.rank)
    total = round(size * (1 + MARGIN_SHARE)) + MARGIN_BYTES + TRAINING_BYTES * (added or 0)
    lora = "" if added is None else f", {added:,} trained parameters of {TRAINING_BYTES} bytes each"
    what = dtype if dtype in BYTES else "stored precision"
    return total, (
        f"weights in {what}{lora} and a margin of {MARGIN_SHARE:.0%} + 1 GiB, a rule of thumb"
    )


def _seconds(
    passes: int,
    trained: int,
    trainings: int,
    profiled: JobRow | None,
    before: JobRow | None,
) -> tuple[float | None, str]:
    speed: dict[str, Any] = profiled.result["speed"] if profiled is not None else {}
    own = _speed_of(before) if before is not None else {}
    trained_a_second = own.get("samples_per_second") or 0.0
    a_second = (
        speed.get("passes_per_second")
        or own.get("passes_per_second")
        or trained_a_second * PASSES_OF_A_STEP
    )
    if not a_second:
        return None, "no profile or training of this model here yet"
    setup = speed.get("setup_seconds", 0.0) * (1 + trainings)  # the adapted model is loaded anew
    if before is not None and trained_a_second:
        rate = trained_a_second
        basis = f"{rate:.0f} samples/s trained by job {before.job_key}"
    else:
        rate = a_second / PASSES_OF_A_STEP
        basis = f"a training pass taken as {PASSES_OF_A_STEP:g} profile passes"
    told = "" if profiled is None else f" measured by job {profiled.job_key}"
    return (
        setup + passes / a_second + trained / rate,
        f"{a_second:.0f} profile passes/s{told}, {basis}",
    )
