"""`demo`: load the shipped results, or train the shipped models again."""

import argparse
import sys
import time
from pathlib import Path

from data_cache.location import cache_directory
from model_runners.commands.ingest import describe
from model_runners.demo.recipes import RECIPES, train
from model_runners.models import DEMO_MODELS
from model_runners.progress import progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("load", help="put the shipped results into the cache").add_argument(
        "--cache", metavar="DIR", default=argparse.SUPPRESS, help="cache folder"
    )
    training = actions.add_parser("train", help="train a demo model from nothing")
    training.add_argument("name", help=f"one of: {', '.join(RECIPES)}")
    training.add_argument(
        "--out", metavar="DIR", help="folder for the weights (default: where the shipped ones lie)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Do the action and report on stderr."""
    return _load(arguments) if arguments.action == "load" else _train(arguments)


def _load(arguments: argparse.Namespace) -> int:
    from data_cache.shipped import load_demo

    cache = cache_directory(arguments.cache)
    report = load_demo(cache)
    print(
        f"demo in {cache}: {report.copied} files copied, {report.present} there already; "
        f"{describe(report.ingest)}",
        file=sys.stderr,
    )
    return 0


def _train(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.out) if arguments.out else DEMO_MODELS / arguments.name
    started = time.monotonic()
    with progress(f"train {arguments.name}", "step") as bar:

        def report(stage: str, step: int, steps: int, loss: float) -> None:
            bar.name(f"train {arguments.name}, {stage}")
            bar.note(f"loss {loss:.3f}")
            bar.to(step, steps)

        train(arguments.name, folder, report=report)
    print(
        f"trained {arguments.name} in {time.monotonic() - started:.0f} s; weights in {folder}",
        file=sys.stderr,
    )
    return 0
