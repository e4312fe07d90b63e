"""How a job waits for a device: the options that every command with jobs shares."""

import argparse

from data_cache.job_rows import PRIORITIES, Terms
from model_runners.errors import BadOption
from model_runners.places import DEVICES, devices_from


def add_waiting_arguments(parser: argparse.ArgumentParser, *, devices: bool = True) -> None:
    """Declare the options; a plan has its own devices."""
    parser.add_argument(
        "--priority",
        choices=PRIORITIES,
        help="who goes first of those that wait for a device; asked for again, a job that waits "
        "takes the new one (default: normal)",
    )
    if not devices:
        return
    parser.add_argument(
        "--devices",
        metavar="LIST",
        help="which devices will do, for example 0,1 of the visible GPUs, or cpu,cpu to run "
        f"beside one other job on the CPU (default: {DEVICES}, else every visible GPU and the CPU "
        "once)",
    )
    parser.add_argument(
        "--busy-devices",
        action="store_true",
        help="take GPUs whose memory other programs hold, too",
    )


def terms_from(arguments: argparse.Namespace) -> Terms | None:
    """Return how the job waits; None where nothing was said about it.

    Raises
    ------
    BadOption
        If the list of devices makes no sense, or a device is chosen twice.
    """
    from model_runners.jobs import RETRIES

    given = {name: getattr(arguments, name, None) for name in ("devices", "busy_devices")}
    if not arguments.priority and not any(given.values()):
        return None
    if given["devices"] and str(getattr(arguments, "device", "auto")).startswith("cuda"):
        raise BadOption("--devices chooses a GPU for the job: leave out --device, or --devices")
    return Terms(
        priority=PRIORITIES[arguments.priority or "normal"],
        devices=devices_from(given["devices"] or ""),
        busy_devices=bool(given["busy_devices"]),
        retries=RETRIES,
    )
