"""Where the noise statistics of a run come from: one pass over train-split samples, stored once."""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from data_cache.errors import BenchmarkError
from data_cache.location import statistics_directory
from data_cache.samples import Benchmark, Sample
from model_runners.asking import USUAL, Asking
from model_runners.bad_samples import BadSamples
from model_runners.encoding import EncodedBatch, encode
from model_runners.image_size import image_size
from model_runners.loading import LoadedModel
from model_runners.masking import NoiseStatistics, RunningMoments
from model_runners.prompt import MaskScope, template_fingerprint
from model_runners.room import Room
from model_runners.stack import content
from model_runners.vision import VisionCache, merge

STATISTICS_SAMPLES = 1024
"""The first so many train-split samples of the fixed order, whatever is asked of the run itself."""
RECIPE_VERSION = 1
"""Raise it when the way the statistics are computed changes."""

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with samples done and samples in all."""


def statistics_samples(benchmark: Benchmark) -> tuple[Sample, ...]:
    """Return the samples that statistics are taken over: train split, or all if there is none."""
    try:
        return benchmark.select(split="train", limit=STATISTICS_SAMPLES)
    except BenchmarkError:
        return benchmark.select(limit=STATISTICS_SAMPLES)


def recipe(
    loaded: LoadedModel,
    benchmark: Benchmark,
    scope: MaskScope,
    asking: Asking = USUAL,
) -> str:
    """Return 16 hexadecimal digits that name the statistics by everything they are made of.

    The recipe and not the values goes into the run key: the values are floating-point sums whose
    last digits depend on the number of threads, and the same recipe must find the same run.
    """
    content: dict[str, Any] = {
        "version": RECIPE_VERSION,
        "weights": loaded.weights,
        "dtype": loaded.dtype,
        "benchmark": benchmark.key,
        "template": template_fingerprint(loaded.processor, asking),
        "scope": scope,
        "samples": STATISTICS_SAMPLES,
    }
    if (side := image_size(loaded)) is not None:
        content["image_size"] = side
    if loaded.quantisation is not None:
        content["quantisation"] = loaded.quantisation
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def observe(
    loaded: LoadedModel,
    samples: Sequence[Sample],
    *,
    scope: MaskScope,
    images: VisionCache,
    batch_size: int,
    asking: Asking = USUAL,
    progress: Progress | None = None,
    bad: BadSamples | None = None,
) -> NoiseStatistics:
    """Compute mean and variance per dimension of every stream: what a mask would replace.

    Samples that cannot be read are left out and added to `bad`.
    """
    import torch

    def encoded(part: list[Sample]) -> tuple[list[Sample], EncodedBatch]:
        batch = encode(
            loaded.processor,
            part,
            image_token_id=loaded.image_token_id,
            scope=scope,
            asking=asking,
        )
        return part, batch

    bad = BadSamples() if bad is None else bad
    running: dict[str, RunningMoments] = {}

    def merged(part: Sequence[Sample], _: int) -> int:
        read = bad.spare(part, encoded)
        if read is not None:
            good, batch = read
            captured = merge(loaded, batch, good, images=images)
            found = {name: torch.cat(rows) for name, rows in content(captured, batch).items()}
            for name, vectors in found.items():
                running.setdefault(name, RunningMoments()).update(vectors)
        return len(part)

    done = 0
    for count in Room(batch_size).parts(samples, merged):
        done += count
        if progress is not None:
            progress(done, len(samples))
    bad.require_one_good(samples)
    found = {name: moments.finish() for name, moments in running.items()}
    return NoiseStatistics(vision=found.pop("vision"), text=found.pop("text"), side=found)


def noise_statistics(
    loaded: LoadedModel,
    benchmark: Benchmark,
    *,
    scope: MaskScope,
    cache: Path,
    images: VisionCache,
    batch_size: int,
    asking: Asking = USUAL,
    progress: Progress | None = None,
    bad: BadSamples | None = None,
) -> NoiseStatistics:
    """Read the statistics from the cache folder, or compute and store them."""
    path = statistics_directory(cache) / f"{recipe(loaded, benchmark, scope, asking)}.safetensors"
    stored = stored_statistics(path)
    if stored is not None:
        return stored
    found = observe(
        loaded,
        statistics_samples(benchmark),
        scope=scope,
        images=images,
        batch_size=batch_size,
        asking=asking,
        progress=progress,
        bad=bad,
    )
    found.save(path)
    return found


def stored_statistics(path: Path) -> NoiseStatistics | None:
    """Read statistics that an earlier run took; None where there are none that are whole."""
    if not path.is_file():
        return None
    try:
        return NoiseStatistics.load(path)
    except ValueError as error:
        log.warning("noise statistics are taken again: %s", error)
        return None
