"""Where each record stands in a chart: one row per record, rows gathered under titles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from data_cache.estimates import SpectrumRecord

Group = Literal["subset", "model"]

POOLED = "all"
"""The subset name of a whole benchmark."""
LONGEST_LABEL = 26
TITLE_PIXELS = 34
"""Height of a title above its rows."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One record and its place in the chart."""

    record: SpectrumRecord
    label: str
    """Plain text, escaped for plotly, which reads a little HTML."""
    position: float
    """Middle of the row, in pixels from the top of the chart."""


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """All rows of a chart, and the titles above groups of them."""

    rows: tuple[Row, ...]
    titles: tuple[tuple[str, float], ...]
    """Text (escaped) and middle, in pixels."""
    row_pixels: int
    height: float
    """In pixels."""


def subset_label(subset: str) -> str:
    """Name a subset for people."""
    return "All subsets, pooled" if subset == POOLED else subset


def short_labels(names: Iterable[str]) -> dict[str, str]:
    """Give each name a short form that stays unique: the last part of a path, cut in the middle.

    >>> short_labels(["org/model-7B", "demo/oracle"])
    {'org/model-7B': 'model-7B', 'demo/oracle': 'oracle'}
    """
    distinct = list(dict.fromkeys(names))
    for shorten in (lambda name: _cut(name.rstrip("/").rsplit("/", 1)[-1]), _cut):
        short = [shorten(name) for name in distinct]
        if len(set(short)) == len(distinct):
            return dict(zip(distinct, short, strict=True))
    return {name: name for name in distinct}


def _cut(text: str) -> str:
    if len(text) <= LONGEST_LABEL:
        return text
    head = (LONGEST_LABEL - 1) * 2 // 3
    return f"{text[:head]}…{text[-(LONGEST_LABEL - 1 - head) :]}"


def arrange(
    records: Sequence[SpectrumRecord], *, group: Group = "subset", row_pixels: int = 34
) -> Arrangement:
    """Put the records under each other, in their order, under one title per subset or per model.

    Where the other side has a single value (one model, many subsets), the titles name that value
    and the rows the rest, so that no label is repeated on every row.
    """
    models = short_labels(record.model for record in records)
    subsets = {record.subset: subset_label(record.subset) for record in records}
    if group == "subset" and len(models) == 1 and len(subsets) > 1:
        group = "model"
    elif group == "model" and len(subsets) == 1 and len(models) > 1:
        group = "subset"

    panels: dict[str, list[SpectrumRecord]] = {}
    for record in records:
        panels.setdefault(record.subset if group == "subset" else record.model, []).append(record)

    rows: list[Row] = []
    titles: list[tuple[str, float]] = []
    top = 0.0
    for key, members in panels.items():
        title = subsets[key] if group == "subset" else models[key]
        titles.append((escape(title), top + TITLE_PIXELS / 2))
        top += TITLE_PIXELS
        for member in members:
            label = models[member.model] if group == "subset" else subsets[member.subset]
            rows.append(Row(record=member, label=escape(label), position=top + row_pixels / 2))
            top += row_pixels
    return Arrangement(
        rows=tuple(rows), titles=tuple(titles), row_pixels=row_pixels, height=max(top, row_pixels)
    )
