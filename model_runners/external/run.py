"""A run whose model another process holds: the same blocks, the same chunks, the same resume."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from data_cache.errors import CacheBusy, ChunkInvalid
from data_cache.location import run_directory, statistics_directory
from data_cache.plan import BLOCK_SIZE, OUTPUT_LAYER
from data_cache.runs import run_key, write_sidecar
from data_cache.samples import Benchmark, Sample
from model_runners import bad_samples
from model_runners.bad_samples import BadSamples
from model_runners.benchmark_choice import FRAMES, asked_again, load_asked
from model_runners.blocks import Missing, blocks, missing
from model_runners.errors import BadOption, Cancelled, SelfTestFailed
from model_runners.external.side.pidscope_worker import exchange
from model_runners.external.spec import WorkerSpec
from model_runners.external.supervisor import Answer, Limits, Worker
from model_runners.external.tasks import (
    checks_of,
    described,
    moments_table,
    note_bad,
    refuse_samples,
    require_passed,
    statistics_of,
)
from model_runners.lens_options import LOGIT
from model_runners.loading import choose_device, weights_fingerprint
from model_runners.masking import NoiseStatistics
from model_runners.profile import (
    INGEST_SECONDS,
    SILENT,
    ProfileOptions,
    ProfileReport,
    Progress,
)
from model_runners.room import DEFAULT_ROWS
from model_runners.run_record import PREDICTION_VERSION
from model_runners.selftest import SelfTestReport
from model_runners.statistics import (
    RECIPE_VERSION,
    STATISTICS_SAMPLES,
    statistics_samples,
    stored_statistics,
)
from model_runners.unwatched import never


def profile_external(
    options: ProfileOptions,
    spec: WorkerSpec,
    cache: Path,
    *,
    progress: Progress = SILENT,
    stop: Callable[[], bool] = never,
    benchmark: Benchmark | None = None,
    limits: Limits | None = None,
) -> ProfileReport:
    """Run a benchmark through a model in another environment; see `profile.profile`.

    Parameters
    ----------
    options, cache, progress, stop, benchmark
        As for `profile`.
    spec
        Which environment, adapter and model.
    limits
        How long the worker is waited for.

    Raises
    ------
    Cancelled
        If `stop` said so; the finished chunks are ingested.
    WorkerFailed
        If the worker cannot do it.
    BadOption
        If an option is asked for that no worker has.
    """
    from data_cache.chunks import write_chunk
    from data_cache.ingest import ingest
    from data_cache.sample_chunks import write_samples

    refuse_options(options)
    began = time.monotonic()
    if benchmark is None:
        progress.stage("reading the benchmark")
        benchmark = load_asked(options, cache)
    wanted = benchmark.select(subset=options.subset, split=options.split, limit=options.limit)
    progress.samples(0, len(wanted))
    refuse_samples(wanted)
    device = choose_device(options.device)
    rows = options.batch_size or DEFAULT_ROWS[device.type]
    weights = external_fingerprint(spec)
    bad = BadSamples()
    request = {
        "device": str(device),
        "dtype": options.dtype,
        "scope": options.mask_scope,
        "seed": options.seed,
        "pooling": options.pooling,
        "batch_rows": rows,
    }
    progress.stage("loading the model in the worker")
    with Worker(spec, request, limits=limits, stop=stop, tell=progress.tell) as worker:
        images = worker.folder / "images"

        def samples_of(samples: Sequence[Sample]) -> list[dict[str, Any]]:
            return described(samples, images, options.asking, bad, side=options.image_size)

        identity = worker.identity
        progress.stage("testing the masking")
        tested = _tested(worker, samples_of, benchmark, spec, identity)
        progress.stage("noise statistics")
        recipe = _recipe(options, spec, weights, identity, benchmark)
        statistics = _statistics(worker, samples_of, benchmark, cache, recipe, progress, stop, bad)
        moments = worker.folder / "moments.parquet"
        _write_table(moments_table(statistics), moments)
        config = configuration(options, spec, weights, identity, benchmark, recipe)
        key = run_key(config)
        write_sidecar(
            cache,
            key,
            config,
            self_test=tested.to_dict(),
            environment=_environment(options, spec, identity, statistics, rows, benchmark),
        )
        layers = (OUTPUT_LAYER, *(range(int(identity["layers"])) if options.layers else ()))
        folder = run_directory(cache, key)
        single = options.answers == "letters"
        done = computed = passes = 0
        seconds = 0.0
        ingested_at = time.monotonic()
        setup = ingested_at - began
        stopped = False
        progress.stage("predictions")
        for block in blocks(benchmark, wanted):
            stopped = stop()
            if stopped:
                break
            lacking = missing(
                folder, key, block, draws=options.draws, layers=layers, single_token=single
            )
            if lacking is not None:
                asked = samples_of(block.named(lacking.compute))
                started = time.monotonic()
                if asked:
                    task = {
                        "kind": "predict",
                        "samples": asked,
                        "draws": lacking.plan.draws,
                        "layers": list(lacking.plan.layers),
                        "moments": str(moments),
                    }

                    def keep(
                        answer: Answer,
                        asked: list[dict[str, Any]] = asked,
                        lacking: Missing = lacking,
                        index: int = block.index,
                    ) -> tuple[int, int]:
                        note_bad(answer, asked, bad)
                        new = lacking.without(bad.reasons)
                        if new is None:
                            return 0, 0
                        if answer.table is None:
                            raise ValueError("it has no table of predictions")
                        write_samples(cache, benchmark, [index * BLOCK_SIZE])
                        try:
                            write_chunk(folder, new.plan, _with_kept(answer.table, new.kept))
                        except ChunkInvalid as error:
                            raise ValueError(str(error)) from error
                        return len(new.compute), int(answer.values.get("passes", 0))

                    new_samples, new_passes = worker.ask(
                        task, keep, f"predicting block {block.index}"
                    )
                    computed += new_samples
                    passes += new_passes
                    _emptied(images)
                seconds += time.monotonic() - started
                progress.computed(computed, max(seconds, 1e-6))
                if time.monotonic() - ingested_at > INGEST_SECONDS:
                    with suppress(CacheBusy):
                        ingest(cache, run_keys=[key])
                    ingested_at = time.monotonic()
            done += len(block.wanted)
            progress.samples(done, len(wanted))
    bad_samples.note(folder, wanted[:done], bad)
    ingest(cache, run_keys=[key])
    bad.require_one_good(wanted)
    if stopped:
        raise Cancelled(f"stopped after {done} of {len(wanted)} samples")
    return ProfileReport(
        run_key=key,
        model=spec.name,
        benchmark=benchmark.name,
        samples=len(wanted),
        computed=computed,
        passes=passes,
        inference_seconds=seconds,
        setup_seconds=setup,
        device=str(identity["device"]),
        dtype=str(identity["dtype"]),
        batch_size=rows,
        self_test=tested,
        bad_samples=tuple(bad.among(wanted)),
    )


def refuse_options(options: ProfileOptions) -> None:
    """Refuse what no worker does.

    Raises
    ------
    BadOption
        With the option's name.
    """
    asked = {
        "--answers options": options.answers == "options",
        "--layer-features": options.layer_features,
        "--lens": options.lens != LOGIT,
        "--checkpoint": options.checkpoint is not None,
        "--device-map": options.device_map is not None,
        "--quantize": options.quantise is not None,
    }
    for name, is_asked in asked.items():
        if is_asked:
            raise BadOption(
                f"a model in a worker of its own is run without {name}; leave it out "
                "(docs/external-worker.md says what a worker does)"
            )


def configuration(
    options: ProfileOptions,
    spec: WorkerSpec,
    weights: str,
    identity: Mapping[str, Any],
    benchmark: Benchmark,
    recipe: str,
) -> dict[str, Any]:
    """Return everything that changes a prediction, by the names of `run_record.configuration`."""
    return {
        "version": PREDICTION_VERSION,
        "model": spec.name,
        "family": identity["family"],
        "weights": weights,
        "adapter": None,
        "dtype": identity["dtype"],
        "quantisation": None,
        "attention": identity["attention"],
        "benchmark": benchmark.name,
        "benchmark_key": benchmark.key,
        "template": _template(options, identity),
        "candidates": options.answers,
        "image_size": options.image_size,
        "mask_scope": options.mask_scope,
        "probe": "gaussian",
        "noise": recipe,
        "seed": options.seed,
        "worker": {
            "protocol": exchange.PROTOCOL,
            "adapter": adapter_name(spec),
            "conversation": identity["conversation"],
        },
        **({} if options.pooling == "mean" else {"pooling": options.pooling}),
        **({} if options.split_policy == "group" else {"split_policy": options.split_policy}),
        **({"circular": "all"} if benchmark.circular else {}),
        **({} if options.frames == FRAMES else {"frames": options.frames}),
        **({} if options.template is None else {"template_text": options.template}),
    }


def adapter_name(spec: WorkerSpec) -> str:
    """Return the adapter's name; of a file of one's own its name and a hash of its content."""
    path = Path(spec.adapter)
    if not path.is_absolute():
        return spec.adapter
    return f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"


def external_fingerprint(spec: WorkerSpec) -> str:
    """Hash a model's files, weights of older formats included: 16 hexadecimal digits."""
    found = [weights_fingerprint(spec.folder)]
    for path in sorted(spec.folder.iterdir()):
        if path.suffix in {".bin", ".pt", ".pth"} and path.is_file():
            with path.open("rb") as file:
                found.append(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}")
    return found[0] if len(found) == 1 else _hash(found)


def _tested(
    worker: Worker,
    samples_of: Callable[[Sequence[Sample]], list[dict[str, Any]]],
    benchmark: Benchmark,
    spec: WorkerSpec,
    identity: Mapping[str, Any],
) -> SelfTestReport:
    """Prove the masking on two samples with different images, of different lengths if there are."""
    readable = samples_of(benchmark.samples[:BLOCK_SIZE])
    first, *rest = readable or [None]
    others = [one for one in rest if first and one and one["digests"] != first["digests"]]
    if first is None or not others:
        raise SelfTestFailed("the self-test needs two samples with different images")
    other = next((one for one in others if len(one["text"]) != len(first["text"])), others[0])
    checks = worker.ask(
        {"kind": "check", "samples": [first, other]},
        lambda answer: checks_of(answer, str(identity["dtype"])),
        "testing the masking",
    )
    require_passed(f"{spec.name} ({identity['family']})", checks)
    return SelfTestReport(
        model=spec.name,
        family=str(identity["family"]),
        dtype=str(identity["dtype"]),
        device=str(identity["device"]),
        checks=checks,
    )


def _statistics(
    worker: Worker,
    samples_of: Callable[[Sequence[Sample]], list[dict[str, Any]]],
    benchmark: Benchmark,
    cache: Path,
    recipe: str,
    progress: Progress,
    stop: Callable[[], bool],
    bad: BadSamples,
) -> NoiseStatistics:
    """Read the noise from the cache folder, or have it taken and store it."""
    path = statistics_directory(cache) / f"{recipe}.safetensors"
    stored = stored_statistics(path)
    if stored is not None:
        return stored
    asked = samples_of(statistics_samples(benchmark))
    if stop():
        raise Cancelled("stopped before the noise statistics")

    def read(answer: Answer) -> NoiseStatistics:
        note_bad(answer, asked, bad)
        return statistics_of(answer)

    progress.statistics(0, len(asked))
    found = worker.ask(
        {"kind": "statistics", "samples": asked}, read, "taking the noise statistics"
    )
    progress.statistics(len(asked), len(asked))
    found.save(path)
    return found


def _recipe(
    options: ProfileOptions,
    spec: WorkerSpec,
    weights: str,
    identity: Mapping[str, Any],
    benchmark: Benchmark,
) -> str:
    """Name the noise statistics by everything they are made of, as `statistics.recipe` does."""
    content = {
        "version": RECIPE_VERSION,
        "weights": weights,
        "dtype": identity["dtype"],
        "benchmark": benchmark.key,
        "template": _template(options, identity),
        "scope": options.mask_scope,
        "samples": STATISTICS_SAMPLES,
        "worker": [exchange.PROTOCOL, adapter_name(spec)],
    }
    if options.image_size is not None:
        content["image_size"] = options.image_size
    return _hash(content)


def _template(options: ProfileOptions, identity: Mapping[str, Any]) -> str:
    """Hash of everything besides the sample that decides what the model reads."""
    return _hash([identity["template"], options.answers, options.asking.text])


def _environment(
    options: ProfileOptions,
    spec: WorkerSpec,
    identity: Mapping[str, Any],
    statistics: NoiseStatistics,
    rows: int,
    benchmark: Benchmark,
) -> dict[str, Any]:
    said = ("python", "torch", "transformers", "device", "device_name", "parameters")
    return {
        **{name: identity[name] for name in said if name in identity},
        "language_layers": identity["layers"],
        "batch_size": rows,
        "noise_statistics": statistics.digest,
        "worker": {
            "python": str(spec.python),
            "adapter": spec.adapter + (f":{spec.conversation}" if spec.conversation else ""),
            "code": str(spec.code) if spec.code else None,
        },
        "asked": asked_again(options),
        "benchmark_samples": Counter(sample.split for sample in benchmark.samples),
    }


def _with_kept(table: Any, kept: Sequence[Any]) -> Any:
    import pyarrow as pa

    if not kept:
        return table
    names = kept[0].schema.names
    if sorted(table.schema.names) != sorted(names):
        raise ValueError(f"its columns are {', '.join(table.schema.names)[:200]}")
    return pa.concat_tables([table.select(names).cast(kept[0].schema), *kept])


def _write_table(table: Any, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, path)


def _emptied(folder: Path) -> None:
    """Take away images that no later block shows again, as far as is known: all of them."""
    for path in folder.iterdir():
        path.unlink(missing_ok=True)


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
