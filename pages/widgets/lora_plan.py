"""What a training, or a study, comes to before it is started: counts, time, memory, weights."""

from dataclasses import dataclass, replace
from math import ceil

import streamlit as st

from data_cache.estimates import SpectrumRecord
from data_cache.samples import Benchmark, Sample
from model_runners.benchmark_choice import choice_of
from model_runners.finetuning.cost import Held, TrainingCost, training_cost
from model_runners.finetuning.options import FinetuneOptions, StudyOptions
from model_runners.finetuning.requests import check_names, training_samples
from model_runners.finetuning.stored_scores import estimates_behind
from model_runners.finetuning.tagged import lifted_of, tagged_ids
from model_runners.hub import written_bytes
from model_runners.models import resolve_model
from model_runners.strategies import GAP_WEIGHT, REST_WEIGHT, SHORTCUT_WEIGHT, STRATEGIES
from pages.widgets.job_words import duration
from pages.widgets.read_benchmarks import read_benchmark
from pages.widgets.stored import Stored

UNKNOWN = "not known yet"
WITHOUT_SCORES = (
    "No scores of train samples of this model are in the cache yet: they are measured first."
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a training comes to."""

    benchmark: Benchmark
    samples: tuple[Sample, ...]
    """That are trained on, all of the train split."""
    test: int
    """Samples that before and after are measured on."""
    lifted: int
    """Samples that weigh more, at most."""
    tagged: frozenset[str]
    """Ids of those that carry the tag, where one is lifted."""
    steps: int
    left_out: tuple[str, ...]
    """Sentences about samples of the tag that are not lifted, where one is."""
    behind: tuple[SpectrumRecord, ...]
    """Stored estimates of the train split, whose scores tell the weights."""
    held: Held
    """What of the profiles is stored."""
    cost: TrainingCost


def plan_of(options: FinetuneOptions, reading: Stored) -> Plan:
    """Count what would be done.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    BadOption
        If the model is itself an adapter.
    NoGapSamples
        If no sample of the tag is trained on.
    data_cache.errors.BenchmarkError
        If there is no such subset, or nothing to train on.
    """
    check_names(options)
    benchmark = read_benchmark(choice_of(options))
    name = resolve_model(options.model).name
    samples = training_samples(benchmark, options)
    train = len(samples)
    lifted, tagged, left_out = min(options.top_of(train), train), frozenset[str](), ()
    if options.lift_tag is not None:
        ids = tagged_ids(options.lift_tag, reading.cache, benchmark)
        found = lifted_of(options.lift_tag, ids, benchmark, samples)
        lifted, tagged, left_out = len(found.sample_ids), found.sample_ids, found.left_out
    keys = {run.run_key: run.benchmark_key for run in reading.runs}
    behind = estimates_behind(options, reading.spectra, keys, benchmark)
    subsets = {one.subset for one in samples}
    held = Held(
        scores=subsets <= {one.subset for one in behind},
        before=any(
            (one.model, one.split, keys.get(one.run_key)) == (name, "test", benchmark.key)
            for one in reading.spectra
        ),
    )
    taken = min(2 * lifted, train) if options.select == "topk" else train
    return Plan(
        benchmark=benchmark,
        samples=samples,
        test=sum(sample.split == "test" for sample in benchmark.samples),
        lifted=lifted,
        tagged=tagged,
        left_out=left_out,
        steps=options.epochs * ceil(taken / options.batch_size),
        behind=behind,
        held=held,
        cost=cost_of(options, reading, benchmark=benchmark, train=taken, held=held),
    )


def cost_of(
    options: FinetuneOptions | StudyOptions,
    reading: Stored,
    *,
    benchmark: Benchmark,
    train: int,
    held: Held,
) -> TrainingCost:
    """Return what one training, or a study, would take."""
    return training_cost(options, reading.cache, benchmark=benchmark, train=train, held=held)


def study_cost(options: StudyOptions, plan: Plan, reading: Stored) -> TrainingCost:
    """Return what all trainings of a study would take, from the plan of one of them."""
    train = plan.cost.trained // (plan.cost.trainings * options.epochs)
    return cost_of(options, reading, benchmark=plan.benchmark, train=train, held=plan.held)


def show_plan(options: FinetuneOptions, reading: Stored) -> Plan:
    """Say what is trained on what, before it is started."""
    plan = plan_of(options, reading)
    entry = STRATEGIES[options.strategy]
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, gap="medium", key="plan"):
            for label, value, meaning in numbers(options, plan):
                with st.container(width="content", gap="xxsmall"):
                    st.caption(label, help=meaning)
                    st.text(value)
        st.text(f"{options.strategy}: {entry.summary}.")
        st.text(sentence_of(options))
        for sentence in plan.left_out:
            st.text(f"{sentence}.")
        if entry.needs_scores and not plan.behind:
            st.text(WITHOUT_SCORES)
        st.caption(basis_of(plan.cost))
    return plan


def numbers(options: FinetuneOptions, plan: Plan) -> list[tuple[str, str, str]]:
    """Return label, value and meaning of what is shown."""
    entry, cost = STRATEGIES[options.strategy], plan.cost
    found = [
        (
            "Train samples",
            f"{len(plan.samples):,}",
            "Of the train split; no other is trained on.",
        )
    ]
    if entry.lifts is not None:
        at_most = "" if options.lift_tag is not None or not entry.needs_scores else "at most "
        lowered = f" And as many {entry.lowers}, at most." if entry.lowers else ""
        found.append(
            (
                entry.lifts.capitalize(),
                f"{at_most}{plan.lifted:,}",
                f"Those that weigh more, of the train samples.{lowered}",
            )
        )
    return [
        *found,
        ("Steps", f"{plan.steps:,}", "Of the optimiser, in all epochs."),
        ("Test samples", f"{plan.test:,}", "Before and after are measured on the test split."),
        ("Time", time_of(cost), "Profiles of the scores, before and after included."),
        (
            "Memory",
            UNKNOWN if cost.memory_bytes is None else f"about {written_bytes(cost.memory_bytes)}",
            "Of the device that the model runs on.",
        ),
    ]


def time_of(cost: TrainingCost) -> str:
    """Say how long it takes."""
    return UNKNOWN if cost.seconds is None else f"about {duration(cost.seconds)}"


def basis_of(cost: TrainingCost) -> str:
    """Say where time and memory come from."""
    passes = f"{cost.passes:,} passes of profiles that are not stored yet"
    start = "" if cost.seconds is None else f"{passes} and {cost.trained:,} samples trained; "
    return f"Time: {start}{cost.time_basis}. Memory: {cost.memory_basis}."


def sentence_of(options: FinetuneOptions) -> str:
    """Say what will be trained, on what, and with which weights."""
    mixed = f" of {', '.join(options.trained_on)}" if options.mix else ""
    only = " and no other train sample" if options.select == "topk" else ""
    elsewhere = [name for name in options.measured_on if name != options.benchmark]
    also = f" on {', '.join(options.measured_on)}" if elsewhere else ""
    return (
        f"Trains low-rank matrices (rank {options.rank}) beside the linear maps of the last 20 % "
        "of language layers; every weight of the model itself stays as it is. Only samples of the "
        f"train split{mixed} are trained on{only}; {weights_of(options)}. The model is measured "
        f"before and after{also}; what is measured already is not computed again."
    )


def weights_of(options: FinetuneOptions) -> str:
    """Say which samples weigh how much, in the words of the strategy.

    >>> weights_of(FinetuneOptions(model="m", benchmark="b", strategy="accuracy"))
    'hard samples weigh 3.0, easy samples 0.5, any other 1.0'
    """
    entry = STRATEGIES[options.strategy]
    if entry.lifts is None:
        return f"every sample weighs {REST_WEIGHT}"
    lifts = entry.lifts
    if options.lift_tag is not None:
        lifts = f"samples of the tag “{options.lift_tag}”"
    parts = [f"{lifts} weigh {GAP_WEIGHT}"]
    if entry.lowers:
        parts.append(f"{entry.lowers} {SHORTCUT_WEIGHT}")
    if options.select != "topk":
        parts.append(f"any other {REST_WEIGHT}")
    return ", ".join(parts)


def without_tag(options: FinetuneOptions) -> FinetuneOptions:
    """Return the options of trainings that lift no tag."""
    if options.lift_tag is None:
        return options
    return replace(options, strategy="uniform", lift_tag=None, lifted=None)
