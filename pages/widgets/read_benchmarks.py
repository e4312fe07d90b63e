"""Benchmarks read once for all sessions, and again when their files have changed."""

from pathlib import Path

import streamlit as st

from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.benchmarks.survey import Stamp, stamp_of
from data_cache.location import cache_directory
from data_cache.samples import Benchmark


def read_benchmark(choice: BenchmarkChoice) -> Benchmark:
    """Return a benchmark; it cannot be changed.

    Raises
    ------
    data_cache.errors.BenchmarkError
        If it is not here or cannot be read.
    """
    return _read(choice, stamp_of(choice), str(cache_directory(None)))


def forget_benchmark(choice: BenchmarkChoice) -> None:
    """Read a benchmark anew when it is asked for next: images beside its table may have come."""
    _read.clear(choice, stamp_of(choice), str(cache_directory(None)))


@st.cache_resource(max_entries=4, show_spinner="Reading the benchmark")
def _read(choice: BenchmarkChoice, stamp: Stamp, cache: str) -> Benchmark:
    del stamp  # a part of the key: the files as they are now
    return load_benchmark(choice, cache=Path(cache))
