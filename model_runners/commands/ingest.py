"""`ingest`: read new chunks of the spool into the database."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from data_cache.location import cache_directory

if TYPE_CHECKING:
    from data_cache.ingest import IngestReport


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--from",
        dest="source",
        metavar="ADDRESS",
        help="first copy what this cache lacks of the spool there, for example s3://bucket/spool "
        "(needs fsspec's package for that kind) or file:///net/lab/spool",
    )


def run(arguments: argparse.Namespace) -> int:
    """Ingest and report; 0 also where chunks were set aside, which the report names."""
    from data_cache.ingest import ingest

    cache = cache_directory(arguments.cache)
    if arguments.source is not None:
        print(_copied(cache, arguments.source), file=sys.stderr)
    print(describe(ingest(cache)), file=sys.stderr)
    return 0


def _copied(cache: Path, source: str) -> str:
    from data_cache.remote_spool import RemoteSpool
    from model_runners.progress import progress

    with progress("copying", "file") as bar:
        copied = RemoteSpool(source).fetch(cache, report=bar.to)
    lines = [f"from {source}: {len(copied.copied)} files copied, {copied.same} were here"]
    return "\n".join([*lines, *(f"left there: {name}: {why}" for name, why in copied.refused)])


def describe(report: "IngestReport") -> str:
    """Return what an ingest did, one line and one more for each file that was set aside or left."""
    lines = [f"{report.ingested} files ingested, {report.superseded} superseded by longer ones"]
    lines += [f"set aside: {name}: {reason}" for name, reason in report.quarantined]
    lines += [f"left in place: {name}: {reason}" for name, reason in report.skipped]
    return "\n".join(lines)
