"""`lab`: estimators side by side on problems with known atoms, or one setting of a run varied."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from data_cache.location import cache_directory, command
from model_runners.asking import asking_of_run
from model_runners.audit import (
    AuditOptions,
    AuditRow,
    known,
    problem_tasks,
    published_rows,
)
from model_runners.audit_runs import run_tasks
from model_runners.errors import BadOption
from model_runners.estimation import EstimateOptions, choose_run
from model_runners.progress import Bar, progress
from model_runners.sensitivity import MEANINGS, Over, plan_sensitivity, verdict
from pid_core import ATOMS
from pid_core.bank import Problem, family, gates, hard_cases, predictive_cases, prior_cases

if TYPE_CHECKING:
    from data_cache.queries import RunRow

SETS: dict[str, Callable[[], Sequence[Problem]]] = {
    "gates": gates,
    "predictive": predictive_cases,
    "unique": hard_cases,
    "priors": prior_cases,
    "family": lambda: (family(),),
}
"""Problems of the bank by the word of the command line."""
POLICIES = {"priors": ("calibrate", "reference")}
"""Policies of the solver that are shown where nothing else is asked for."""
COLUMNS = ("problem", "estimator", "R", "U1", "U2", "S", "error", "gap", "seconds")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "what",
        choices=[*SETS, "run"],
        help="problems of the bank with known atoms, or `run` for a run of the cache",
    )
    parser.add_argument(
        "--estimators", metavar="A,B", help="names of `list estimators` (default: all of them)"
    )
    parser.add_argument(
        "--marginals", metavar="A,B", help="policies for `certified` (default: calibrate)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of estimators that draw")
    parser.add_argument("--clusters", type=int, default=64, help="codes per source, for `ipfp`")
    parser.add_argument(
        "--tolerance", type=float, default=1e-3, help="certified gap to accept, bits"
    )
    parser.add_argument("--model", help="for `run`: the name under which the run is stored")
    parser.add_argument("--benchmark", help="for `run`: a name of `list benchmarks`")
    parser.add_argument("--subset", help="for `run`: only one subset")
    parser.add_argument(
        "--split", default="test", choices=["train", "test", "all"], help="for `run`: default test"
    )
    parser.add_argument("--limit", type=int, help="for `run`: only the first N samples")
    parser.add_argument(
        "--over", choices=get_args(Over), help="for `run`: the setting that is varied"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list of the rows")


def run(arguments: argparse.Namespace) -> int:
    """Print a table or JSON; progress and remarks go to stderr."""
    names = known(arguments.estimators.split(",") if arguments.estimators else None)
    with progress(f"lab {arguments.what}", "row") as bar:
        if arguments.what == "run":
            chosen = _run_of(arguments)
            rows = _of_run(arguments, chosen, names, bar)
            asking = asking_of_run(chosen.config)
            asked = {"template": None if asking is None else asking.text}
        else:
            rows = _of_problems(arguments, names, bar)
            asked = {}
    if arguments.json:
        found = [{"problem": problem, **asked, **row.to_dict()} for problem, row in rows]
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    _print_table(rows)
    return 0


Rows = list[tuple[str, AuditRow]]


def _of_problems(arguments: argparse.Namespace, names: Sequence[str], bar: Bar) -> Rows:
    asked = arguments.marginals.split(",") if arguments.marginals else None
    options = AuditOptions(
        tolerance_bits=arguments.tolerance,
        seed=arguments.seed,
        clusters=arguments.clusters,
        policies=tuple(asked or POLICIES.get(arguments.what, ("calibrate",))),
    )
    problems = SETS[arguments.what]()
    rows: Rows = []
    done, total = 0, len(problems)
    for problem in problems:
        tasks = problem_tasks(problem, names, options)
        total = len(problems) * len(tasks)
        for task in tasks:
            bar.name(f"{problem.name}, {task.label}")
            rows.append((problem.name, task.work()))
            done += 1
            bar.to(done, total)
        rows += [(problem.name, row) for row in published_rows(problem)]
    return rows


def _run_of(arguments: argparse.Namespace) -> "RunRow":
    for option in ("model", "benchmark"):
        if getattr(arguments, option) is None:
            raise BadOption(f"`lab run` needs --{option}; see `list runs`")
    cache = cache_directory(arguments.cache)
    return choose_run(cache, model=arguments.model, benchmark=arguments.benchmark)


def _of_run(
    arguments: argparse.Namespace, chosen: "RunRow", names: Sequence[str], bar: Bar
) -> Rows:
    cache = cache_directory(arguments.cache)
    options = EstimateOptions(
        estimator=names[0],
        by="none",
        subset=arguments.subset,
        split=arguments.split,
        limit=arguments.limit,
        seed=arguments.seed,
        clusters=arguments.clusters,
    )
    where = f"{chosen.benchmark}/{arguments.subset or 'all'}"
    missing = told = ""
    if arguments.over is None:
        asked = [replace(options, estimator=name) for name in names]
        tasks = tuple(run_tasks(cache, chosen, asked))
    else:
        plan = plan_sensitivity(
            cache, chosen, arguments.subset, over=arguments.over, options=options
        )
        tasks, told = plan.tasks, MEANINGS[plan.over]
        missing = plan.missing or ""
        if plan.remedy is not None:
            missing += f" Make another: {command(plan.remedy, cache)}"
    rows: Rows = []
    for task in tasks:
        bar.name(f"{where}, {task.label}")
        rows.append((where, task.work()))
        bar.to(len(rows), len(tasks))
    moved = verdict([row for _, row in rows]) if arguments.over else ""
    for sentence in (told, moved, missing):
        if sentence:
            print(sentence, file=sys.stderr)
    return rows


def _print_table(rows: Rows) -> None:
    lines = [{name: name for name in COLUMNS}]
    lines += [_line(problem, row) for problem, row in rows]
    widths = {name: max(len(line[name]) for line in lines) for name in COLUMNS}
    for line, found in zip(lines, (None, *(row for _, row in rows)), strict=True):
        words = [
            line[name].ljust(width) if name in {"problem", "estimator"} else line[name].rjust(width)
            for name, width in widths.items()
        ]
        print("  ".join(words).rstrip())
        if found is not None and found.refusal:
            print(f"  refused: {found.refusal}")
        for warning in () if found is None else found.warnings:
            print(f"  warning: {warning}")


def _line(problem: str, row: AuditRow) -> dict[str, str]:
    atoms = row.atoms or {}

    def number(value: Any, form: str) -> str:
        return "-" if value is None else format(value, form)

    def atom(name: str) -> str:
        # With 0.0 added after rounding, nothing is printed as -0.000.
        return "-" if name not in atoms else f"{round(atoms[name], 4) + 0.0:.4f}"

    return {
        "problem": problem,
        "estimator": row.label,
        **dict(zip(("R", "U1", "U2", "S"), (atom(name) for name in ATOMS), strict=True)),
        "error": number(row.error_bits, ".1e"),
        "gap": number(row.gap_bits, ".1e"),
        "seconds": number(row.seconds, ".2f"),
    }
