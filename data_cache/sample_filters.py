"""Which samples of a list are left: by their numbers, tags, answers, tau, and by their words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from data_cache import tags
from data_cache.conditions import NOISY, PROBED, Condition
from data_cache.errors import CacheError
from data_cache.records import NUMBERS

ANY, NONE = "any", "none"
FALLBACKS = (ANY, NONE, *map(str, PROBED))
"""At least one, or none, of the conditions that the atoms come from fell back; or a certain one."""
FORMING = (Condition.FULL, Condition.ONLY_1, Condition.ONLY_2)
"""The conditions that the atoms come from."""
LONGEST_TEXT = 200
"""Characters that can be searched for."""


@dataclass(frozen=True, kw_only=True)
class Bound:
    """From where to where a number may lie, both ends included; undefined numbers lie nowhere."""

    field: str
    """One of `records.NUMBERS`."""
    low: float | None = None
    """Bits, or a ratio; None means no end."""
    high: float | None = None

    def __post_init__(self) -> None:
        """Refuse a bound that is none."""
        if self.field not in NUMBERS:
            raise CacheError(
                f"samples have no number {self.field!r}; choose one of {', '.join(NUMBERS)}"
            )
        ends = [end for end in (self.low, self.high) if end is not None]
        if not ends or not all(map(math.isfinite, ends)) or ends != sorted(ends):
            raise CacheError(
                f"{self.field} from {self.low} to {self.high} is no range; give one finite number "
                "or two, the smaller one first"
            )


@dataclass(frozen=True, kw_only=True)
class SampleFilters:
    """What a sample has to be like; all of it, and at first nothing."""

    bounds: tuple[Bound, ...] = ()
    """At most one for each number."""
    tags: tuple[str, ...] = ()
    """Names; a sample carries all of them."""
    fallback: str | None = None
    """One of `FALLBACKS`: where the options had less mass than tau, in one draw at least."""
    unlike: str | None = None
    """Key of another run on the same benchmark, whose answer is another one."""
    text: str = ""
    """Part of the question or of an option; large and small letters are the same."""

    def __post_init__(self) -> None:
        """Refuse what no sample could be like."""
        fields = [bound.field for bound in self.bounds]
        if len(set(fields)) < len(fields):
            raise CacheError(f"a number has two ranges: {', '.join(fields)}; give one for each")
        for name in self.tags:
            tags.checked_name(name)
        if self.fallback is not None and self.fallback not in FALLBACKS:
            raise CacheError(
                f"{self.fallback!r} is no condition that can fall back to uniform; choose one of "
                f"{', '.join(FALLBACKS)}"
            )
        if len(self.text) > LONGEST_TEXT:
            raise CacheError(f"a text of up to {LONGEST_TEXT} characters can be searched for")

    @property
    def is_empty(self) -> bool:
        """Whether every sample passes."""
        return self == SampleFilters()


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the samples of an estimate and their answers are found."""

    estimate_key: str
    run_key: str
    layer: int
    benchmark_key: str
    tau: float
    """Options that hold less mass fell back to uniform."""
    draws: int | None
    """Draws of noise that the estimate took; None means all."""


@dataclass(frozen=True, kw_only=True)
class Clause:
    """A part of a query, with what is bound in it."""

    where: tuple[str, ...] = ()
    """Conditions on `pointwise`, `wanted` (a row of each `Source`) and `samples`; all hold."""
    needs_answers: bool = False
    """Whether they speak of `chosen`, the model's own answer."""
    bound: dict[str, Any]


def clause_of(
    filters: SampleFilters,
    *,
    cache: Path,
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
) -> Clause:
    """Return the filters as SQL; the largest table is asked only by those that need it.

    Raises
    ------
    CacheError
        If there is no such other run, or the tags cannot be read.
    """
    where: list[str] = []
    bound: dict[str, Any] = {}
    for place, one in enumerate(filters.bounds):
        assert one.field in NUMBERS  # the name comes from the list and from nowhere else
        # NaN is larger than every number in DuckDB, and null larger than none.
        where.append(f"NOT isnan(pointwise.{one.field})")
        for end, name, sign in ((one.low, "low", ">="), (one.high, "high", "<=")):
            if end is not None:
                where.append(f"pointwise.{one.field} {sign} ${name}_{place}")
                bound[f"{name}_{place}"] = end
    for place, name in enumerate(filters.tags):
        carried: list[str] = []
        for number, key in enumerate(sorted({one.benchmark_key for one in sources})):
            benchmark, ids = f"tag_{place}_of_{number}", f"tag_{place}_ids_{number}"
            carried.append(
                f"(samples.benchmark_key = ${benchmark} "
                f"AND pointwise.sample_id IN (SELECT unnest(${ids}::VARCHAR[])))"
            )
            bound |= {benchmark: key, ids: list(tags.tagged(cache, name, key))}
        where.append(f"({' OR '.join(carried) or 'false'})")
    if filters.text:
        where.append(
            """(contains(lower(samples.question), lower($text))
                OR contains(lower(array_to_string(samples.options, chr(10))), lower($text)))"""
        )
        bound["text"] = filters.text
    if filters.unlike is not None:
        where.append(
            """(samples.benchmark_key = $unlike_benchmark AND EXISTS (
                    SELECT 1 FROM predictions AS other
                    WHERE other.run_key = $unlike AND other.sample_id = pointwise.sample_id
                      AND other.layer = -1 AND other.condition = 'full' AND other.draw = 0
                      AND other.strict_choice != coalesce(chosen.strict_choice, -1)))"""
        )
        bound["unlike"] = filters.unlike
        bound["unlike_benchmark"] = _benchmark_of(connection, filters.unlike)
    if filters.fallback is not None:
        fell, more = _fell_back(filters.fallback, sources)
        where.append(fell)
        bound |= more
    return Clause(where=tuple(where), needs_answers=filters.unlike is not None, bound=bound)


# In double precision, as `pid_core.predictive` adds it up.
_MASS = "list_sum(list_transform(answers.scores, lambda one: exp(one::DOUBLE)))"


def _benchmark_of(connection: duckdb.DuckDBPyConnection, run_key: str) -> str:
    rows = connection.execute(
        "SELECT benchmark_key FROM runs WHERE run_key = ?", [run_key]
    ).fetchall()
    if not rows:
        raise CacheError(
            f"there is no run {run_key!r} whose answers could differ; choose a run of this cache"
        )
    return rows[0][0]


def _fell_back(fallback: str, sources: Sequence[Source]) -> tuple[str, dict[str, Any]]:
    """Return the condition; as `pid_core.predictive` has it: mass below tau, or no mass at all."""
    asked = sorted({(one.run_key, one.layer, one.tau, one.draws) for one in sources}, key=repr)
    named = FORMING if fallback in (ANY, NONE) else (Condition(fallback),)
    sql = f"""{"NOT" if fallback == NONE else ""} EXISTS (
            SELECT 1 FROM predictions AS answers
            JOIN (SELECT unnest($asked_runs::VARCHAR[]) AS run_key,
                         unnest($asked_layers::SMALLINT[]) AS layer,
                         unnest($asked_tau::DOUBLE[]) AS tau,
                         unnest($asked_draws::INTEGER[]) AS draws) AS asked USING (run_key, layer)
            WHERE answers.run_key = wanted.run_key AND answers.layer = wanted.layer
              AND asked.tau = wanted.tau AND answers.sample_id = pointwise.sample_id
              AND answers.condition IN ({", ".join(f"'{one}'" for one in named)})
              AND (asked.draws IS NULL OR answers.draw < asked.draws
                   OR answers.condition NOT IN ({", ".join(f"'{one}'" for one in NOISY)}))
              AND ({_MASS} < asked.tau OR {_MASS} <= 0))"""
    return sql, {
        "asked_runs": [one[0] for one in asked],
        "asked_layers": [one[1] for one in asked],
        "asked_tau": [one[2] for one in asked],
        "asked_draws": [one[3] for one in asked],
    }
