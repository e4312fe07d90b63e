"""What each sample adds to several estimates at once, and which answers are right.

One reading for all models of a task: whoever compares many pairs of them reads it once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from data_cache.records import INFLUENCES
from data_cache.store import reader

RIGHT = ("right_full", "right_no_image")


@dataclass(frozen=True, kw_only=True)
class SampleRows:
    """The samples of one estimate, by their place in the benchmark."""

    benchmark_key: str
    positions: NDArray[np.int64]
    """(N,), rising: the same place is the same sample in all estimates of one benchmark key."""
    group_ids: NDArray[np.str_]
    """(N,)"""
    influences: NDArray[np.float64] | None
    """(N, 4) bits, columns as in `records.ATOMS`; None where they were not stored."""
    right: NDArray[np.float64]
    """(N, 2): 1 where the answer is right, with the image and without; nan where it was not run."""


def sample_rows(cache: Path, estimate_keys: Sequence[str]) -> dict[str, SampleRows]:
    """Return the rows of estimates by key, without estimates that have none.

    Parameters
    ----------
    cache
        The cache folder.
    estimate_keys
        Any estimates; samples whose text is not stored are left out.
    """
    added = ", ".join(f"pointwise.{name}" for name in INFLUENCES)
    with reader(cache) as connection:
        found = connection.execute(
            f"""WITH wanted AS (
                    SELECT estimate_key, run_key, benchmark_key FROM estimates JOIN runs
                    USING (run_key) WHERE list_contains($keys::VARCHAR[], estimate_key)
                ), answered AS (
                    SELECT run_key, sample_id,
                           max(strict_choice) FILTER (condition = 'full') AS full_choice,
                           max(strict_choice) FILTER (condition = 'no_image') AS no_image_choice
                    FROM predictions
                    WHERE run_key IN (SELECT run_key FROM wanted) AND layer = -1 AND draw = 0
                      AND condition IN ('full', 'no_image')
                    GROUP BY run_key, sample_id
                )
                SELECT wanted.estimate_key, wanted.benchmark_key, samples.position,
                       samples.group_id, {added},
                       (full_choice = samples.answer)::DOUBLE AS right_full,
                       (no_image_choice = samples.answer)::DOUBLE AS right_no_image
                FROM wanted JOIN pointwise USING (estimate_key)
                JOIN samples ON samples.benchmark_key = wanted.benchmark_key
                     AND samples.sample_id = pointwise.sample_id
                LEFT JOIN answered ON answered.run_key = wanted.run_key
                     AND answered.sample_id = pointwise.sample_id
                ORDER BY wanted.estimate_key, samples.position""",
            {"keys": list(estimate_keys)},
        ).fetchnumpy()
    columns = cast("dict[str, NDArray[Any]]", found)
    if not len(columns["position"]):
        return {}
    keys = np.asarray(columns["estimate_key"], dtype=np.str_)
    influences, right = (
        np.column_stack(
            [np.ma.filled(columns[name].astype(np.float64), np.nan) for name in names]
        ).reshape(len(keys), len(names))
        for names in (INFLUENCES, RIGHT)
    )
    names, starts = np.unique(keys, return_index=True)
    ends = [*starts[1:].tolist(), len(keys)]
    rows: dict[str, SampleRows] = {}
    for key, start, end in zip(names.tolist(), starts.tolist(), ends, strict=True):
        own = slice(start, end)
        rows[key] = SampleRows(
            benchmark_key=str(columns["benchmark_key"][start]),
            positions=np.asarray(columns["position"][own], dtype=np.int64),
            group_ids=np.asarray(columns["group_id"][own], dtype=np.str_),
            influences=None if np.isnan(influences[own]).any() else influences[own],
            right=right[own],
        )
    return rows
