"""`gc`: list what a cache could do without, and remove it when that is confirmed."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from data_cache.location import cache_directory, command

if TYPE_CHECKING:
    from data_cache.leftovers import Leftover

KINDS = (
    "unfinished",
    "covered chunk",
    "renewed run",
    "samples",
    "nameless run",
    "set aside",
    "older result",
    "encoded images",
    "export",
)
WITHOUT_ROWS = {"older result", "encoded images", "export"}
"""What the database knows nothing of."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--kind",
        action="append",
        choices=KINDS,
        metavar="KIND",
        help=f"only these: {', '.join(KINDS)}; may be given again",
    )
    parser.add_argument("--yes", action="store_true", help="remove what is listed, for good")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(arguments: argparse.Namespace) -> int:
    """List, and with --yes remove; asks first at a terminal, and removes nothing elsewhere."""
    from data_cache.leftovers import leftovers

    cache = cache_directory(arguments.cache)
    found = [
        one for one in leftovers(cache) if arguments.kind is None or one.kind in arguments.kind
    ]
    if arguments.json:
        print(json.dumps([_as_json(one) for one in found], indent=1))
    else:
        for one in found:
            print(f"{one.kind}  {_size(one.size)}  {_shown(cache, one.path)}: {one.why}")
    total = _size(sum(one.size for one in found))
    print(f"{len(found)} things in {cache}, {total}", file=sys.stderr)
    if found and (arguments.yes or _confirmed(len(found))):
        clean(cache, found)
    elif found:
        print(f"nothing was removed; {command('gc --yes', cache)} removes these", file=sys.stderr)
    return 0


def clean(cache: Path, found: "list[Leftover]") -> None:
    """Remove what was listed, and make the database anew where it had rows of it."""
    from data_cache.ingest import rebuild
    from data_cache.leftovers import remove
    from data_cache.location import database_path

    freed = remove(cache, found)
    if any(one.kind not in WITHOUT_ROWS for one in found) and database_path(cache).exists():
        rebuild(cache)
    print(f"removed {len(found)} things, {_size(freed)}", file=sys.stderr)


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        return False
    return input(f"Remove these {count} things for good? [y/N] ").strip().lower() in {"y", "yes"}


def _as_json(one: "Leftover") -> dict[str, object]:
    return {"kind": one.kind, "path": str(one.path), "why": one.why, "bytes": one.size}


def _shown(cache: Path, path: Path) -> str:
    return path.relative_to(cache).as_posix() if path.is_relative_to(cache) else str(path)


def _size(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size >= 1 << 20 else f"{size / 1024:.1f} KiB"
