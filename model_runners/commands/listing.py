"""`list`: what is known here: models, benchmarks, runs, jobs and the other tables."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_cache.location import cache_directory

Rows = list[dict[str, Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("what", choices=sorted(LISTS), help="what to list")
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def run(arguments: argparse.Namespace) -> int:
    """Print one row a line, or JSON."""
    rows = LISTS[arguments.what](cache_directory(arguments.cache))
    if arguments.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    if not rows:
        print(f"no {arguments.what}")
        return 0
    shown = COLUMNS.get(arguments.what, tuple(rows[0]))
    widths = {name: max(len(name), *(len(_cell(row[name])) for row in rows)) for name in shown}
    for line in ({name: name for name in widths}, *rows):
        print("  ".join(_cell(line[name]).ljust(width) for name, width in widths.items()).rstrip())
    return 0


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def models(_cache: Path) -> Rows:
    """Return the table of models; what is wrong with a person's own file goes to stderr."""
    from model_runners import registry
    from model_runners.families import FAMILIES
    from model_runners.models import MODELS, obstacle

    for problem in registry.own().problems:
        print(f"pidscope: {problem}", file=sys.stderr)
    rows = []
    for name, entry in MODELS.items():
        why = obstacle(name, entry)
        rows.append(
            {
                "name": name,
                "family": entry.family or "",
                "parameters": registry.written_size(entry.parameters),
                "layers": entry.layers or "",
                "route": "none yet"
                if entry.reason
                else "native; no family file yet"
                if why
                else "runs here"
                if entry.model_type in FAMILIES
                else "known when loaded",
                "guessed": ", ".join(entry.guessed),
                "summary": entry.described,
                "parameter_count": entry.parameters,
                "runs_here": why is None,
                "obstacle": why,
                **{
                    field: getattr(entry, field)
                    for field in ("load_id", "paper_id", "model_type", "language_model", "origin")
                },
                "papers": list(entry.papers),
                "perhaps_in": list(entry.perhaps_in),
            }
        )
    return rows


def families(_cache: Path) -> Rows:
    """Return the table of families."""
    from model_runners.families import FAMILIES, load_family

    return [{"model_type": name, "family": load_family(name).name} for name in FAMILIES]


def benchmarks(cache: Path) -> Rows:
    """Return every benchmark: where it was found and what it holds, or how it is had."""
    from model_runners.benchmark_rows import benchmark_rows
    from model_runners.progress import progress

    with progress("counting", "benchmark") as bar:
        return benchmark_rows(cache, at=bar.to, reading=bar.note)


def runs(cache: Path) -> Rows:
    """Return the runs in the cache, with the report of their last self-test."""
    from data_cache import queries
    from data_cache.location import run_directory
    from model_runners import bad_samples
    from model_runners.asking import asking_of_run

    if queries.state(cache) == "missing":
        return []
    return [
        {
            "run_key": row.run_key,
            "model": row.model,
            "benchmark": row.benchmark,
            "samples": row.n_samples,
            "probe": row.config.get("probe", "gaussian"),
            "draws": row.draws,
            "layers": list(row.layers),
            "template": asking.text if (asking := asking_of_run(row.config)) else None,
            "self_test": row.self_test,
            "bad_samples": bad_samples.read(run_directory(cache, row.run_key)),
        }
        for row in (*queries.runs(cache), *queries.runs(cache, probe="swap"))
    ]


def jobs(cache: Path) -> Rows:
    """Return the jobs of the cache, the last started first."""
    from data_cache.jobs import jobs as all_jobs

    return [job.to_dict() for job in all_jobs(cache)]


def estimators(_cache: Path) -> Rows:
    """Return the table of estimators."""
    from pid_core import ESTIMATORS

    return [
        {"name": name, "summary": (estimator.__doc__ or "").strip().splitlines()[0]}
        for name, estimator in ESTIMATORS.items()
    ]


def strategies(_cache: Path) -> Rows:
    """Return the table of strategies."""
    from model_runners.strategies import STRATEGIES

    return [{"name": name, "summary": entry.summary} for name, entry in STRATEGIES.items()]


def adapters(cache: Path) -> Rows:
    """Return the adapters of the cache, newest first."""
    from data_cache.adapters import adapters as all_adapters
    from data_cache.location import adapter_directory

    return [
        {**record.to_dict(), "folder": str(adapter_directory(cache, record.key))}
        for record in all_adapters(cache)
    ]


def lenses(cache: Path) -> Rows:
    """Return the tuned lenses of the cache, newest first."""
    from data_cache.lenses import lenses as all_lenses
    from data_cache.location import lens_path

    return [
        {
            **record.to_dict(),
            "layers": len(record.fits) + 1,
            "file": str(lens_path(cache, record.key)),
        }
        for record in all_lenses(cache)
    ]


def recipes(_cache: Path) -> Rows:
    """Return the demo models that can be trained."""
    from model_runners.demo.recipes import RECIPES

    return [{"name": name, "summary": recipe.summary} for name, recipe in RECIPES.items()]


LISTS: dict[str, Callable[[Path], Rows]] = {
    "models": models,
    "families": families,
    "benchmarks": benchmarks,
    "runs": runs,
    "jobs": jobs,
    "estimators": estimators,
    "strategies": strategies,
    "adapters": adapters,
    "lenses": lenses,
    "recipes": recipes,
}

COLUMNS = {
    "benchmarks": (
        *("name", "found", "rows", "questions", "samples", "bad_rows", "key", "group"),
        *("licence", "where_or_how"),
    ),
    "models": ("name", "family", "parameters", "layers", "route", "guessed"),
    "jobs": ("job_key", "state", "done", "total", "title", "message"),
    "runs": ("run_key", "model", "benchmark", "samples", "draws", "layers"),
    "lenses": ("key", "model", "benchmark", "layers", "learned", "created"),
    "adapters": ("key", "name", "benchmark", "state", "steps", "total_steps", "n_gap", "folder"),
}
"""What a table shows of rows that have more in JSON."""
