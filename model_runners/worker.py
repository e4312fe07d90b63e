"""What a process does with a job that it has claimed: work, say how far, stop when asked, end it.

The work itself never waits for the jobs' file: a thread writes the latest position and a heartbeat,
and reads whether to stop.
"""

import logging
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from data_cache import jobs
from data_cache.benchmarks import load_benchmark
from data_cache.errors import CacheError
from data_cache.jobs import Ending, JobRow
from data_cache.jobs_file import give_up_spare, set_spare_aside
from data_cache.location import command
from data_cache.plan import OUTPUT_LAYER
from data_cache.processes import HEARTBEAT_SECONDS
from data_cache.samples import Benchmark
from model_runners.errors import USER_ERRORS, BadOption, Cancelled
from model_runners.profile import SILENT, ProfileOptions, ProfileReport, Progress, profile
from model_runners.requests import options_of
from pid_core.errors import PidError

TICK_SECONDS = 0.4
"""How often news is written."""
LOG_SECONDS = 10.0
"""How often the position goes into the log."""

log = logging.getLogger(__name__)


class Reporter:
    """Keeps the row of a job up to date from a thread while the work goes on."""

    def __init__(self, cache: Path, job: JobRow):
        """Prepare; the thread starts with the `with` block."""
        self.stop = threading.Event()
        """Set when the work is to end: cancelled, terminated, or taken over."""
        self._cache, self._key, self._unit = cache, job.job_key, job.unit
        self._done, self._total, self._rate = 0, job.total, None
        self._message = ""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="heartbeat", daemon=True)

    def at(self, done: int, total: int) -> None:
        """Set the position."""
        with self._lock:
            self._done, self._total = done, total

    def speed(self, units: int, seconds: float) -> None:
        """Set the rate from what was computed now."""
        with self._lock:
            self._rate = units / seconds if seconds > 0 else None

    def say(self, message: str) -> None:
        """Set what is being done, and log it."""
        log.info(message)
        with self._lock:
            self._message = message

    def note(self, message: str) -> None:
        """Set what is being done, without a line in the log."""
        with self._lock:
            self._message = message

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the thread and write the last position."""
        self._ended.set()
        self._thread.join()
        self._write()

    def _keep(self) -> None:
        written: tuple[object, ...] = ()
        beat = logged = time.monotonic()
        while True:
            now, state = time.monotonic(), (self._done, self._total, self._rate, self._message)
            if state != written or now - beat >= HEARTBEAT_SECONDS:
                self._write()
                written, beat = state, now
            if self._rate and state[0] != self._total and now - logged >= LOG_SECONDS:
                log.info("%s of %s %ss, %.3g a second", *state[:2], self._unit, self._rate)
                logged = now
            if self._ended.wait(TICK_SECONDS):
                return

    def _write(self) -> None:
        with self._lock:
            state = (self._done, self._total, self._rate, self._message)
        try:
            orders = jobs.report(self._cache, self._key, *state)
        except CacheError as error:  # the work is worth more than its row
            log.warning("progress could not be written: %s", error)
            return
        if orders.cancel or not orders.is_mine:
            self.stop.set()


def perform(
    cache: Path, job: JobRow, *, show: Progress = SILENT, benchmark: Benchmark | None = None
) -> JobRow:
    """Do a job that this process has claimed, record how it ends, and return its row.

    Parameters
    ----------
    cache, job
        The job.
    show
        Where else progress goes.
    benchmark
        The job's benchmark, where the caller has loaded it already.

    Raises
    ------
    Cancelled
        If it was stopped by a cancel, SIGTERM or Ctrl-C; the sentence says how to go on.
    RunnerError, DataError, PidError
        If it failed in a way that a person can mend.
    """
    resume = f"finished chunks are kept; go on with {command(f'resume {job.job_key}', cache)}"

    def end(state: Ending, what: str) -> None:
        error = what if state == "failed" else None
        try:
            try:
                jobs.finish(cache, job.job_key, state, error, message=what)
            except CacheError:
                if not give_up_spare(cache):
                    raise
                jobs.finish(cache, job.job_key, state, error, message=what)
        except CacheError as trouble:  # must not hide why the work ended
            log.warning("the end of the job could not be written: %s", trouble)

    def cancelled(what: str) -> Cancelled:
        end("cancelled", what)
        return Cancelled(f"{what}; {resume}")

    set_spare_aside(cache)
    reporter = Reporter(cache, job)
    try:
        with reporter, terminated(reporter.stop):
            result = profile_and_estimate(cache, job, reporter, show, benchmark)
    except Cancelled as error:
        raise cancelled(str(error)) from None
    except KeyboardInterrupt:
        raise cancelled("interrupted") from None
    except USER_ERRORS as error:
        end("failed", str(error))
        raise
    except BaseException as error:
        end("failed", explained(error))
        raise
    jobs.finish(cache, job.job_key, "done", result=result, message=outcome(result))
    ended = jobs.job(cache, job.job_key)
    assert ended is not None
    return ended


def profile_and_estimate(
    cache: Path, job: JobRow, reporter: Reporter, show: Progress, benchmark: Benchmark | None
) -> dict[str, Any]:
    """Run a benchmark through a model and estimate the spectra of it; returns the job's result."""
    options = options_of(job.request)
    if benchmark is None:
        reporter.say("reading the benchmark")
        benchmark = load_benchmark(options.benchmark)

    def statistics(done: int, total: int) -> None:
        reporter.note(f"noise statistics: {done} of {total} samples")
        show.statistics(done, total)

    def samples(done: int, total: int) -> None:
        reporter.at(done, total)
        show.samples(done, total)

    def stage(text: str) -> None:
        reporter.say(text)
        show.stage(text)

    report = profile(
        options,
        cache,
        progress=Progress(
            statistics=statistics, samples=samples, computed=reporter.speed, stage=stage
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
        "spectra": spectra.made,
        "without_spectrum": list(spectra.refused),
        "speed": speed,
    }


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Which spectra a job makes."""

    split: str
    subsets: tuple[str, ...]
    """`all` pools them."""
    layers: bool
    """Each of them for every layer of the run too."""


@dataclass(frozen=True, kw_only=True)
class Spectra:
    """Which spectra a job has made."""

    made: int
    refused: tuple[str, ...]
    """One sentence for each that could not be made."""


def parts(options: ProfileOptions, benchmark: Benchmark) -> Parts:
    """Return one part for each subset that was asked for, and one for all of them."""
    split = "train" if options.split == "train" else "test"
    wanted = benchmark.select(subset=options.subset, split=options.split, limit=options.limit)
    subsets = sorted({sample.subset for sample in wanted if sample.split == split})
    pooled = ["all"] if subsets and options.subset is None and subsets != ["all"] else []
    return Parts(split=split, subsets=(*pooled, *subsets), layers=options.layers)


def estimate_parts(cache: Path, report: ProfileReport, parts: Parts, reporter: Reporter) -> Spectra:
    """Estimate and store the spectra of a run, those of the model's own output first.

    Raises
    ------
    Cancelled
        If the reporter says stop; the spectra made so far are kept.
    """
    from model_runners.estimation import EstimateOptions, choose_run, estimate_run, layers_of

    run = choose_run(cache, model=report.model, benchmark=report.benchmark, run_key=report.run_key)
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
    for number, (layer, subset) in enumerate(wanted):
        if reporter.stop.is_set():
            raise Cancelled(f"stopped after {number} of {len(wanted)} spectra")
        what = subset if layer == OUTPUT_LAYER else f"{subset}, layer {layer}"
        reporter.say(f"spectrum {number + 1} of {len(wanted)}: {what}")
        chosen = EstimateOptions(
            split=parts.split, by="none", subset=None if subset == "all" else subset, layer=layer
        )
        try:
            estimate_run(cache, run, chosen)
            made += 1
        except PidError as error:
            log.warning("no spectrum of %s: %s", what, error)
            refused.append(f"{what}: {error}")
    if not parts.subsets:
        refused.append(f"any subset: no sample of this run belongs to the {parts.split} split")
    return Spectra(made=made, refused=tuple(refused))


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
    if device.startswith("cuda"):
        import torch

        return torch.cuda.max_memory_reserved(device)
    try:
        import resource
    except ImportError:  # Windows
        return None
    import sys

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def outcome(result: dict[str, Any]) -> str:
    """Return one line about what a finished job did."""
    rate = result["rate"]
    speed = (
        "nothing left to compute"
        if rate is None
        else f"{result['computed']} samples in {result['seconds']:.1f} s of inference "
        f"({rate:.1f} samples/s, {result['passes'] / result['seconds']:.0f} passes/s)"
    )
    return (
        f"run {result['run_key']}: {result['samples']} samples of {result['benchmark']} "
        f"through {result['model']}; {speed}; self-test passed ({result['checks']} checks); "
        f"{result['spectra']} spectra"
    )


def explained(error: BaseException) -> str:
    """Turn what no one expected into one sentence."""
    kind, text = type(error).__name__, str(error).strip()
    first = text.splitlines()[0] if text else "no message"
    if kind == "OutOfMemoryError" or isinstance(error, MemoryError):
        return f"memory ran out ({first}); choose a smaller batch size or another device"
    if "No space left on device" in text:
        return f"the disk is full ({first}); free some space and resume"
    if isinstance(error, OSError):
        return f"the system refused a file ({first}); mend that and resume"
    return f"{kind}: {first}; the log has the rest"


@contextmanager
def terminated(stop: threading.Event) -> Generator[None]:
    """Within the block, SIGTERM sets `stop`, so that the chunk in hand is finished."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_number: int, _frame: object) -> None:
        stop.set()

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
