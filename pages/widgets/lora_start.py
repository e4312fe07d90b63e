"""The buttons that start one training, or every strategy with every seed as one plan."""

import streamlit as st

from data_cache.jobs import JobRow
from model_runners.benchmark_choice import choice_of
from model_runners.errors import BadOption
from model_runners.finetuning.options import FinetuneOptions, StudyOptions
from model_runners.finetuning.tagged import with_tag
from model_runners.jobs import start
from model_runners.strategies import STRATEGIES
from pages.widgets import state
from pages.widgets.errors import sentence_instead
from pages.widgets.lora_advanced import count
from pages.widgets.lora_plan import Plan, study_cost, time_of, without_tag
from pages.widgets.read_benchmarks import read_benchmark
from pages.widgets.stored import Stored
from pages.widgets.wishes import acted

KINDS = (FinetuneOptions.kind, StudyOptions.kind)
"""Kinds of jobs that this page starts and shows."""
USUAL_STUDY = StudyOptions(model="", benchmark="")
FEWEST_SEEDS = 2
"""Of a strategy, for an interval."""


def show_start(options: FinetuneOptions, reading: Stored) -> None:
    """Draw the button; two clicks, tabs or terminals that ask for the same are one job."""
    if acted("Start", key="start_lora", type="primary", icon=":material/play_arrow:", width=160):
        with sentence_instead("This training cannot be started."):
            _start(options, reading)


def show_study(options: FinetuneOptions, plan: Plan, reading: Stored) -> None:
    """Draw the choice of strategies and seeds, what they come to, and the button for all."""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            offered = [
                name
                for name, entry in STRATEGIES.items()
                if not entry.needs_tag or options.lift_tag is not None
            ]
            strategies = st.multiselect(
                "Strategies beside each other",
                offered,
                default=[name for name in USUAL_STUDY.strategies if name in offered],
                key=state.LORA_STRATEGIES,
                persist_state="session",
                width=520,
                help="Trained on the same samples with the same settings. The base is the first "
                "row of every table, and uniform is what the others are compared with.",
            )
            seeds = count(
                "Seeds",
                state.LORA_SEEDS,
                USUAL_STUDY.seeds,
                "Of every strategy, counted up from the seed above. An interval takes two.",
            )
        strategies = [name for name in strategies if name in offered]
        if not strategies:
            st.text("Choose at least one strategy.")
            return
        asked = study_of(options, strategies, seeds)
        st.text(offer_of(asked, time_of(study_cost(asked, plan, reading))))
        if acted("Start all", key="start_study", icon=":material/playlist_play:", width=160):
            with sentence_instead("This study cannot be started."):
                _start(asked, reading)


def study_of(options: FinetuneOptions, strategies: list[str], seeds: int) -> StudyOptions:
    """Return the study of some strategies, with the tag where one of them takes it."""
    takes_tag = any(STRATEGIES[name].needs_tag for name in strategies)
    plain = options if takes_tag else without_tag(options)
    return StudyOptions.of(plain, tuple(strategies), seeds)


def offer_of(asked: StudyOptions, time: str) -> str:
    """Say what the button starts, as plain text."""
    number = len(asked.strategies) * asked.seeds
    trainings = "1 training" if number == 1 else f"{number} trainings"
    few = "" if asked.seeds >= FEWEST_SEEDS else " One seed has no interval."
    return (
        f"{trainings} as one job, one after the other; the base is measured once. Time: {time}. "
        f"Stopped, it goes on with the first that is not done.{few}"
    )


def _start(options: FinetuneOptions, reading: Stored) -> JobRow:
    if options.lift_tag is not None:  # from now on it is known which samples these are
        benchmark = read_benchmark(choice_of(options))
        tagged = with_tag(_one(options), options.lift_tag, reading.cache, benchmark)
        if isinstance(options, StudyOptions):
            options = StudyOptions.of(tagged, options.strategies, options.seeds)
        else:
            options = tagged
    start(reading.cache, options)
    st.rerun()


def _one(options: FinetuneOptions) -> FinetuneOptions:
    """Return the training that lifts the tag, of a study the first such."""
    if not isinstance(options, StudyOptions):
        return options
    for one in options.trainings():
        if one.lift_tag is not None:
            return one
    raise BadOption("no strategy of this study takes a tag")
