"""What a run would cost, and the button that starts it."""

from pathlib import Path

import streamlit as st

from model_runners.benchmark_choice import choice_of
from model_runners.cost import Cost, estimate_cost
from model_runners.hub import written_bytes
from model_runners.jobs import start
from model_runners.profile import ProfileOptions
from pages.widgets.download import show_download
from pages.widgets.errors import sentence_instead
from pages.widgets.job_words import duration, parameters
from pages.widgets.read_benchmarks import read_benchmark
from pages.widgets.run_turn import choose_terms
from pages.widgets.wishes import acted

UNKNOWN = "not known yet"


def show_cost(options: ProfileOptions, cache: Path) -> Cost:
    """Show passes, memory and time of a run before it is started.

    Raises
    ------
    data_cache.errors.DataError, model_runners.errors.RunnerError
        If the model, the subset or the device is not there.
    """
    with st.spinner("Counting passes"):
        cost = estimate_cost(options, cache, benchmark=read_benchmark(choice_of(options)))
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, gap="medium", key="cost"):
            for label, value, meaning in numbers(cost):
                with st.container(width="content", gap="xxsmall"):
                    st.caption(label, help=meaning)
                    st.text(value)
        st.text(basis(cost))
        if cost.room:
            st.text(cost.room)
        show_download(options.model)
    return cost


def show_start(options: ProfileOptions, cache: Path) -> None:
    """Draw the button; two clicks, tabs or terminals that ask for the same are one job."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = st.container(width="content")
        terms = choose_terms(options, cache)
    with place:
        wanted = acted(
            "Start", key="start", type="primary", icon=":material/play_arrow:", width=160
        )
    if wanted:
        with sentence_instead("This run cannot be started."):
            start(cache, options, terms=terms)
            st.rerun()


def numbers(cost: Cost) -> list[tuple[str, str, str]]:
    """Return label, value and meaning of what is shown."""
    return [
        ("Samples", f"{cost.samples:,}", "How many questions of the benchmark are asked."),
        (
            "Passes per sample",
            f"{cost.passes_per_sample:,}",
            "Sequences through the language model: each masked condition once per draw.",
        ),
        ("Passes", f"{cost.passes:,}", "In all. What is stored already is not computed again."),
        (
            "Parameters",
            UNKNOWN if cost.parameters is None else parameters(cost.parameters),
            "Of the model, as the headers of its files or the table of models say.",
        ),
        (
            "Memory",
            UNKNOWN if cost.memory_bytes is None else written_bytes(cost.memory_bytes),
            "Of the device that the model runs on.",
        ),
        (
            "Time",
            UNKNOWN if cost.seconds is None else duration(cost.seconds),
            "With loading the model, without the spectra.",
        ),
    ]


def basis(cost: Cost) -> str:
    """Say where time and memory come from.

    >>> from model_runners.cost import Cost
    >>> basis(Cost(passes_per_sample=5, samples=1, passes=5, parameters=None, memory_bytes=None,
    ...     seconds=None, basis="time: no run of this model here yet; memory: x"))
    'Time: not known yet, no run of this model here; memory: x.'
    """
    known = cost.basis.removeprefix("time: ").replace(
        "no run of this model here yet", f"{UNKNOWN}, no run of this model here", 1
    )
    return f"Time: {known}."
