"""A run: all conditions of a benchmark's samples through one model, chunk by chunk, resumable.

A chunk is the unit of work and of loss. It exists completely or not at all, so a run that was
killed goes on where the last finished chunk ends, and a longer run only adds to a shorter one.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from data_cache.benchmarks.source import Circular
from data_cache.benchmarks.splits import SplitPolicy
from data_cache.checkpoints import Checkpoint, checkpoint_from
from data_cache.errors import CacheBusy, CacheError
from data_cache.location import run_directory
from data_cache.plan import BLOCK_SIZE, OUTPUT_LAYER
from data_cache.runs import run_key, write_sidecar
from data_cache.samples import Benchmark, Sample
from model_runners import bad_samples, hub
from model_runners.answer_test import with_answers_tested
from model_runners.asking import Asking, user_text
from model_runners.bad_samples import BadSamples
from model_runners.benchmark_choice import (
    FRAMES,
    MAX_BAD_SHARE,
    check_choice,
    load_asked,
)
from model_runners.blocks import blocks, missing, prediction_table
from model_runners.candidates import Candidates
from model_runners.errors import BadOption, Cancelled, UnsupportedModel
from model_runners.external.spec import spec_of
from model_runners.image_size import LARGEST, SMALLEST, with_image_size
from model_runners.inference import POOLINGS, BatchResult, BatchRunner, Pooling
from model_runners.lens_options import LOGIT, check_lens, choose_lens
from model_runners.loading import DType, LoadedModel, load
from model_runners.masking import Masker
from model_runners.placement import check_device_map
from model_runners.prompt import MASK_SCOPES, MaskScope
from model_runners.prompt_templates import AnswerStyle
from model_runners.quantisation import check_quantisation
from model_runners.room import Room
from model_runners.run_record import configuration, environment
from model_runners.selftest import SelfTestReport, self_test
from model_runners.shards import Shard
from model_runners.statistics import noise_statistics
from model_runners.tuned_lens import with_lens
from model_runners.unwatched import ignore, never
from model_runners.vision import VisionCache

INGEST_SECONDS = 5.0
"""How often finished chunks are ingested while a run goes on."""
DEFAULT_ROWS = {"cpu": 64, "cuda": 32}
"""Sequences in one call of the text stack, where --batch-size does not say."""


@dataclass(frozen=True, kw_only=True)
class ProfileOptions:
    """What a person can choose about a run."""

    kind: ClassVar[str] = "profile"
    """The kind of job that does it."""

    model: str
    benchmark: str
    """A name of the table, with a variant behind a colon, or the path of a file."""
    data: str | None = None
    """The file or folder that holds the benchmark; None looks in $LMUData and the hub's cache."""
    split_policy: SplitPolicy = "group"
    circular: Circular = "all"
    """Of questions that come with their options in several orders: which of them are asked."""
    frames: int = FRAMES
    """Pictures that are taken of a video, 1 to 64."""
    max_bad_rows: float = MAX_BAD_SHARE
    """Share of the benchmark's rows that may be bad, 0 to 1."""
    limit: int | None = None
    subset: str | None = None
    split: str = "all"
    """`train`, `test` or `all`."""
    draws: int = 4
    """Draws of noise per masked condition, 1 or more; 3 or more allow the jackknife."""
    seed: int = 0
    device: str = "auto"
    dtype: DType = "auto"
    device_map: str | None = None
    """Spread the model over all devices, one of `placement.DEVICE_MAPS`; None puts it on one."""
    quantise: str | None = None
    """Weights in `8bit` or `4bit`; None leaves them as the checkpoint has them."""
    batch_size: int | None = None
    layers: bool = False
    """Also read every layer through the lens."""
    lens: str = LOGIT
    """How layers are read: `logit`, `tuned` (the newest tuned lens that fits), or the beginning of
    a lens' key; other than `logit` implies `layers`."""
    layer_features: bool = False
    """Also keep what the positions of each modality hold after every layer; implies `layers`."""
    mask_scope: MaskScope = "all"
    answers: AnswerStyle = "letters"
    """How a question is put and what counts as its answers."""
    pooling: Pooling = "mean"
    """How X1 and X2 are made of the vectors of their modality."""
    image_size: int | None = None
    """Side in pixels of the square that every image is made first; None leaves images alone."""
    template: str | None = None
    """Text of the prompt's template, as `prompt_templates` describes it; None is the standard one
    of the answers."""
    trust_remote_code: bool = False
    """Whether code that comes with this model may be run."""
    checkpoint: Checkpoint | None = None
    """Which point of a training the model is; its results are stored under that name."""
    worker: str | None = None
    """Python of the environment that runs the model, where that is another one; None takes that of
    the model's entry, where it has one."""
    worker_adapter: str | None = None
    """How the model takes its inputs there: `cambrian`, `vita`, `llava` or a file; behind a colon
    the conversation template."""
    worker_code: str | None = None
    """The folder of the repository with the model's code."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense before a model is loaded."""
        if self.layer_features or self.lens != LOGIT:
            object.__setattr__(self, "layers", True)
        check_lens(self.lens)
        if isinstance(self.checkpoint, Mapping):  # as the request of a job has it
            try:
                object.__setattr__(self, "checkpoint", checkpoint_from(self.checkpoint))
            except CacheError as error:
                raise BadOption(str(error)) from error
        check_choice(self)
        for name, value in (
            ("draws", self.draws),
            ("batch size", self.batch_size),
            ("limit", self.limit),
        ):
            if value is not None and value < 1:
                raise BadOption(f"{name} must be 1 or more, not {value}")
        if self.image_size is not None and not SMALLEST <= self.image_size <= LARGEST:
            raise BadOption(
                f"image size must be {SMALLEST} to {LARGEST} pixels, not {self.image_size}"
            )
        check_device_map(self.device_map, device=self.device)
        check_quantisation(self.quantise)
        if self.split not in {"train", "test", "all"}:
            raise BadOption(f"split must be train, test or all, not {self.split!r}")
        for name, value, known in (
            ("mask scope", self.mask_scope, MASK_SCOPES),
            ("pooling", self.pooling, POOLINGS),
        ):
            if value not in known:
                raise BadOption(f"{name} must be one of {', '.join(known)}, not {value!r}")
        object.__setattr__(self, "template", self.asking.template)

    @property
    def asking(self) -> Asking:
        """How the questions are put.

        Raises
        ------
        BadOption
            If there are no such answers, or the template is none.
        """
        return Asking(answers=self.answers, template=self.template)


@dataclass(frozen=True, kw_only=True)
class ProfileReport:
    """What a run did."""

    run_key: str
    model: str
    benchmark: str
    samples: int
    """Samples asked for."""
    computed: int
    """Samples computed now; the others were there already."""
    passes: int
    """Sequences through the text stack."""
    inference_seconds: float
    """Without loading, self-test, statistics and ingest."""
    setup_seconds: float
    """Loading, self-test and statistics."""
    device: str
    """For example `cpu` or `cuda:0`."""
    dtype: str
    batch_size: int
    """Sequences in one pass of the text stack."""
    self_test: SelfTestReport
    bad_samples: tuple[dict[str, str], ...] = ()
    """Id and reason of each sample asked for that could not be run; the next run tries it again."""

    @property
    def samples_per_second(self) -> float | None:
        """Rate of what was computed now; None where nothing was."""
        return self.computed / self.inference_seconds if self.computed else None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where progress goes."""

    statistics: Callable[[int, int], None] = ignore
    """Samples of the noise statistics: done, total."""
    samples: Callable[[int, int], None] = ignore
    """Samples of the run that have their predictions: done, total."""
    computed: Callable[[int, float], None] = ignore
    """Samples computed now, and the seconds since the first of them was begun."""
    stage: Callable[[str], None] = ignore
    """What begins, a few words."""
    tell: Callable[[str], None] = ignore
    """A sentence that is worth keeping."""
    note: Callable[[str], None] = ignore
    """A few words beside the position, for example the loss."""


SILENT = Progress()


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

    watch = hub.Watch(tell=downloading, at=downloaded, stop=stop)
    bad = BadSamples()
    if benchmark is None:
        begin("reading the benchmark")
        benchmark = load_asked(options, cache)
    asked = benchmark.select(subset=options.subset, split=options.split, limit=options.limit)
    wanted = asked if shard is None else shard.part(benchmark, asked)
    progress.samples(0, len(wanted))
    if loaded is None:
        begin("loading the model")
        loaded = load(
            options.model,
            device=options.device,
            dtype=options.dtype,
            device_map=options.device_map,
            quantise=options.quantise,
            trust_remote_code=options.trust_remote_code,
            watch=watch,
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
    tested = masking_tested(loaded, benchmark, options, bad)
    candidates = Candidates.of_model(loaded, options.asking)
    tested = _answers_tested(tested, loaded, asked, candidates, bad)
    rows = options.batch_size or DEFAULT_ROWS[loaded.device.type]
    room = Room(rows, tell=progress.tell)
    images = VisionCache()
    begin("noise statistics")
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
    write_sidecar(
        cache,
        key,
        config,
        self_test=tested.to_dict(),
        environment=environment(options, loaded, statistics, rows, benchmark),
    )
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
    )
    layers = (OUTPUT_LAYER, *(range(len(loaded.stack.layers)) if options.layers else ()))
    folder = run_directory(cache, key)
    done = computed = passes = 0
    seconds = 0.0
    ingested_at = time.monotonic()
    setup = ingested_at - began
    first: float | None = None
    stopped = False
    begin("predictions")
    for block in blocks(benchmark, wanted):
        stopped = stop()
        if stopped:
            break
        lacking = missing(
            folder,
            key,
            block,
            draws=options.draws,
            layers=layers,
            layer_features=options.layer_features,
            single_token=candidates.single_token(block.wanted),
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
            results = list(run_batches(wider, samples, room, bad))
            seconds += time.monotonic() - started
            new = lacking.without(bad.reasons)
            if new is not None:
                write_samples(cache, benchmark, [block.index * BLOCK_SIZE])
                write_chunk(folder, new.plan, prediction_table(results, new.kept))
                computed += len(new.compute)
            progress.computed(computed, time.monotonic() - first)
            passes += sum(result.passes for result in results)
            if shard is None and time.monotonic() - ingested_at > INGEST_SECONDS:
                with suppress(CacheBusy):  # the chunk is safe in the spool; a later ingest takes it
                    ingest(cache, run_keys=[key])
                ingested_at = time.monotonic()
        done += len(block.wanted)
        progress.samples(done, len(wanted))
    bad_samples.note(folder, wanted[:done], bad)
    if shard is None:
        ingest(cache, run_keys=[key])
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


def masking_tested(
    loaded: LoadedModel, benchmark: Benchmark, options: ProfileOptions, bad: BadSamples
) -> SelfTestReport:
    """Run the self-test on the first samples that can be read.

    Raises
    ------
    SelfTestFailed
        If masking leaks or the replay is not the plain forward pass.
    UnsupportedModel
        If fewer than two of a block's samples can be run.
    """
    samples = benchmark.samples[:BLOCK_SIZE]

    def test(readable: list[Sample]) -> SelfTestReport:
        if bad.reasons and len(readable) < 2:
            sample, reason = next(iter(bad.reasons.items()))
            raise UnsupportedModel(
                f"the self-test needs two samples, and {len(bad.reasons)} of the first "
                f"{len(samples)} cannot be run; the first, {sample!r}: {reason}"
            )
        return self_test(loaded, readable, scope=options.mask_scope, asking=options.asking)

    tested = bad.spare(samples, test)
    bad.require_one_good(samples)
    assert tested is not None
    return tested


def _answers_tested(
    tested: SelfTestReport,
    loaded: LoadedModel,
    wanted: Sequence[Sample],
    candidates: Candidates,
    bad: BadSamples,
) -> SelfTestReport:
    """Add a check of the first sample whose answers need one, where there is such a sample."""

    def test(one: list[Sample]) -> SelfTestReport:
        return with_answers_tested(tested, loaded, one[0], candidates)

    for sample in wanted:
        if candidates.several_tokens(sample):
            report = bad.spare([sample], test)
            if report is not None:
                return report
    return tested


def run_batches(
    runner: BatchRunner, samples: Sequence[Sample], room: Room | int, bad: BadSamples
) -> Iterator[BatchResult]:
    """Run a block in batches of similar prompt length, so that little is spent on padding.

    Parameters
    ----------
    runner
        Its `rows_per_pass` gives way to the room.
    samples
        Of one block.
    room
        How many sequences at once; a number is where a room of its own begins.
    bad
        Where samples that cannot be run are noted.

    Raises
    ------
    OutOfRoom
        If memory runs out with one sequence at a time.
    """
    asking = runner.candidates.asking
    lengths = {
        sample.id: bad.spare([sample], lambda one: len(user_text(one[0], asking)))
        for sample in samples
    }
    by_length = sorted(
        (sample for sample in samples if sample not in bad),
        key=lambda sample: (lengths[sample.id], sample.id),
    )

    def run(part: Sequence[Sample], rows: int) -> BatchResult | None:
        return bad.spare(part, replace(runner, rows_per_pass=rows).run)

    for result in (room if isinstance(room, Room) else Room(room)).parts(by_length, run):
        if result is not None:
            yield result
