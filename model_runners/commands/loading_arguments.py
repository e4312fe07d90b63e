"""Arguments of every command that loads a model: where it goes, and how its weights are held."""

import argparse
from typing import Any

from model_runners.placement import DEVICE_MAPS
from model_runners.quantisation import QUANTISATIONS

AUTO = "auto"
"""The batch size that is found."""


def add_loading_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare device, device map, weights in fewer bits, and trust in a model's own code."""
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)"
    )
    parser.add_argument(
        "--device-map",
        choices=DEVICE_MAPS,
        help="spread a model that is larger than a device over all of them, main memory and disk "
        "included (needs accelerate; leave --device out)",
    )
    parser.add_argument(
        "--quantize",
        dest="quantise",
        choices=QUANTISATIONS,
        help="hold the weights in 8 or 4 bits: another run than the whole model's (needs "
        "bitsandbytes)",
    )
    parser.add_argument(
        "--trust-remote-code",
        action="store_true",
        help="run the code that comes with this model, which can do anything that you can: read it "
        "first",
    )


def add_batch_size(parser: argparse.ArgumentParser) -> None:
    """Declare how many sequences go through the language model at once."""
    parser.add_argument(
        "--batch-size",
        type=batch_size,
        default=None,
        metavar="auto|N",
        help="sequences in one pass of the language model; auto begins with what surely fits and "
        "grows to what does (default: auto)",
    )


def batch_size(text: str) -> int | None:
    """Read a batch size; None is found by the run.

    >>> batch_size("auto"), batch_size("16")
    (None, 16)
    """
    if text == AUTO:
        return None
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be auto or a number, not {text[:40]!r}") from None


def loading_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the arguments say of loading, by the names of the options."""
    names = ("device", "device_map", "quantise", "trust_remote_code")
    return {name: getattr(arguments, name) for name in names}
