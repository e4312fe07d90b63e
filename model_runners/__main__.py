"""The command line: everything that the pages can start."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from data_cache.location import cache_directory
from model_runners.errors import USER_ERRORS, Cancelled
from model_runners.registry import with_models_of


@dataclass(frozen=True, kw_only=True)
class CommandEntry:
    """One line of the table of commands."""

    module: str
    """Module with `add_arguments(parser)` and `run(arguments) -> int`."""
    summary: str


COMMANDS: dict[str, CommandEntry] = {
    "profile": CommandEntry(
        module="model_runners.commands.profile",
        summary="run a benchmark through a model, under all conditions",
    ),
    "run": CommandEntry(
        module="model_runners.commands.running",
        summary="carry out a plan of models by benchmarks, on every device at once",
    ),
    "plan": CommandEntry(
        module="model_runners.commands.plan",
        summary="say what memory a run would take, and whether it fits, before anything is loaded",
    ),
    "estimate": CommandEntry(
        module="model_runners.commands.estimate",
        summary="turn predictions into information spectra",
    ),
    "lab": CommandEntry(
        module="model_runners.commands.lab",
        summary="hold estimators to problems with known atoms, or vary a setting of a cached run",
    ),
    "lens": CommandEntry(
        module="model_runners.commands.lens",
        summary="train a tuned lens, through which a model's layers can be read",
    ),
    "contributions": CommandEntry(
        module="model_runners.commands.contributions",
        summary="say how much of the unique information is the image's, over k, noise or layers",
    ),
    "patch": CommandEntry(
        module="model_runners.commands.patch",
        summary="check S causally: patch the full run's states into the run without its image",
    ),
    "findings": CommandEntry(
        module="model_runners.commands.findings",
        summary="hold what the papers found to what is in the cache",
    ),
    "families": CommandEntry(
        module="model_runners.commands.families",
        summary="what models say together: correlations, regimes, family medians, size",
    ),
    "layers": CommandEntry(
        module="model_runners.commands.layers",
        summary="phases of every model with layers, and where each atom emerges",
    ),
    "finetune": CommandEntry(
        module="model_runners.commands.finetune",
        summary="train a LoRA adapter on weighed samples, and measure before and after",
    ),
    "training": CommandEntry(
        module="model_runners.commands.training",
        summary="measure the checkpoints of a training: list them, and run what is missing",
    ),
    "slices": CommandEntry(
        module="model_runners.commands.slices",
        summary="list, export or delete tags and saved slices of samples",
    ),
    "fetch": CommandEntry(
        module="model_runners.commands.fetch",
        summary="download a benchmark from the hub",
    ),
    "list": CommandEntry(
        module="model_runners.commands.listing",
        summary="list models, families, benchmarks, runs, jobs, adapters and the other tables",
    ),
    "selftest": CommandEntry(
        module="model_runners.commands.selftest",
        summary="show property by property whether a model can be used; begin a family file",
    ),
    "resume": CommandEntry(
        module="model_runners.commands.resume", summary="go on with a job from its finished chunks"
    ),
    "cancel": CommandEntry(
        module="model_runners.commands.cancel", summary="stop a job after the chunk in hand"
    ),
    "work": CommandEntry(
        module="model_runners.commands.work",
        summary="do a queued job; `--detach` and the dashboard start this",
    ),
    "demo": CommandEntry(
        module="model_runners.commands.demo", summary="load the shipped demo, or train its models"
    ),
    "doctor": CommandEntry(
        module="model_runners.commands.doctor", summary="say what this machine and cache can do"
    ),
    "import": CommandEntry(
        module="model_runners.commands.importing",
        summary="keep what somebody else computed: predictions, or a bundle of runs",
    ),
    "export": CommandEntry(
        module="model_runners.commands.exporting",
        summary="put runs with samples and spectra into one file, for another machine",
    ),
    "ingest": CommandEntry(
        module="model_runners.commands.ingest",
        summary="read new chunks of the spool into the database",
    ),
    "rebuild": CommandEntry(
        module="model_runners.commands.rebuild", summary="make the database anew from the chunks"
    ),
    "gc": CommandEntry(
        module="model_runners.commands.gc",
        summary="list what the cache could do without, and remove it when that is confirmed",
    ),
    "compact": CommandEntry(
        module="model_runners.commands.compact",
        summary="give back the room of what the cache keeps twice",
    ),
}


def build_parser(commands: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """Build the parser; only the given commands get arguments, so that others stay unimported."""
    parser = argparse.ArgumentParser(
        prog="python -m model_runners",
        description="PIDscope: how a multimodal model uses what it is given.",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, entry in COMMANDS.items():
        command = subparsers.add_parser(name, help=entry.summary, description=entry.summary)
        if commands is None or name in commands:
            importlib.import_module(entry.module).add_arguments(command)
            command.add_argument(
                "--cache",
                metavar="DIR",
                help="cache folder (default: $PIDSCOPE_CACHE, else ~/.cache/pidscope)",
            )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when done, 2 on an error that a person can mend, 130 when stopped."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = build_parser([word for word in given[:1] if word in COMMANDS]).parse_args(given)
    try:
        with with_models_of(cache_directory(arguments.cache)):
            return int(importlib.import_module(COMMANDS[arguments.command].module).run(arguments))
    except USER_ERRORS as error:
        print(f"pidscope: {error}", file=sys.stderr)
        return 130 if isinstance(error, Cancelled) else 2
    except KeyboardInterrupt:
        print(
            "pidscope: interrupted; finished chunks are kept, the same command goes on from there",
            file=sys.stderr,
        )
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


if __name__ == "__main__":
    sys.exit(main())
