"""What a run of swaps predicted: each question beside the images of other samples, as arrays."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_cache.arrow import Table
from data_cache.conditions import Condition
from data_cache.errors import CacheError
from data_cache.location import command
from data_cache.plan import OUTPUT_LAYER
from data_cache.store import reader

NOBODY = -1
"""In place of an image where a pair was not asked."""


@dataclass(frozen=True, kw_only=True)
class SwappedPairs:
    """Raw scores of a run of swaps, in the benchmark's order."""

    run_key: str
    sample_ids: NDArray[np.str_]
    """(N,), samples whose image or whose question was asked."""
    subsets: NDArray[np.str_]
    """(N,)"""
    splits: NDArray[np.str_]
    """(N,)"""
    options: tuple[tuple[str, ...], ...]
    """(N,), their texts."""
    answers: NDArray[np.int64]
    """(N,), index of the right candidate."""
    k: NDArray[np.int64]
    """(N,), number of candidates."""
    partners: NDArray[np.int64]
    """(M, N): in round m question i was asked about the image of sample `partners[m, i]`;
    `NOBODY` where it was not."""
    swapped: NDArray[np.float64]
    """(M, N, Kmax) natural-log likelihoods of the answers to question i in round m, -inf where it
    has no such answer, and everywhere where the pair was not asked."""
    full: NDArray[np.float64]
    """(N, Kmax), likewise with its own image."""
    strict_choice: NDArray[np.int64]
    """(N,), candidate that is the arg-max over the whole vocabulary with its own image, -1 where
    none is."""

    @property
    def rounds(self) -> int:
        """M."""
        return len(self.partners)


_CHOSEN = """
    WITH held AS (
        SELECT sample_id FROM predictions WHERE run_key = $run_key AND layer = $layer
        UNION SELECT partner FROM swaps WHERE run_key = $run_key
    ), chosen AS (
        SELECT row_number() OVER (ORDER BY position) - 1 AS i, samples.*
        FROM samples SEMI JOIN held USING (sample_id)
        WHERE benchmark_key = $benchmark_key
          AND ($split IS NULL OR split = $split) AND ($subset IS NULL OR subset = $subset)
    )"""


def swapped_pairs(
    cache: Path,
    run_key: str,
    *,
    split: str | None = None,
    subset: str | None = None,
    rounds: int | None = None,
) -> SwappedPairs:
    """Return the raw scores of a run of swaps.

    Parameters
    ----------
    cache
        The cache folder.
    run_key
        The run.
    split
        "train" or "test"; None or "all" takes both.
    subset
        Pairs whose image and question are both of it; None takes all.
    rounds
        The first so many; None takes as many as every block has.

    Raises
    ------
    CacheError
        If there is no such run, no pair is left, or there are fewer rounds than asked for.
    """
    with reader(cache) as connection:
        run = connection.execute(
            """SELECT benchmark_key, (SELECT min(draws) FROM blocks WHERE run_key = $run_key)
               FROM runs WHERE run_key = $run_key""",
            {"run_key": run_key},
        ).fetchall()
        if not run:
            raise CacheError(
                f"there is no run {run_key!r} in {cache}; see {command('list runs', cache)}"
            )
        there = int(run[0][1] or 0)
        what = f"run {run_key}, split {split or 'all'}, subset {subset or 'all'}"
        if rounds is not None and not 0 < rounds <= there:
            raise CacheError(
                f"{what}: {rounds} rounds of swaps were asked for and {there} rounds are there for "
                f"every sample; profile with --probe swap --partners {rounds}"
            )
        bound: dict[str, Any] = {
            "run_key": run_key,
            "layer": OUTPUT_LAYER,
            "benchmark_key": run[0][0],
            "split": None if split == "all" else split,
            "subset": subset,
        }
        about = _arrow(
            connection,
            f"""{_CHOSEN}
                SELECT sample_id, subset, split, answer, options FROM chosen ORDER BY i""",
            bound,
        )
        rows = _arrow(
            connection,
            f"""{_CHOSEN}
                SELECT coalesce(asked.i, image.i) AS question, image.i AS image, condition,
                       predictions.draw AS draw,
                       scores, strict_choice
                FROM predictions
                JOIN chosen AS image ON image.sample_id = predictions.sample_id
                LEFT JOIN swaps ON swaps.run_key = $run_key AND condition = $swap
                     AND swaps.sample_id = predictions.sample_id AND swaps.draw = predictions.draw
                LEFT JOIN chosen AS asked ON asked.sample_id = swaps.partner
                WHERE predictions.run_key = $run_key AND layer = $layer
                  AND (condition = $full OR condition = $swap AND asked.i IS NOT NULL
                       AND predictions.draw < $rounds)""",
            bound
            | {
                "swap": str(Condition.SWAP),
                "full": str(Condition.FULL),
                "rounds": there if rounds is None else rounds,
            },
        )
    if not (np.asarray(rows["condition"], dtype=np.str_) == Condition.SWAP).any():
        raise CacheError(f"{what}: no swapped pairs; see {command('list runs', cache)}")
    return _arranged(run_key, about, rows, there if rounds is None else rounds, what)


def _arranged(run_key: str, about: Table, rows: Table, rounds: int, what: str) -> SwappedPairs:
    n = len(about)
    options = tuple(tuple(map(str, one)) for one in about["options"].to_pylist())
    k: NDArray[np.int64] = np.array([len(one) for one in options], dtype=np.int64)
    question: NDArray[np.int64] = np.asarray(rows["question"], dtype=np.int64)
    image: NDArray[np.int64] = np.asarray(rows["image"], dtype=np.int64)
    draw: NDArray[np.int64] = np.asarray(rows["draw"], dtype=np.int64)
    scores = rows["scores"].combine_chunks()
    lengths: NDArray[np.int64] = np.asarray(scores.value_lengths(), dtype=np.int64)
    if (lengths != k[question]).any():
        raise CacheError(f"{what}: scores and options differ in number; rebuild the cache")
    values: NDArray[np.float64] = np.full((len(rows), int(k.max())), -np.inf)
    values[np.arange(values.shape[1]) < lengths[:, None]] = np.asarray(
        scores.flatten(), dtype=np.float64
    )
    swaps: NDArray[np.bool_] = np.asarray(rows["condition"], dtype=np.str_) == Condition.SWAP
    partners = np.full((rounds, n), NOBODY, dtype=np.int64)
    swapped = np.full((rounds, n, values.shape[1]), -np.inf)
    partners[draw[swaps], question[swaps]] = image[swaps]
    swapped[draw[swaps], question[swaps]] = values[swaps]
    full = np.full((n, values.shape[1]), -np.inf)
    full[question[~swaps]] = values[~swaps]
    strict = np.full(n, -1, dtype=np.int64)
    strict[question[~swaps]] = np.asarray(rows["strict_choice"], dtype=np.int64)[~swaps]
    return SwappedPairs(
        run_key=run_key,
        sample_ids=np.asarray(about["sample_id"].to_pylist(), dtype=np.str_),
        subsets=np.asarray(about["subset"].to_pylist(), dtype=np.str_),
        splits=np.asarray(about["split"].to_pylist(), dtype=np.str_),
        options=options,
        answers=np.asarray(about["answer"], dtype=np.int64),
        k=k,
        partners=partners,
        swapped=swapped,
        full=full,
        strict_choice=strict,
    )


def _arrow(connection: Any, query: str, bound: dict[str, Any]) -> Table:
    return connection.sql(query, params=bound).to_arrow_table()
