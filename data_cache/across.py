"""One sample as several models see it: what was asked, and each one's answers and numbers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data_cache.conditions import Condition
from data_cache.queries import StoredSample, samples
from data_cache.records import SpectrumRecord
from data_cache.sample_detail import Distribution, distributions_of
from data_cache.samples_view import NUMBERS, number_or_none
from data_cache.store import reader


@dataclass(frozen=True, kw_only=True)
class View:
    """What one estimate says of the sample."""

    record: SpectrumRecord
    numbers: dict[str, float | None]
    """Every one of `samples_view.NUMBERS`; None where it is undefined."""
    distributions: dict[Condition, Distribution]
    """Every condition that was run."""

    @property
    def choice(self) -> int | None:
        """Option that the model names as its first token; None where that token is no option."""
        full = self.distributions.get(Condition.FULL)
        return None if full is None else full.strict_choice[0]


@dataclass(frozen=True, kw_only=True)
class Across:
    """A sample and the views of the models that have it."""

    sample: StoredSample
    views: dict[str, View]
    """By estimate key; without those that lack the sample."""


def across(cache: Path, estimate_keys: Sequence[str], sample_id: str) -> Across | None:
    """Return a sample as several estimates see it.

    The same id in another version of the benchmark may be another question: only estimates on the
    benchmark of the first one that has the sample are looked at.

    Parameters
    ----------
    cache
        The cache folder.
    estimate_keys
        The estimates.
    sample_id
        The sample.

    Returns
    -------
    None where no estimate has the sample, or the cache lacks its text.
    """
    with reader(cache) as connection:
        rows = connection.execute(
            f"""SELECT estimate_key, runs.benchmark_key, estimates.record, {", ".join(NUMBERS)}
                FROM pointwise JOIN estimates USING (estimate_key) JOIN runs USING (run_key)
                WHERE list_contains($keys::VARCHAR[], estimate_key) AND sample_id = $sample_id
                ORDER BY list_position($keys::VARCHAR[], estimate_key)""",
            {"keys": list(estimate_keys), "sample_id": sample_id},
        ).fetchall()
        if not rows:
            return None
        benchmark_key = rows[0][1]
        rows = [row for row in rows if row[1] == benchmark_key]
        views = {
            row[0]: View(
                record=SpectrumRecord.from_dict(json.loads(row[2])),
                numbers={
                    name: number_or_none(value)
                    for name, value in zip(NUMBERS, row[3:], strict=True)
                },
                distributions=distributions_of(connection, row[0], [sample_id]).get(sample_id, {}),
            )
            for row in rows
        }
    found = samples(cache, benchmark_key, [sample_id])
    return Across(sample=found[0], views=views) if found else None
