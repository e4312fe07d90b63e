"""What a page shows, piece by piece, apart from how Streamlit shows it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure and what is known of it."""

    name: str
    """Unlike those of all other figures and tables of the page."""
    figure: go.Figure
    alt: str
    """What it shows, in words."""
    data: Callable[[], pd.DataFrame] | None = None
    """Makes the records behind it; where there is none, the drawn numbers stand for them."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as it is shown."""

    name: str
    frame: pd.DataFrame
    alt: str
    formats: Mapping[str, str] = field(default_factory=dict[str, str])
    """How numbers of a column are written, as in `%.3f`, by the column's name."""
    index: bool = False
    """Whether the names of the rows are shown."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """A text of the page."""

    text: str
    kind: Literal["heading", "text", "note", "warning"] = "text"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image of the page, encoded."""

    data: bytes
    alt: str


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The estimates that the page's numbers come from."""

    records: tuple[SpectrumRecord, ...]


Part = Figure | Table | Words | Picture | Numbers


def records_of(parts: Iterable[Part]) -> tuple[SpectrumRecord, ...]:
    """Return every estimate behind the parts once, in the order of the page."""
    found = {one.estimate_key: one for one in _records(parts)}
    return tuple(found.values())


def _records(parts: Iterable[Part]) -> Iterator[SpectrumRecord]:
    for part in parts:
        if isinstance(part, Numbers):
            yield from part.records
