"""What a job of kind `plan` is asked to do, as the JSON of its key, and back."""

from collections.abc import Mapping
from typing import Any

from model_runners import requests
from model_runners.errors import USER_ERRORS, BadOption
from model_runners.plans.options import PlanOptions

NAMED = 3
"""So many problems are named in a sentence."""


def request_of(options: PlanOptions) -> dict[str, Any]:
    """Return the options as JSON values that mean the same in every working directory."""
    return {
        "cells": [requests.request_of(cell) for cell in options.cells],
        "devices": list(options.devices),
        "retries": options.retries,
        "busy_devices": options.busy_devices,
    }


def options_of(request: Mapping[str, Any]) -> PlanOptions:
    """Return the options of a stored request.

    Raises
    ------
    BadOption
        If it was written by a PIDscope with other options.
    """
    try:
        return PlanOptions(
            cells=tuple(requests.options_of(cell) for cell in request["cells"]),
            devices=tuple(request["devices"]),
            retries=int(request["retries"]),
            busy_devices=bool(request["busy_devices"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadOption(
            f"this plan was written by another version of PIDscope ({error}); start it anew"
        ) from error


def title_of(options: PlanOptions) -> str:
    """Return one line that tells a person which plan it is."""
    models = {cell.model for cell in options.cells}
    benchmarks = {cell.benchmark for cell in options.cells}
    settings = len(options.cells) / (len(models) * len(benchmarks))
    more = f", {len(options.cells)} cells" if settings != 1 else ""
    return f"plan: {_count(models, 'model')} on {_count(benchmarks, 'benchmark')}{more}"


def check_names(options: PlanOptions) -> None:
    """Refuse a plan with cells that cannot be found, all problems at once.

    Raises
    ------
    BadOption
        If a model or a benchmark is not there.
    """
    problems: dict[str, None] = {}
    for cell in options.cells:
        try:
            requests.check_names(cell)
        except USER_ERRORS as error:
            problems.setdefault(str(error))
    if problems:
        named = "; ".join(list(problems)[:NAMED])
        rest = f"; and {len(problems) - NAMED} more problems" if len(problems) > NAMED else ""
        raise BadOption(f"the plan cannot be carried out: {named}{rest}")


def _count(names: set[str], what: str) -> str:
    return next(iter(names)) if len(names) == 1 else f"{len(names)} {what}s"
