"""`layers`: the phases of every model with layers, and where each atom emerges."""

import argparse
import json
from collections.abc import Sequence
from math import isnan
from typing import Any

from data_cache.location import cache_directory
from data_cache.records import ATOMS
from model_runners.commands.findings import add_choices
from model_runners.progress import progress

LETTERS = dict(zip(ATOMS, ("R", "U1", "U2", "S"), strict=True))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_choices(parser)
    parser.add_argument("--model", help="only this one, as `list runs` names it")
    parser.add_argument(
        "--resamples",
        type=int,
        default=200,
        help="bootstrap samples behind the intervals; 0 for none (default: 200)",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def run(arguments: argparse.Namespace) -> int:
    """Print a table, or JSON."""
    from data_cache.layer_rows import layer_rows
    from model_runners.errors import BadOption
    from model_runners.findings.material import read_material
    from model_runners.findings.over_layers import depths
    from model_runners.layer_statistics import course_of
    from model_runners.lens_quality import lens_of, lens_quality

    if arguments.resamples < 0:
        raise BadOption(f"--resamples is 0 or more, not {arguments.resamples}")
    cache = cache_directory(arguments.cache)
    material = read_material(
        cache,
        benchmark=arguments.benchmark,
        split=arguments.split,
        estimator=arguments.estimator,
    )
    found = [
        one for one in depths(material) if arguments.model is None or one.model == arguments.model
    ]
    rows: list[dict[str, Any]] = []
    with progress("layers", "model") as bar:
        for place, one in enumerate(found):
            keys = [layer.estimate_key for layer in one.layers]
            samples = layer_rows(cache, keys) if arguments.resamples else None
            course = course_of(one.layers, samples, resamples=max(arguments.resamples, 1))
            phases = course.phases
            rows.append(
                {
                    "model": one.model,
                    "task": one.task,
                    "layers": len(one.layers),
                    "samples": course.samples,
                    "lens": lens_of(one.layers[0].settings),
                    "lens_reads": lens_quality(one.layers, len(one.layers)).is_meaningful,
                    "pattern": phases.pattern,
                    "note": phases.note,
                    "support": _known(phases.support),
                    "cuts": [
                        {
                            "layer": cut.layer,
                            "depth": cut.depth,
                            "interval": [_known(end) for end in cut.interval],
                        }
                        for cut in phases.cuts
                    ],
                    "emergence": {
                        name: {
                            "layer": atom.layer,
                            "depth": _known(atom.depth),
                            "interval": [_known(end) for end in atom.interval],
                        }
                        for name, atom in course.emergence.items()
                    },
                }
            )
            bar.to(place + 1, len(found))
    if arguments.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    print("\n".join(lines(rows)))
    return 0


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the table as text; depths in per cent of the layers."""
    if not rows:
        return [
            "no model has a spectrum of every layer; profile with --layers, which estimates them "
            "too, or `estimate --layers`"
        ]
    text: list[str] = []
    for row in rows:
        cuts = ", ".join(_depth(cut) for cut in row["cuts"]) or "none"
        held = "" if row["support"] is None else f", drawn alike {100 * row['support']:.0f} %"
        text += [
            f"{row['model']}, {row['task']}, {row['layers']} layers: {row['pattern']}{held}",
            f"  cuts at {cuts}" + (f". {row['note']}" if row["note"] else ""),
            "  from "
            + ", ".join(f"{LETTERS[name]} {_depth(row['emergence'][name])}" for name in ATOMS),
        ]
        if not row["lens_reads"]:
            text.append(
                f"  not to be trusted: the {row['lens']} lens reads no answer before the last "
                "layers; see `lens` for a tuned one"
            )
    return text


def _depth(found: dict[str, Any]) -> str:
    """Write where something begins, with its interval.

    >>> _depth({"depth": 0.5, "interval": [0.45, 0.6]}), _depth({"depth": None})
    ('50 % (45 to 60)', 'never')
    """
    if found["depth"] is None:
        return "never"
    low, high = found["interval"]
    ends = "" if low is None else f" ({100 * low:.0f} to {100 * high:.0f})"
    return f"{100 * found['depth']:.0f} %{ends}"


def _known(value: float) -> float | None:
    return None if isnan(value) else value
