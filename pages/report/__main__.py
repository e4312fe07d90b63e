"""`python -m pages.report`: any view of the dashboard as one HTML file, without a browser."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from data_cache.atomic import write_atomically
from model_runners.errors import USER_ERRORS
from pages.report.view import view


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file; 0 when done, 2 on an error that a person can mend."""
    parser = argparse.ArgumentParser(
        prog="python -m pages.report",
        description="Write a page of the dashboard, as its address shows it, into one HTML file.",
    )
    parser.add_argument(
        "--address", required=True, help="of the page, as in 'spectra?benchmark=digits_vqa'"
    )
    parser.add_argument("--to", required=True, type=Path, metavar="FILE", help="the HTML file")
    parser.add_argument(
        "--cache",
        metavar="DIR",
        help="cache folder (default: $PIDSCOPE_CACHE, else ~/.cache/pidscope)",
    )
    arguments = parser.parse_args(argv)
    try:
        content = view(arguments.address, cache=arguments.cache).html().encode()
        arguments.to.absolute().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(arguments.to.absolute(), content)
    except (*USER_ERRORS, OSError) as error:
        print(f"pidscope: {error}", file=sys.stderr)
        return 2
    print(arguments.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
