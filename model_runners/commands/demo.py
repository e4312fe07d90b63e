"""`demo`: load the shipped results, train the shipped models again, or see how well they learnt."""

import argparse
import sys
import time
from pathlib import Path

from data_cache.location import cache_directory
from model_runners.commands.ingest import describe
from model_runners.demo.recipes import RECIPES, train
from model_runners.demo.zoo import ZOO
from model_runners.models import DEMO_MODELS
from model_runners.progress import progress

OMNI = "omni"
"""The model that watches and listens."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("load", help="put the shipped results into the cache").add_argument(
        "--cache", metavar="DIR", default=argparse.SUPPRESS, help="cache folder"
    )
    training = actions.add_parser("train", help="train a demo model from nothing")
    training.add_argument("name", help=f"one of: {', '.join([*RECIPES, *ZOO, OMNI])}")
    training.add_argument(
        "--out", metavar="DIR", help="folder for the weights (default: where the shipped ones lie)"
    )
    training.add_argument(
        "--checkpoints",
        metavar="DIR",
        help="keep the checkpoints of a model of the zoo below this folder, and what both lines "
        "start from; `training DIR/NAME` measures them",
    )
    accuracy = actions.add_parser(
        "accuracy", help="how often demo models are right on fresh questions as in their training"
    )
    accuracy.add_argument("names", nargs="*", metavar="NAME", help="default: all of them")


def run(arguments: argparse.Namespace) -> int:
    """Do the action and report on stderr."""
    actions = {"load": _load, "train": _train, "accuracy": _accuracy}
    return actions[arguments.action](arguments)


def _load(arguments: argparse.Namespace) -> int:
    from data_cache.shipped import load_demo
    from model_runners.deriving import derive

    cache = cache_directory(arguments.cache)
    report = load_demo(cache)
    with progress("what pages show", "result") as bar:
        derive(cache, say=bar.name)
    print(
        f"demo in {cache}: {report.copied} files copied, {report.present} there already; "
        f"{describe(report.ingest)}",
        file=sys.stderr,
    )
    return 0


def _train(arguments: argparse.Namespace) -> int:
    from model_runners.errors import BadOption

    name = arguments.name
    folder = Path(arguments.out) if arguments.out else DEMO_MODELS / name
    if arguments.checkpoints and name not in ZOO:
        raise BadOption(
            f"{name} is not trained in stages and has no checkpoints; of the zoo are: "
            f"{', '.join(ZOO)}"
        )
    started = time.monotonic()
    with progress(f"train {name}", "step") as bar:

        def report(stage: str, step: int, steps: int, loss: float) -> None:
            bar.name(f"train {name}, {stage}")
            bar.note(f"loss {loss:.3f}")
            bar.to(step, steps)

        if name in ZOO:
            from model_runners.demo.stages import train_member

            kept = Path(arguments.checkpoints) if arguments.checkpoints else None
            train_member(ZOO[name], folder, checkpoints=kept, report=report)
        elif name == OMNI:
            from model_runners.demo import omni

            omni.train(folder, report=report)
        else:
            train(name, folder, report=report)
    print(
        f"trained {name} in {time.monotonic() - started:.0f} s; weights in {folder}",
        file=sys.stderr,
    )
    return 0


def _accuracy(arguments: argparse.Namespace) -> int:
    from model_runners.demo.accuracy import taught, training_accuracy
    from model_runners.loading import load

    names = arguments.names or [*RECIPES, *ZOO]
    known = {name: taught(name) for name in names}
    width = max(map(len, names))
    for name, what in known.items():
        found = training_accuracy(load(f"demo/{name}", device="cpu"), what)
        parts = "  ".join(f"{subset} {share:.3f}" for subset, share in found.by_subset.items())
        print(
            f"{name:<{width}}  right {found.overall:.3f} +- {found.error:.3f} of "
            f"{found.questions}  {parts}"
        )
    return 0
