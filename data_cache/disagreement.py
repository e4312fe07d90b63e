"""Where two to four models answer the same samples differently, and what their estimates say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_cache.common_samples import (
    ANSWER,
    CARRIERS,
    SHARES,
    Estimate,
    common,
    estimates_of,
    sizes_of,
)
from data_cache.conditions import Condition
from data_cache.errors import CacheError
from data_cache.records import ATOMS
from data_cache.sample_detail import Distribution, distributions_of
from data_cache.samples_view import NUMBERS, PAGE_LIMIT, number_or_none
from data_cache.store import reader
from data_cache.stored_thumbnails import thumbnails_of

ALL, ANY, NONE_RIGHT = "all", "any", "none_right"
"""Every sample; another answer of any two models; none is right, and not all answers are equal."""


def kinds(count: int) -> tuple[str, ...]:
    """Return the kinds of samples of so many models: by who answers what.

    >>> kinds(2)
    ('any', 'only_0', 'only_1', 'none_right', 'all')
    """
    only = [f"only_{place}" for place in range(count)]
    # Of two models, all but one being right is the other one alone.
    but = [f"all_but_{place}" for place in range(count)] if count > 2 else []
    return (ANY, *only, *but, NONE_RIGHT, ALL)


DISTANCES = ("gap_score", "atoms", *ATOMS, "answer")
"""What samples can be sorted by, the largest difference first.

`gap_score` and an atom: largest minus smallest value of the models, bits. `atoms`: the sum of these
over the four atoms, bits; of two models the sum of the absolute differences. `answer`: the share of
the full prompt's probability that the models do not give to the same options, 0 to 1; of two models
the total variation distance.
"""
ORDERS = (*DISTANCES, "position")
"""And the benchmark's own order."""


@dataclass(frozen=True, kw_only=True)
class Differing:
    """Which samples of which estimates, in which order."""

    estimate_keys: tuple[str, ...]
    """Of two to four models, the baseline first."""
    kind: str = ANY
    """One of `kinds`."""
    carriers: tuple[str | None, ...] = ()
    """Of each model, which of `CARRIERS` is the largest atom of the sample; None is any."""
    other_carrier: bool = False
    """Only samples of which the largest atom is not the same for all models."""
    order_by: str = "gap_score"
    """One of `ORDERS`; ties, and values that are no numbers, follow the benchmark's order."""

    def __post_init__(self) -> None:
        """Refuse what is no name of ours: parts of it become words of a query."""
        known = kinds(len(self.estimate_keys))
        if self.kind not in known or self.order_by not in ORDERS:
            raise CacheError(
                f"samples of the kind {self.kind!r} by {self.order_by!r} were asked for; choose "
                f"one of {', '.join(known)} by one of {', '.join(ORDERS)}"
            )
        if self.carriers and (
            len(self.carriers) != len(self.estimate_keys)
            or not {*self.carriers} <= {*CARRIERS, None}
        ):
            raise CacheError(
                f"samples carried by {self.carriers} were asked for; give one of "
                f"{', '.join(CARRIERS)} or None for each estimate"
            )


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """How many samples are answered in one way."""

    right: tuple[bool, ...]
    """Of each model."""
    same: tuple[bool, ...]
    """Whether its answer is that of the first model, no option being an answer, too."""
    samples: int


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How often models give the same answer, over the samples that all estimates have."""

    samples: tuple[int, ...]
    """Of each estimate."""
    patterns: tuple[Pattern, ...]

    @property
    def common(self) -> int:
        """Samples that all estimates have, with their texts."""
        return self.count(lambda _: True)

    def count(self, claim: Callable[[Pattern], bool]) -> int:
        """Count the samples in common of which a claim holds."""
        return sum(pattern.samples for pattern in self.patterns if claim(pattern))


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one of the models makes of a sample."""

    choice: int | None
    """Option that it names as its first token; None where that token is no option."""
    numbers: dict[str, float | None]
    """Every one of `samples_view.NUMBERS`; None where it is undefined."""
    distributions: dict[Condition, Distribution]
    """Every condition that was run."""


@dataclass(frozen=True, kw_only=True)
class DisagreementRow:
    """One sample as several models see it."""

    sample_id: str
    position: int
    """Place in the benchmark's order, from 0."""
    subset: str
    question: str
    options: tuple[str, ...]
    answer: int
    """Index of the right option."""
    distance: float | None
    """What the page is sorted by; None where it is undefined, or is the benchmark's order."""
    sides: tuple[Side, ...]
    """Of each model."""
    thumbnail: bytes | None
    """The first image, encoded, at most 256 x 256 pixels."""


@dataclass(frozen=True, kw_only=True)
class DisagreementPage:
    """Some of the samples of a kind."""

    rows: tuple[DisagreementRow, ...]
    total: int
    """Samples of the kind, on all pages."""


def agreement(cache: Path, estimate_keys: Sequence[str]) -> Agreement:
    """Count how the answers of two to four models meet.

    Raises
    ------
    CacheError
        If one of the estimates is not there.
    """
    with reader(cache) as connection:
        estimates = estimates_of(connection, estimate_keys, cache)
        sizes = sizes_of(connection, estimates)
        start, bound = common(estimates, [ANSWER])
        places = range(len(estimates))
        rights = ", ".join(f"right_{place}" for place in places)
        same = ", ".join(f"choice_{place} IS NOT DISTINCT FROM choice_0" for place in places)
        rows = connection.execute(
            f"{start} SELECT {rights}, {same}, count(*) FROM common GROUP BY ALL ORDER BY ALL",
            bound,
        ).fetchall()
    width = len(estimates)
    return Agreement(
        samples=sizes,
        patterns=tuple(
            Pattern(right=row[:width], same=row[width:-1], samples=int(row[-1])) for row in rows
        ),
    )


def carried(cache: Path, estimate_keys: Sequence[str]) -> dict[tuple[str, ...], int]:
    """Count the samples in common by what carried the answer: the largest atom for each model.

    Returns
    -------
    For each combination that occurs, of `CARRIERS` one per estimate, its samples.
    """
    with reader(cache) as connection:
        estimates = estimates_of(connection, estimate_keys, cache)
        start, bound = common(estimates, ["carrier"])
        names = ", ".join(f"carrier_{place}" for place in range(len(estimates)))
        rows = connection.execute(
            f"{start} SELECT {names}, count(*) FROM common GROUP BY ALL ORDER BY ALL", bound
        ).fetchall()
    return {tuple(row[:-1]): int(row[-1]) for row in rows}


def disagreements(
    cache: Path, differing: Differing, *, limit: int, offset: int = 0
) -> DisagreementPage:
    """Return a page of the samples that models see differently.

    Parameters
    ----------
    cache
        The cache folder.
    differing
        Which samples, in which order.
    limit
        Samples on the page, 1 to `PAGE_LIMIT`.
    offset
        Samples before it; a page behind the last one is empty.

    Raises
    ------
    CacheError
        If there is no such page or estimate.
    """
    if not 0 < limit <= PAGE_LIMIT or offset < 0:
        raise CacheError(
            f"a page of {limit} samples from {offset} on was asked for; "
            f"it holds 1 to {PAGE_LIMIT}, from 0 on"
        )
    with reader(cache) as connection:
        estimates = estimates_of(connection, differing.estimate_keys, cache)
        start, bound = _placed(differing, estimates)
        # Texts, numbers, answers and images are fetched for the samples of the page alone.
        ids = connection.execute(
            f"""{start} SELECT sample_id, distance, count(*) OVER () FROM placed {_ORDER}
                LIMIT $limit OFFSET $offset""",
            bound | {"limit": limit, "offset": offset},
        ).fetchall()
        if ids:
            total = ids[0][2]
        else:
            counted = connection.execute(f"{start} SELECT count(*) FROM placed", bound)
            total = counted.fetchall()[0][0]
        wanted = [row[0] for row in ids]
        texts = connection.execute(
            """SELECT sample_id, position, subset, question, options, answer, images[1]
               FROM samples WHERE benchmark_key = $benchmark_key
               AND list_contains($wanted::VARCHAR[], sample_id)""",
            {"benchmark_key": estimates[0].benchmark_key, "wanted": wanted},
        ).fetchall()
        small = thumbnails_of(connection, (row[6] for row in texts))
        numbers = connection.execute(
            f"""SELECT estimate_key, sample_id, {", ".join(NUMBERS)} FROM pointwise
                WHERE list_contains($keys::VARCHAR[], estimate_key)
                AND list_contains($wanted::VARCHAR[], sample_id)""",
            {"keys": list(differing.estimate_keys), "wanted": wanted},
        ).fetchall()
        found = [distributions_of(connection, one.key, wanted) for one in estimates]
    known = {(row[0], row[1]): row[2:] for row in numbers}
    asked = {row[0]: row for row in texts}
    return DisagreementPage(
        rows=tuple(
            _row(
                asked[sample_id],
                number_or_none(distance),
                [
                    _side(known[one.key, sample_id], answers.get(sample_id, {}))
                    for one, answers in zip(estimates, found, strict=True)
                ],
                small.get(asked[sample_id][6]),
            )
            for sample_id, distance, _ in ids
        ),
        total=int(total),
    )


def place_of(
    cache: Path, differing: Differing, sample_id: str
) -> tuple[int, str | None, str | None]:
    """Return a sample's place from 0 (-1 if it is not there), and who stands before and after."""
    with reader(cache) as connection:
        estimates = estimates_of(connection, differing.estimate_keys, cache)
        start, bound = _placed(differing, estimates)
        rows = connection.execute(
            f"""{start}, numbered AS (
                    SELECT sample_id, row_number() OVER following - 1 AS number,
                           lag(sample_id) OVER following AS before,
                           lead(sample_id) OVER following AS after
                    FROM placed WINDOW following AS ({_ORDER})
                )
                SELECT number, before, after FROM numbered WHERE sample_id = $sample_id""",
            bound | {"sample_id": sample_id},
        ).fetchall()
    return (int(rows[0][0]), rows[0][1], rows[0][2]) if rows else (-1, None, None)


_ORDER = "ORDER BY distance DESC NULLS LAST, position, sample_id"


def _placed(differing: Differing, estimates: Sequence[Estimate]) -> tuple[str, dict[str, Any]]:
    """Return the beginning of a query over the samples of a kind, with their distances."""
    places = range(len(estimates))
    columns: list[str] = [ANSWER] if differing.kind != ALL else []
    claims = [_claim(differing.kind, places)]
    if differing.other_carrier or any(differing.carriers):
        columns.append("carrier")
    if differing.other_carrier:
        claims.append(
            "NOT (" + " AND ".join(f"carrier_{place} = carrier_0" for place in places[1:]) + ")"
        )
    named = {
        f"carrier_{place}": name
        for place, name in enumerate(differing.carriers)
        if name is not None
    }
    claims += [f"{name} = ${name}" for name in named]
    distance, needed = _distance(differing.order_by, places)
    start, bound = common(estimates, [*columns, *needed])
    return (
        f"""{start}, placed AS (
                SELECT sample_id, position, {distance} AS distance
                FROM common WHERE {" AND ".join(claims)}
            )""",
        bound | named,
    )


def _claim(kind: str, places: Sequence[int]) -> str:
    same = " AND ".join(f"choice_{place} IS NOT DISTINCT FROM choice_0" for place in places[1:])
    if kind == ALL:
        return "true"
    if kind == ANY:
        return f"NOT ({same})"
    if kind == NONE_RIGHT:
        return " AND ".join([f"NOT ({same})", *(f"NOT right_{place}" for place in places)])
    one = int(kind.rsplit("_", 1)[1])
    only = kind.startswith("only_")
    return " AND ".join(
        f"right_{place}" if (place == one) == only else f"NOT right_{place}" for place in places
    )


def _distance(order_by: str, places: Sequence[int]) -> tuple[str, list[str]]:
    """Return the formula of a distance and the columns that it needs."""
    if order_by == "position":
        return "NULL::DOUBLE", []
    if order_by == "answer":
        shares = ", ".join(f"{SHARES}_{place}[option]" for place in places)
        return (
            f"1 - list_sum(list_transform(range(1, len({SHARES}_0) + 1), "
            f"lambda option: least({shares})))",
            [SHARES],
        )
    names: list[str] = [*ATOMS] if order_by == "atoms" else [order_by]
    return " + ".join(_reach(name, places) for name in names), names


def _reach(name: str, places: Sequence[int]) -> str:
    # Where a value is undefined for one of them the difference is too, and the sample comes last.
    values = ", ".join(f"{name}_{place}" for place in places)
    undefined = " OR ".join(f"coalesce(isnan({name}_{place}), true)" for place in places)
    return f"CASE WHEN {undefined} THEN NULL ELSE greatest({values}) - least({values}) END"


def _row(
    asked: Sequence[Any],
    distance: float | None,
    sides: Sequence[Side],
    thumbnail: bytes | None,
) -> DisagreementRow:
    return DisagreementRow(
        sample_id=asked[0],
        position=asked[1],
        subset=asked[2],
        question=asked[3],
        options=tuple(asked[4]),
        answer=asked[5],
        distance=distance,
        sides=tuple(sides),
        thumbnail=thumbnail,
    )


def _side(numbers: Sequence[float | None], distributions: dict[Condition, Distribution]) -> Side:
    full = distributions.get(Condition.FULL)
    return Side(
        choice=None if full is None else full.strict_choice[0],
        numbers={name: number_or_none(value) for name, value in zip(NUMBERS, numbers, strict=True)},
        distributions=distributions,
    )
