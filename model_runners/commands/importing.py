"""`import`: keep predictions that somebody else computed as a run, and estimate its spectra."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from data_cache.benchmarks.reading import MAX_BAD_SHARE
from data_cache.benchmarks.source import CIRCULAR
from data_cache.benchmarks.splits import SPLIT_POLICIES
from data_cache.location import cache_directory, command
from data_cache.samples import SPLITS

if TYPE_CHECKING:
    from model_runners.importing import Imported

LISTED_BAD_ROWS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="Stage-2 JSON of Xiu26, or a table of distributions (.csv, .tsv, .parquet, .json, "
        ".jsonl); several are one run, for example of train and val",
    )
    parser.add_argument("--model", required=True, help="what to call the model")
    parser.add_argument(
        "--benchmark",
        required=True,
        help="a name of `list benchmarks`, whose samples are found by id, or any other name for "
        "the file's own questions",
    )
    parser.add_argument(
        "--family", default="imported", help="what to call the model's family (default: imported)"
    )
    parser.add_argument(
        "--split",
        choices=SPLITS,
        help="of rows that say none, neither in a column nor by their folder (default: test)",
    )
    parser.add_argument(
        "--images", metavar="DIR", help="folder that paths of images are relative to"
    )
    parser.add_argument("--data", metavar="PATH", help="where the benchmark's files are")
    parser.add_argument(
        "--split-policy",
        default="group",
        choices=SPLIT_POLICIES,
        help="how the benchmark's samples are divided (default: group)",
    )
    parser.add_argument(
        "--circular",
        default="all",
        choices=CIRCULAR,
        help="which orders of options the benchmark has (default: all)",
    )
    parser.add_argument(
        "--max-bad-rows",
        type=float,
        default=MAX_BAD_SHARE,
        metavar="SHARE",
        help=f"import nothing where more of the rows are bad (default: {MAX_BAD_SHARE:g})",
    )
    parser.add_argument(
        "--no-estimate", action="store_true", help="store the predictions and no spectra"
    )


def run(arguments: argparse.Namespace) -> int:
    """Import, estimate, and say what came of it; the run's key goes to stdout."""
    from data_cache.imported import ImportOptions
    from model_runners.importing import import_and_estimate
    from model_runners.progress import progress

    cache = cache_directory(arguments.cache)
    options = ImportOptions(
        files=tuple(Path(file).expanduser() for file in arguments.files),
        model=arguments.model,
        benchmark=arguments.benchmark,
        family=arguments.family,
        split=arguments.split,
        images=None if arguments.images is None else Path(arguments.images).expanduser(),
        data=arguments.data,
        split_policy=arguments.split_policy,
        circular=arguments.circular,
        max_bad_rows=arguments.max_bad_rows,
    )
    with progress("import", "row") as bar:
        imported = import_and_estimate(
            cache, options, estimate=not arguments.no_estimate, stage=bar.name
        )
    for line in described(imported, cache):
        print(line, file=sys.stderr)
    print(imported.report.run_key)
    return 0


def described(imported: "Imported", cache: Path) -> list[str]:
    """Return what an import did, line by line."""
    report = imported.report
    whose = "of the benchmark" if report.is_known else "of the file"
    lines = [
        f"run {report.run_key}: {report.samples} samples of {report.benchmark} ({whose}, key "
        f"{report.benchmark_key}) through {report.model}, imported from {report.rows} rows "
        f"({report.format}); {len(imported.spectra)} spectra"
    ]
    lines += [f"  note: {sentence}" for sentence in report.notes]
    lines += [f"  left out: {problem}" for problem in report.bad_rows[:LISTED_BAD_ROWS]]
    if len(report.bad_rows) > LISTED_BAD_ROWS:
        lines.append(f"  and {len(report.bad_rows) - LISTED_BAD_ROWS} more bad rows")
    for record in imported.spectra:
        lines.append(
            f"  {record.subset}: n {record.n}  R {record.redundancy:+.3f}  "
            f"U1 {record.unique_1:+.3f}  U2 {record.unique_2:+.3f}  S {record.synergy:+.3f}  "
            f"total {record.total:.3f} bits  accuracy {record.accuracy:.3f}"
        )
    lines += [f"  no spectrum of {sentence}" for sentence in imported.refused]
    if not imported.spectra:
        model, benchmark = shlex.quote(report.model), shlex.quote(report.benchmark)
        names = f"--model {model} --benchmark {benchmark} --by subset"
        lines.append(f"  estimate with {command(f'estimate {names}', cache)}")
    return lines
