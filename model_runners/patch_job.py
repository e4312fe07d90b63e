"""What a job of kind `patch` does: the causal check of a stored run, block after block."""

import time
from pathlib import Path
from typing import Any

from data_cache.jobs import JobRow
from data_cache.samples import Benchmark
from model_runners.patch_requests import options_of
from model_runners.patch_run import patch
from model_runners.profile import Progress
from model_runners.profile_job import LISTED_BAD_SAMPLES
from model_runners.reporter import Reporter


def work(
    cache: Path, job: JobRow, reporter: Reporter, show: Progress, benchmark: Benchmark | None
) -> dict[str, Any]:
    """Patch what is not patched yet; returns the job's result.

    The benchmark is read as the run's own record says, which need not be as a caller has read it.
    """
    del benchmark
    options = options_of(job.request)
    began: tuple[int, float] | None = None

    def samples(done: int, total: int) -> None:
        nonlocal began
        reporter.at(done, total)
        if began is None:
            began = done, time.monotonic()
        elif done > began[0]:
            reporter.speed(done - began[0], time.monotonic() - began[1])
        show.samples(done, total)

    def statistics(done: int, total: int) -> None:
        reporter.note(f"noise statistics: {done} of {total} samples")
        show.statistics(done, total)

    def stage(text: str) -> None:
        reporter.say(text)
        show.stage(text)

    report = patch(
        options,
        cache,
        progress=Progress(samples=samples, statistics=statistics, stage=stage, tell=show.tell),
        stop=reporter.stop.is_set,
    )
    return {
        "run_key": report.run_key,
        "model": report.model,
        "benchmark": report.benchmark,
        "samples": report.samples,
        "computed": report.computed,
        "layers": list(report.layers),
        "depth": report.depth,
        "draws": report.draws,
        "seconds": report.seconds,
        "bad_samples": list(report.bad_samples[:LISTED_BAD_SAMPLES]),
        "bad_sample_count": len(report.bad_samples),
    }


def outcome(result: dict[str, Any]) -> str:
    """Return one line about what a finished job did.

    >>> outcome({"run_key": "ab", "model": "m", "benchmark": "b", "samples": 4, "computed": 0,
    ...     "layers": [2, 3], "depth": 4, "seconds": 0.0})
    'run ab: layers 2, 3 of 4 patched in 4 samples of b through m; nothing left to compute'
    """
    speed = (
        f"{result['computed']} samples in {result['seconds']:.1f} s"
        if result["computed"]
        else "nothing left to compute"
    )
    layers = ", ".join(map(str, result["layers"]))
    left_out = result.get("bad_sample_count", 0)
    bad = f"; {left_out} could not be run, the next check tries them again" if left_out else ""
    return (
        f"run {result['run_key']}: layers {layers} of {result['depth']} patched in "
        f"{result['samples']} samples of {result['benchmark']} through {result['model']}; "
        f"{speed}{bad}"
    )
