"""`python -m pages.start`: the dashboard, for this machine, or for others if that is safe."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from data_cache.errors import DataError
from data_cache.location import ENVIRONMENT_VARIABLE as CACHE
from data_cache.location import cache_directory
from data_cache.permission import ENVIRONMENT_VARIABLE as READ_ONLY
from data_cache.permission import is_read_only
from pages.start.openness import LOCAL_NAMES, is_loopback, why_not_open

ROOT = Path(__file__).resolve().parents[2]
HERE = "127.0.0.1"


def main(argv: Sequence[str] | None = None) -> int:
    """Become the server; 2, and a sentence, where it may not be opened like that."""
    arguments = parser().parse_args(argv)
    if arguments.read_only:
        os.environ[READ_ONLY] = "1"
    os.chdir(ROOT)  # Streamlit looks for its settings and secrets here
    try:
        if arguments.cache:
            os.environ[CACHE] = str(cache_directory(arguments.cache))
        from pages.widgets.visitors import login_here

        refused = why_not_open(arguments.address, read_only=is_read_only(), login=login_here())
    except (DataError, ValueError) as error:
        refused = str(error)
    if refused is not None:
        print(f"pidscope: {refused}", file=sys.stderr)
        return 2
    names = [*arguments.name, *(LOCAL_NAMES if is_loopback(arguments.address) else ())]
    command = [
        *(sys.executable, "-m", "streamlit", "run", "app.py"),
        *("--server.address", arguments.address, "--server.port", str(arguments.port)),
        *(word for name in names or ["*"] for word in ("--server.allowedHosts", name)),
        *(arguments.more[1:] if arguments.more[:1] == ["--"] else arguments.more),
    ]
    sys.stdout.flush()
    return os.execv(sys.executable, command)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the start command."""
    made = argparse.ArgumentParser(
        prog="python -m pages.start", description="Start the dashboard of PIDscope."
    )
    made.add_argument("--address", default=HERE, help=f"where it listens (default: {HERE})")
    made.add_argument("--port", type=int, default=8501, help="default: 8501")
    made.add_argument(
        "--read-only",
        action="store_true",
        help=f"show results and start nothing, as {READ_ONLY}=1 does",
    )
    made.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST",
        help="what browsers call this server, for example dash.lab.org; others are refused",
    )
    made.add_argument("--cache", metavar="DIR", help=f"cache folder, as ${CACHE}")
    made.add_argument("more", nargs=argparse.REMAINDER, help="behind --: more for Streamlit")
    return made


if __name__ == "__main__":
    sys.exit(main())
