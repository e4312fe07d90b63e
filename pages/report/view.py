"""A page of the dashboard without a browser: its figures, tables and texts, as Python has them."""

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
import plotly.graph_objects as go

from data_cache.errors import DataError
from data_cache.location import ENVIRONMENT_VARIABLE, cache_directory
from data_cache.queries import RunRow
from pages.report.document import words_of
from pages.report.parts import Figure, Part, Table
from pages.report.whole import report
from pages.widgets import state

APP = Path(__file__).parents[2] / "app.py"
LONGEST = 600.0
"""Seconds that a page may take."""
UNWATCHED = "streamlit.runtime.scriptrunner_utils.script_run_context"
"""The logger of Streamlit that tells of scripts without a browser."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What a page shows."""

    title: str
    address: str
    cache: Path
    parts: tuple[Part, ...]
    runs: tuple[RunRow, ...]

    def figure(self, name: str) -> go.Figure:
        """Return one of its figures by the name that its files have."""
        return _named(self.parts, name, Figure).figure

    def table(self, name: str) -> pd.DataFrame:
        """Return one of its tables by the name that its files have."""
        return _named(self.parts, name, Table).frame

    def html(self) -> str:
        """Return the page as one HTML file."""
        return report(
            self.parts, title=self.title, address=self.address, cache=self.cache, runs=self.runs
        )


class NoSuchPart(DataError):
    """The page that was asked for is not there, shows nothing, or not this."""


def view(address: str, *, cache: str | os.PathLike[str] | None = None) -> View:
    """Draw a page as the dashboard would, without a browser and without a server.

    Not for several threads at once: the cache is named in the environment meanwhile.

    Parameters
    ----------
    address
        What stands behind server and port in the address of a page, as in
        `spectra?benchmark=digits_vqa`; the whole address will do.
    cache
        The cache folder; as the dashboard chooses it where None is given.

    Raises
    ------
    NoSuchPart
        If there is no such page, it cannot be drawn, or it has nothing to show.
    """
    from streamlit.testing.v1 import AppTest  # takes longer to import than all others here

    asked = urlsplit(address)
    name = asked.path.strip("/") or "overview"
    there = sorted(path.stem for path in (APP.parent / "pages").glob("*.py"))
    if name not in there:
        raise NoSuchPart(f"there is no page {name!r}; the pages are {', '.join(there)}")
    folder = cache_directory(cache)
    # It warns that nobody is looking, which is so.
    logging.getLogger(UNWATCHED).setLevel(logging.ERROR)
    app = AppTest.from_file(str(APP), default_timeout=LONGEST)
    for key, value in parse_qsl(asked.query, keep_blank_values=True):
        given = app.query_params.get(key, [])
        app.query_params[key] = [*([given] if isinstance(given, str) else given), value]
    app.session_state[state.KEEP_DRAWN] = True
    # An address of the overview with choices would open another page.
    app.session_state[state.OPENED] = True
    with _cache_named(folder):
        app.switch_page(f"pages/{name}.py").run()
    if app.exception:
        raise NoSuchPart(f"the page {name} cannot be drawn: {app.exception[0].value}")
    is_kept = state.DRAWN_PARTS in app.session_state
    parts: tuple[Part, ...] = tuple(app.session_state[state.DRAWN_PARTS]) if is_kept else ()
    if not any(isinstance(part, Figure | Table) for part in parts):
        said = " ".join(str(one.value) for one in app.text[:3])
        raise NoSuchPart(f"the page {name} has no figure and no table to show; it says: {said}")
    reading = app.session_state[state.READING]
    query = f"?{asked.query}" if asked.query else ""
    return View(
        title=app.title[0].value if app.title else words_of(name),
        address=f"{name}{query}",
        cache=folder,
        parts=parts,
        runs=reading.every_run,
    )


def _named(parts: Iterable[Part], name: str, kind: type[Figure] | type[Table]) -> Any:
    found = [one for one in parts if isinstance(one, kind)]
    for one in found:
        if one.name == name:
            return one
    word = kind.__name__.lower()
    raise NoSuchPart(
        f"the page has no {word} {name!r}; it has {', '.join(one.name for one in found) or 'none'}"
    )


@contextmanager
def _cache_named(folder: Path) -> Iterator[None]:
    before = os.environ.get(ENVIRONMENT_VARIABLE)
    os.environ[ENVIRONMENT_VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[ENVIRONMENT_VARIABLE]
        else:
            os.environ[ENVIRONMENT_VARIABLE] = before
