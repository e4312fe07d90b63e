"""The options that say which benchmark a job is about, and what is told of its rows."""

import argparse
import sys

from data_cache.benchmarks import FORMATS
from data_cache.benchmarks.reading import MAX_BAD_SHARE
from data_cache.benchmarks.source import CIRCULAR
from data_cache.benchmarks.splits import SPLIT_POLICIES
from data_cache.samples import Benchmark
from model_runners.benchmark_choice import FRAMES

SHOWN_BAD_ROWS = 20


def add_benchmark_arguments(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Declare the options; without `required`, there may be no benchmark."""
    parser.add_argument(
        "--benchmark",
        required=required,
        metavar="NAME[:VARIANT]|FILE",
        help=f"a name of `list benchmarks`, or a file of your own ({', '.join(FORMATS)})",
    )
    parser.add_argument(
        "--data",
        metavar="PATH",
        help="the file or folder that holds the benchmark (default: $LMUData, then the hub's "
        "cache)",
    )
    parser.add_argument(
        "--split-policy",
        default="group",
        choices=SPLIT_POLICIES,
        help="how samples are divided 3 to 1 into train and test: whole groups, such as all "
        "questions about an image; at random, as published; or as the file says (default: group)",
    )
    parser.add_argument(
        "--circular",
        default="all",
        choices=CIRCULAR,
        help="of questions that come with their options in several orders, ask every order or the "
        "first only (default: all)",
    )
    parser.add_argument(
        "--frames",
        type=int,
        default=FRAMES,
        metavar="N",
        help=f"pictures that are taken of a video, 1 to 64 (default: {FRAMES})",
    )
    parser.add_argument(
        "--max-bad-rows",
        type=float,
        default=MAX_BAD_SHARE,
        metavar="SHARE",
        help=f"go on where at most this share of the rows is bad (default: {MAX_BAD_SHARE})",
    )


def tell_rows(benchmark: Benchmark) -> None:
    """Say on stderr which rows are bad and which were left out; nothing where there are none."""
    bad = benchmark.bad_rows
    if bad:
        word = "row is" if len(bad) == 1 else "rows are"
        print(f"{len(bad)} {word} bad and left out:", file=sys.stderr)
        for problem in bad[:SHOWN_BAD_ROWS]:
            print(f"  {problem}", file=sys.stderr)
        if len(bad) > SHOWN_BAD_ROWS:
            more = len(bad) - SHOWN_BAD_ROWS
            print(f"  and {more} more; the Benchmarks page lists them", file=sys.stderr)
    for reason, count in benchmark.left_out.items():
        word = "row is" if count == 1 else "rows are"
        print(f"{count} {word} left out on purpose: {reason}", file=sys.stderr)
