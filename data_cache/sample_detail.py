"""One sample in full: what was asked, what the model answered in each condition, its numbers."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from data_cache.conditions import NOISY, SENSED, Condition
from data_cache.errors import CacheError
from data_cache.queries import StoredSample, samples
from data_cache.records import SpectrumRecord
from data_cache.samples_view import NUMBERS, number_or_none
from data_cache.store import reader


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """What the model answers in one condition."""

    probabilities: NDArray[np.float64]
    """(K,), mean over the draws of noise; uniform draws where the options had too little mass."""
    draws: NDArray[np.float64]
    """(D, K), each draw; D = 1 where nothing is drawn."""
    fallback: NDArray[np.bool_]
    """(D,), which draws fell back to uniform."""
    strict_choice: tuple[int | None, ...]
    """Per draw, the option that is the most likely token of the whole vocabulary, if one is."""


@dataclass(frozen=True, kw_only=True)
class SampleDetail:
    """One sample, its answers and its place in an estimate."""

    sample: StoredSample
    record: SpectrumRecord
    """The estimate that the numbers belong to."""
    numbers: dict[str, float | None]
    """Every one of `samples_view.NUMBERS`; None where it is undefined."""
    distributions: dict[Condition, Distribution]
    """Every condition that was run."""


def sample_detail(cache: Path, estimate_keys: Sequence[str], sample_id: str) -> SampleDetail:
    """Return a sample as the first of the estimates that has it sees it.

    Parameters
    ----------
    cache
        The cache folder.
    estimate_keys
        The estimates to look in; tau and the number of draws are theirs.
    sample_id
        The sample.

    Raises
    ------
    CacheError
        If none of the estimates has the sample, or the cache lacks its text.
    """
    with reader(cache) as connection:
        rows = connection.execute(
            f"""SELECT estimates.record, runs.benchmark_key, {", ".join(NUMBERS)}
                FROM pointwise JOIN estimates USING (estimate_key) JOIN runs USING (run_key)
                WHERE list_contains($estimate_keys::VARCHAR[], estimate_key)
                  AND sample_id = $sample_id
                ORDER BY list_position($estimate_keys::VARCHAR[], estimate_key) LIMIT 1""",
            {"estimate_keys": list(estimate_keys), "sample_id": sample_id},
        ).fetchall()
        if not rows:
            raise CacheError(f"none of the estimates asked for has a sample {sample_id!r}")
        record = SpectrumRecord.from_dict(json.loads(rows[0][0]))
        answers = connection.execute(
            """SELECT condition, draw, scores, strict_choice FROM predictions
               WHERE run_key = ? AND layer = ? AND sample_id = ? ORDER BY condition, draw""",
            [record.run_key, record.layer, sample_id],
        ).fetchall()
    found = samples(cache, rows[0][1], [sample_id])
    if not found:
        raise CacheError(f"the cache {cache} has no text for the sample {sample_id!r}")
    return SampleDetail(
        sample=found[0],
        record=record,
        numbers={
            name: number_or_none(value) for name, value in zip(NUMBERS, rows[0][2:], strict=True)
        },
        distributions=_distributions(answers, record),
    )


def distributions_of(
    connection: duckdb.DuckDBPyConnection, estimate_key: str, sample_ids: Sequence[str]
) -> dict[str, dict[Condition, Distribution]]:
    """Return what the model answers to some samples in every condition, as an estimate sees it.

    Samples of which the estimate's run has no answers are left out.
    """
    found = connection.execute(
        "SELECT record FROM estimates WHERE estimate_key = ?", [estimate_key]
    ).fetchall()
    if not found:
        return {}
    record = SpectrumRecord.from_dict(json.loads(found[0][0]))
    blocks = connection.execute(
        """SELECT DISTINCT block FROM samples JOIN runs USING (benchmark_key)
           WHERE run_key = ? AND list_contains(?::VARCHAR[], sample_id)""",
        [record.run_key, list(sample_ids)],
    ).fetchall()
    if not blocks:
        return {}
    few = ", ".join(str(row[0]) for row in blocks)
    # Written out, the blocks let DuckDB skip the rest of the largest table; they are integers.
    rows = connection.execute(
        f"""SELECT sample_id, condition, draw, scores, strict_choice FROM predictions
            WHERE run_key = ? AND layer = ? AND block IN ({few})
            AND list_contains(?::VARCHAR[], sample_id)
            ORDER BY sample_id, condition, draw""",
        [record.run_key, record.layer, list(sample_ids)],
    ).fetchall()
    by_sample: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for sample_id, *answer in rows:
        by_sample[sample_id].append(tuple(answer))
    return {name: _distributions(answers, record) for name, answers in by_sample.items()}


def _distributions(
    answers: Sequence[tuple[Any, ...]], record: SpectrumRecord
) -> dict[Condition, Distribution]:
    """Form P-hat as the estimate did: its tau, its draws, the mean after tau."""
    from pid_core import predictive

    result: dict[Condition, Distribution] = {}
    for condition in SENSED:
        held = [row for row in answers if row[0] == condition]
        if condition in NOISY and record.settings.get("draws") is not None:
            held = held[: int(record.settings["draws"])]
        if not held:
            continue
        scores = np.array([[row[2] for row in held]], dtype=np.float64)
        predicted = predictive(scores, tau=float(record.settings.get("tau", 0.3)))
        result[condition] = Distribution(
            probabilities=predicted.mean()[0],
            draws=predicted.probabilities[0],
            fallback=predicted.fallback[0],
            strict_choice=tuple(None if row[3] < 0 else int(row[3]) for row in held),
        )
    return result
