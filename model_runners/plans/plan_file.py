"""How a plan is written down: YAML with models, benchmarks and settings, whose product it is.

    models: [demo/oracle, demo/fusion-small]
    benchmarks:
      - digits_vqa
      - {benchmark: pope, data: ~/LMUData/POPE.tsv, limit: 500}
    settings:              # each is measured; left out, the defaults of `profile`
      - {draws: 4}
      - {draws: 4, layers: true}
    devices: [0, 1]
    retries: 2

A model, too, may be a mapping, with settings of its own: `{model: llava-v1.5-7b, dtype: bfloat16}`.
What stands at a model or a benchmark holds against the settings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any, cast

import yaml

from model_runners.errors import BadOption
from model_runners.plans.options import PlanOptions
from model_runners.profile import ProfileOptions
from pid_core.errors import did_you_mean

KEYS = ("models", "benchmarks", "settings", "devices", "retries", "busy_devices")
_SETTINGS = {one.name for one in fields(ProfileOptions)} - {"checkpoint", "device"}
"""Where a cell runs is the plan's business, and checkpoints are that of `training`."""


RUNS_CODE = ("trust_remote_code", "worker", "worker_adapter", "worker_code")
"""Settings that run somebody's code: a plan may have come from anywhere, so they are asked for."""


def read_plan(path: Path, *, trusted: bool = False) -> PlanOptions:
    """Read a plan.

    Parameters
    ----------
    path
        Of the file.
    trusted
        Whether a person said that it may name code to be run.

    Raises
    ------
    BadOption
        If the file cannot be read, or says something that no plan can.
    """
    try:
        content: object = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise BadOption(f"the plan {path} cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise BadOption(f"the plan {path} is no YAML: {reason}") from error
    if not isinstance(content, dict):
        raise BadOption(f"the plan {path} must be a mapping with models and benchmarks")
    plan = plan_of(cast("dict[str, Any]", content), where=str(path))
    asking = [name for name in RUNS_CODE if any(getattr(cell, name) for cell in plan.cells)]
    if asking and not trusted:
        raise BadOption(
            f"the plan {path} sets {' and '.join(asking)}, which runs code that comes with a model "
            "or lies elsewhere; read the plan, and if you trust that code, add --trust-remote-code"
        )
    return plan


def plan_of(content: Mapping[str, Any], *, where: str = "the plan") -> PlanOptions:
    """Return the plan that a mapping describes.

    Parameters
    ----------
    content
        As the module's description has it.
    where
        What to call it in messages.

    Raises
    ------
    BadOption
        If it says something that no plan can.
    """
    for key in content:
        if key not in KEYS:
            raise BadOption(f"{where}: {key!r} is no part of a plan; {did_you_mean(key, KEYS)}")
    models = _listed(content.get("models"), "model", where)
    benchmarks = _listed(content.get("benchmarks"), "benchmark", where)
    settings = _listed(content.get("settings") or [{}], "", where)
    cells = tuple(
        _cell({**chosen, **model, **benchmark}, where)
        for benchmark, model, chosen in product(benchmarks, models, settings)
    )
    devices = content.get("devices") or ()
    if isinstance(devices, str | int):
        devices = str(devices).split(",")
    retries, busy = content.get("retries", 2), content.get("busy_devices", False)
    if type(retries) is not int or type(busy) is not bool:
        raise BadOption(f"{where}: retries is a whole number, and busy_devices true or false")
    return PlanOptions(
        cells=tuple(dict.fromkeys(cells)),
        devices=tuple(str(one).strip() for one in devices),
        retries=retries,
        busy_devices=busy,
    )


def _listed(given: object, name: str, where: str) -> list[dict[str, Any]]:
    """Return mappings; where a name is enough, a bare text stands for a mapping with it."""
    what = f"{name}s" if name else "settings"
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise BadOption(f"{where} has no {what}; give a list of them")
    found: list[dict[str, Any]] = []
    for one in cast("Sequence[object]", given):
        if isinstance(one, str) and name:
            found.append({name: one})
        elif isinstance(one, Mapping) and (not name or name in one):
            found.append(dict(cast("Mapping[str, Any]", one)))
        else:
            raise BadOption(f"{where}: {one!r} under {what} is none")
    return found


def _cell(given: dict[str, Any], where: str) -> ProfileOptions:
    for key in given:
        if key not in _SETTINGS:
            raise BadOption(
                f"{where}: {key!r} is no setting of a run; {did_you_mean(key, sorted(_SETTINGS))}"
            )
    if isinstance(given.get("data"), str):
        given = {**given, "data": str(Path(given["data"]).expanduser())}
    try:
        return ProfileOptions(**given)
    except TypeError as error:
        raise BadOption(f"{where}: {error}") from error
