"""How spectra are kept and found: one file per estimate in the spool, one row in the database."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_cache.arrow import Table
from data_cache.errors import CacheError, CacheMissing
from data_cache.ingest import ingest
from data_cache.plan import OUTPUT_LAYER
from data_cache.records import (
    ATOMS,
    INFLUENCES,
    INTERVENTIONAL,
    POINTWISE_SCHEMA,
    SCORES,
    SpectrumRecord,
    estimate_key,
    write_estimate,
)
from data_cache.store import reader

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs] -- it ships none

__all__ = [
    "ATOMS",
    "INFLUENCES",
    "INTERVENTIONAL",
    "POINTWISE_SCHEMA",
    "SCORES",
    "SpectrumRecord",
    "estimate_key",
    "find",
    "load",
    "pointwise",
    "save",
    "save_all",
]


def save(cache: Path, record: SpectrumRecord, pointwise_table: Table) -> Path:
    """Write an estimate to the spool and ingest it; an earlier one with the same key is replaced.

    Parameters
    ----------
    cache
        The cache folder; the run's sidecar must be in it.
    record
        The numbers and their settings.
    pointwise_table
        Columns of `POINTWISE_SCHEMA`, one row per sample, bits; with `INFLUENCES` or without.

    Raises
    ------
    CacheBusy
        If others held the database; the estimate is safe in the spool.
    CacheError
        If the rows do not fit, the run is unknown or the disk is full.
    """
    return save_all(cache, [(record, pointwise_table)])[0]


def save_all(cache: Path, pairs: Sequence[tuple[SpectrumRecord, Table]]) -> list[Path]:
    """Save several estimates with one ingest, as `save` does one."""
    paths = [write_estimate(cache, record, rows) for record, rows in pairs]
    report = ingest(cache, {record.run_key for record, _ in pairs})
    refused = dict(report.skipped)
    for record, _ in pairs:
        name = f"{record.run_key}/estimates/{record.estimate_key}.parquet"
        if name in refused:
            raise CacheError(f"the estimate {record.estimate_key} has no run: {refused[name]}")
    return paths


def load(
    cache: Path,
    *,
    models: Sequence[str] | None = None,
    benchmarks: Sequence[str] | None = None,
    subsets: Sequence[str] | None = None,
    split: str | None = None,
    estimator: str | None = None,
    layer: int | None = OUTPUT_LAYER,
) -> list[SpectrumRecord]:
    """Return the estimates that match, by model, benchmark, subset, layer and age.

    None means any, but for the spectra of swapped pairs, which have no masked condition and come
    only by their estimator's name; a database that is not there yet has none.

    Parameters
    ----------
    cache
        The cache folder.
    models, benchmarks, subsets
        Any of these names; an empty sequence matches nothing.
    split, estimator
        This one.
    layer
        -1 is the model's own output; None takes all layers.
    """
    lists = {"models": models, "benchmarks": benchmarks, "subsets": subsets}
    bound: dict[str, Any] = {
        name: None if values is None else list(values) for name, values in lists.items()
    }
    bound |= {"split": split, "estimator": estimator, "layer": layer}
    bound["interventional"] = INTERVENTIONAL
    try:
        with reader(cache) as connection:
            rows = connection.execute(
                """SELECT record FROM estimates
                   WHERE ($models IS NULL OR list_contains($models::VARCHAR[], model))
                     AND ($benchmarks IS NULL OR list_contains($benchmarks::VARCHAR[], benchmark))
                     AND ($subsets IS NULL OR list_contains($subsets::VARCHAR[], subset))
                     AND ($split IS NULL OR split = $split)
                     AND ($estimator IS NULL AND estimator != $interventional
                          OR estimator = $estimator)
                     AND ($layer IS NULL OR layer = $layer)
                   ORDER BY model, benchmark, subset, layer, record->>'created', estimate_key""",
                bound,
            ).fetchall()
    except CacheMissing:
        return []
    return [SpectrumRecord.from_dict(json.loads(row[0])) for row in rows]


def find(cache: Path, key: str) -> SpectrumRecord | None:
    """Return the estimate with a key, or None."""
    try:
        with reader(cache) as connection:
            rows = connection.execute(
                "SELECT record FROM estimates WHERE estimate_key = ?", [key]
            ).fetchall()
    except CacheMissing:
        return None
    return SpectrumRecord.from_dict(json.loads(rows[0][0])) if rows else None


def pointwise(cache: Path, estimate_key: str) -> "pd.DataFrame":
    """Return the pointwise rows of an estimate, by sample id: atoms in bits and fusion scores.

    Raises
    ------
    CacheError
        If there is no such estimate.
    """
    columns = ", ".join(POINTWISE_SCHEMA.names)
    with reader(cache) as connection:
        frame = connection.execute(
            f"SELECT {columns} FROM pointwise WHERE estimate_key = ? ORDER BY sample_id",
            [estimate_key],
        ).df()
    if frame.empty:
        raise CacheError(f"there is no estimate {estimate_key!r} in {cache}; estimate again")
    return frame
