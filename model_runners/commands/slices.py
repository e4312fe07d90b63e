"""`slices`: list tags and saved slices of samples, write one to a file, delete one."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from data_cache.location import cache_directory
from model_runners.errors import BadOption

NAMED_SAMPLES = 5
"""Samples that were left out and are told one by one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = (
        "Tags and saved slices of samples, which the Samples page makes. `export` writes one: "
        "FILE.tsv is a table in VLMEvalKit's form with the original images, which loads again as "
        "a benchmark (--benchmark FILE.tsv --split-policy own); FILE.csv and FILE.parquet have "
        "every model's scores, atoms and distributions instead of the images."
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "export", "delete"),
        default="list",
        help="what to do (default: list)",
    )
    parser.add_argument("name", nargs="?", help="the tag, as `slices list` calls it")
    parser.add_argument("--to", metavar="FILE", help="with export: .tsv, .csv or .parquet")
    parser.add_argument(
        "--benchmark", help="its benchmark or benchmark key, where several have a tag of this name"
    )
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="with export to .csv or .parquet: this model's numbers only; can be repeated",
    )
    parser.add_argument(
        "--leave-out",
        action="store_true",
        help="with export to .tsv: leave out, and name, samples whose original image is gone",
    )
    parser.add_argument("--json", action="store_true", help="with list: print a JSON list")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; 2 where there is no such tag, or it cannot be written."""
    cache = cache_directory(arguments.cache)
    if arguments.action == "list":
        return _list(cache, arguments)
    if arguments.name is None:
        raise BadOption(f"say which slice to {arguments.action}: `slices list` has their names")
    if arguments.action == "delete":
        return _delete(cache, arguments)
    return _export(cache, arguments)


def _list(cache: Path, arguments: argparse.Namespace) -> int:
    from data_cache.tags import tags

    found = [asdict(tag) for tag in tags(cache, arguments.benchmark)]
    if arguments.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    if not found:
        print("no slices")
        return 0
    shown = ("name", "benchmark", "benchmark_key", "samples", "created", "description")
    rows = [
        {name: " ".join(str(row[name]).split()) for name in shown}
        for row in (dict(zip(shown, shown, strict=True)), *found)
    ]
    widths = {name: max(len(row[name]) for row in rows) for name in shown}
    for row in rows:
        print("  ".join(row[name].ljust(width) for name, width in widths.items()).rstrip())
    return 0


def _delete(cache: Path, arguments: argparse.Namespace) -> int:
    from data_cache.tags import find, take_off

    tag = find(cache, arguments.name, arguments.benchmark)
    count = take_off(cache, tag.name, tag.benchmark_key)
    print(
        f"the tag {tag.name!r} was taken off {count:,} samples of {tag.benchmark}; the samples and "
        "their results stay",
        file=sys.stderr,
    )
    return 0


def _export(cache: Path, arguments: argparse.Namespace) -> int:
    from data_cache.slice_export import write_benchmark
    from data_cache.slice_scores import SUFFIXES, estimates_of, write_scores
    from data_cache.tags import find, tagged
    from model_runners.progress import progress

    if arguments.to is None:
        raise BadOption("say where to write it: --to FILE.tsv, FILE.csv or FILE.parquet")
    path = Path(arguments.to).expanduser().absolute()
    is_table = path.suffix.lower() in SUFFIXES
    if arguments.model and not is_table:
        raise BadOption(
            f"--model chooses numbers, and {path.name} has none; write {' or '.join(SUFFIXES)}"
        )
    tag = find(cache, arguments.name, arguments.benchmark)
    ids = tagged(cache, tag.name, tag.benchmark_key)
    with progress("writing", "sample", len(ids)) as bar:
        if is_table:
            keys = estimates_of(cache, tag.benchmark_key, models=arguments.model)
            done = write_scores(cache, keys, ids, path, progress=bar.to)
        else:
            done = write_benchmark(
                cache,
                tag.benchmark_key,
                ids,
                path,
                leave_out=arguments.leave_out,
                progress=bar.to,
            )
    for one in done.left_out[:NAMED_SAMPLES]:
        print(f"left out: {one.reason}", file=sys.stderr)
    if (more := len(done.left_out) - NAMED_SAMPLES) > 0:
        print(f"left out: {more:,} more samples", file=sys.stderr)
    what = "rows" if is_table else "samples"
    print(f"{done.rows:,} {what}, {done.size / 1e6:.1f} MB, in {path}", file=sys.stderr)
    return 0
