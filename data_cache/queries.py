"""What the cache holds: its runs, its samples; predictions and the data version come along."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from data_cache.errors import CacheError, CacheMissing
from data_cache.predictions import Predictions, features_by_layer, predictions
from data_cache.store import data_version, reader
from data_cache.stored_thumbnails import thumbnails_of

__all__ = [
    "Predictions",
    "RunRow",
    "StoredSample",
    "data_version",
    "features_by_layer",
    "predictions",
    "runs",
    "samples",
    "state",
]

SAMPLE_LIMIT = 1000
"""Samples with thumbnails that one call returns at most."""


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One run of the cache."""

    run_key: str
    model: str
    family: str
    benchmark: str
    benchmark_key: str
    n_samples: int
    """Samples with predictions."""
    draws: int
    """Draws of noise that every one of them has."""
    layers: tuple[int, ...]
    """Layers that every one of them has; -1 is the model's own output."""
    config: dict[str, Any]
    self_test: dict[str, Any]
    environment: dict[str, Any]
    ingested_at: datetime.datetime
    """When its last file was ingested, UTC."""


@dataclass(frozen=True, kw_only=True)
class StoredSample:
    """One sample as a page shows it."""

    sample_id: str
    position: int
    """Place in the benchmark's order, from 0."""
    group_id: str
    subset: str
    split: str
    system: str | None
    question: str
    options: tuple[str, ...]
    answer: int
    meta: dict[str, Any]
    images: tuple[str, ...]
    """Digests, as `image_store.original` takes them."""
    thumbnails: tuple[bytes | None, ...]
    """Of each image, encoded, at most 256 x 256 pixels; None where it could not be read."""
    video: str | None
    """Where the video lay on the machine that read the benchmark; its frames are the images."""
    audio: str | None


def state(cache: Path) -> Literal["missing", "empty", "ready"]:
    """Return whether there is no database, one without runs, or one with something to show.

    Raises
    ------
    CacheError
        If there is a database that cannot be read.
    """
    try:
        with reader(cache) as connection:
            found = connection.execute("SELECT count(*) FROM runs").fetchall()
    except CacheMissing:
        return "missing"
    return "ready" if found[0][0] else "empty"


def runs(cache: Path, *, probe: Literal["noise", "swap"] = "noise") -> list[RunRow]:
    """Return runs by model and benchmark; none where there is no database.

    Parameters
    ----------
    cache
        The cache folder.
    probe
        Runs that mask with noise, imported ones included; or those that swap images, which have no
        masked condition and are read by `swapped_pairs` alone (docs/adr/0021).
    """
    try:
        with reader(cache) as connection:
            rows = connection.execute(
                """SELECT run_key, model, family, benchmark, benchmark_key, config, self_test,
                          environment, latest,
                          coalesce(held.n, 0), coalesce(held.draws, 0), coalesce(held.layers, [])
                   FROM runs
                   JOIN (SELECT owner AS run_key, max(ingested_at) AS latest FROM files
                         WHERE kind != 'samples' GROUP BY owner) USING (run_key)
                   LEFT JOIN (SELECT run_key, sum(n_samples) AS n, min(draws) AS draws,
                                     list(DISTINCT layers) AS layers
                              FROM blocks GROUP BY run_key) AS held USING (run_key)
                   WHERE (coalesce(config->>'probe', '') = 'swap') = $swap
                   ORDER BY model, benchmark, latest, run_key""",
                {"swap": probe == "swap"},
            ).fetchall()
    except CacheMissing:
        return []
    return [
        RunRow(
            run_key=row[0],
            model=row[1],
            family=row[2],
            benchmark=row[3],
            benchmark_key=row[4],
            config=json.loads(row[5]),
            self_test=json.loads(row[6]),
            environment=json.loads(row[7]),
            ingested_at=row[8].replace(tzinfo=datetime.UTC),
            n_samples=int(row[9]),
            draws=int(row[10]),
            layers=_common_layers(row[11]),
        )
        for row in rows
    ]


def _common_layers(lists: Sequence[str]) -> tuple[int, ...]:
    held: list[set[int]] = [set(json.loads(text)) for text in lists]
    if not held:
        return ()
    common = held[0]
    for other in held[1:]:
        common = common & other
    return tuple(sorted(common))


def samples(cache: Path, benchmark_key: str, sample_ids: Sequence[str]) -> list[StoredSample]:
    """Return the samples named, in the order given; unknown ids are left out.

    Parameters
    ----------
    cache
        The cache folder.
    benchmark_key
        Which benchmark, as in `RunRow`.
    sample_ids
        At most `SAMPLE_LIMIT`.

    Raises
    ------
    CacheError
        If more are asked for.
    """
    if len(sample_ids) > SAMPLE_LIMIT:
        raise CacheError(
            f"{len(sample_ids)} samples were asked for; at most {SAMPLE_LIMIT} at once"
        )
    with reader(cache) as connection:
        rows = connection.execute(
            """SELECT sample_id, position, group_id, subset, split, system, question, options,
                      answer, meta, images, video, audio
               FROM samples
               WHERE benchmark_key = ? AND sample_id IN (SELECT unnest(?::VARCHAR[]))""",
            [benchmark_key, list(sample_ids)],
        ).fetchall()
        small = thumbnails_of(connection, (digest for row in rows for digest in row[10]))
    found = {
        row[0]: StoredSample(
            sample_id=row[0],
            position=row[1],
            group_id=row[2],
            subset=row[3],
            split=row[4],
            system=row[5],
            question=row[6],
            options=tuple(row[7]),
            answer=row[8],
            meta=json.loads(row[9]),
            images=tuple(row[10]),
            thumbnails=tuple(map(small.get, row[10])),
            video=row[11],
            audio=row[12],
        )
        for row in rows
    }
    return [found[sample_id] for sample_id in sample_ids if sample_id in found]
