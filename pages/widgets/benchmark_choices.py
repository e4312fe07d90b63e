"""Which benchmark, from where, and what of it: the pickers that runs and trainings share."""

from dataclasses import dataclass, replace
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from data_cache.benchmarks import BENCHMARKS, FORMATS, BenchmarkChoice, entry_of, source_of
from data_cache.benchmarks.reading import MAX_BAD_SHARE, refuse_many_bad_rows
from data_cache.benchmarks.source import Circular
from data_cache.benchmarks.splits import SplitPolicy
from data_cache.samples import Benchmark
from model_runners.benchmark_choice import FRAMES
from pages.widgets.bad_rows import left_out_in_words, show_bad_rows
from pages.widgets.read_benchmarks import forget_benchmark, read_benchmark
from pages.widgets.wishes import clicked

WIDTH = 220
OTHER_FILE = "another file"
"""The choice that asks for the path of one's own file."""
POLICIES: dict[SplitPolicy, str] = {
    "group": "whole groups",
    "random": "at random, as published",
    "own": "as the file says",
}
ORDERS: dict[Circular, str] = {
    "all": "every order",
    "base_only": "the first order only",
}
FILES, VARIANT, PLACE, POLICY, ORDER, FRAMES_OF, ALLOWED = (
    *("_file", "_variant", "_place", "_split_policy", "_circular", "_frames", "_allowed"),
)
"""Ends of the keys of the fields beside a picker; they begin with the picker's own."""


Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True, kw_only=True)
class ChosenBenchmark:
    """What is chosen, and read."""

    choice: BenchmarkChoice
    benchmark: Benchmark
    max_bad_rows: float = MAX_BAD_SHARE


def choose_benchmark(key: str, manner: DeltaGenerator) -> ChosenBenchmark | None:
    """Draw the pickers and read what is chosen; None while a file has no path yet.

    Parameters
    ----------
    key
        Of the picker in the session; those of its fields begin with it.
    manner
        Where the choices go that say how samples are divided and asked.

    Raises
    ------
    data_cache.errors.BenchmarkError
        If it is not here or cannot be read.
    """
    chosen = (
        st.selectbox(
            "Benchmark",
            [*BENCHMARKS, OTHER_FILE],
            key=key,
            persist_state="session",
            width=200,
            help="\n".join(f"- {name}: {entry.summary}" for name, entry in BENCHMARKS.items()),
        )
        or OTHER_FILE
    )
    if chosen == OTHER_FILE:
        path = _path(
            "File", key + FILES, f"A file that ends in {', '.join(FORMATS)}.", "questions.jsonl"
        )
        if not path:
            st.text(f"Give the path of a file of your own: {', '.join(FORMATS)}.")
            return None
        choice = BenchmarkChoice(name=path)
        if not choice.is_file:
            st.text(f"A file of your own ends in {', '.join(FORMATS)}.")
            return None
        return _read(key, choice, manner, circular=False)
    if entry_of(chosen).built_in:
        choice = BenchmarkChoice(name=chosen)
        return ChosenBenchmark(choice=choice, benchmark=read_benchmark(choice))
    source = source_of(chosen)
    variant = source.default
    if len(source.variants) > 1:
        variant = _pick(
            "Variant",
            {name: name for name in source.variants},
            key + VARIANT + "_" + chosen,
            "\n".join(f"- {name}: {one.summary}" for name, one in source.variants.items()),
            width=150,
        )
    place = _path(
        "Place of its files",
        f"{key}{PLACE}_{chosen}",
        "A file or folder; empty looks into $LMUData and the cache of the Hugging Face hub.",
        "found by itself",
    )
    choice = BenchmarkChoice(
        name=chosen if variant == source.default else f"{chosen}:{variant}", data=place or None
    )
    return _read(key, choice, manner, circular=source.circular)


def show_rows(chosen: ChosenBenchmark, key: str) -> ChosenBenchmark:
    """Show which rows are bad, before anything is started; returns how many are allowed, too.

    Raises
    ------
    data_cache.errors.BenchmarkError
        If there are more.
    """
    benchmark = chosen.benchmark
    words = left_out_in_words(benchmark.left_out)
    if words:
        st.text(words)
    bad = benchmark.bad_rows
    if not bad:
        return chosen
    label = "1 row is bad" if len(bad) == 1 else f"{len(bad):,} rows are bad"
    too_many = benchmark.bad_share > MAX_BAD_SHARE
    with st.expander(f"{label} and will be left out", icon=":material/warning:", expanded=too_many):
        show_bad_rows(bad, len(bad))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            allowed = st.number_input(
                "Bad rows allowed (%)",
                min_value=0.0,
                max_value=100.0,
                value=100 * MAX_BAD_SHARE,
                step=1.0,
                key=key + ALLOWED,
                persist_state="session",
                width=180,
                help="Nothing is started where a larger share of the rows is bad.",
            )
            again = clicked("Read again", key=f"{key}_again", icon=":material/refresh:")
        if again:
            forget_benchmark(chosen.choice)
            st.rerun()
    found = ChosenBenchmark(
        choice=chosen.choice, benchmark=benchmark, max_bad_rows=round(allowed / 100, 6)
    )
    refuse_many_bad_rows(benchmark, found.max_bad_rows)
    return found


def _read(
    key: str, choice: BenchmarkChoice, manner: DeltaGenerator, *, circular: bool
) -> ChosenBenchmark:
    with manner, st.container(horizontal=True, vertical_alignment="top"):
        policy = _pick(
            "Train and test are divided by",
            POLICIES,
            key + POLICY,
            "3 to 1. Whole groups keep all questions about one image, or all orders of one "
            "question, on one side; the papers divide at random, so that both sides share them.",
        )
        order: Circular = "all"
        if circular:
            order = _pick(
                "Options are asked in",
                ORDERS,
                key + ORDER,
                "This benchmark has each question once per order of its options. CircularEval "
                "counts it as right if it is right in every order.",
            )
        frames = int(st.session_state.get(key + FRAMES_OF) or FRAMES)
        choice = BenchmarkChoice(
            name=choice.name, data=choice.data, split_policy=policy, circular=order, frames=frames
        )
        benchmark = read_benchmark(choice)
        if any(sample.video is not None for sample in benchmark.samples):
            st.number_input(
                "Frames of a video",
                min_value=1,
                max_value=64,
                value=FRAMES,
                step=1,
                key=key + FRAMES_OF,
                persist_state="session",
                width=WIDTH,
                help="So many pictures at equal distances are shown to the model.",
            )
        else:  # the number is of another benchmark
            choice = replace(choice, frames=FRAMES)
    return ChosenBenchmark(choice=choice, benchmark=benchmark)


def _path(label: str, key: str, help: str, placeholder: str) -> str:
    text = st.text_input(
        label,
        key=key,
        persist_state="session",
        placeholder=placeholder,
        width=260,
        help=help,
    )
    return (text or "").strip()


def _pick(
    label: str, words: dict[Choice, str], key: str, help: str, *, width: int = WIDTH
) -> Choice:
    chosen = st.selectbox(
        label,
        list(words),
        format_func=lambda value: words[value],
        key=key,
        persist_state="session",
        width=width,
        help=help,
    )
    return chosen or next(iter(words))
