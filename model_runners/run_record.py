"""What the record of a run says: what its predictions depend on, and what else is worth knowing."""

import platform
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from data_cache.checkpoints import CONFIGURED
from data_cache.run_times import RunTime
from data_cache.samples import Benchmark
from model_runners.benchmark_choice import FRAMES, asked_again
from model_runners.candidates import Candidates
from model_runners.loading import LoadedModel
from model_runners.masking import NoiseStatistics
from model_runners.placement import placed
from model_runners.prompt import template_fingerprint
from model_runners.sources import USUAL_SOURCES
from model_runners.statistics import recipe
from model_runners.stopwatch import Stopwatch
from model_runners.swapping import digest_of

if TYPE_CHECKING:
    from model_runners.profile import ProfileOptions

PREDICTION_VERSION = 1
"""Part of the run key; raise it when the same inputs would give other predictions."""


def configuration(
    options: "ProfileOptions", loaded: LoadedModel, benchmark: Benchmark
) -> dict[str, Any]:
    """Return everything that changes a prediction; its hash is the run key."""
    return {
        "version": PREDICTION_VERSION,
        "model": loaded.name,
        "family": loaded.family.name,
        "weights": loaded.weights,
        "adapter": loaded.adapter,
        "dtype": loaded.dtype,
        "quantisation": loaded.quantisation,
        "attention": loaded.attention,
        "benchmark": benchmark.name,
        "benchmark_key": benchmark.key,
        "template": template_fingerprint(loaded.processor, options.asking),
        "candidates": Candidates.of_model(loaded, options.asking).description,
        "image_size": options.image_size,
        **_probe(options, loaded, benchmark),
        **({} if options.pooling == "mean" else {"pooling": options.pooling}),
        **({} if options.split_policy == "group" else {"split_policy": options.split_policy}),
        **({"circular": "all"} if benchmark.circular else {}),
        **({} if options.frames == FRAMES else {"frames": options.frames}),
        **({} if options.template is None else {"template_text": options.template}),
        **({} if options.sources == USUAL_SOURCES else {"sources": options.sources}),
        **({} if loaded.code is None else {"remote_code": loaded.code}),
        **({} if loaded.stack.lens is None else {"lens": loaded.stack.lens.key}),
        **({} if options.checkpoint is None else {CONFIGURED: options.checkpoint.to_dict()}),
    }


def _probe(options: "ProfileOptions", loaded: LoadedModel, benchmark: Benchmark) -> dict[str, Any]:
    """Return what takes a source away."""
    if options.probe == "swap":
        asked = benchmark.select(subset=options.subset, split=options.split, limit=options.limit)
        return {
            "probe": "swap",
            "partners_within": options.partners_within,
            "seed": options.swap_seed,
            "swapped_samples": digest_of(asked),
        }
    return {
        "mask_scope": options.mask_scope,
        "probe": "gaussian",
        "noise": recipe(loaded, benchmark, options.mask_scope, options.asking),
        "seed": options.seed,
    }


def slice_of(options: "ProfileOptions") -> dict[str, Any]:
    """Return which samples were asked for, by the options' names; what is as usual is left out."""
    usual = {"split": "all", "subset": None, "limit": None}
    asked = {name: getattr(options, name) for name in usual}
    return {name: value for name, value in asked.items() if value != usual[name]}


def environment(
    options: "ProfileOptions",
    loaded: LoadedModel,
    statistics: NoiseStatistics | None,
    rows: int,
    benchmark: Benchmark,
) -> dict[str, Any]:
    """Return what is worth knowing about a run and does not change what it is."""
    import torch
    import transformers

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "device": str(loaded.device),
        "device_name": torch.cuda.get_device_name(loaded.device)
        if loaded.device.type == "cuda"
        else platform.machine(),
        "batch_size": rows,
        **({} if statistics is None else {"noise_statistics": statistics.digest}),
        "parameters": sum(parameter.numel() for parameter in loaded.model.parameters()),
        "language_layers": len(loaded.stack.layers),
        **({} if options.device_map is None else {"device_map": options.device_map}),
        **({"placed": placed(loaded.model)} if placed(loaded.model) else {}),
        "asked": asked_again(options),
        "benchmark_samples": Counter(sample.split for sample in benchmark.samples),
        # The other checkpoints are asked the same, see `again.training_command`.
        **(
            {"slice": slice_of(options)}
            if options.checkpoint is not None or options.probe == "swap"
            else {}
        ),
    }


def run_time(
    watch: Stopwatch, loaded: LoadedModel, computed: int, passes: int, rows: int, draws: int
) -> RunTime:
    """Return where the time of a run went, ready to be noted beside it."""
    import torch

    on_gpu = loaded.device.type == "cuda"
    parts = {name: round(seconds, 4) for name, seconds in watch.seconds().items()}
    return RunTime(
        ended=datetime.now(UTC).isoformat(timespec="seconds"),
        wall=round(watch.wall, 4),
        beside=round(watch.beside, 4),
        parts=parts,
        samples=computed,
        passes=passes,
        rows=rows,
        draws=draws,
        device=str(loaded.device),
        device_name=torch.cuda.get_device_name(loaded.device) if on_gpu else platform.machine(),
        dtype=loaded.dtype,
        threads=torch.get_num_threads(),
        counts=dict(watch.counts),
    )
