"""`import`: keep what somebody else computed: predictions, or a bundle of another cache's runs."""

import argparse
import sys
from pathlib import Path

from data_cache.benchmarks.reading import MAX_BAD_SHARE
from data_cache.benchmarks.source import CIRCULAR
from data_cache.benchmarks.splits import SPLIT_POLICIES
from data_cache.location import cache_directory
from data_cache.samples import SPLITS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a bundle that `export` wrote (.zip), Stage-2 JSON of Xiu26, or a table of "
        "distributions (.csv, .tsv, .parquet, .json, .jsonl); several of the latter are one run, "
        "for example of train and val",
    )
    parser.add_argument("--model", help="what to call the model; a bundle says it itself")
    parser.add_argument(
        "--benchmark",
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
        "--replace",
        action="store_true",
        help="where this cache has another version of a bundle's file, take the bundle's",
    )
    parser.add_argument(
        "--no-estimate", action="store_true", help="store the predictions and no spectra"
    )


def run(arguments: argparse.Namespace) -> int:
    """Import, estimate, and say what came of it; the run's key goes to stdout."""
    from data_cache.bundle import is_bundle
    from data_cache.imported import ImportOptions
    from model_runners.errors import BadOption
    from model_runners.importing import described, import_and_estimate
    from model_runners.progress import progress

    cache = cache_directory(arguments.cache)
    files = tuple(Path(file).expanduser() for file in arguments.files)
    bundles = [file for file in files if is_bundle(file)]
    if bundles:
        if len(bundles) < len(files):
            raise BadOption("a bundle and other files cannot be imported at once; do one by one")
        return _take_bundles(cache, bundles, replace=arguments.replace)
    if arguments.model is None or arguments.benchmark is None:
        raise BadOption(
            f"{files[0].name} is no bundle of `export`; to import predictions, say --model and "
            "--benchmark"
        )
    options = ImportOptions(
        files=files,
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


def _take_bundles(cache: Path, bundles: list[Path], *, replace: bool) -> int:
    from data_cache.bundle import read_bundle
    from data_cache.ingest import ingest
    from model_runners.commands.ingest import describe
    from model_runners.progress import progress

    for bundle in bundles:
        with progress(bundle.name, "file") as bar:
            report = read_bundle(cache, bundle, replace=replace, report=bar.to)
        lines = [
            f"{bundle.name}: {len(report.taken)} files taken over, {report.same} were here already"
        ]
        if report.kept:
            lines.append(
                f"{len(report.kept)} are here in another version, which was kept (--replace takes "
                f"the bundle's): {report.kept[0]}" + (" ..." if len(report.kept) > 1 else "")
            )
        lines += [f"refused: {name}: {reason}" for name, reason in report.refused]
        print("\n".join(lines), file=sys.stderr)
    print(describe(ingest(cache)), file=sys.stderr)
    return 0
