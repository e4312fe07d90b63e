"""The samples behind estimates: which ones, in which order, and one page of them at a time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from data_cache.errors import CacheError
from data_cache.records import ATOMS, SCORES
from data_cache.samples import Split
from data_cache.store import reader
from data_cache.stored_thumbnails import thumbnails_of

SORT_COLUMNS = (
    "gap_score", "synergy_ratio", "shortcut", "fusion_potential",
    "redundancy", "unique_1", "unique_2", "synergy", "position",
)  # fmt: skip
"""What samples can be sorted by; `position` is the benchmark's own order."""
NUMBERS = (*ATOMS, *SCORES)
"""What an estimate knows about each sample: atoms in bits, then scores."""
PAGE_LIMIT = 500
"""Samples with thumbnails that one call returns at most."""


@dataclass(frozen=True, kw_only=True)
class SampleOrder:
    """Which samples of which estimates, in which order."""

    estimate_keys: tuple[str, ...]
    """Estimates that share no sample, such as those of different subsets."""
    order_by: str = "gap_score"
    """One of `SORT_COLUMNS`; ties, and values that are no numbers, follow the benchmark's order."""
    descending: bool = True
    subset: str | None = None
    """None means any."""
    split: Split | None = None
    correct: bool | None = None
    """Whether the most likely first token of the whole vocabulary is the right letter."""

    def __post_init__(self) -> None:
        """Refuse what could not be bound as a parameter."""
        if self.order_by not in SORT_COLUMNS:
            raise CacheError(
                f"samples cannot be sorted by {self.order_by!r}; choose one of "
                f"{', '.join(SORT_COLUMNS)}"
            )
        if self.split is not None and self.split not in get_args(Split):
            raise CacheError(f"there is no split {self.split!r}; choose train or test")


@dataclass(frozen=True, kw_only=True)
class SampleRow:
    """One sample as a list shows it."""

    sample_id: str
    estimate_key: str
    """The estimate that its numbers belong to."""
    position: int
    """Place in the benchmark's order, from 0."""
    subset: str
    split: str
    question: str
    options: tuple[str, ...]
    answer: int
    """Index of the right option."""
    choice: int | None
    """Option that the model names as its first token; None where that token is no option."""
    numbers: dict[str, float | None]
    """Every one of `NUMBERS`; None where it is undefined."""
    thumbnail: bytes | None
    """The first image, encoded, at most 256 x 256 pixels."""

    @property
    def correct(self) -> bool:
        """Whether the model names the right option."""
        return self.choice == self.answer


@dataclass(frozen=True, kw_only=True)
class SamplePage:
    """Some of the samples in an order."""

    rows: tuple[SampleRow, ...]
    total: int
    """Samples in the order, on all pages."""
    without_text: int
    """Samples of the estimates, before any filter, whose text and images the cache lacks."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a sample stands in an order."""

    number: int
    """From 0."""
    total: int
    previous: str | None
    next: str | None


# A sample is looked up in the run that its estimate was made from: two estimates of one model may
# come from two runs.
_CHOSEN = """
        LEFT JOIN predictions AS chosen ON chosen.run_key = {row}.run_key
             AND chosen.sample_id = {row}.sample_id AND chosen.layer = {row}.layer
             AND chosen.condition = 'full' AND chosen.draw = 0"""
_SHOWN = """
    WITH shown AS (
        SELECT pointwise.*, samples.benchmark_key, samples.position, samples.subset, samples.split,
               samples.answer, estimates.run_key, estimates.layer
        FROM pointwise JOIN estimates USING (estimate_key) JOIN runs USING (run_key)
        JOIN samples ON samples.benchmark_key = runs.benchmark_key
             AND samples.sample_id = pointwise.sample_id
        WHERE list_contains($estimate_keys::VARCHAR[], pointwise.estimate_key)
          AND ($subset IS NULL OR samples.subset = $subset)
          AND ($split IS NULL OR samples.split = $split)
    )"""
# The table of predictions is the largest: it is joined only where its answers are the filter.
_FILTERED = f"""
    {_SHOWN}, right_or_wrong AS (
        SELECT shown.* FROM shown {_CHOSEN.format(row="shown")}
        WHERE coalesce(chosen.strict_choice = shown.answer, false) = $correct
    )"""


def sample_page(cache: Path, order: SampleOrder, *, limit: int, offset: int = 0) -> SamplePage:
    """Return a page of samples with their thumbnails and numbers.

    Parameters
    ----------
    cache
        The cache folder.
    order
        Which samples, in which order.
    limit
        Samples on the page, 1 to `PAGE_LIMIT`.
    offset
        Samples before it; a page behind the last one is empty.

    Raises
    ------
    CacheError
        If the page has no sensible size or place.
    """
    if not 0 < limit <= PAGE_LIMIT or offset < 0:
        raise CacheError(
            f"a page of {limit} samples from {offset} on was asked for; "
            f"it holds 1 to {PAGE_LIMIT}, from 0 on"
        )
    bound = _bound(order)
    shown, name = _rows_of(order)
    with reader(cache) as connection:
        total = connection.execute(f"{shown} SELECT count(*) FROM {name}", bound).fetchall()[0][0]
        missing = connection.execute(
            """SELECT count(*)
               FROM pointwise JOIN estimates USING (estimate_key) JOIN runs USING (run_key)
               ANTI JOIN samples ON samples.benchmark_key = runs.benchmark_key
                    AND samples.sample_id = pointwise.sample_id
               WHERE list_contains($estimate_keys::VARCHAR[], pointwise.estimate_key)""",
            {"estimate_keys": bound["estimate_keys"]},
        ).fetchall()[0][0]
        # Texts, answers and images are fetched for the samples of the page alone.
        rows = connection.execute(
            f"""{shown}, page AS MATERIALIZED (
                    SELECT * FROM {name} {_order_by(order)} LIMIT $limit OFFSET $offset
                )
                SELECT page.sample_id, page.estimate_key, page.position, page.subset, page.split,
                       samples.question, samples.options, page.answer,
                       nullif(chosen.strict_choice, -1),
                       {", ".join(f"page.{number}" for number in NUMBERS)},
                       samples.images[1]
                FROM page JOIN samples USING (benchmark_key, sample_id)
                {_CHOSEN.format(row="page")}
                {_order_by(order, "page.")}""",
            bound | {"limit": limit, "offset": offset},
        ).fetchall()
        small = thumbnails_of(connection, (values[-1] for values in rows))
    return SamplePage(
        rows=tuple(_row(values, small.get(values[-1])) for values in rows),
        total=int(total),
        without_text=int(missing),
    )


def place_of(cache: Path, order: SampleOrder, sample_id: str) -> Place | None:
    """Return where a sample stands in an order and who its neighbours are; None if not in it."""
    shown, name = _rows_of(order)
    with reader(cache) as connection:
        rows = connection.execute(
            f"""{shown}, placed AS (
                    SELECT sample_id, row_number() OVER following - 1 AS number,
                           count(*) OVER () AS total, lag(sample_id) OVER following AS previous,
                           lead(sample_id) OVER following AS next
                    FROM {name} WINDOW following AS ({_order_by(order)})
                )
                SELECT number, total, previous, next FROM placed WHERE sample_id = $sample_id
                LIMIT 1""",
            _bound(order) | {"sample_id": sample_id},
        ).fetchall()
    if not rows:
        return None
    number, total, previous, following = rows[0]
    return Place(number=int(number), total=int(total), previous=previous, next=following)


def subsets_of(cache: Path, estimate_keys: Sequence[str]) -> tuple[str, ...]:
    """Return the subsets that the samples of the estimates belong to, by name."""
    with reader(cache) as connection:
        rows = connection.execute(
            f"{_SHOWN} SELECT DISTINCT subset FROM shown ORDER BY subset",
            _bound(SampleOrder(estimate_keys=tuple(estimate_keys))),
        ).fetchall()
    return tuple(row[0] for row in rows)


def number_or_none(value: float | None) -> float | None:
    """Return the value where it is a number; what is not defined is stored as null or NaN."""
    return None if value is None or math.isnan(value) else float(value)


def _rows_of(order: SampleOrder) -> tuple[str, str]:
    """Return the beginning of a query, and what its rows are called there."""
    return (_SHOWN, "shown") if order.correct is None else (_FILTERED, "right_or_wrong")


def _bound(order: SampleOrder) -> dict[str, Any]:
    bound = {
        "estimate_keys": list(order.estimate_keys),
        "subset": order.subset,
        "split": order.split,
    }
    return bound if order.correct is None else bound | {"correct": order.correct}


def _order_by(order: SampleOrder, table: str = "") -> str:
    """Return the ORDER BY clause; its column comes from the list above and from nowhere else."""
    assert order.order_by in SORT_COLUMNS
    column = f"{table}{order.order_by}"
    if order.order_by != "position":
        column = f"CASE WHEN isnan({column}) THEN NULL ELSE {column} END"
    direction = "DESC" if order.descending else "ASC"
    return f"ORDER BY {column} {direction} NULLS LAST, {table}position, {table}sample_id"


def _row(values: tuple[Any, ...], thumbnail: bytes | None) -> SampleRow:
    numbers = values[9 : 9 + len(NUMBERS)]
    return SampleRow(
        sample_id=values[0],
        estimate_key=values[1],
        position=values[2],
        subset=values[3],
        split=values[4],
        question=values[5],
        options=tuple(values[6]),
        answer=values[7],
        choice=values[8],
        numbers={name: number_or_none(value) for name, value in zip(NUMBERS, numbers, strict=True)},
        thumbnail=thumbnail,
    )
