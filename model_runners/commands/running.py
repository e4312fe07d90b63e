"""`run`: carry out a plan of models by benchmarks, as many cells at once as there are devices."""

import argparse
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from data_cache.location import cache_directory
from model_runners.commands.waiting_arguments import add_waiting_arguments, terms_from

if TYPE_CHECKING:
    from model_runners.plans.standing import Standing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "plan", metavar="PLAN.yaml", help="models, benchmarks and settings (docs/plans.md)"
    )
    parser.add_argument(
        "--devices",
        metavar="LIST",
        help="for example 0,1 (of the visible GPUs) or cpu,cpu for two cells at once on the CPU "
        "(default: as the plan says, else every free GPU, else the CPU)",
    )
    parser.add_argument(
        "--busy-devices",
        action="store_true",
        help="take GPUs whose memory other processes hold, too",
    )
    parser.add_argument(
        "--trust-remote-code",
        action="store_true",
        help="let the plan run code that comes with a model, or a worker of its own, where it says "
        "so: read the plan first",
    )
    add_waiting_arguments(parser, devices=False)
    parser.add_argument("--list", action="store_true", help="say how far each cell is; run nothing")
    parser.add_argument("--json", action="store_true", help="the same as a JSON list")
    parser.add_argument(
        "--detach", action="store_true", help="work in the background; prints the job's key"
    )


def run(arguments: argparse.Namespace) -> int:
    """List the cells, or run what is missing."""
    from model_runners.plans.plan_file import read_plan
    from model_runners.plans.requests import check_names

    cache = cache_directory(arguments.cache)
    priority = argparse.Namespace(priority=arguments.priority)  # of all its cells
    plan = read_plan(Path(arguments.plan).expanduser(), trusted=arguments.trust_remote_code)
    if arguments.devices is not None:
        devices = tuple(one.strip() for one in arguments.devices.split(",") if one.strip())
        plan = replace(plan, devices=devices)
    if arguments.busy_devices:
        plan = replace(plan, busy_devices=True)
    check_names(plan)
    if arguments.list or arguments.json:
        from model_runners.plans.standing import as_json, standings, with_costs

        found = with_costs(cache, standings(cache, plan))
        if arguments.json:
            print(json.dumps([as_json(one) for one in found], indent=1, ensure_ascii=False))
        else:
            _tell(found)
        return 0
    from model_runners.jobs import open_job, start

    if arguments.detach:
        from model_runners.commands.profile import tell_started

        tell_started(cache, start(cache, plan, terms=terms_from(priority)))
        return 0
    from model_runners.commands.foreground import do

    return do(cache, open_job(cache, plan), terms=terms_from(priority))


def _tell(found: "list[Standing]") -> None:
    from model_runners.requests import title_of

    for one in found:
        more = [f"{one.samples} samples"] if one.samples is not None else []
        more += [f"about {_time(one.seconds)}"] if one.seconds is not None else []
        more += [one.why] if one.why else []
        print(f"{one.state:<8} {title_of(one.options)}{': ' if more else ''}{'; '.join(more)}")
    counts = Counter(one.state for one in found)
    left = [one for one in found if one.state not in {"done", "running"}]
    known = [one.seconds for one in left if one.seconds is not None]
    unknown = len(left) - len(known)
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    if known:
        said += f"; what is left takes about {_time(sum(known))} of a device"
    if unknown and left:
        said += f"; of {unknown} cells the time is not known: that model was not measured here yet"
    print(said, file=sys.stderr)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
