"""What a job of kind `profile` does: run a benchmark through a model and make the spectra of it."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from data_cache.jobs import JobRow
from data_cache.plan import OUTPUT_LAYER
from data_cache.records import SpectrumRecord
from data_cache.samples import Benchmark
from model_runners.benchmark_choice import load_asked, rows_read
from model_runners.errors import BadOption, Cancelled
from model_runners.lens_quality import remark
from model_runners.meters import device_peak, process_peak
from model_runners.profile import ProfileOptions, ProfileReport, Progress, profile
from model_runners.reporter import Reporter
from model_runners.requests import options_of
from pid_core.errors import PidError

LISTED_BAD_SAMPLES = 100
"""A job's row has so many of them; the file beside the run's chunks has all."""

log = logging.getLogger(__name__)


def work(
    cache: Path, job: JobRow, reporter: Reporter, show: Progress, benchmark: Benchmark | None
) -> dict[str, Any]:
    """Run a benchmark through a model and estimate the spectra of it; returns the job's result."""
    options = options_of(job.request)
    if benchmark is None:
        reporter.say("reading the benchmark")
        benchmark = load_asked(options, cache)

    def statistics(done: int, total: int) -> None:
        reporter.note(f"noise statistics: {done} of {total} samples")
        show.statistics(done, total)

    def samples(done: int, total: int) -> None:
        reporter.at(done, total)
        show.samples(done, total)

    begun = ""

    def stage(text: str) -> None:
        nonlocal begun
        begun = text
        reporter.say(text)
        show.stage(text)

    def tell(sentence: str) -> None:
        reporter.say(sentence)
        show.tell(sentence)

    def note(text: str) -> None:
        reporter.note(f"{begun}: {text}" if text else begun)
        show.note(text)

    report = profile(
        options,
        cache,
        progress=Progress(
            statistics=statistics,
            samples=samples,
            computed=reporter.speed,
            stage=stage,
            tell=tell,
            note=note,
        ),
        stop=reporter.stop.is_set,
        benchmark=benchmark,
    )
    spectra = estimate_parts(cache, report, parts(options, benchmark), reporter)
    speed = measured(report) if report.computed else job.result.get("speed")
    return {
        "run_key": report.run_key,
        "model": report.model,
        "benchmark": report.benchmark,
        "samples": report.samples,
        "computed": report.computed,
        "passes": report.passes,
        "seconds": report.inference_seconds,
        "rate": report.samples_per_second,
        "checks": len(report.self_test.checks),
        "self_test": report.self_test.to_dict(),
        "bad_samples": list(report.bad_samples[:LISTED_BAD_SAMPLES]),
        "bad_sample_count": len(report.bad_samples),
        "spectra": spectra.made,
        "without_spectrum": list(spectra.refused),
        **({"lens_remark": spectra.remark} if spectra.remark else {}),
        "speed": speed,
        **rows_read(benchmark),
    }


class Teller(Protocol):
    """Who is told what is being done, and says when to stop."""

    stop: threading.Event

    def say(self, message: str) -> None:
        """Take in what is being done."""
        ...


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Which spectra a job makes."""

    split: str
    subsets: tuple[str, ...]
    """`all` pools them."""
    layers: bool
    """Each of them for every layer of the run too."""
    swapped: bool = False
    """Of swapped pairs, which have spectra of their own kind."""
    draws: int | None = None
    """Draws of noise that they take; None takes all that the run has."""


@dataclass(frozen=True, kw_only=True)
class Spectra:
    """Which spectra a job has made."""

    made: int
    refused: tuple[str, ...]
    """One sentence for each that could not be made."""
    remark: str = ""
    """What is wrong with the lens; empty where it reads the layers."""


def parts(options: ProfileOptions, benchmark: Benchmark) -> Parts:
    """Return one part for each subset that was asked for, and one for all where there are more."""
    split = "train" if options.split == "train" else "test"
    wanted = benchmark.select(subset=options.subset, split=options.split, limit=options.limit)
    subsets = sorted({sample.subset for sample in wanted if sample.split == split})
    if options.subset is None and subsets:
        # A benchmark's only subset is the same samples as all of them.
        subsets = ["all", *subsets] if len(benchmark.subsets) > 1 else ["all"]
    if options.probe == "swap" and options.partners_within != "subset" and subsets:
        subsets = ["all"]  # its pairs are of different subsets
    return Parts(
        split=split,
        subsets=tuple(subsets),
        layers=options.layers,
        swapped=options.probe == "swap",
    )


def estimate_parts(cache: Path, report: ProfileReport, parts: Parts, reporter: Teller) -> Spectra:
    """Estimate and store the spectra of a run, those of the model's own output first.

    Raises
    ------
    Cancelled
        If the reporter says stop; the spectra made so far are kept.
    """
    from model_runners.estimation import EstimateOptions, choose_run, estimate_run, layers_of
    from model_runners.swap_estimation import choose_swap_run, estimate_swapped

    choose = choose_swap_run if parts.swapped else choose_run
    run = choose(cache, model=report.model, benchmark=report.benchmark, run_key=report.run_key)
    layers: tuple[int, ...] = (OUTPUT_LAYER,)
    refused: list[str] = []
    if parts.layers:
        try:
            layers = layers_of(run)
        except BadOption as error:  # the run holds more samples than this job was asked for
            log.warning("no spectra of layers: %s", error)
            refused.append(f"layers: {error}")
    wanted = [(layer, subset) for layer in layers for subset in parts.subsets]
    made = 0
    read: list[SpectrumRecord] = []
    for number, (layer, subset) in enumerate(wanted):
        if reporter.stop.is_set():
            raise Cancelled(f"stopped after {number} of {len(wanted)} spectra")
        what = subset if layer == OUTPUT_LAYER else f"{subset}, layer {layer}"
        reporter.say(f"spectrum {number + 1} of {len(wanted)}: {what}")
        chosen = EstimateOptions(
            split=parts.split,
            by="none",
            subset=None if subset == "all" else subset,
            layer=layer,
            draws=parts.draws,
        )
        try:
            estimate = estimate_swapped if parts.swapped else estimate_run
            found = estimate(cache, run, chosen, reuse=True)
            made += 1
            if subset == parts.subsets[0]:
                read += found
        except PidError as error:
            log.warning("no spectrum of %s: %s", what, error)
            refused.append(f"{what}: {error}")
    if not parts.subsets:
        refused.append(f"any subset: no sample of this run belongs to the {parts.split} split")
    return Spectra(made=made, refused=tuple(refused), remark=remark(read, run, cache))


def measured(report: ProfileReport) -> dict[str, Any]:
    """Return what later estimates of the cost of the same model rest on."""
    return {
        "passes_per_second": report.passes / report.inference_seconds,
        "setup_seconds": report.setup_seconds,
        "peak_memory_bytes": peak_memory(report.device),
        "device": report.device,
        "dtype": report.dtype,
        "batch_size": report.batch_size,
    }


def peak_memory(device: str) -> int | None:
    """Return the most memory this process has held where the model ran, None if unknown."""
    return device_peak(device) if device.startswith("cuda") else process_peak()


def outcome(result: dict[str, Any]) -> str:
    """Return one line about what a finished job did."""
    rate = result["rate"]
    speed = (
        "nothing left to compute"
        if rate is None
        else f"{result['computed']} samples in {result['seconds']:.1f} s of inference "
        f"({rate:.1f} samples/s, {result['passes'] / result['seconds']:.0f} passes/s)"
    )
    left_out = result.get("bad_sample_count", 0)
    bad = f"; {left_out} could not be run, the next run tries them again" if left_out else ""
    return (
        f"run {result['run_key']}: {result['samples']} samples of {result['benchmark']} "
        f"through {result['model']}; {speed}; self-test passed ({result['checks']} checks); "
        f"{result['spectra']} spectra{bad}"
    )
