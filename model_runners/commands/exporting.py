"""`export`: put runs with their samples and spectra into one file, for another machine."""

import argparse
import sys
from pathlib import Path

from data_cache.errors import CacheError
from data_cache.location import cache_directory, command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", metavar="FILE", help="the bundle, a .zip file")
    parser.add_argument(
        "--run", action="append", default=[], metavar="KEY", help="a run; its first digits do"
    )
    parser.add_argument("--model", action="append", default=[], help="every run of this model")
    parser.add_argument(
        "--benchmark", action="append", default=[], help="only runs on this benchmark"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the bundle; without options it holds every run of the cache."""
    from data_cache.bundle import write_bundle
    from data_cache.queries import runs
    from model_runners.progress import progress

    cache = cache_directory(arguments.cache)
    target = Path(arguments.file).expanduser().absolute()
    if target.suffix != ".zip":
        raise CacheError(f"a bundle is a .zip file; {target.name!r} does not end so")
    keys = [
        one.run_key
        for one in runs(cache)
        if (not arguments.run or any(one.run_key.startswith(start) for start in arguments.run))
        and (not arguments.model or one.model in arguments.model)
        and (not arguments.benchmark or one.benchmark in arguments.benchmark)
    ]
    if not keys:
        raise CacheError(f"no run of {cache} is as asked for; see {command('list runs', cache)}")
    with progress("export", "file") as bar:
        names = write_bundle(cache, target, keys, report=bar.to)
    size = target.stat().st_size / 2**20
    print(f"{len(keys)} runs, {len(names)} files, {size:.1f} MiB in {target}", file=sys.stderr)
    return 0
