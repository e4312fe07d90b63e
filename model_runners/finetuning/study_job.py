"""What a job of kind `study` does: one fine-tuning after the other in one process."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from data_cache.jobs import JobRow
from data_cache.samples import Benchmark
from model_runners.benchmark_choice import rows_read
from model_runners.errors import Cancelled
from model_runners.finetuning import study
from model_runners.finetuning.job import Finetuning
from model_runners.finetuning.material import Shared
from model_runners.finetuning.options import StudyOptions
from model_runners.finetuning.requests import check_names, training_samples
from model_runners.finetuning.study_requests import options_of
from model_runners.profile import Progress
from model_runners.reporter import Reporter
from model_runners.strategies import check_strategy


def work(
    cache: Path, job: JobRow, reporter: Reporter, show: Progress, benchmark: Benchmark | None
) -> dict[str, Any]:
    """Do every training that is not done yet; returns the job's result."""
    began = time.monotonic()
    options = options_of(job.request)
    check_names(options)
    shared = Shared()
    if benchmark is not None:
        shared.benchmarks[options.benchmark] = benchmark
    asked = list(options.trainings())
    scores = any(check_strategy(name).needs_scores for name in options.strategies)
    Finetuning(cache, asked[0], reporter, show, shared).measure_base(scores=scores)
    samples = samples_of(options, shared, cache)
    overall = Overall(reporter, each=samples, trainings=len(asked))
    results: list[dict[str, Any]] = []
    for number, one in enumerate(asked):
        overall.go_on(number, f"{one.strategy}, seed {one.seed}")
        told = replace(show, stage=lambda text: show.stage(f"{overall.said}: {text}"))
        if reporter.stop.is_set():
            raise Cancelled(f"stopped after {number} of {len(asked)} trainings")
        result = Finetuning(cache, one, overall, told, shared).run()
        results.append(result)
        overall.close(computed=bool(result["steps_done_now"]))
    keys = [str(one["adapter"]) for one in results]
    return {
        "adapters": keys,
        "trainings": results,
        "outcomes": study.as_json(study.outcomes(cache, keys)),
        "base": results[0]["base"],
        "benchmark": results[0]["benchmark"],
        "seconds": time.monotonic() - began,
        "warnings": list(dict.fromkeys(one for each in results for one in each["warnings"])),
        **rows_read(shared.benchmarks[options.benchmark]),
    }


def samples_of(options: StudyOptions, shared: Shared, cache: Path) -> int:
    """Return how many samples one of the trainings goes through, trained on and measured on.

    Raises
    ------
    BenchmarkError
        If a benchmark cannot be read.
    """

    def of(name: str) -> Benchmark:
        return shared.benchmark(name, options, cache)

    trained = sum(len(training_samples(of(name), options)) for name in options.trained_on)
    measured = sum(len(of(name).select(split="test")) for name in options.measured_on)
    return options.epochs * trained + measured


class Overall(Reporter):
    """Reports the position of one training as that of all of them."""

    def __init__(self, whole: Reporter, *, each: int, trainings: int):
        """Begin before the first; the row of the job is kept by `whole`.

        Parameters
        ----------
        whole
            Of the job.
        each
            Samples of one training.
        trainings
            How many there are.
        """
        self.stop = whole.stop
        self.said = ""
        self._whole, self._each, self._all = whole, each, trainings
        self._number, self._stages, self._within = 0, 0, 0
        self._began, self._skipped = time.monotonic(), 0

    def go_on(self, number: int, what: str) -> None:
        """Begin with a training, counted from 0."""
        self._number, self._stages, self._within = number, 0, 0
        self.said = f"training {number + 1} of {self._all} ({what})"

    def close(self, *, computed: bool) -> None:
        """End a training; one that was done before says nothing about the rate."""
        if not computed:
            self._skipped = (self._number + 1) * self._each
            self._began = time.monotonic()
        self._tell(self._each)

    def at(self, done: int, total: int) -> None:
        """Set the position within a stage."""
        self._within = done
        self._tell(min(self._stages + done, self._each))

    def begin(self, total: int | None) -> None:
        """Begin a stage."""
        self._stages, self._within = self._stages + self._within, 0

    def speed(self, units: int, seconds: float) -> None:
        """Leave the rate of a stage alone: what counts is that of all trainings."""

    def say(self, message: str) -> None:
        """Set what is being done, and log it."""
        self._whole.say(f"{self.said}: {message}")

    def note(self, message: str) -> None:
        """Set what is being done."""
        self._whole.note(f"{self.said}: {message}")

    def _tell(self, within: int) -> None:
        done = self._number * self._each + within
        self._whole.at(done, self._all * self._each)
        new = done - self._skipped
        if new > 0:
            self._whole.speed(new, time.monotonic() - self._began)


def outcome(result: dict[str, Any]) -> str:
    """Return one line about what a finished job did."""
    return (
        f"{len(result['adapters'])} adapters of {result['base']} on {result['benchmark']}; "
        f"{result['seconds']:.0f} s" + "".join(f"; {one}" for one in result["warnings"])
    )
