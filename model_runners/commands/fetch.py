"""`fetch`: download a benchmark from the hub into the hub's own cache."""

import argparse
import sys

from data_cache.location import cache_directory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", metavar="NAME[:VARIANT]", help="a name of `list benchmarks`")


def run(arguments: argparse.Namespace) -> int:
    """Download it, read it once, and say what it holds."""
    from data_cache.benchmarks import BenchmarkChoice
    from data_cache.benchmarks.survey import count
    from data_cache.errors import BenchmarkError
    from model_runners.fetching import fetch_benchmark

    def tell(sentence: str) -> None:
        print(sentence, file=sys.stderr)

    name = str(arguments.name)
    found = fetch_benchmark(name, tell=tell)
    print(f"{name}: {', '.join(str(file) for file in found.files[:3])} ({found.origin})")
    tell("reading it")
    listed = count(BenchmarkChoice(name=name), cache_directory(arguments.cache))
    if listed.overview is None:
        raise BenchmarkError(listed.problem)
    held = listed.overview
    print(
        f"{held.rows} rows, {held.samples} samples of {held.questions} questions, "
        f"{held.bad_row_count} bad rows; key {held.key}"
    )
    return 0
