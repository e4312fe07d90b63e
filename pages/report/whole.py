"""A page as a report, and the lines that give its numbers and figures again."""

import platform
import shlex
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from data_cache.estimates import SpectrumRecord
from data_cache.queries import RunRow
from model_runners import again
from pages.report.document import Head, document
from pages.report.parts import Figure, Part, Table, records_of

PACKAGES = ("streamlit", "plotly", "duckdb", "torch")
MOST_LINES = 40
"""Commands of one kind that are listed."""


def report(
    parts: Sequence[Part], *, title: str, address: str, cache: Path, runs: Iterable[RunRow]
) -> str:
    """Return one HTML file that shows the parts, with all that their numbers depend on.

    Parameters
    ----------
    parts
        What the page has drawn.
    title
        What it is called.
    address
        What the dashboard is asked for to show the same, without server and port.
    cache
        The cache folder.
    runs
        The runs of the cache.
    """
    head = Head(
        title=title,
        about=about(records_of(parts)),
        address=address,
        facts={
            "Cache": str(cache),
            "Made": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
            "Versions": versions(),
        },
        code=reproduce(parts, address, cache, runs),
    )
    return document(head, parts)


def reproduce(
    parts: Sequence[Part], address: str, cache: Path, runs: Iterable[RunRow]
) -> dict[str, str]:
    """Return lines of Python and of a shell that give the page again, by what they do."""
    place = str(cache)
    told: dict[str, str] = {}
    if address:
        name = address.partition("?")[0].strip("/") or "overview"
        told["Command line: this page as a report"] = (
            f"python -m pages.report --address {shlex.quote(address)} "
            f"--cache {shlex.quote(place)} --to {name}.html"
        )
        told["Python: the figures and tables of this page"] = _python(parts, address, place)
    records = records_of(parts)
    if records:
        keys = ",\n".join(f"    {record.estimate_key!r}" for record in records)
        told["Python: the numbers"] = (
            "from pathlib import Path\n\nfrom data_cache import estimates\n\n"
            f"cache = Path({place!r})\nkeys = [\n{keys},\n]\n"
            "records = [estimates.find(cache, key) for key in keys]"
        )
        of_pages = {record.run_key for record in records}
        behind = [run for run in runs if run.run_key in of_pages]
        told["Command line: measure the same again"] = _some(
            again.profile_command(run, cache=place) for run in behind
        )
        told["Command line: estimate the same again"] = _some(
            again.estimate_commands(records, cache=place)
        )
    return {words: code for words, code in told.items() if code}


def about(records: Iterable[SpectrumRecord]) -> str:
    """Say which models on which benchmarks the numbers are of; empty where there are none."""
    models: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if record.model not in models[record.benchmark]:
            models[record.benchmark].append(record.model)
    return "\n".join(f"{benchmark}: {', '.join(found)}" for benchmark, found in models.items())


def versions() -> str:
    """Return what made the numbers visible: Python and the packages that matter."""
    found = [f"{name} {version(name)}" for name in PACKAGES]
    return ", ".join([f"Python {platform.python_version()}", *found])


def _python(parts: Iterable[Part], address: str, cache: str) -> str:
    lines = [
        "from pages.report.view import view",
        "",
        f"shown = view({address!r}, cache={cache!r})",
    ]
    for part in parts:
        if isinstance(part, Figure):
            lines.append(f"{part.name} = shown.figure({part.name!r})")
        elif isinstance(part, Table):
            lines.append(f"{part.name} = shown.table({part.name!r})")
    return "\n".join(lines)


def _some(commands: Iterable[str]) -> str:
    listed = list(commands)
    left = len(listed) - MOST_LINES
    more = [f"# and {left} more like these"] if left > 0 else []
    return "\n".join([*listed[:MOST_LINES], *more])
