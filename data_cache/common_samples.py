"""The samples that several estimates have in common, as the beginning of a query."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from data_cache.errors import CacheError
from data_cache.records import ATOMS

MOST = 4
"""Estimates that are compared at once."""
NO_ATOM = "none"
"""What carried an answer where no atom of the sample is positive."""
CARRIERS = (*ATOMS, NO_ATOM)

ANSWER = "answer"
"""The model's answer, which is read from the largest table."""
SHARES = "shares"
"""What the full prompt gives each option, after tau."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a query must know of an estimate."""

    key: str
    run_key: str
    benchmark_key: str
    tau: float
    """Probability that the options need together, 0 to 1."""


def estimates_of(
    connection: duckdb.DuckDBPyConnection, keys: Sequence[str], cache: Path
) -> tuple[Estimate, ...]:
    """Look up 2 to `MOST` estimates.

    Raises
    ------
    CacheError
        If one is not there, or there are too few or too many.
    """
    if not 2 <= len(set(keys)) == len(keys) <= MOST:
        raise CacheError(
            f"{len(keys)} estimates were to be compared; choose 2 to {MOST} different ones"
        )
    rows = connection.execute(
        """SELECT estimate_key, run_key, benchmark_key, record
           FROM estimates JOIN runs USING (run_key)
           WHERE list_contains($keys::VARCHAR[], estimate_key)""",
        {"keys": list(keys)},
    ).fetchall()
    found = {
        row[0]: Estimate(
            key=row[0],
            run_key=row[1],
            benchmark_key=row[2],
            tau=float(json.loads(row[3]).get("settings", {}).get("tau", 0.3)),
        )
        for row in rows
    }
    for key in keys:
        if key not in found:
            raise CacheError(f"there is no estimate {key!r} in {cache}; estimate again")
    return tuple(found[key] for key in keys)


def sizes_of(
    connection: duckdb.DuckDBPyConnection, estimates: Sequence[Estimate]
) -> tuple[int, ...]:
    """Return how many samples each estimate has, with or without their text."""
    rows = connection.execute(
        """SELECT estimate_key, count(*) FROM pointwise
           WHERE list_contains($keys::VARCHAR[], estimate_key) GROUP BY estimate_key""",
        {"keys": [one.key for one in estimates]},
    ).fetchall()
    held: dict[str, int] = dict(rows)
    return tuple(int(held.get(one.key, 0)) for one in estimates)


def common(estimates: Sequence[Estimate], columns: Collection[str]) -> tuple[str, dict[str, Any]]:
    """Return `WITH ... common AS (...)` and what is bound to it.

    `common` has one row per sample that all of the estimates have, where its text is known too:
    sample_id, position, subset, answer, group_id, and of each estimate i the columns asked for as
    `<column>_i`.

    Parameters
    ----------
    estimates
        Two or more, not of one benchmark only: the same id in another version of a benchmark may be
        another question, and then nothing is in common.
    columns
        Columns of the table of pointwise numbers, "carrier" (the largest atom), `ANSWER` (as
        `choice_i` and `right_i`) and `SHARES`. They are names of ours, never of an address.
    """
    keys = {one.benchmark_key for one in estimates}
    bound: dict[str, Any] = {"benchmark_key": keys.pop() if len(keys) == 1 else None}
    sides: list[str] = []
    chosen: list[str] = []
    answered = ANSWER in columns or SHARES in columns
    for place, estimate in enumerate(estimates):
        wanted = ["pointwise.sample_id"]
        for column in columns:
            if column == ANSWER:
                wanted.append("nullif(given.strict_choice, -1) AS choice")
                chosen.append(f"side_{place}.choice AS choice_{place}")
                chosen.append(
                    f"coalesce(side_{place}.choice = samples.answer, false) AS right_{place}"
                )
                continue
            formula = _FORMULAS.get(column, f"pointwise.{column}").format(place=place)
            wanted.append(f"{formula} AS {column}")
            chosen.append(f"side_{place}.{column} AS {column}_{place}")
        bound[f"key_{place}"] = estimate.key
        join = ""
        if answered:
            join = _GIVEN.format(place=place)
            bound[f"run_{place}"] = estimate.run_key
        if SHARES in columns:
            bound[f"tau_{place}"] = estimate.tau
        sides.append(
            f"""side_{place} AS (
                    SELECT {", ".join(wanted)} FROM pointwise {join}
                    WHERE pointwise.estimate_key = $key_{place}
                )"""
        )
    joins = " ".join(f"JOIN side_{place} USING (sample_id)" for place in range(len(sides)))
    return (
        f"""WITH {", ".join(sides)}, common AS (
                SELECT samples.sample_id, samples.position, samples.subset, samples.answer,
                       samples.group_id, {", ".join(chosen)}
                FROM samples {joins} WHERE samples.benchmark_key = $benchmark_key
            )""",
        bound,
    )


_GIVEN = """
    LEFT JOIN predictions AS given ON given.run_key = $run_{place}
         AND given.sample_id = pointwise.sample_id AND given.layer = -1
         AND given.condition = 'full' AND given.draw = 0"""

_LARGEST = f"greatest({', '.join(ATOMS)})"
_LIKELIHOODS = "list_transform(given.scores, lambda score: exp(score::DOUBLE))"

_FORMULAS = {
    # Of equal atoms the first, as everywhere; undefined ones are never positive.
    "carrier": (
        f"CASE WHEN coalesce({_LARGEST} <= 0, true) THEN '{NO_ATOM}' "
        + " ".join(f"WHEN {atom} = {_LARGEST} THEN '{atom}'" for atom in ATOMS)
        + f" ELSE '{NO_ATOM}' END"
    ),
    SHARES: (
        f"CASE WHEN list_sum({_LIKELIHOODS}) >= $tau_{{place}} "
        f"AND list_sum({_LIKELIHOODS}) > 0 "
        f"THEN list_transform({_LIKELIHOODS}, "
        f"lambda one: one / list_sum({_LIKELIHOODS})) "
        "ELSE list_transform(given.scores, lambda score: 1.0 / len(given.scores)) END"
    ),
}
