"""`profile`: run a benchmark through a model, under all conditions."""

import argparse
import sys

from data_cache.location import cache_directory
from model_runners.loading import DTYPES
from model_runners.profile import ProfileOptions, Progress, profile
from model_runners.progress import progress
from model_runners.prompt import MASK_SCOPES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--model", required=True, help="a name of `list models`, a folder, or a hub id"
    )
    parser.add_argument("--benchmark", required=True, help="a name of `list benchmarks`")
    parser.add_argument("--limit", type=int, help="only the first N samples of the fixed order")
    parser.add_argument("--subset", help="only one subset")
    parser.add_argument(
        "--split", default="all", choices=["train", "test", "all"], help="default: all"
    )
    parser.add_argument(
        "--draws", type=int, default=4, help="draws of noise per masked condition (default: 4)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the noise (default: 0)")
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)"
    )
    parser.add_argument("--dtype", default="auto", choices=DTYPES, help="precision (default: auto)")
    parser.add_argument(
        "--batch-size", type=int, help="sequences in one pass of the language model"
    )
    parser.add_argument(
        "--layers", action="store_true", help="also read every layer through the logit lens"
    )
    parser.add_argument(
        "--mask-scope",
        default="all",
        choices=MASK_SCOPES,
        help="which text is masked (default: all)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run and report on stderr."""
    options = ProfileOptions(
        model=arguments.model,
        benchmark=arguments.benchmark,
        limit=arguments.limit,
        subset=arguments.subset,
        split=arguments.split,
        draws=arguments.draws,
        seed=arguments.seed,
        device=arguments.device,
        dtype=arguments.dtype,
        batch_size=arguments.batch_size,
        layers=arguments.layers,
        mask_scope=arguments.mask_scope,
    )
    cache = cache_directory(arguments.cache)
    with (
        progress("noise statistics", "sample") as statistics,
        progress("profile", "sample") as samples,
    ):
        report = profile(
            options, cache, progress=Progress(statistics=statistics.to, samples=samples.to)
        )
    rate = report.samples_per_second
    speed = "nothing left to compute" if rate is None else (
        f"{report.computed} samples in {report.inference_seconds:.1f} s of inference "
        f"({rate:.1f} samples/s, {report.passes / report.inference_seconds:.0f} passes/s)"
    )  # fmt: skip
    print(
        f"run {report.run_key}: {report.samples} samples of {report.benchmark} "
        f"through {report.model}; {speed}; "
        f"self-test passed ({len(report.self_test.checks)} checks)",
        file=sys.stderr,
    )
    return 0
