"""Tuned lenses as artefacts of a cache: what is there is taken, what is not is trained and kept."""

import platform
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from data_cache import lenses
from data_cache.errors import BenchmarkError
from data_cache.lenses import LensRecord, header_of, lens_key, write_lens
from data_cache.samples import Benchmark
from model_runners.bad_samples import BadSamples
from model_runners.batch_size import room_for
from model_runners.benchmark_choice import load_asked
from model_runners.candidates import Candidates
from model_runners.errors import BadOption, Cancelled
from model_runners.image_size import with_image_size
from model_runners.inference import BatchRunner
from model_runners.kept_images import kept_images
from model_runners.lens_options import LensOptions, recipe_of
from model_runners.lens_states import collect
from model_runners.lens_training import train_lens
from model_runners.loading import LoadedModel
from model_runners.loading_options import load_asked as load_model
from model_runners.masking import Masker
from model_runners.profile import SILENT, Progress, masking_tested
from model_runners.run_record import configuration
from model_runners.statistics import noise_statistics
from model_runners.unwatched import never
from model_runners.vision import VisionCache


def tune(
    options: LensOptions,
    cache: Path,
    *,
    progress: Progress = SILENT,
    stop: Callable[[], bool] = never,
    benchmark: Benchmark | None = None,
    loaded: LoadedModel | None = None,
) -> LensRecord:
    """Return the lens of a model on a benchmark; it is trained and stored where it is not there.

    Only samples of the train split are read. What was not finished is not kept: a lens of a small
    model takes seconds, and of a 7B model about as long as running as many samples.

    Parameters
    ----------
    options
        Of which run, on how many samples, how long.
    cache
        The cache folder.
    progress
        Where progress goes: `statistics` of the noise, then `samples` read, then a `note` a layer.
    stop
        Asked before each piece of work.
    benchmark, loaded
        The benchmark and the model of the options, where the caller has loaded them already.

    Raises
    ------
    BadOption
        If the benchmark has no train split, or its samples are all of one group.
    Cancelled
        If `stop` said so; nothing is stored.
    RunnerError, DataError
        As in `profile`.
    """
    import torch
    import transformers

    asked = options.asked

    def begin(stage: str) -> None:
        if stop():
            raise Cancelled(f"stopped before {stage}")
        progress.stage(stage)

    if benchmark is None:
        begin("reading the benchmark")
        benchmark = load_asked(asked, cache)
    try:
        samples = benchmark.select(split="train", limit=options.samples)
    except BenchmarkError as error:
        raise BadOption(
            f"a lens is trained on the train split, and {benchmark.name!r} has none ({error}); "
            "give it one with --split-policy"
        ) from error
    if loaded is None:
        begin("loading the model")
        loaded = load_model(asked)
    loaded = with_image_size(loaded, asked.image_size)
    loaded = replace(loaded, stack=replace(loaded.stack, lens=None))
    recipe = recipe_of(configuration(asked, loaded, benchmark))
    settings = options.settings()
    key = lens_key(recipe, settings)
    stored = lenses.lens(cache, key)
    if stored is not None:
        return stored
    started = time.monotonic()
    bad = BadSamples()
    begin("testing the masking")
    masking_tested(loaded, benchmark, asked, bad)
    room = room_for(asked, loaded, samples, tell=progress.tell)
    images = VisionCache(kept=kept_images(loaded, cache))
    begin("noise statistics")
    statistics = noise_statistics(
        loaded,
        benchmark,
        scope=asked.mask_scope,
        cache=cache,
        images=images,
        batch_size=room.rows,
        asking=asked.asking,
        progress=progress.statistics,
        bad=bad,
    )
    begin("reading states")
    runner = BatchRunner(
        loaded=loaded,
        masker=Masker(statistics=statistics, seed=asked.seed),
        candidates=Candidates.of_model(loaded, asked.asking),
        images=images,
        scope=asked.mask_scope,
        draws=1,
        rows_per_pass=room.rows,
    )
    states = collect(runner, samples, room=room, bad=bad, progress=progress.samples, stop=stop)
    begin("training the lens, layer by layer")
    trained = train_lens(
        loaded.stack,
        states,
        options.training,
        progress=lambda done, total: progress.note(f"{done} of {total} layers"),
        stop=stop,
    )
    record = LensRecord(
        key=key,
        model=loaded.name,
        benchmark=benchmark.name,
        recipe=recipe,
        settings=settings,
        fits=[fit.to_dict() for fit in trained.fits],
        learned=trained.learned,
        held_out=trained.held_out,
        environment={
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "device": str(loaded.device),
            "noise_statistics": statistics.digest,
            "seconds": round(time.monotonic() - started, 1),
            "bad_samples": len(bad.among(samples)),
        },
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    write_lens(cache, record, trained.lens.to_bytes(header_of(record)))
    return record
