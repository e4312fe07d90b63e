"""The samples behind estimates: which ones, in which order, and one page of them at a time."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import duckdb

from data_cache.errors import CacheError
from data_cache.records import NUMBERS
from data_cache.sample_filters import SampleFilters, Source, clause_of
from data_cache.samples import Split
from data_cache.store import reader
from data_cache.stored_thumbnails import thumbnails_of

SORT_COLUMNS = (
    "gap_score", "synergy_ratio", "shortcut", "fusion_potential",
    "redundancy", "unique_1", "unique_2", "synergy", "position",
)  # fmt: skip
"""What samples can be sorted by; `position` is the benchmark's own order."""
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
    filters: SampleFilters = field(default_factory=SampleFilters)
    """What else a sample has to be like."""

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
    everything: int
    """Samples of the estimates, before any filter."""
    without_text: int
    """More samples of the estimates, whose text and images the cache lacks."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a sample stands in an order."""

    number: int
    """From 0."""
    total: int
    previous: str | None
    next: str | None


@dataclass(frozen=True, kw_only=True)
class _Listed:
    """What every query about an order begins with, and what is bound in it."""

    shown: str
    """A WITH clause; its table `shown` has the samples of the order."""
    everything: str
    """The same, before any filter."""
    estimates: str
    """Which rows of `pointwise` belong to the estimates."""
    answers: str
    """Which rows of `predictions` can be about these samples."""
    bound: dict[str, Any]

    def ask(
        self, connection: duckdb.DuckDBPyConnection, sql: str, **more: object
    ) -> list[tuple[Any, ...]]:
        """Run a query; it is given what it mentions, as DuckDB refuses more."""
        known = self.bound | more
        named = set(re.findall(r"\$(\w+)", sql))
        return connection.execute(sql, {name: known[name] for name in named}).fetchall()


# A sample is looked up in the run that its estimate was made from: two estimates of one model may
# come from two runs.
_WANTED = """
    WITH wanted AS (
        SELECT unnest($estimate_keys::VARCHAR[]) AS estimate_key,
               unnest($run_keys::VARCHAR[]) AS run_key, unnest($layers::SMALLINT[]) AS layer,
               unnest($benchmark_keys::VARCHAR[]) AS benchmark_key, unnest($tau::DOUBLE[]) AS tau
    )"""
_SHOWN = f"""
    shown AS (
        SELECT pointwise.sample_id, pointwise.estimate_key,
               {", ".join(f"pointwise.{number}" for number in NUMBERS)},
               samples.benchmark_key, samples.position, samples.subset, samples.split,
               samples.answer, wanted.run_key, wanted.layer
        FROM pointwise JOIN wanted USING (estimate_key)
        JOIN samples ON samples.benchmark_key = wanted.benchmark_key
             AND samples.sample_id = pointwise.sample_id"""
_CHOSEN = """
        LEFT JOIN (SELECT run_key, sample_id, layer, strict_choice FROM predictions
                   WHERE {answers} AND condition = 'full' AND draw = 0) AS chosen
             ON chosen.run_key = {of}.run_key AND chosen.layer = {of}.layer
             AND chosen.sample_id = {sample}.sample_id"""


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
        If the page has no sensible size or place, or a filter asks for what is not there.
    """
    if not 0 < limit <= PAGE_LIMIT or offset < 0:
        raise CacheError(
            f"a page of {limit} samples from {offset} on was asked for; "
            f"it holds 1 to {PAGE_LIMIT}, from 0 on"
        )
    with reader(cache) as connection:
        listed = _listed(cache, connection, order)
        # One query finds the samples, counts them and fetches what is shown of those of the page.
        column = "" if order.order_by == "position" else f", {order.order_by}"
        rows = listed.ask(
            connection,
            f"""{listed.shown}, narrow AS MATERIALIZED (
                    SELECT sample_id, estimate_key, run_key, layer, benchmark_key, position {column}
                    FROM shown
                ), page AS MATERIALIZED (
                    SELECT * FROM narrow {_order_by(order)} LIMIT $limit OFFSET $offset
                )
                SELECT total, page.sample_id, page.estimate_key, page.position, samples.subset,
                       samples.split, samples.question, samples.options, samples.answer,
                       nullif(chosen.strict_choice, -1),
                       {", ".join(f"pointwise.{number}" for number in NUMBERS)},
                       samples.images[1]
                FROM (SELECT count(*) AS total FROM narrow) LEFT JOIN (page
                    JOIN pointwise ON pointwise.estimate_key = page.estimate_key
                         AND pointwise.sample_id = page.sample_id AND {listed.estimates}
                    JOIN samples ON samples.benchmark_key = page.benchmark_key
                         AND samples.sample_id = page.sample_id
                    {_CHOSEN.format(answers=listed.answers, of="page", sample="page")}
                ) ON true
                {_order_by(order, "page.")}""",
            limit=limit,
            offset=offset,
        )
        everything = total = int(rows[0][0])
        if listed.shown != listed.everything:
            counted = listed.ask(connection, f"{listed.everything} SELECT count(*) FROM shown")
            everything = int(counted[0][0])
        held = listed.ask(connection, f"SELECT count(*) FROM pointwise WHERE {listed.estimates}")
        found = [values[1:] for values in rows if values[1] is not None]
        small = thumbnails_of(connection, (values[-1] for values in found))
    return SamplePage(
        rows=tuple(_row(values, small.get(values[-1])) for values in found),
        total=total,
        everything=everything,
        without_text=int(held[0][0]) - everything,
    )


def sample_ids(cache: Path, order: SampleOrder) -> tuple[str, ...]:
    """Return the ids of all samples of an order.

    Raises
    ------
    CacheError
        If a filter asks for what is not there.
    """
    with reader(cache) as connection:
        listed = _listed(cache, connection, order)
        rows = listed.ask(
            connection, f"{listed.shown} SELECT sample_id FROM shown {_order_by(order)}"
        )
    return tuple(row[0] for row in rows)


def place_of(cache: Path, order: SampleOrder, sample_id: str) -> Place | None:
    """Return where a sample stands in an order and who its neighbours are; None if not in it."""
    with reader(cache) as connection:
        listed = _listed(cache, connection, order)
        rows = listed.ask(
            connection,
            f"""{listed.shown}, placed AS (
                    SELECT sample_id, row_number() OVER following - 1 AS number,
                           count(*) OVER () AS total, lag(sample_id) OVER following AS previous,
                           lead(sample_id) OVER following AS next
                    FROM shown WINDOW following AS ({_order_by(order)})
                )
                SELECT number, total, previous, next FROM placed WHERE sample_id = $sample_id
                LIMIT 1""",
            sample_id=sample_id,
        )
    if not rows:
        return None
    number, total, previous, following = rows[0]
    return Place(number=int(number), total=int(total), previous=previous, next=following)


def subsets_of(cache: Path, estimate_keys: Sequence[str]) -> tuple[str, ...]:
    """Return the subsets that the samples of the estimates belong to, by name."""
    with reader(cache) as connection:
        listed = _listed(cache, connection, SampleOrder(estimate_keys=tuple(estimate_keys)))
        rows = listed.ask(
            connection, f"{listed.shown} SELECT DISTINCT subset FROM shown ORDER BY subset"
        )
    return tuple(row[0] for row in rows)


def number_or_none(value: float | None) -> float | None:
    """Return the value where it is a number; what is not defined is stored as null or NaN."""
    return None if value is None or math.isnan(value) else float(value)


def _listed(cache: Path, connection: duckdb.DuckDBPyConnection, order: SampleOrder) -> _Listed:
    sources = _sources(connection, order.estimate_keys)
    clause = clause_of(order.filters, cache=cache, connection=connection, sources=sources)
    bound: dict[str, Any] = {
        "estimate_keys": [one.estimate_key for one in sources],
        "run_keys": [one.run_key for one in sources],
        "layers": [one.layer for one in sources],
        "benchmark_keys": [one.benchmark_key for one in sources],
        "tau": [one.tau for one in sources],
    }
    # Tables lie sorted by their keys: those that stand in the query spare reading the rest.
    near = (
        _one_of("pointwise.estimate_key", "estimate", bound["estimate_keys"], bound),
        _one_of("samples.benchmark_key", "benchmark", bound["benchmark_keys"], bound),
    )
    answers = _one_of("run_key", "run", bound["run_keys"], bound)
    where = list(clause.where)
    for value, name in ((order.subset, "subset"), (order.split, "split")):
        if value is not None:
            where.append(f"samples.{name} = ${name}")
            bound[name] = value
    if order.correct is not None:
        where.append("coalesce(chosen.strict_choice = samples.answer, false) = $correct")
        bound["correct"] = order.correct
    # The table of predictions is the largest: it is joined only where its answers are a filter.
    joined = order.correct is not None or clause.needs_answers
    chosen = _CHOSEN.format(answers=answers, of="wanted", sample="pointwise") if joined else ""
    begin = f"{_WANTED}, {_SHOWN}"
    return _Listed(
        shown=f"{begin} {chosen} WHERE {' AND '.join((*near, *where))})",
        everything=f"{begin}  WHERE {' AND '.join(near)})",
        estimates=near[0],
        answers=answers,
        bound=bound | clause.bound,
    )


def _sources(connection: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> tuple[Source, ...]:
    rows = connection.execute(
        """SELECT estimate_key, run_key, layer, benchmark_key,
                  coalesce((record->'settings'->>'tau')::DOUBLE, 0.3),
                  (record->'settings'->>'draws')::INTEGER
           FROM estimates JOIN runs USING (run_key)
           WHERE list_contains(?::VARCHAR[], estimate_key) ORDER BY estimate_key""",
        [list(keys)],
    ).fetchall()
    return tuple(
        Source(estimate_key=row[0], run_key=row[1], layer=row[2], benchmark_key=row[3], tau=row[4],
               draws=row[5])
        for row in rows
    )  # fmt: skip


def _one_of(column: str, name: str, values: Sequence[str], bound: dict[str, Any]) -> str:
    """Return the condition that the column has one of the values, and bind them."""
    names = {f"{name}_{place}": value for place, value in enumerate(sorted(set(values)))}
    bound |= names
    return f"{column} IN ({', '.join(f'${one}' for one in names)})" if names else "false"


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
