"""What a job of kind `finetune` does: score, weigh, train, and measure before and after."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from data_cache import adapters
from data_cache.adapters import AdapterRecord, LossPoint, SampleWeight
from data_cache.jobs import JobRow
from data_cache.location import adapter_directory
from data_cache.samples import Benchmark, Sample
from model_runners import hub
from model_runners.benchmark_choice import load_asked, rows_read
from model_runners.candidates import Candidates
from model_runners.errors import TrainingDiverged
from model_runners.finetuning.lora import attach
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.plan import TrainingPlan
from model_runners.finetuning.records import described, new_record
from model_runners.finetuning.requests import check_names, options_of, training_samples
from model_runners.finetuning.scores import profile_options, score
from model_runners.finetuning.tagged import Lifted, lifted
from model_runners.finetuning.training import Trainer, train
from model_runners.loading import LoadedModel, load
from model_runners.profile import ProfileReport, Progress, profile
from model_runners.profile_job import Spectra, estimate_parts, parts
from model_runners.reporter import Reporter
from model_runners.strategies import SampleScores, Weighting, check_strategy, weigh
from model_runners.vision import VisionCache


def work(
    cache: Path, job: JobRow, reporter: Reporter, show: Progress, benchmark: Benchmark | None
) -> dict[str, Any]:
    """Do it all, as far as it is not done yet; returns the job's result."""
    began = time.monotonic()
    options = options_of(job.request)
    check_names(options)
    return Finetuning(cache, options, reporter, show).run(benchmark, began)


class Finetuning:
    """One fine-tuning, stage after stage; each stage counts its samples anew."""

    def __init__(self, cache: Path, options: FinetuneOptions, reporter: Reporter, show: Progress):
        """Prepare; nothing is read yet."""
        self.cache, self.options = cache, options
        self.reporter, self.show = reporter, show
        self.stop = reporter.stop.is_set

    def run(self, benchmark: Benchmark | None, began: float) -> dict[str, Any]:
        """Go through the stages; `began` is when the job began, on the monotonic clock."""
        options, cache = self.options, self.cache
        if benchmark is None:
            self._stage("reading the benchmark")
            benchmark = load_asked(options, cache)
        samples = training_samples(benchmark, options)
        tagged = None if options.lifted is None else lifted(options, cache, benchmark, samples)
        self._stage("loading the model")
        watch = hub.Watch(tell=self._stage, stop=self.stop)
        loaded = load(options.model, device=options.device, dtype=options.dtype, watch=watch)
        scores = self._scores(samples, benchmark, loaded, tagged)
        scored = set(scores.sample_ids)
        if left_out := sum(sample.id not in scored for sample in samples):
            self._stage(f"{left_out} samples cannot be run and are not trained on")
            samples = tuple(sample for sample in samples if sample.id in scored)
        top = options.top_of(len(samples))
        weighting = weigh(options.strategy, scores, top=top, seed=options.seed)
        if tagged is not None:
            weighting = replace(weighting, warnings=(*weighting.warnings, *tagged.left_out))
        before = self._measure(options.model, "before", benchmark, loaded)
        record, plan = new_record(
            cache, options, loaded=loaded, benchmark=benchmark, samples=samples, weighting=weighting
        )
        adapters.write_sample_weights(cache, record.key, sample_rows(samples, scores, weighting))
        record = self._record(record, base_run_key=before[0].run_key)
        record, points = self._train(record, plan, loaded)
        folder = adapter_directory(cache, record.key)
        del loaded  # a large base must not lie in memory twice
        after = self._measure(str(folder), "after", benchmark, None)
        record = self._record(record, run_key=after[0].run_key, state="profiled")
        last = points[-plan.steps_per_epoch :]
        return {
            "adapter": record.key,
            "model": record.name,
            "folder": str(folder),
            "base": record.base,
            "benchmark": record.benchmark,
            "strategy": record.strategy,
            "base_run_key": record.base_run_key,
            "run_key": record.run_key,
            "steps": record.steps,
            "final_loss": sum(point.loss for point in last) / len(last),
            "n_train": record.n_train,
            "n_gap": record.n_gap,
            "n_shortcut": record.n_shortcut,
            "seconds": time.monotonic() - began,
            "warnings": list(record.warnings),
            "without_spectrum": [
                f"{name}, {sentence}"
                for name, (_, spectra) in ((record.base, before), (record.name, after))
                for sentence in spectra.refused
            ],
            **rows_read(benchmark),
        }

    def _scores(
        self,
        samples: Sequence[Sample],
        benchmark: Benchmark,
        loaded: LoadedModel,
        tagged: Lifted | None,
    ) -> SampleScores:
        if not check_strategy(self.options.strategy).needs_scores:
            return SampleScores.unknown(
                tuple(sample.id for sample in samples),
                tagged=frozenset() if tagged is None else tagged.sample_ids,
            )
        return score(
            self.options,
            samples,
            self.cache,
            benchmark=benchmark,
            loaded=loaded,
            progress=self._progress("scores of the train split"),
            stop=self.stop,
        )

    def _train(
        self, record: AdapterRecord, plan: TrainingPlan, loaded: LoadedModel
    ) -> tuple[AdapterRecord, list[LossPoint]]:
        if record.state in {"trained", "profiled"}:
            return record, adapters.losses(self.cache, record.key)
        options = self.options
        record = self._record(record, state="training")
        lora = attach(
            loaded, rank=options.rank, seed=options.seed, base=str(record.options["model"])
        )
        trainer = Trainer(
            loaded=loaded,
            lora=lora,
            plan=plan,
            images=VisionCache(),
            candidates=Candidates.of_model(loaded),
        )
        self._stage(f"training: {described(plan, lora)}")
        total = plan.epochs * len(plan.samples)
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
            points = train(trainer, self.cache, record.key, stop=self.stop, report=at, keep=keep)
        except TrainingDiverged:
            self._record(record, state="diverged")
            raise
        return self._record(record, state="trained"), points

    def _measure(
        self, model: str, when: str, benchmark: Benchmark, loaded: LoadedModel | None
    ) -> tuple[ProfileReport, Spectra]:
        options = profile_options(self.options, model=model, split="test")
        report = profile(
            options,
            self.cache,
            progress=self._progress(f"test split, {when}"),
            stop=self.stop,
            benchmark=benchmark,
            loaded=loaded,
        )
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


def sample_rows(
    samples: Sequence[Sample], scores: SampleScores, weighting: Weighting
) -> list[SampleWeight]:
    """Return what is kept of each training sample."""
    return [
        SampleWeight(
            sample_id=sample.id,
            subset=sample.subset,
            weight=float(weighting.weights[row]),
            role=weighting.roles[row],
            gap_score=float(scores.gap_score[row]),
            shortcut=float(scores.shortcut[row]),
            fusion_potential=float(scores.fusion_potential[row]),
            synergy_ratio=float(scores.synergy_ratio[row]),
            answer=float(scores.answer[row]),
            answer_without_image=float(scores.answer_without_image[row]),
        )
        for row, sample in enumerate(samples)
    ]


def outcome(result: dict[str, Any]) -> str:
    """Return one line about what a finished job did."""
    return (
        f"adapter {result['model']}: {result['n_train']} samples of the train split "
        f"({result['n_gap']} gap, {result['n_shortcut']} shortcut), {result['steps']} steps, "
        f"loss {result['final_loss']:.3f}; before and after on the test split: runs "
        f"{result['base_run_key']} and {result['run_key']}; {result['seconds']:.0f} s; "
        f"in {result['folder']}" + "".join(f"; {warning}" for warning in result["warnings"])
    )
