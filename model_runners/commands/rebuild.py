"""`rebuild`: make the database anew from the chunks, and sweep results of what is gone."""

import argparse
import sys

from data_cache.location import cache_directory
from model_runners.commands.ingest import describe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Rebuild and report; 0 also where chunks were set aside, which the report names."""
    from data_cache.derived import sweep
    from data_cache.ingest import rebuild
    from data_cache.location import derived_directory
    from model_runners.deriving import versions

    cache = cache_directory(arguments.cache)
    print(describe(rebuild(cache)), file=sys.stderr)
    if derived_directory(cache).is_dir():
        sweep(cache, versions())
    return 0
