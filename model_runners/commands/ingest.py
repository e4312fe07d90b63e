"""`ingest`: read new chunks of the spool into the database."""

import argparse
import sys
from typing import TYPE_CHECKING

from data_cache.location import cache_directory

if TYPE_CHECKING:
    from data_cache.ingest import IngestReport


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Ingest and report; 0 also where chunks were set aside, which the report names."""
    from data_cache.ingest import ingest

    print(describe(ingest(cache_directory(arguments.cache))), file=sys.stderr)
    return 0


def describe(report: "IngestReport") -> str:
    """Return what an ingest did, one line and one more for each file that was set aside or left."""
    lines = [f"{report.ingested} files ingested, {report.superseded} superseded by longer ones"]
    lines += [f"set aside: {name}: {reason}" for name, reason in report.quarantined]
    lines += [f"left in place: {name}: {reason}" for name, reason in report.skipped]
    return "\n".join(lines)
