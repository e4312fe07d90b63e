"""The table of benchmarks: found or not, where, how much of it; counted only when asked."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from data_cache.benchmarks import BenchmarkChoice
from data_cache.benchmarks.survey import Listed, count
from pages.widgets.tables import show_table_frame
from pages.widgets.wishes import acted


def show_list(listed: Sequence[Listed], cache: Path) -> None:
    """Draw the table, and a button that reads what nobody has counted yet."""
    place = st.container()
    uncounted = [one for one in listed if one.is_here and one.overview is None]
    if uncounted:
        names = ", ".join(one.name for one in uncounted)
        with st.container(horizontal=True, vertical_alignment="center"):
            wanted = acted("Count", key="count_benchmarks", icon=":material/calculate:")
            st.text(f"Not counted since the files came or changed: {names}.")
        if wanted:
            listed = _count(listed, uncounted, cache)
    with place:
        show_table_frame(
            table(listed),
            key="benchmark_table",
            height="content",
            placeholder="",
            column_config={
                "Benchmark": st.column_config.TextColumn(pinned=True),
                "Key": st.column_config.TextColumn(
                    help="Hash of the content: the same samples have the same key everywhere."
                ),
                "Questions": st.column_config.NumberColumn(
                    help="Groups of samples that stay together in train or test."
                ),
                "Where it is, or how it is had": st.column_config.TextColumn(width="large"),
            },
            alt="The benchmarks that can be read, what each holds, or how it is had.",
        )


def table(listed: Sequence[Listed]) -> pd.DataFrame:
    """Return one row a benchmark and variant; plain text and numbers."""
    frame = pd.DataFrame(
        [
            {
                "Benchmark": one.name,
                "Here": "yes" if one.is_here else "no",
                "Rows": None if one.overview is None else one.overview.rows,
                "Questions": None if one.overview is None else one.overview.questions,
                "Samples": None if one.overview is None else one.overview.samples,
                "Bad rows": None if one.overview is None else one.overview.bad_row_count,
                "Where it is, or how it is had": one.problem or one.where or one.advice,
                "Licence": one.licence,
                "Key": None if one.overview is None else one.overview.key,
            }
            for one in listed
        ]
    )
    numbers = ["Rows", "Questions", "Samples", "Bad rows"]
    return frame.astype(dict.fromkeys(numbers, "Int64"))


def _count(listed: Sequence[Listed], uncounted: Sequence[Listed], cache: Path) -> list[Listed]:
    found = {one.name: one for one in listed}
    with st.empty():
        bar = st.progress(0.0)
        for number, one in enumerate(uncounted):
            bar.progress(number / len(uncounted), text=f"Reading {one.name}")
            found[one.name] = count(BenchmarkChoice(name=one.name), cache)
        bar.empty()
    return list(found.values())
