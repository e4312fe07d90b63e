"""`findings`: what the papers found, held to what is in the cache."""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from data_cache.location import cache_directory
from model_runners.progress import progress

CORRECTIONS = ("holm", "bh")
VALUES = {"rho": "{:+.2f}", "points": "{:+.1f} points", "bits": "{:+.3f} bits", "%": "{:.0f} %"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_choices(parser)
    parser.add_argument(
        "--only", metavar="ID,ID,...", help="some findings; p-values are corrected over these alone"
    )
    parser.add_argument(
        "--correction",
        default="holm",
        choices=CORRECTIONS,
        help="of p-values over all statistics: Holm (default) or Benjamini-Hochberg",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def add_choices(parser: argparse.ArgumentParser) -> None:
    """Declare the options that choose which spectra count."""
    parser.add_argument(
        "--benchmark",
        help="take its subsets as tasks (default: whole benchmarks; the subsets where there is "
        "only one)",
    )
    parser.add_argument(
        "--split", default="test", choices=["train", "test", "all"], help="default: test"
    )
    parser.add_argument("--estimator", default="certified", help="default: certified")
    parser.add_argument(
        "--families",
        action="store_true",
        help="draw whole families, not models, for the intervals",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print a list of findings, or JSON."""
    from model_runners.findings import FINDINGS, RULE, judged
    from model_runners.findings.kept import read_held
    from model_runners.findings.reading import wanted

    only = wanted(arguments.only, [one.id for one in FINDINGS])
    cache = cache_directory(arguments.cache)
    with progress("findings", "finding") as bar:
        held = read_held(
            cache,
            benchmark=arguments.benchmark,
            split=arguments.split,
            estimator=arguments.estimator,
            by_family=arguments.families,
            progress=bar.to,
        )
    chosen = [one for one in held.measured if only is None or one[0].id in only]
    found = judged(tuple(chosen), correction=arguments.correction)
    rows = [one.to_dict() for one in found]
    if arguments.json:
        content = {
            "split": arguments.split,
            "estimator": arguments.estimator,
            "correction": arguments.correction,
            "rule": RULE,
            "tasks": [
                {
                    "task": task.name,
                    "benchmark": task.benchmark,
                    "kind": task.kind or None,
                    "known_from": task.origin or None,
                    "models": len(task.records),
                }
                for task in held.material.tasks
            ],
            "findings": rows,
        }
        print(json.dumps(content, indent=1, ensure_ascii=False))
        return 0
    print("\n".join([*lines(rows), "", RULE]))
    return 0


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the findings as text, their statistics below each."""
    text: list[str] = []
    for row in rows:
        why = f" ({row['why']})" if row["why"] else ""
        text += ["", f"{row['id']:<15} {row['verdict']}{why}", f"  {row['claim']}"]
        text += [f"    {part_words(part, row['unit'])}" for part in row["parts"]]
    return text[1:]


def part_words(part: dict[str, Any], unit: str) -> str:
    """Return one statistic in a line: ours with interval and n, then what was published.

    >>> part = {"about": "mmbench", "value": 0.5, "interval": [0.1, 0.8], "n": 9,
    ...         "n_of": "models", "published": "0.750 (Xiu26)", "verdict": "supported"}
    >>> part_words(part, "rho")
    'mmbench: +0.50 (+0.10 to +0.80), 9 models: supported; published 0.750 (Xiu26)'
    """
    form = VALUES[unit]
    value = "no value" if part["value"] is None else form.format(part["value"])
    low, high = part["interval"]
    if low is not None and high is not None:
        bare = form.split("}")[0] + "}"
        value += f" ({bare.format(low)} to {bare.format(high)})"
    published = f"; published {part['published']}" if part["published"] else ""
    return f"{part['about']}: {value}, {part['n']:,} {part['n_of']}: {part['verdict']}{published}"
