"""Where two models answer the same samples differently, and what each estimate says of these."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from data_cache.errors import CacheError
from data_cache.records import ATOMS, INFLUENCES
from data_cache.samples_view import NUMBERS, PAGE_LIMIT, number_or_none
from data_cache.store import reader
from data_cache.stored_thumbnails import thumbnails_of

Kind = Literal["any", "only_a", "only_b", "both_wrong"]
"""Another answer of either model; only one of them is right; both are wrong, and differently."""
KINDS: tuple[Kind, ...] = get_args(Kind)
Order = Literal["gap", "position"]
"""Largest difference in GapScore first, or the benchmark's own order."""
ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two estimates, of the models A and B, on one benchmark."""

    a: str
    """Estimate key."""
    b: str


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How often the two give the same answer, over the samples that both estimates have."""

    both_right: int
    only_a: int
    only_b: int
    both_wrong_same: int
    """The same wrong option, or none of the options by both."""
    both_wrong_differently: int
    samples_a: int
    """Samples of A's estimate."""
    samples_b: int

    @property
    def common(self) -> int:
        """Samples that both estimates have, with their texts."""
        return self.both_right + self.only_a + self.only_b + self.both_wrong

    @property
    def both_wrong(self) -> int:
        """Samples that neither gets right."""
        return self.both_wrong_same + self.both_wrong_differently


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one of the models makes of a sample."""

    choice: int | None
    """Option that it names as its first token; None where that token is no option."""
    numbers: dict[str, float | None]
    """Every one of `samples_view.NUMBERS`; None where it is undefined."""


@dataclass(frozen=True, kw_only=True)
class DisagreementRow:
    """One sample that the two answer differently."""

    sample_id: str
    position: int
    """Place in the benchmark's order, from 0."""
    subset: str
    question: str
    options: tuple[str, ...]
    answer: int
    """Index of the right option."""
    a: Side
    b: Side
    thumbnail: bytes | None
    """The first image, encoded, at most 256 x 256 pixels."""


@dataclass(frozen=True, kw_only=True)
class DisagreementPage:
    """Some of the samples of a kind."""

    rows: tuple[DisagreementRow, ...]
    total: int
    """Samples of the kind, on all pages."""


@dataclass(frozen=True, kw_only=True)
class PairedRows:
    """The pointwise atoms of both estimates, row by row the same sample."""

    group_ids: NDArray[np.str_]
    """(N,)"""
    atoms_a: NDArray[np.float64]
    """(N, 4) bits, columns as in `records.ATOMS`."""
    atoms_b: NDArray[np.float64]
    is_whole: bool
    """Whether these are all samples of both estimates."""
    influences_a: NDArray[np.float64] | None = None
    """(N, 4) bits: what each sample adds to the atoms to first order; None where not stored."""
    influences_b: NDArray[np.float64] | None = None


_SIDES = ", ".join(
    f"{table}.{name} AS {side}_{name}"
    for table, side in (("one", "a"), ("two", "b"))
    for name in ("choice", *NUMBERS, *INFLUENCES)
)
# The same id in another version of the benchmark may be another question: the keys must agree.
_COMMON = f"""
    WITH side AS (
        SELECT pointwise.*, runs.benchmark_key, nullif(chosen.strict_choice, -1) AS choice
        FROM pointwise JOIN estimates USING (estimate_key) JOIN runs USING (run_key)
        LEFT JOIN predictions AS chosen ON chosen.run_key = estimates.run_key
             AND chosen.sample_id = pointwise.sample_id AND chosen.layer = -1
             AND chosen.condition = 'full' AND chosen.draw = 0
        WHERE pointwise.estimate_key IN ($a, $b)
    ), common AS (
        SELECT samples.benchmark_key, sample_id, samples.position, samples.subset, samples.answer,
               samples.group_id,
               {_SIDES},
               coalesce(one.choice = samples.answer, false) AS a_right,
               coalesce(two.choice = samples.answer, false) AS b_right,
               one.choice IS NOT DISTINCT FROM two.choice AS same
        FROM (SELECT * FROM side WHERE estimate_key = $a) AS one
        JOIN (SELECT * FROM side WHERE estimate_key = $b) AS two USING (benchmark_key, sample_id)
        JOIN samples USING (benchmark_key, sample_id)
    )"""

_FILTERS: dict[Kind, str] = {
    "any": "NOT same",
    "only_a": "a_right AND NOT b_right",
    "only_b": "b_right AND NOT a_right",
    "both_wrong": "NOT same AND NOT a_right AND NOT b_right",
}

# Where a GapScore is undefined on one side the difference is too, and the sample comes last.
_DISTANCE = "abs({0}a_gap_score - {0}b_gap_score)"


def agreement(cache: Path, pair: Pair) -> Agreement:
    """Count how the answers of two models meet.

    Raises
    ------
    CacheError
        If one of the estimates is not there.
    """
    with reader(cache) as connection:
        held: dict[str, int] = dict(
            connection.execute(
                """SELECT estimate_key, count(*) FROM pointwise
                   WHERE estimate_key IN ($a, $b) GROUP BY estimate_key""",
                _bound(pair),
            ).fetchall()
        )
        for key in (pair.a, pair.b):
            if key not in held:
                raise CacheError(f"there is no estimate {key!r} in {cache}; estimate again")
        counts = connection.execute(
            f"""{_COMMON}
                SELECT count(*) FILTER (a_right AND b_right),
                       count(*) FILTER (a_right AND NOT b_right),
                       count(*) FILTER (b_right AND NOT a_right),
                       count(*) FILTER (same AND NOT a_right AND NOT b_right),
                       count(*) FILTER (NOT same AND NOT a_right AND NOT b_right)
                FROM common""",
            _bound(pair),
        ).fetchall()[0]
    both_right, only_a, only_b, same, differently = map(int, counts)
    return Agreement(
        both_right=both_right,
        only_a=only_a,
        only_b=only_b,
        both_wrong_same=same,
        both_wrong_differently=differently,
        samples_a=held[pair.a],
        samples_b=held[pair.b],
    )


def disagreements(
    cache: Path,
    pair: Pair,
    *,
    kind: Kind = "any",
    order_by: Order = "gap",
    limit: int,
    offset: int = 0,
) -> DisagreementPage:
    """Return a page of the samples that two models answer differently.

    Parameters
    ----------
    cache
        The cache folder.
    pair
        The two estimates.
    kind
        Which of these samples.
    order_by
        Ties, and values that are no numbers, follow the benchmark's order.
    limit
        Samples on the page, 1 to `PAGE_LIMIT`.
    offset
        Samples before it; a page behind the last one is empty.

    Raises
    ------
    CacheError
        If there is no such kind, order or page.
    """
    if kind not in KINDS or order_by not in ORDERS:
        raise CacheError(
            f"samples of the kind {kind!r} by {order_by!r} were asked for; choose one of "
            f"{', '.join(KINDS)} by one of {', '.join(ORDERS)}"
        )
    if not 0 < limit <= PAGE_LIMIT or offset < 0:
        raise CacheError(
            f"a page of {limit} samples from {offset} on was asked for; "
            f"it holds 1 to {PAGE_LIMIT}, from 0 on"
        )
    bound = _bound(pair)
    with reader(cache) as connection:
        total = connection.execute(
            f"{_COMMON} SELECT count(*) FROM common WHERE {_FILTERS[kind]}", bound
        ).fetchall()[0][0]
        # Text and images are fetched for the samples of the page alone.
        rows = connection.execute(
            f"""{_COMMON}, page AS (
                    SELECT * FROM common WHERE {_FILTERS[kind]} {_order(order_by)}
                    LIMIT $limit OFFSET $offset
                )
                SELECT page.sample_id, page.position, page.subset, samples.question,
                       samples.options, page.answer, a_choice, b_choice, samples.images[1],
                       {_numbers("a")}, {_numbers("b")}
                FROM page JOIN samples USING (benchmark_key, sample_id)
                {_order(order_by, "page.")}""",
            bound | {"limit": limit, "offset": offset},
        ).fetchall()
        small = thumbnails_of(connection, (values[8] for values in rows))
    return DisagreementPage(
        rows=tuple(_row(values, small.get(values[8])) for values in rows), total=int(total)
    )


def paired_rows(cache: Path, pair: Pair) -> PairedRows:
    """Return the pointwise atoms of both estimates on the samples that they have in common."""
    wanted = ", ".join(
        f"{side}_{name}" for names in (ATOMS, INFLUENCES) for side in "ab" for name in names
    )
    with reader(cache) as connection:
        held = connection.execute(
            "SELECT count(*) FROM pointwise WHERE estimate_key IN ($a, $b)", _bound(pair)
        ).fetchall()[0][0]
        rows = connection.execute(
            f"{_COMMON} SELECT group_id, {wanted} FROM common ORDER BY position", _bound(pair)
        ).fetchall()
    width = len(ATOMS)
    values = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), 4 * width)
    atoms_a, atoms_b, influences_a, influences_b = np.split(values, 4, axis=1)
    return PairedRows(
        group_ids=np.array([row[0] for row in rows], dtype=np.str_),
        atoms_a=atoms_a,
        atoms_b=atoms_b,
        influences_a=None if np.isnan(influences_a).any() else influences_a,
        influences_b=None if np.isnan(influences_b).any() else influences_b,
        is_whole=held == 2 * len(rows),
    )


def _bound(pair: Pair) -> dict[str, Any]:
    return {"a": pair.a, "b": pair.b}


def _order(order_by: Order, table: str = "") -> str:
    """Return the ORDER BY clause; nothing of it comes from outside."""
    place = f"{table}position, {table}sample_id"
    if order_by == "position":
        return f"ORDER BY {place}"
    distance = _DISTANCE.format(table)
    return (
        f"ORDER BY CASE WHEN isnan({distance}) THEN NULL ELSE {distance} END DESC NULLS LAST, "
        f"{place}"
    )


def _numbers(side: str) -> str:
    return ", ".join(f"page.{side}_{name}" for name in NUMBERS)


def _row(values: Sequence[Any], thumbnail: bytes | None) -> DisagreementRow:
    first, second = values[9 : 9 + len(NUMBERS)], values[9 + len(NUMBERS) :]
    return DisagreementRow(
        sample_id=values[0],
        position=values[1],
        subset=values[2],
        question=values[3],
        options=tuple(values[4]),
        answer=values[5],
        a=_side(values[6], first),
        b=_side(values[7], second),
        thumbnail=thumbnail,
    )


def _side(choice: int | None, numbers: Sequence[float | None]) -> Side:
    return Side(
        choice=choice,
        numbers={name: number_or_none(value) for name, value in zip(NUMBERS, numbers, strict=True)},
    )
