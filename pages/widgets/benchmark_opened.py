"""One benchmark opened: what it holds and how good its rows are, or how it is had."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import streamlit as st

from data_cache.benchmarks import BENCHMARKS, BenchmarkChoice, entry_of, source_of
from data_cache.benchmarks.overview import Overview
from data_cache.benchmarks.survey import Listed, count, look, variants_of
from data_cache.permission import refusal
from pages.widgets import state
from pages.widgets.bad_rows import left_out_in_words, show_bad_rows
from pages.widgets.benchmark_choices import OTHER_FILE
from pages.widgets.empty_states import show_command
from pages.widgets.read_benchmarks import read_benchmark


def show_opened(cache: Path) -> None:
    """Draw the pickers, and what is chosen below them.

    Raises
    ------
    data_cache.errors.BenchmarkError
        If it cannot be read.
    """
    choice = choose()
    if choice is None:
        return
    listed = look(choice, cache)
    may_read = refusal() is None
    if listed.is_here and listed.overview is None and may_read:
        listed = count(choice, cache, benchmark=read_benchmark(choice))
    with st.container(border=True, gap="small"):
        show_facts(listed)
        if listed.problem:
            st.text(listed.problem)
        elif listed.overview is None and listed.is_here:
            st.text("Nobody has counted it yet, and nothing is read for who may only look.")
        elif not listed.is_here:
            show_way(listed, cache)
    if listed.overview is not None:
        show_overview(listed.overview)


def choose() -> BenchmarkChoice | None:
    """Draw the pickers; None while nothing is chosen."""
    names = [name for base in BENCHMARKS for name in variants_of(base)]
    may_name = refusal() is None  # a path is read as whoever runs the dashboard
    with st.container(horizontal=True, vertical_alignment="top"):
        name = st.selectbox(
            "Benchmark",
            [*names, OTHER_FILE] if may_name else names,
            index=None,
            placeholder="choose one",
            key=state.BENCHMARK_OPENED,
            persist_state="session",
            width=240,
        )
        if name is None or (name in names and entry_of(name).built_in):
            return None if name is None else BenchmarkChoice(name=name)
        if not may_name:
            return BenchmarkChoice(name=name)
        own = name == OTHER_FILE
        place = st.text_input(
            "File" if own else "Place of its files",
            key=state.BENCHMARK_PLACE if own else f"{state.BENCHMARK_PLACE}_{name}",
            persist_state="session",
            placeholder="questions.jsonl" if own else "found by itself",
            width=420,
            help="A path on the machine where the dashboard runs.",
        )
    place = (place or "").strip()
    if not own:
        return BenchmarkChoice(name=name, data=place or None)
    choice = BenchmarkChoice(name=place)
    if place and choice.is_file:
        return choice
    st.text("Give the path of a file that ends in .tsv, .jsonl, .json or .csv.")
    return None


def show_facts(listed: Listed) -> None:
    """Say what a benchmark is, as plain text."""
    lines = {
        listed.title: listed.summary,
        "Licence": listed.licence,
        "Home": listed.homepage,
        "Stays together in train or test": listed.group,
        "Where": listed.where,
        "Revision": (listed.found.revision or "") if listed.found else "",
    }
    st.text("\n".join(f"{name}: {text}" for name, text in lines.items() if text))


def show_way(listed: Listed, cache: Path) -> None:
    """Say where a benchmark was looked for, and the command that brings it."""
    st.text("It is not on this machine.")
    if listed.looked_in:
        st.text("Looked for:\n" + "\n".join(f"• {place}" for place in listed.looked_in))
    st.text(listed.advice)
    variant = source_of(listed.name).variants[listed.variant or source_of(listed.name).default]
    if variant.hub:
        show_command(f"fetch {listed.name}", cache)


def show_overview(overview: Overview) -> None:
    """Draw counts, tables and bad rows."""
    with st.container(horizontal=True, gap="medium", key="benchmark_numbers"):
        for label, value in numbers(overview).items():
            with st.container(width="content", gap="xxsmall"):
                st.caption(label)
                st.text(value)
    words = left_out_in_words(overview.left_out)
    if words:
        st.text(words)
    with st.container(horizontal=True, vertical_alignment="top"):
        _show_counts("Subset", overview.subsets, overview.samples, width=360)
        _show_counts("Right answer", overview.answers, overview.samples)
        _show_counts("Options", overview.options, overview.samples)
        _show_counts("Images", overview.images, overview.samples)
    if overview.bad_row_count:
        word = "row is" if overview.bad_row_count == 1 else "rows are"
        st.text(f"{overview.bad_row_count:,} {word} bad and left out:")
        show_bad_rows(overview.bad_rows, overview.bad_row_count)


def numbers(overview: Overview) -> dict[str, str]:
    """Return what is counted, in words."""
    return {
        "Rows": "none" if overview.rows is None else f"{overview.rows:,}",
        "Samples": f"{overview.samples:,}",
        "Questions": f"{overview.questions:,}",
        **{split.capitalize(): f"{count:,}" for split, count in overview.splits.items()},
        "Bad rows": f"{overview.bad_row_count:,}",
        "Key": overview.key,
    }


def _show_counts(name: str, counts: Mapping[str, int], total: int, *, width: int = 240) -> None:
    frame = pd.DataFrame(
        {
            name: list(counts),
            "Samples": list(counts.values()),
            "%": [round(100 * count / total, 1) for count in counts.values()],
        }
    )
    st.dataframe(frame, hide_index=True, width=width, alt=f"Samples by {name.lower()}.")
