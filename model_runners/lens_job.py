"""What a job of kind `lens` does: read states of the train split, and train a map per layer."""

import time
from pathlib import Path
from typing import Any

from data_cache.jobs import JobRow
from data_cache.samples import Benchmark
from model_runners.benchmark_choice import load_asked
from model_runners.lens_requests import options_of
from model_runners.profile import Progress
from model_runners.reporter import Reporter
from model_runners.stored_lenses import tune


def work(
    cache: Path, job: JobRow, reporter: Reporter, show: Progress, benchmark: Benchmark | None
) -> dict[str, Any]:
    """Train the lens, or find that it is there; returns the job's result."""
    options = options_of(job.request)
    if benchmark is None:
        reporter.say("reading the benchmark")
        benchmark = load_asked(options.asked, cache)
    first: tuple[int, float] | None = None
    begun = ""

    def samples(done: int, total: int) -> None:
        nonlocal first
        reporter.at(done, total)
        if first is None:
            first = done, time.monotonic()
        elif done > first[0]:
            reporter.speed(done - first[0], time.monotonic() - first[1])
        show.samples(done, total)

    def statistics(done: int, total: int) -> None:
        reporter.note(f"noise statistics: {done} of {total} samples")
        show.statistics(done, total)

    def stage(text: str) -> None:
        nonlocal begun
        begun = text
        reporter.say(text)
        show.stage(text)

    def note(text: str) -> None:
        reporter.note(f"{begun}: {text}")
        show.note(text)

    record = tune(
        options,
        cache,
        benchmark=benchmark,
        progress=Progress(
            samples=samples, statistics=statistics, stage=stage, tell=show.tell, note=note
        ),
        stop=reporter.stop.is_set,
    )
    # Whether it was trained by this job or found, it took so long.
    return {
        "lens": record.key,
        "model": record.model,
        "benchmark": record.benchmark,
        "layers": len(record.fits),
        "before": _mean(record.fits, "before"),
        "after": _mean(record.fits, "after"),
        "learned": record.learned,
        "seconds": record.environment.get("seconds"),
    }


def outcome(result: dict[str, Any]) -> str:
    """Return one line about what a finished job did.

    >>> outcome({"lens": "ab", "model": "m", "benchmark": "b", "layers": 3, "before": 2.0,
    ...     "after": 0.5, "learned": 100, "seconds": 9.0})
    'lens ab of m on b: 3 layers from 100 states, 2.00 bits from the output before, 0.50 after'
    """
    return (
        f"lens {result['lens']} of {result['model']} on {result['benchmark']}: "
        f"{result['layers']} layers from {result['learned']} states, {result['before']:.2f} bits "
        f"from the output before, {result['after']:.2f} after"
    )


def _mean(fits: list[dict[str, Any]], name: str) -> float:
    return sum(fit[name] for fit in fits) / len(fits) if fits else 0.0
