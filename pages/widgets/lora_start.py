"""What a training would do, on how many samples, and the button that starts it."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path

import streamlit as st

from data_cache import jobs
from data_cache.jobs import JobRow
from data_cache.samples import Benchmark
from model_runners.benchmark_choice import choice_of
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.requests import check_names, training_samples
from model_runners.finetuning.tagged import lifted_of, tagged_ids, with_tag
from model_runners.jobs import start
from model_runners.models import resolve_model
from model_runners.strategies import (
    GAP_WEIGHT,
    REST_WEIGHT,
    SHORTCUT_WEIGHT,
    STRATEGIES,
)
from pages.widgets.errors import sentence_instead
from pages.widgets.job_words import duration
from pages.widgets.read_benchmarks import read_benchmark
from pages.widgets.stored import Stored
from pages.widgets.wishes import clicked

KIND = FinetuneOptions.kind
UNKNOWN = "not known yet"
WITHOUT_SCORES = (
    "No scores of train samples of this model are in the cache yet: they are measured first."
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a training comes to."""

    train: int
    """Samples that are trained on."""
    test: int
    """Samples that before and after are measured on."""
    lifted: int
    """Samples that weigh more, at most."""
    steps: int
    left_out: tuple[str, ...]
    """Sentences about samples of the tag that are not lifted, where one is."""
    has_scores: bool
    """The cache has scores of train samples of this model."""
    last: JobRow | None
    """The last finished training of this model in this cache."""


def plan_of(options: FinetuneOptions, benchmark: Benchmark, reading: Stored) -> Plan:
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
    name = resolve_model(options.model).name
    samples = training_samples(benchmark, options)
    train = len(samples)
    lifted, left_out = min(options.top or max(train // 4, 1), train), ()
    if options.lift_tag is not None:
        ids = tagged_ids(options.lift_tag, reading.cache, benchmark)
        found = lifted_of(options.lift_tag, ids, benchmark, samples)
        lifted, left_out = len(found.sample_ids), found.left_out
    return Plan(
        train=train,
        test=sum(sample.split == "test" for sample in benchmark.samples),
        lifted=lifted,
        left_out=left_out,
        steps=options.epochs * ceil(train / options.batch_size),
        has_scores=any(
            (one.model, one.benchmark, one.split) == (name, benchmark.name, "train")
            for one in reading.spectra
        ),
        last=_last(options, reading.cache),
    )


def show_plan(options: FinetuneOptions, reading: Stored) -> Plan:
    """Say what is trained on what, before it is started."""
    plan = plan_of(options, read_benchmark(choice_of(options)), reading)
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, gap="medium", key="plan"):
            for label, value, meaning in numbers(plan, tag=options.lift_tag):
                with st.container(width="content", gap="xxsmall"):
                    st.caption(label, help=meaning)
                    st.text(value)
        st.text(f"{options.strategy}: {STRATEGIES[options.strategy].summary}.")
        st.text(sentence_of(options))
        for sentence in plan.left_out:
            st.text(f"{sentence}.")
        if STRATEGIES[options.strategy].needs_scores and not plan.has_scores:
            st.text(WITHOUT_SCORES)
    return plan


def show_start(options: FinetuneOptions, cache: Path) -> None:
    """Draw the button; two clicks, tabs or terminals that ask for the same are one job."""
    if not clicked(
        "Start", key="start_lora", type="primary", icon=":material/play_arrow:", width=160
    ):
        return
    with sentence_instead("This training cannot be started."):
        if options.lift_tag is not None:  # from now on it is known which samples these are
            options = with_tag(options, options.lift_tag, cache, read_benchmark(choice_of(options)))
        start(cache, options)
        st.rerun()


def numbers(plan: Plan, *, tag: str | None = None) -> list[tuple[str, str, str]]:
    """Return label, value and meaning of what is shown; of a tag, how many of it are lifted."""
    lifted = ("Gap samples", f"at most {plan.lifted:,}", "And as many shortcut samples at most.")
    if tag is not None:
        lifted = ("Samples of the tag", f"{plan.lifted:,}", "Those of it that are trained on.")
    return [
        ("Train samples", f"{plan.train:,}", "Of the train split; no other is trained on."),
        lifted,
        ("Steps", f"{plan.steps:,}", "Of the optimiser, in all epochs."),
        ("Test samples", f"{plan.test:,}", "Before and after are measured on the test split."),
        ("Time", UNKNOWN if plan.last is None else _time(plan.last), _meaning(plan.last)),
    ]


def sentence_of(options: FinetuneOptions) -> str:
    """Say what will be trained, on what, and with which weights."""
    weights = (
        f"a gap sample weighs {GAP_WEIGHT}, a shortcut {SHORTCUT_WEIGHT}, any other {REST_WEIGHT}"
        if STRATEGIES[options.strategy].needs_scores
        else f"every sample weighs {REST_WEIGHT}"
    )
    if options.strategy == "random":
        weights = (
            f"samples that are drawn weigh {GAP_WEIGHT}, as many others {SHORTCUT_WEIGHT}, the "
            f"rest {REST_WEIGHT}"
        )
    if options.lift_tag is not None:
        weights = (
            f"a sample of the tag “{options.lift_tag}” weighs {GAP_WEIGHT}, any other {REST_WEIGHT}"
        )
    return (
        f"Trains low-rank matrices (rank {options.rank}) beside the linear maps of the last 20 % "
        "of language layers; every weight of the model itself stays as it is. Only samples of the "
        f"train split are trained on; {weights}. The model is measured before and after; what is "
        "measured already is not computed again."
    )


def _last(options: FinetuneOptions, cache: Path) -> JobRow | None:
    for job in jobs.jobs(cache, kind=KIND):
        same = job.request.get("model") == options.model
        if same and job.state == "done" and job.result.get("seconds"):
            return job
    return None


def _time(job: JobRow) -> str:
    return f"the last took {duration(job.result['seconds'])}"


def _meaning(job: JobRow | None) -> str:
    if job is None:
        return "No training of this model has been finished in this cache."
    return (
        f"With its profiles: {job.result['n_train']:,} train samples, {job.result['steps']:,} "
        f"steps. Job {job.job_key}."
    )
