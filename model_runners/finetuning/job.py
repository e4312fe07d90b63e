"""What a job of kind `finetune` does: score, weigh, train, and measure before and after."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from data_cache import adapters
from data_cache.adapters import AdapterRecord, LossPoint, Measured
from data_cache.jobs import JobRow
from data_cache.location import adapter_directory
from data_cache.samples import Benchmark
from model_runners import hub
from model_runners.benchmark_choice import rows_read
from model_runners.candidates import Candidates
from model_runners.errors import TrainingDiverged
from model_runners.finetuning.card import write_card
from model_runners.finetuning.lora import attach, refuse_untrainable
from model_runners.finetuning.material import Part, Shared, part_of, plan_of
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.plan import TrainingPlan
from model_runners.finetuning.records import described, new_record, width_of
from model_runners.finetuning.requests import (
    check_names,
    on_benchmark,
    options_of,
    training_samples,
)
from model_runners.finetuning.scores import profile_options, score
from model_runners.finetuning.tagged import Lifted, lifted
from model_runners.finetuning.training import Lesson, train
from model_runners.loading import LoadedModel
from model_runners.loading_options import load_asked
from model_runners.profile import ProfileReport, Progress, profile
from model_runners.profile_job import Spectra, estimate_parts, parts, peak_memory
from model_runners.reporter import Reporter
from model_runners.strategies import SampleScores, check_strategy


def work(
    cache: Path, job: JobRow, reporter: Reporter, show: Progress, benchmark: Benchmark | None
) -> dict[str, Any]:
    """Do it all, as far as it is not done yet; returns the job's result."""
    options = options_of(job.request)
    check_names(options)
    shared = Shared()
    if benchmark is not None:
        shared.benchmarks[options.benchmark] = benchmark
    return Finetuning(cache, options, reporter, show, shared).run()


class Finetuning:
    """One fine-tuning, stage after stage; each stage counts its samples anew."""

    def __init__(
        self,
        cache: Path,
        options: FinetuneOptions,
        reporter: Reporter,
        show: Progress,
        shared: Shared,
    ):
        """Prepare; nothing is read yet."""
        self.cache, self.options, self.shared = cache, options, shared
        self.reporter, self.show = reporter, show
        self.stop = reporter.stop.is_set
        self.speed: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Go through the stages; returns what the training came to, JSON values."""
        began = time.monotonic()
        options, cache = self.options, self.cache
        first = self._benchmark(options.benchmark)
        tagged: Lifted | None = None
        if options.lifted is not None:
            tagged = lifted(options, cache, first, training_samples(first, options))
        loaded = self._load()
        trained_on = [self._part(name, loaded, tagged) for name in options.trained_on]
        for name in options.measured_on:
            self._before(name, loaded)
        plan = plan_of(trained_on, options, options.rate(width_of(loaded)))
        record = new_record(
            cache,
            options,
            loaded=loaded,
            parts=trained_on,
            plan=plan,
            warnings=() if tagged is None else tagged.left_out,
        )
        rows = [row for part in trained_on for row in part.rows()]
        adapters.write_sample_weights(cache, record.key, rows)
        base_run_key = self.shared.before[options.benchmark][0].run_key
        record = self._record(record, base_run_key=base_run_key)
        held = len(adapters.losses(cache, record.key))
        record, points = self._train(record, plan, loaded)
        write_card(cache, record)
        del loaded  # a large base must not lie in memory twice
        record, refused = self._after(record)
        write_card(cache, record)
        last = points[-plan.steps_per_epoch :]
        return {
            "adapter": record.key,
            "model": record.name,
            "folder": str(adapter_directory(cache, record.key)),
            "base": record.base,
            "benchmark": record.benchmark,
            "strategy": record.strategy,
            "base_run_key": record.base_run_key,
            "run_key": record.run_key,
            "measured": record.to_dict()["measured"],
            "steps": record.steps,
            "steps_done_now": len(points) - held,
            "final_loss": sum(point.loss for point in last) / len(last),
            "n_train": record.n_train,
            "n_gap": record.n_gap,
            "n_shortcut": record.n_shortcut,
            "seconds": time.monotonic() - began,
            "warnings": list(record.warnings),
            "without_spectrum": refused,
            "training_speed": self.speed,
            **rows_read(first),
        }

    def measure_base(self, *, scores: bool) -> None:
        """Measure the base, and score it, so that trainings which share it find that done."""
        loaded = self._load()
        for name in self.options.trained_on if scores else ():
            self._scores(name, loaded)
        for name in self.options.measured_on:
            self._before(name, loaded)

    def _benchmark(self, name: str) -> Benchmark:
        if name not in self.shared.benchmarks:
            self._stage(f"reading the benchmark {name}")
        return self.shared.benchmark(name, self.options, self.cache)

    def _load(self) -> LoadedModel:
        self._stage("loading the model")
        options = self.options
        watch = hub.Watch(tell=self._stage, stop=self.stop)
        loaded = load_asked(options, watch=watch)
        refuse_untrainable(loaded)
        return loaded

    def _part(self, name: str, loaded: LoadedModel, tagged: Lifted | None) -> Part:
        benchmark = self._benchmark(name)
        wanted = training_samples(benchmark, self.options)
        if check_strategy(self.options.strategy).needs_scores:
            scores = self._scores(name, loaded)
        else:
            scores = SampleScores.unknown(
                tuple(sample.id for sample in wanted),
                tagged=frozenset() if tagged is None else tagged.sample_ids,
            )
        if left_out := len(wanted) - len(scores.sample_ids):
            self._stage(f"{left_out} samples cannot be run and are not trained on")
        return part_of(benchmark, scores, self.options)

    def _scores(self, name: str, loaded: LoadedModel) -> SampleScores:
        found = self.shared.scores.get(name)
        if found is None:
            benchmark = self._benchmark(name)
            found = score(
                on_benchmark(self.options, name),
                training_samples(benchmark, self.options),
                self.cache,
                benchmark=benchmark,
                loaded=loaded,
                progress=self._progress(f"scores of the train split of {name}"),
                stop=self.stop,
            )
            self.shared.scores[name] = found
        return found

    def _train(
        self, record: AdapterRecord, plan: TrainingPlan, loaded: LoadedModel
    ) -> tuple[AdapterRecord, list[LossPoint]]:
        if record.state in {"trained", "profiled"}:
            return record, adapters.losses(self.cache, record.key)
        options = self.options
        record = self._record(record, state="training")
        lora = attach(
            loaded,
            rank=options.rank,
            alpha=options.scaled(),
            dropout=options.dropout,
            seed=options.seed,
            base=str(record.options["model"]),
        )
        lesson = Lesson(
            loaded=loaded,
            lora=lora,
            plan=plan,
            images=self.shared.images,
            candidates=Candidates.of_model(loaded),
            checkpointing=options.gradient_checkpointing,
        )
        self._stage(f"training: {described(plan, lora)}")
        total = plan.epochs * plan.epoch_size
        began, first = time.monotonic(), -1
        self.reporter.begin(total)

        def at(point: LossPoint) -> None:
            nonlocal first
            done = plan.seen(point.step)
            first = plan.seen(point.step - 1) if first < 0 else first
            self.reporter.at(done, total)
            self.reporter.speed(done - first, time.monotonic() - began)
            text = f"step {point.step} of {plan.total_steps}, loss {point.loss:.3f}"
            self.reporter.note(f"training: {text}")
            self.show.samples(done, total)
            self.show.note(text)

        def keep(steps: int) -> None:
            nonlocal record
            record = self._record(record, steps=steps)

        try:
            done = train(lesson, self.cache, record.key, stop=self.stop, report=at, keep=keep)
        except TrainingDiverged:
            self._record(record, state="diverged")
            raise
        if first >= 0:  # what later estimates of the cost of a training rest on
            seconds = time.monotonic() - began
            self.speed |= {
                "samples_per_second": (plan.seen(done.points[-1].step) - first) / seconds,
                "peak_memory_bytes": peak_memory(str(loaded.device)),
                "device": str(loaded.device),
            }
        said = (*record.warnings, *done.warnings)
        return self._record(record, state="trained", steps=done.steps, warnings=said), done.points

    def _before(self, name: str, loaded: LoadedModel) -> None:
        if name not in self.shared.before:
            found = self._measure(name, self.options.model, "before", loaded)
            self.shared.before[name] = found

    def _after(self, record: AdapterRecord) -> tuple[AdapterRecord, list[str]]:
        """Measure the adapted model; returns the record, and what has no spectrum."""
        options = self.options
        folder = str(adapter_directory(self.cache, record.key))
        adapted = load_asked(options, model=folder)
        measured: dict[str, Measured] = {}
        refused: list[str] = []
        for name in options.measured_on:
            report, before = self.shared.before[name]
            after, spectra = self._measure(name, folder, "after", adapted)
            measured[report.benchmark] = Measured(
                benchmark=report.benchmark, base_run_key=report.run_key, run_key=after.run_key
            )
            refused += [
                f"{model}, {sentence}"
                for model, one in ((record.base, before), (record.name, spectra))
                for sentence in one.refused
            ]
        # What an earlier job measured on other benchmarks stays.
        everything = measured | {
            one.benchmark: one for one in record.measured if one.benchmark not in measured
        }
        record = self._record(
            record,
            run_key=measured[self.shared.before[options.benchmark][0].benchmark].run_key,
            measured=tuple(everything.values()),
            state="profiled",
        )
        return record, refused

    def _measure(
        self, name: str, model: str, when: str, loaded: LoadedModel
    ) -> tuple[ProfileReport, Spectra]:
        benchmark = self._benchmark(name)
        options = profile_options(on_benchmark(self.options, name), model=model, split="test")
        report = profile(
            options,
            self.cache,
            progress=self._progress(f"test split of {name}, {when}"),
            stop=self.stop,
            benchmark=benchmark,
            loaded=loaded,
        )
        if report.computed:
            self.speed["passes_per_second"] = report.passes / report.inference_seconds
        everything = parts(options, benchmark)
        # Subsets one by one: pooled, they say little (docs/findings.md) and cost the most. Before
        # and after take the same draws, however many the base's run has.
        single = tuple(name for name in everything.subsets if name != "all")
        wanted = replace(everything, subsets=single or ("all",), draws=self.options.draws)
        return report, estimate_parts(self.cache, report, wanted, self.reporter)

    def _record(self, record: AdapterRecord, **changes: Any) -> AdapterRecord:
        changed = replace(record, **changes)
        adapters.write_record(self.cache, changed)
        return changed

    def _stage(self, text: str) -> None:
        self.reporter.say(text)
        self.show.stage(text)

    def _progress(self, what: str) -> Progress:
        self.reporter.begin(None)
        self.show.note("")

        def samples(done: int, total: int) -> None:
            self.reporter.at(done, total)
            self.show.samples(done, total)

        def statistics(done: int, total: int) -> None:
            self.reporter.note(f"{what}: noise statistics, {done} of {total} samples")
            self.show.statistics(done, total)

        return Progress(
            samples=samples,
            statistics=statistics,
            computed=self.reporter.speed,
            stage=lambda text: self._stage(f"{what}: {text}"),
        )


def outcome(result: dict[str, Any]) -> str:
    """Return one line about what a finished job did."""
    elsewhere = result["measured"][1:]
    return (
        f"adapter {result['model']}: {result['n_train']} samples of the train split "
        f"({result['n_gap']} gap, {result['n_shortcut']} shortcut), {result['steps']} steps, "
        f"loss {result['final_loss']:.3f}; before and after on the test split: runs "
        f"{result['base_run_key']} and {result['run_key']}"
        + "".join(
            f", of {one['benchmark']} {one['base_run_key']} and {one['run_key']}"
            for one in elsewhere
        )
        + f"; {result['seconds']:.0f} s; in {result['folder']}"
        + "".join(f"; {warning}" for warning in result["warnings"])
    )
