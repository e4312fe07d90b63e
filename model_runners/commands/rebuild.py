"""`rebuild`: make the database anew from the chunks."""

import argparse
import sys

from data_cache.location import cache_directory
from model_runners.commands.ingest import describe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Rebuild and report; 0 also where chunks were set aside, which the report names."""
    from data_cache.ingest import rebuild

    print(describe(rebuild(cache_directory(arguments.cache))), file=sys.stderr)
    return 0
