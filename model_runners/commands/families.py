"""`families`: what models say together: correlations, regimes, family medians, size."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from math import isnan
from typing import TYPE_CHECKING, Any

from data_cache.location import cache_directory
from data_cache.published import PublishedStep
from model_runners.commands.findings import CORRECTIONS, add_choices
from model_runners.progress import progress
from pid_core.association import Association
from pid_core.regimes import MeanOver
from pid_core.scaling import Change

if TYPE_CHECKING:
    from model_runners.findings.material import Material
    from model_runners.scaling import StepChanges

CHANGES = {"accuracy": "accuracy", "synergy_share": "S share", "unique_2_share": "U2 share"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_choices(parser)
    parser.add_argument(
        "--correction",
        default="holm",
        choices=CORRECTIONS,
        help="of p-values over the 18 correlations of a task: Holm (default) or Benjamini-Hochberg",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print tables, or JSON."""
    from model_runners.family_statistics import correlations, strategies, task_shares
    from model_runners.findings.material import read_material
    from model_runners.findings.over_sizes import all_steps

    material = read_material(
        cache_directory(arguments.cache),
        benchmark=arguments.benchmark,
        split=arguments.split,
        estimator=arguments.estimator,
        by_family=arguments.families,
    )
    tasks = {task.name: task.records for task in material.tasks}
    with progress("families", "table") as bar:
        shares = task_shares(tasks, by_family=arguments.families)
        bar.to(1, 4)
        cells = {
            name: correlations(
                records, correction=arguments.correction, by_family=arguments.families
            )
            for name, records in tasks.items()
        }
        bar.to(2, 4)
        stable = strategies(shares)
        bar.to(3, 4)
        steps = all_steps(material)
        bar.to(4, 4)
    content: dict[str, Any] = {
        "tasks": [
            {
                "task": task.name,
                "kind": task.kind or None,
                "known_from": task.origin or None,
                "models": one.found.n,
                "regime": one.found.statement,
                "synergy_share": _mean(one.found.synergy),
                "unique_2_share": _mean(one.found.unique_2),
                "difference": _mean(one.found.difference),
            }
            for task, one in zip(material.tasks, shares, strict=True)
        ],
        "correlations": [
            {
                "task": name,
                "outcome": cell.outcome,
                "part": cell.part,
                **_association(cell.found),
                "p_corrected": _known(cell.adjusted_p),
            }
            for name, found in cells.items()
            for cell in found
        ],
        "families": None
        if stable is None
        else {
            "median_synergy_bits": stable.synergy,
            "median_unique_2_bits": stable.unique_2,
            "models": stable.models,
            "synergy_between_regimes": _association(stable.synergy_stability),
            "unique_2_between_regimes": _association(stable.unique_2_stability),
        },
        "scaling": [step_record(one) for one in steps],
    }
    if arguments.json:
        print(json.dumps(content, indent=1, ensure_ascii=False))
        return 0
    print("\n".join(lines(content, material)))
    return 0


def step_record(one: "StepChanges") -> dict[str, Any]:
    """Return a step in size as JSON values, points."""
    step = one.step
    return {
        "series": step.series,
        "smaller": step.smaller.model,
        "larger": step.larger.model,
        "parameters": [step.smaller.parameters, step.larger.parameters],
        "is_next": step.is_next,
        "tasks": list(one.tasks),
        "changes": {name: _change(change) for name, change in one.mean.items()},
        "published": None if step.published is None else _published(step.published),
    }


def lines(content: dict[str, Any], material: "Material") -> list[str]:
    """Return the tables as text."""
    text = [f"{'task':<20} {'models':>6}  {'S share %':>22}  {'U2 share %':>22}  regime"]
    for row in content["tasks"]:
        known = f" ({row['kind']}, {row['known_from']})" if row["kind"] else ""
        text.append(
            f"{row['task']:<20} {row['models']:>6}  {_span(row['synergy_share'], 100):>22}  "
            f"{_span(row['unique_2_share'], 100):>22}  {row['regime']}{known}"
        )
    text += ["", "Spearman's rho over models, p < 0.05 after correction marked *"]
    for row in content["correlations"]:
        if row["rho"] is not None:
            sure = "*" if row["p_corrected"] is not None and row["p_corrected"] < 0.05 else " "
            text.append(
                f"{row['task']:<20} {row['outcome']:<16} {row['part']:<14} {row['rho']:+.2f}{sure} "
                f"{_ends(row['interval']):>16}  n = {row['n']}"
            )
    text += [
        "",
        "Steps in size, change in points over the synergy-driven tasks (95 % over samples)",
    ]
    if not content["scaling"]:
        text.append(
            "none: it takes two sizes of a series, such as fusion-small and fusion-large, on a "
            "synergy-driven task"
        )
    for row in content["scaling"]:
        text.append(f"{row['smaller']} -> {row['larger']}, over {', '.join(row['tasks'])}")
        for name, label in CHANGES.items():
            change, printed = row["changes"][name], row["published"]
            said = "" if printed is None else f"; published {printed[name]:+.1f} ({printed['at']})"
            own, others = _ends(change["over_samples"]), _ends(change["over_benchmarks"])
            text.append(
                f"  {label:<10} {change['value']:+6.1f} {own:>18} over samples, {others} over "
                f"benchmarks{said}"
            )
    if not material.tasks:
        text = ["no spectrum of this split and estimator; see `estimate`"]
    return text


def _mean(found: MeanOver) -> dict[str, Any]:
    return {"mean": _known(found.mean), "interval": [_known(end) for end in found.interval]}


def _association(found: Association) -> dict[str, Any]:
    return {
        "rho": _known(found.rho),
        "interval": [_known(end) for end in found.interval],
        "p": _known(found.p_value),
        "n": found.n,
        "note": found.note,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "value": change.value,
        "over_samples": [_known(end) for end in change.over_samples],
        "over_benchmarks": [_known(end) for end in change.over_benchmarks],
        "benchmarks": change.benchmarks,
    }


def _published(one: PublishedStep) -> dict[str, Any]:
    values = asdict(one)
    return {name: values[name] for name in (*CHANGES, "at")} | {"study": one.study.short}


def _known(value: float) -> float | None:
    return None if isnan(value) else value


def _span(found: dict[str, Any], factor: float) -> str:
    if found["mean"] is None:
        return "-"
    return f"{factor * found['mean']:.1f} {_ends(found['interval'], factor, signed=False)}".strip()


def _ends(interval: Sequence[float | None], factor: float = 1.0, *, signed: bool = True) -> str:
    low, high = interval
    if low is None or high is None:
        return "(-)"
    form = (
        "{:+.1f}" if signed and max(abs(low), abs(high)) > 2 else "{:+.2f}" if signed else "{:.1f}"
    )
    return f"({form.format(factor * low)} to {form.format(factor * high)})"
