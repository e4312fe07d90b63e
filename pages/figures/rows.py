"""Where each record stands in a chart: one row per record, rows gathered under titles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from data_cache.estimates import INTERVENTIONAL, SpectrumRecord

Group = Literal["subset", "model"]
"""What rows of one benchmark are gathered by."""
Side = Literal["benchmark", "subset", "model"]

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


def row_names(records: Sequence[SpectrumRecord]) -> dict[str, str]:
    """Name each record in a sentence, by its estimate key: model and subset, and what else differs.

    Benchmark and estimator are named where there are several.
    """
    sides = ["model", "subset"]
    if len({record.benchmark for record in records}) > 1:
        sides.insert(1, "benchmark")
    if len({record.estimator for record in records}) > 1:
        sides.append("estimator")
    return {
        record.estimate_key: ", ".join(
            subset_label(record.subset) if side == "subset" else getattr(record, side)
            for side in sides
        )
        for record in records
    }


def sides_of(records: Sequence[SpectrumRecord], *, group: Group = "subset") -> tuple[Side, Side]:
    """Return what the titles of a chart say, and what tells the rows below a title apart.

    Where the other side has a single value (one model, many subsets), the titles name that value
    and the rows the rest, so that no label is repeated on every row. Rows of several benchmarks
    are gathered by benchmark, or stand under one title where each benchmark has one row.
    """
    count: dict[Side, int] = {
        side: len({getattr(record, side) for record in records})
        for side in ("benchmark", "subset", "model")
    }
    if count["benchmark"] > 1:
        places = {(record.benchmark, record.model, record.subset) for record in records}
        single = count["model"] == 1 and len(places) == count["benchmark"]
        return ("model", "benchmark") if single else ("benchmark", "subset")
    outer, inner = ("subset", "model") if group == "subset" else ("model", "subset")
    return (inner, outer) if count[outer] > 1 and count[inner] == 1 else (outer, inner)


def arrange(
    records: Sequence[SpectrumRecord], *, group: Group = "subset", row_pixels: int = 34
) -> Arrangement:
    """Put the records under each other, in their order, under the titles of `sides_of`.

    A record of the same model on the same subset as the one above it is named by its estimator.
    """
    outer, inner = sides_of(records, group=group)
    names: dict[Side, dict[str, str]] = {
        "model": short_labels(record.model for record in records),
        "benchmark": short_labels(record.benchmark for record in records),
        "subset": {record.subset: subset_label(record.subset) for record in records},
    }
    panels: dict[str, list[SpectrumRecord]] = {}
    for record in records:
        panels.setdefault(getattr(record, outer), []).append(record)

    rows: list[Row] = []
    titles: list[tuple[str, float]] = []
    top = 0.0
    for key, members in panels.items():
        titles.append((escape(names[outer][key]), top + TITLE_PIXELS / 2))
        top += TITLE_PIXELS
        above: SpectrumRecord | None = None
        for member in members:
            label = escape(names[inner][getattr(member, inner)])
            if above is not None and _same_place(above, member):
                swapped = member.estimator == INTERVENTIONAL
                by = "with swapped pairs" if swapped else f"by {escape(member.estimator)}"
                label = f"<i>{by}</i>"
            rows.append(Row(record=member, label=label, position=top + row_pixels / 2))
            top += row_pixels
            above = member
    return Arrangement(
        rows=tuple(rows), titles=tuple(titles), row_pixels=row_pixels, height=max(top, row_pixels)
    )


def _same_place(one: SpectrumRecord, other: SpectrumRecord) -> bool:
    return (one.model, one.benchmark, one.subset) == (other.model, other.benchmark, other.subset)
