"""A run: all conditions of a benchmark's samples through one model, chunk by chunk, resumable.

A chunk is the unit of work and of loss. It exists completely or not at all, so a run that was
killed goes on where the last finished chunk ends, and a longer run only adds to a shorter one.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from data_cache.errors import CacheBusy, CacheError
from data_cache.location import run_directory
from data_cache.plan import BLOCK_SIZE, OUTPUT_LAYER
from data_cache.run_times import note_time
from data_cache.runs import run_key, write_sidecar
from data_cache.samples import Benchmark
from model_runners import bad_samples, hub
from model_runners.ahead import ahead_of
from model_runners.bad_samples import BadSamples
from model_runners.batch_size import room_for
from model_runners.batches import run_batches
from model_runners.benchmark_choice import load_asked
from model_runners.blocks import blocks, missing, prediction_table, untouched
from model_runners.candidates import Candidates
from model_runners.errors import BadOption, Cancelled, UnsupportedModel
from model_runners.external.spec import spec_of
from model_runners.image_size import with_image_size
from model_runners.inference import BatchRunner
from model_runners.kept_images import kept_images
from model_runners.lens_options import LOGIT, choose_lens
from model_runners.loading import LoadedModel, load
from model_runners.masking import Masker, NoiseStatistics
from model_runners.prefix_test import TRIED, can_share
from model_runners.profile_options import ProfileOptions
from model_runners.profile_report import SILENT, ProfileReport, Progress
from model_runners.run_record import configuration, environment, run_time
from model_runners.shards import Shard
from model_runners.statistics import noise_statistics
from model_runners.stopwatch import Stopwatch
from model_runners.swap_runner import SharedPrefixes, SwapRunner, with_partners
from model_runners.swapping import Swaps, swaps_of
from model_runners.tested import answers_tested, masking_tested
from model_runners.tuned_lens import with_lens
from model_runners.unwatched import never
from model_runners.vision import VisionCache

__all__ = [
    "INGEST_SECONDS",
    "SILENT",
    "ProfileOptions",
    "ProfileReport",
    "Progress",
    "masking_tested",
    "profile",
    "run_batches",
]

INGEST_SECONDS = 5.0
"""How often finished chunks are ingested while a run goes on."""


def profile(
    options: ProfileOptions,
    cache: Path,
    *,
    progress: Progress = SILENT,
    stop: Callable[[], bool] = never,
    benchmark: Benchmark | None = None,
    loaded: LoadedModel | None = None,
    shard: Shard | None = None,
) -> ProfileReport:
    """Run a benchmark through a model, write chunks to the spool and ingest them.

    A sample that cannot be run is left out, listed beside the chunks, and tried again by the next
    run.

    Parameters
    ----------
    options
        What to run.
    cache
        The cache folder.
    progress
        Where progress goes.
    stop
        Asked before each piece of work; once it says so, the run ends after the chunk in hand.
    benchmark
        The benchmark of the options, where the caller has loaded it already.
    loaded
        The model of the options, where the caller has loaded it already.
    shard
        Only this part of the blocks, and no ingest: other machines write to the same spool.

    Raises
    ------
    Cancelled
        If `stop` said so; the finished chunks are ingested.
    RunnerError
        If the model cannot be loaded or fails its self-test, or no sample can be run.
    DataError
        If the benchmark or the cache cannot be used.
    """
    from data_cache.chunks import write_chunk
    from data_cache.ingest import ingest
    from data_cache.sample_chunks import write_samples

    outside = None if loaded is not None else spec_of(options)
    if outside is not None and shard is not None:
        raise BadOption("a model in a worker of its own cannot be run in shards; leave out --shard")
    if outside is not None:
        from model_runners.external.run import profile_external

        return profile_external(
            options, outside, cache, progress=progress, stop=stop, benchmark=benchmark
        )
    began = time.monotonic()
    watch = Stopwatch()

    def begin(stage: str) -> None:
        if stop():
            raise Cancelled(f"stopped before {stage}")
        progress.stage(stage)

    def observed(done: int, total: int) -> None:
        progress.statistics(done, total)
        if stop():
            raise Cancelled(f"stopped after {done} of {total} samples of the noise statistics")

    def downloading(sentence: str) -> None:
        progress.tell(sentence)
        progress.stage("downloading the model")

    def downloaded(done: int, total: int) -> None:
        free = hub.written_bytes(hub.free_bytes(hub.cache_folder()))
        progress.note(f"{hub.written_bytes(done)} of {hub.written_bytes(total)}, {free} free")
        if done == total:
            progress.note("")
            progress.stage("loading the model")

    download = hub.Watch(tell=downloading, at=downloaded, stop=stop)
    bad = BadSamples()
    if benchmark is None:
        begin("reading the benchmark")
        with watch.part("loading"):
            benchmark = load_asked(options, cache)
    asked = benchmark.select(subset=options.subset, split=options.split, limit=options.limit)
    wanted = asked if shard is None else shard.part(benchmark, asked)
    swaps: Swaps | None = None
    if options.probe == "swap":
        swaps = swaps_of(
            asked,
            partners=options.partners,
            within=options.partners_within,
            seed=options.swap_seed,
        )
        wanted = with_partners(swaps, wanted)
        if swaps.alone:
            progress.tell(f"{len(swaps.alone)} samples have too few partners and are left out")
    progress.samples(0, len(wanted))
    if loaded is None:
        begin("loading the model")
        with watch.part("loading"):
            loaded = load(
                options.model,
                device=options.device,
                dtype=options.dtype,
                device_map=options.device_map,
                quantise=options.quantise,
                trust_remote_code=options.trust_remote_code,
                watch=download,
            )
    if options.checkpoint is not None:
        loaded = replace(loaded, source=replace(loaded.source, name=options.checkpoint.model))
    loaded = with_image_size(loaded, options.image_size)
    if options.layer_features and loaded.stack.decoder is not None:
        raise UnsupportedModel(
            f"{loaded.name} reads image and text in its encoder, so the layers that answer have no "
            "positions of either to take features from; run it with the layers alone (--layers)"
        )
    if options.lens != LOGIT:
        fitting = choose_lens(
            cache, options.lens, options, configuration(options, loaded, benchmark)
        )
        progress.tell(f"layers are read through the tuned lens {fitting.key}")
        loaded = with_lens(loaded, cache, fitting.key)
    begin("testing the masking")
    candidates = Candidates.of_model(loaded, options.asking)
    with watch.part("testing"):
        tested = masking_tested(loaded, benchmark, options, bad)
        tested = answers_tested(tested, loaded, asked, candidates, bad)
    room = room_for(options, loaded, wanted, tell=progress.tell)
    rows = room.rows
    images = VisionCache(kept=kept_images(loaded, cache))
    statistics: NoiseStatistics | None = None
    if swaps is None:
        begin("noise statistics")
        with watch.part("statistics", loaded.device):
            statistics = noise_statistics(
                loaded,
                benchmark,
                scope=options.mask_scope,
                cache=cache,
                images=images,
                batch_size=rows,
                asking=options.asking,
                progress=observed,
                bad=bad,
            )
    if bad.reasons:
        progress.tell(f"{len(bad.reasons)} samples cannot be read, here or for the noise")
    config = configuration(options, loaded, benchmark)
    key = run_key(config)

    def note() -> None:
        about = environment(options, loaded, statistics, room.rows, benchmark)
        write_sidecar(cache, key, config, self_test=tested.to_dict(), environment=about)

    note()
    runner: BatchRunner | SwapRunner
    if swaps is not None:
        runner = SwapRunner(
            loaded=loaded,
            candidates=candidates,
            images=images,
            swaps=swaps,
            draws=options.partners,
            prefixes=SharedPrefixes(tell=progress.tell),
            rows_per_pass=rows,
            watch=watch,
        )
    else:
        assert statistics is not None
        runner = BatchRunner(
            loaded=loaded,
            masker=Masker(statistics=statistics, seed=options.seed),
            candidates=candidates,
            images=images,
            scope=options.mask_scope,
            pooling=options.pooling,
            draws=options.draws,
            with_layers=options.layers,
            with_layer_features=options.layer_features,
            rows_per_pass=rows,
            watch=watch,
        )
        with watch.part("testing"):
            trial = bad.spare(wanted[:TRIED], partial(can_share, runner))
        runner = replace(runner, shares=bool(trial))
        runner = replace(runner, ahead=ahead_of(runner))
    layers = (OUTPUT_LAYER, *(range(len(loaded.stack.layers)) if options.layers else ()))
    folder = run_directory(cache, key)
    done = computed = passes = 0
    seconds = 0.0
    ingested_at = time.monotonic()
    setup = ingested_at - began
    first: float | None = None
    stopped = False
    begin("predictions")
    asked_for = list(blocks(benchmark, wanted))
    for number, block in enumerate(asked_for):
        stopped = stop()
        if stopped:
            break
        lacking = missing(
            folder,
            key,
            block,
            draws=options.repeats,
            layers=layers,
            layer_features=options.layer_features,
            single_token=candidates.single_token(block.wanted if swaps is None else asked),
            conditions=options.conditions,
        )
        if lacking is not None:
            plan = lacking.plan
            samples = block.named(lacking.compute)
            started = time.monotonic()
            first = first or started
            wider = runner.widened(
                plan.draws,
                with_layers=len(plan.layers) > 1,
                with_layer_features=plan.layer_features,
            )
            following = untouched(folder, asked_for[number + 1 : number + 2])
            results = list(run_batches(wider, samples, room, bad, following=following))
            seconds += time.monotonic() - started
            new = lacking.without(bad.reasons)
            if new is not None:
                with watch.part("writing"):
                    write_samples(cache, benchmark, [block.index * BLOCK_SIZE])
                    write_chunk(folder, new.plan, prediction_table(results, new.kept))
                computed += len(new.compute)
            progress.computed(computed, time.monotonic() - first)
            passes += sum(result.passes for result in results)
            if shard is None and time.monotonic() - ingested_at > INGEST_SECONDS:
                with watch.part("ingest"), suppress(CacheBusy):  # the chunk is safe in the spool
                    ingest(cache, run_keys=[key])
                ingested_at = time.monotonic()
        done += len(block.wanted)
        progress.samples(done, len(wanted))
    if isinstance(runner, BatchRunner) and runner.ahead is not None:
        runner.ahead.close()
    bad_samples.note(folder, wanted[:done], bad)
    note()  # with the batch size that was found
    if shard is None:
        with watch.part("ingest"):
            ingest(cache, run_keys=[key])
    watch.count("images_encoded", images.encoded)
    watch.count("images_read", images.read)
    if computed:
        entry = run_time(watch, loaded, computed, passes, room.rows, options.repeats)
        with suppress(CacheError):  # a note for people, which no full disk turns into a failure
            note_time(cache, key, entry)
    bad.require_one_good(wanted)
    if stopped:
        raise Cancelled(f"stopped after {done} of {len(wanted)} samples")
    return ProfileReport(
        run_key=key,
        model=loaded.name,
        benchmark=benchmark.name,
        samples=len(wanted),
        computed=computed,
        passes=passes,
        inference_seconds=seconds,
        setup_seconds=setup,
        device=str(loaded.device),
        dtype=loaded.dtype,
        batch_size=room.rows,
        self_test=tested,
        bad_samples=tuple(bad.among(wanted)),
    )
