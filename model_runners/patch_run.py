"""The causal check of a stored run: its model again, its samples, and a patch at each late layer.

What is asked is read from the run's own record, and nothing is computed unless it makes the same
run: other weights or another prompt would patch a model that was never measured. A block is the
unit of work and of loss, as in a run.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from data_cache.chunks import read_plan
from data_cache.errors import ChunkInvalid, SchemaTooNew
from data_cache.location import run_directory
from data_cache.patch_effects import missing_patches, patch_plan, write_patches
from data_cache.samples import Benchmark, Sample
from model_runners.asking import user_text
from model_runners.bad_samples import BadSamples
from model_runners.batch_size import room_for
from model_runners.benchmark_choice import load_asked
from model_runners.blocks import blocks
from model_runners.candidates import Candidates
from model_runners.errors import BadOption, Cancelled, ModelNotFound, UnsupportedModel
from model_runners.estimation import choose_run
from model_runners.image_size import with_image_size
from model_runners.kept_images import kept_images
from model_runners.loading import LoadedModel
from model_runners.loading_options import Where
from model_runners.loading_options import load_asked as load_model
from model_runners.masking import Masker
from model_runners.models import resolve_model
from model_runners.patching import SHARE, PatchRow, PatchRunner, last_layers
from model_runners.placement import check_device_map
from model_runners.profile import SILENT, ProfileOptions, Progress
from model_runners.quantisation import check_quantisation
from model_runners.room import Room
from model_runners.run_again import options_again
from model_runners.run_record import configuration
from model_runners.statistics import noise_statistics
from model_runners.unwatched import never
from model_runners.vision import VisionCache

if TYPE_CHECKING:
    from data_cache.queries import RunRow

CHECKED = 8
"""Samples whose states are put back where they came from, before anything else."""


@dataclass(frozen=True, kw_only=True)
class PatchOptions:
    """What a person can choose; everything else is as of the run."""

    kind: ClassVar[str] = "patch"
    """The kind of job that does it."""

    model: str
    """The name under which the run is stored, or what `profile` was given."""
    benchmark: str
    run_key: str | None = None
    """Which run, where there are several; None takes the newest."""
    weights: str | None = None
    """The folder of the model, where its stored name does not say; None takes the name."""
    split: str = "test"
    """`train`, `test` or `all`."""
    subset: str | None = None
    limit: int | None = None
    draws: int | None = None
    """Draws of noise; None takes as many as the run has."""
    share: float = SHARE
    """Of the decoder layers, the last ones, above 0 and up to 1."""
    device: str = "auto"
    device_map: str | None = None
    """Spread the model over all devices, one of `placement.DEVICE_MAPS`; None puts it on one."""
    quantise: str | None = None
    """As the run's weights are held; None takes that from the run."""
    trust_remote_code: bool = False
    """Whether code that comes with this model may be run."""
    batch_size: int | None = None
    """Sequences in one pass of the text stack; None finds it."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense before anything is read."""
        for name, value in (
            ("limit", self.limit),
            ("draws", self.draws),
            ("batch size", self.batch_size),
        ):
            if value is not None and value < 1:
                raise BadOption(f"{name} must be 1 or more, not {value}")
        check_device_map(self.device_map, device=self.device)
        check_quantisation(self.quantise)
        last_layers(1, self.share)


@dataclass(frozen=True, kw_only=True)
class PatchReport:
    """What a causal check did."""

    run_key: str
    model: str
    benchmark: str
    samples: int
    """Samples asked for that the run has."""
    computed: int
    """Samples patched now; the others were there already."""
    layers: tuple[int, ...]
    depth: int
    """Decoder layers of the model."""
    draws: int
    seconds: float
    """Of patching, without loading and statistics."""
    bad_samples: tuple[dict[str, str], ...] = ()


def chosen_run(cache: Path, options: PatchOptions) -> "RunRow":
    """Return the run that is to be checked.

    Raises
    ------
    BadOption
        If there is none, or it was imported and has no model to patch.
    """
    try:
        run = choose_run(
            cache, model=options.model, benchmark=options.benchmark, run_key=options.run_key
        )
    except BadOption:
        try:
            stored = resolve_model(options.model).name
        except (ModelNotFound, UnsupportedModel):
            stored = options.model
        if stored == options.model:
            raise
        run = choose_run(cache, model=stored, benchmark=options.benchmark, run_key=options.run_key)
    if "imported" in run.config:
        raise BadOption(
            f"the run {run.run_key} of {run.model!r} was imported, so there is no model here whose "
            "layers could be patched; profile the model itself"
        )
    return run


def options_of_run(run: "RunRow", options: PatchOptions) -> ProfileOptions:
    """Return what `profile` would be asked for the same run.

    Raises
    ------
    BadOption
        If a newer PIDscope wrote the run.
    """
    return options_again(
        run,
        model=options.weights or options.model,
        draws=options.draws,
        where=Where.of(options),
        batch_size=options.batch_size,
    )


def patch(
    options: PatchOptions,
    cache: Path,
    *,
    progress: Progress = SILENT,
    stop: Callable[[], bool] = never,
    loaded: LoadedModel | None = None,
) -> PatchReport:
    """Patch the samples of a run at its last layers, and keep what their answers become.

    Parameters
    ----------
    options
        What to check.
    cache
        The cache folder.
    progress
        Where progress goes.
    stop
        Asked before each stage and each block.
    loaded
        The model of the run, where the caller has loaded it already.

    Raises
    ------
    Cancelled
        If `stop` said so; finished blocks are kept.
    RunnerError
        If there is no such run, the model is no longer the one that was measured, or a patch does
        not do what it must.
    DataError
        If the benchmark or the cache cannot be used.
    """
    import torch
    import transformers

    run = chosen_run(cache, options)
    asked = options_of_run(run, options)

    def begin(stage: str) -> None:
        if stop():
            raise Cancelled(f"stopped before {stage}")
        progress.stage(stage)

    begin("reading the benchmark")
    benchmark = load_asked(asked, cache)
    wanted = _stored(cache, run, benchmark, options)
    if loaded is None:
        begin("loading the model")
        loaded = load_model(asked)
    loaded = with_image_size(loaded, asked.image_size)
    _require_same(run, asked, loaded, benchmark)
    room = room_for(asked, loaded, wanted, tell=progress.tell)
    images = VisionCache(kept=kept_images(loaded, cache))
    bad = BadSamples()
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
    layers = last_layers(len(loaded.stack.layers), options.share)
    runner = PatchRunner(
        loaded=loaded,
        masker=Masker(statistics=statistics, seed=asked.seed),
        candidates=Candidates.of_model(loaded, asked.asking),
        images=images,
        layers=layers,
        scope=asked.mask_scope,
        draws=asked.draws,
        rows_per_pass=room.rows,
    )
    about = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "device": str(loaded.device),
        "dtype": loaded.dtype,
        "depth": str(len(loaded.stack.layers)),
    }
    done = computed = 0
    seconds = 0.0
    tested = False
    begin("patching")
    progress.samples(0, len(wanted))
    for block in blocks(benchmark, wanted):
        if stop():
            raise Cancelled(f"stopped after {done} of {len(wanted)} samples")
        plan = patch_plan(
            run.run_key, block.index, (one.id for one in block.wanted), asked.draws, layers
        )
        lacking = missing_patches(cache, plan)
        if lacking is not None:
            started = time.monotonic()
            wider = replace(runner, layers=lacking.plan.layers, draws=lacking.plan.draws)
            samples = block.named(lacking.compute)
            if not tested:
                bad.spare(samples[:CHECKED], wider.check_itself)
                tested = True
            found = [row for part in _batches(wider, samples, room, bad) for row in part]
            seconds += time.monotonic() - started
            good = {row.sample.id for row in found}
            left = {*lacking.compute} - good
            if good:
                write_patches(
                    cache,
                    patch_plan(
                        run.run_key,
                        block.index,
                        {*lacking.plan.sample_ids} - left,
                        lacking.plan.draws,
                        lacking.plan.layers,
                    ),
                    (_values(row) for row in found),
                    *lacking.kept,
                    about=about,
                )
            computed += len(good)
        done += len(block.wanted)
        progress.samples(done, len(wanted))
    bad.require_one_good(wanted)
    return PatchReport(
        run_key=run.run_key,
        model=run.model,
        benchmark=run.benchmark,
        samples=len(wanted),
        computed=computed,
        layers=layers,
        depth=len(loaded.stack.layers),
        draws=asked.draws,
        seconds=seconds,
        bad_samples=tuple(bad.among(wanted)),
    )


def _stored(
    cache: Path, run: "RunRow", benchmark: Benchmark, options: PatchOptions
) -> tuple[Sample, ...]:
    """Return the samples asked for that the run has predictions of."""
    held: set[str] = set()
    for path in run_directory(cache, run.run_key).glob("*.parquet"):
        try:
            held |= set(read_plan(path).sample_ids)
        except (ChunkInvalid, SchemaTooNew):
            continue  # ingest names it
    wanted = benchmark.select(subset=options.subset, split=options.split)
    found = tuple(one for one in wanted if one.id in held)[: options.limit]
    if not found:
        raise BadOption(
            f"the run {run.run_key} of {run.model!r} has none of the {len(wanted)} samples that "
            "were asked for; choose another --split or --subset, or profile them first"
        )
    return found


def _require_same(
    run: "RunRow", asked: ProfileOptions, loaded: LoadedModel, benchmark: Benchmark
) -> None:
    """Refuse a model that is not the one that was measured."""
    now = configuration(asked, loaded, benchmark)
    # The name may be that of a folder or of a checkpoint; the weights say which model it is.
    other = sorted(
        name for name, value in now.items() if name != "model" and run.config.get(name) != value
    )
    if other:
        raise BadOption(
            f"the run {run.run_key} was made with another {' and '.join(other)}, so patching would "
            "check a model that was not measured; profile it again, then patch"
        )


def _batches(
    runner: PatchRunner, samples: list[Sample], room: Room, bad: BadSamples
) -> "list[list[PatchRow]]":
    """Run a block in batches of similar prompt length."""
    asking = runner.candidates.asking
    lengths = {
        one.id: bad.spare([one], lambda alone: len(user_text(alone[0], asking))) for one in samples
    }
    ordered = sorted(
        (one for one in samples if one not in bad), key=lambda one: (lengths[one.id], one.id)
    )

    def run(part: Sequence[Sample], rows: int) -> list[PatchRow] | None:
        return bad.spare(part, replace(runner, rows_per_pass=rows).run)

    return [rows for rows in room.parts(ordered, run) if rows is not None]


def _values(row: PatchRow) -> dict[str, Any]:
    return {
        "sample_id": row.sample.id,
        "condition": str(row.condition),
        "draw": row.draw,
        "layer": row.layer,
        "scores": row.scores.tolist(),
    }
