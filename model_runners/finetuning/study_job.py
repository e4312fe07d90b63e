"""What a job of kind `study` does: one fine-tuning after the other in one process."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from data_cache.jobs import JobRow
from data_cache.samples import Benchmark
from model_runners.benchmark_choice import load_asked, rows_read
from model_runners.finetuning import study
from model_runners.finetuning.job import Finetuning
from model_runners.finetuning.requests import check_names
from model_runners.finetuning.study_requests import options_of
from model_runners.profile import Progress
from model_runners.reporter import Reporter


def work(
    cache: Path, job: JobRow, reporter: Reporter, show: Progress, benchmark: Benchmark | None
) -> dict[str, Any]:
    """Do every training that is not done yet; returns the job's result."""
    began = time.monotonic()
    options = options_of(job.request)
    check_names(options)
    if benchmark is None:
        reporter.say("reading the benchmark")
        benchmark = load_asked(options, cache)
    results: list[dict[str, Any]] = []
    asked = list(options.trainings())
    for number, one in enumerate(asked, start=1):
        said = f"training {number} of {len(asked)}: {one.strategy}, seed {one.seed}"
        reporter.say(said)
        show.stage(said)
        training = Finetuning(cache, one, reporter, replace(show, stage=_after(said, show)))
        results.append(training.run(benchmark, time.monotonic()))
    keys = [one["adapter"] for one in results]
    return {
        "adapters": keys,
        "trainings": results,
        "outcomes": study.as_json(study.outcomes(cache, keys)),
        "base": results[0]["base"],
        "benchmark": results[0]["benchmark"],
        "seconds": time.monotonic() - began,
        "warnings": list(dict.fromkeys(one for each in results for one in each["warnings"])),
        **rows_read(benchmark),
    }


def _after(said: str, show: Progress) -> Any:
    return lambda text: show.stage(f"{said}: {text}")


def outcome(result: dict[str, Any]) -> str:
    """Return one line about what a finished job did."""
    return (
        f"{len(result['adapters'])} adapters of {result['base']} on {result['benchmark']}; "
        f"{result['seconds']:.0f} s" + "".join(f"; {one}" for one in result["warnings"])
    )
