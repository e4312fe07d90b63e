"""The table of benchmarks: one line per entry, loaded only when asked for."""

import importlib
from dataclasses import dataclass

from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark
from pid_core.errors import did_you_mean


@dataclass(frozen=True, kw_only=True)
class BenchmarkEntry:
    """One line of the table."""

    module: str
    """Module with a function `load() -> Benchmark`."""
    summary: str
    """One sentence for lists and pickers."""


BENCHMARKS: dict[str, BenchmarkEntry] = {
    "digits_vqa": BenchmarkEntry(
        module="data_cache.benchmarks.digits_vqa",
        summary="handwritten digits 0-7 with four subsets of 2 bits of one known atom each",
    ),
}


def load_benchmark(name: str) -> Benchmark:
    """Load a benchmark by its name in the table.

    Raises
    ------
    BenchmarkError
        If no benchmark has that name; the message has the nearest name and the list.
    """
    entry = BENCHMARKS.get(name)
    if entry is None:
        raise BenchmarkError(f"there is no benchmark {name!r}; {did_you_mean(name, BENCHMARKS)}")
    return importlib.import_module(entry.module).load()
