"""`selftest`: show property by property whether a model can be used, before anything is run."""

import argparse
import json
import sys

from model_runners.check_words import check_in_words, where_of
from model_runners.examine_job import outcome
from model_runners.examining import ExamineOptions, examine_model
from model_runners.hub import Watch
from model_runners.loading import DTYPES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", help="a name of `list models`, a folder, or a hub id")
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)"
    )
    parser.add_argument(
        "--dtype",
        default="float32",
        choices=DTYPES,
        help="precision; half precision hides small mistakes (default: float32)",
    )
    parser.add_argument(
        "--trust-remote-code",
        action="store_true",
        help="run the code that comes with this model, which can do anything that you can: read it "
        "first",
    )
    parser.add_argument(
        "--skeleton",
        action="store_true",
        help="print the beginning of a family file for it, to be filled in",
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command: 0 if the model can be used, 2 if not."""

    def tell(text: str) -> None:
        print(text, file=sys.stderr)

    found = examine_model(
        ExamineOptions(
            model=arguments.model,
            device=arguments.device,
            dtype=arguments.dtype,
            trust_remote_code=arguments.trust_remote_code,
        ),
        stage=tell,
        watch=Watch(tell=tell),
    )
    if arguments.json:
        print(json.dumps(found))
    elif arguments.skeleton:
        tell(outcome(found))
        print(found["skeleton"], end="")
        tell(
            f"save it in model_runners/families, with this line in FAMILIES: {found['table_line']}"
        )
    else:
        for check in found["self_test"].get("checks", ()):
            print(check_in_words(check) + (f"; look at: {where_of(check)}" * bool(where_of(check))))
        print(outcome(found))
    return 0 if found["refusal"] is None else 2
