"""What a run predicted, as rectangular arrays in the benchmark's order."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_cache.arrow import Table
from data_cache.conditions import NOISY, SENSED, Condition
from data_cache.errors import CacheError
from data_cache.location import command
from data_cache.plan import OUTPUT_LAYER
from data_cache.store import reader

REQUIRED_CONDITIONS = (Condition.FULL, Condition.ONLY_1, Condition.ONLY_2)
"""Without these there is no spectrum; the others are evidence beside it."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Raw scores of one run and layer, rectangular, in the benchmark's order."""

    run_key: str
    layer: int
    sample_ids: NDArray[np.str_]
    """(N,)"""
    positions: NDArray[np.int64]
    """(N,), place in the benchmark's order."""
    group_ids: NDArray[np.str_]
    """(N,)"""
    subsets: NDArray[np.str_]
    """(N,)"""
    splits: NDArray[np.str_]
    """(N,)"""
    answers: NDArray[np.int64]
    """(N,), index of the right candidate."""
    k: NDArray[np.int64]
    """(N,), number of candidates."""
    valid: NDArray[np.bool_]
    """(N, Kmax), which candidates a sample has."""
    scores: dict[Condition, NDArray[np.float64]]
    """(N, D, Kmax) natural-log likelihoods, -inf where not valid; D = 1 for what has no noise. A
    condition is there only if every sample has it; full, only_1 and only_2 always are."""
    strict_choice: dict[Condition, NDArray[np.int64]]
    """(N, D), candidate that is the arg-max over the whole vocabulary, -1 where none is."""
    text_tokens: NDArray[np.int64]
    """(N,), length of the masked text; -1 where not recorded."""
    image_tokens: NDArray[np.int64]
    """(N,), number of image embeddings; -1 where not recorded."""
    features_1: NDArray[np.float32] | None
    """(N, d1) pooled embeddings of source 1; None unless asked for and held by every sample."""
    features_2: NDArray[np.float32] | None
    """(N, d2), likewise of source 2."""
    features_layer: int
    """Where they were pooled: -1 is before the first layer, else after that layer."""
    incomplete: int
    """Samples left out because full, only_1 or only_2 is missing for them."""

    @property
    def draws(self) -> int:
        """Draws of noise in the masked conditions."""
        return self.scores[Condition.ONLY_1].shape[1]


_CHOSEN = """
    WITH held AS (
        SELECT DISTINCT sample_id FROM predictions WHERE run_key = $run_key AND layer = $layer
    ), chosen AS (
        SELECT row_number() OVER (ORDER BY position) - 1 AS i, samples.*
        FROM samples JOIN held USING (sample_id)
        WHERE benchmark_key = $benchmark_key
          AND ($split IS NULL OR split = $split) AND ($subset IS NULL OR subset = $subset)
        ORDER BY position LIMIT $limit
    )"""


_FEATURE_COLUMNS = """,
                       features.features_1 AS input_1, features.features_2 AS input_2,
                       inner_ones.features_1 AS inner_1, inner_ones.features_2 AS inner_2"""

_FEATURE_JOIN = """
                LEFT JOIN layer_features AS inner_ones
                     ON inner_ones.sample_id = chosen.sample_id AND inner_ones.run_key = $run_key
                     AND inner_ones.layer = $features_layer"""


def predictions(
    cache: Path,
    run_key: str,
    *,
    split: str | None = None,
    subset: str | None = None,
    layer: int = OUTPUT_LAYER,
    limit: int | None = None,
    draws: int | None = None,
    features: bool = False,
    features_layer: int | None = None,
) -> Predictions:
    """Return the raw scores of a run as rectangular arrays.

    Parameters
    ----------
    cache
        The cache folder.
    run_key
        The run.
    split
        "train" or "test"; None or "all" takes both.
    subset
        One subset; None takes all.
    layer
        -1 is the model's own output.
    limit
        The first so many samples of the split and subset, in the benchmark's order.
    draws
        The first so many draws; None takes as many as every sample has.
    features
        Whether to return the pooled embeddings too.
    features_layer
        Return those pooled after this layer, -1 for the model's input; with `features` alone, those
        of `layer` where every sample has them, else those of the input.

    Raises
    ------
    CacheError
        If there is no such run, nothing is left, or samples have fewer draws than asked for or no
        features of the layer asked for.
    """
    with reader(cache) as connection:
        run = connection.execute(
            "SELECT benchmark_key FROM runs WHERE run_key = ?", [run_key]
        ).fetchall()
        if not run:
            raise CacheError(
                f"there is no run {run_key!r} in {cache}; see {command('list runs', cache)}"
            )
        bound: dict[str, Any] = {
            "run_key": run_key,
            "layer": layer,
            "benchmark_key": run[0][0],
            "split": None if split == "all" else split,
            "subset": subset,
            "limit": limit,
        }
        columns, join, also = "", "", {}
        if features or features_layer is not None:
            also = {"features_layer": layer if features_layer is None else features_layer}
            columns, join = _FEATURE_COLUMNS, _FEATURE_JOIN
        about = _arrow(
            connection,
            f"""{_CHOSEN}
                SELECT chosen.sample_id, position, group_id, subset, split, answer,
                       len(options) AS k,
                       coalesce(text_tokens, -1) AS text_tokens,
                       coalesce(image_tokens, -1) AS image_tokens {columns}
                FROM chosen LEFT JOIN features
                     ON features.sample_id = chosen.sample_id AND features.run_key = $run_key {join}
                ORDER BY i""",
            bound | also,
        )
        rows = _arrow(
            connection,
            f"""{_CHOSEN}
                SELECT i, condition, draw, scores, strict_choice
                FROM predictions JOIN chosen USING (sample_id)
                WHERE run_key = $run_key AND layer = $layer""",
            bound,
        )
    what = f"run {run_key}, split {split or 'all'}, subset {subset or 'all'}, layer {layer}"
    if len(about) == 0:
        raise CacheError(f"{what}: no predictions with samples; see {command('list runs', cache)}")
    return _Grid(about, rows, what).predictions(run_key, layer, draws, features_layer)


def features_by_layer(cache: Path, run_key: str) -> tuple[int, ...]:
    """Return the inner layers of which some samples of a run have features, in order."""
    with reader(cache) as connection:
        rows = connection.execute(
            "SELECT DISTINCT layer FROM layer_features WHERE run_key = ? ORDER BY layer", [run_key]
        ).fetchall()
    return tuple(int(row[0]) for row in rows)


def _arrow(connection: Any, query: str, bound: dict[str, Any]) -> Table:
    return connection.sql(query, params=bound).to_arrow_table()


class _Grid:
    """Rows in any order, put into arrays by sample, condition and draw."""

    def __init__(self, about: Table, rows: Table, what: str) -> None:
        self.about, self.what = about, what
        self.i = np.asarray(rows["i"], dtype=np.int64)
        self.draw = np.asarray(rows["draw"], dtype=np.int64)
        self.condition = np.asarray(rows["condition"], dtype=np.str_)
        self.strict = np.asarray(rows["strict_choice"], dtype=np.int64)
        scores = rows["scores"].combine_chunks()
        self.values = np.asarray(scores.flatten(), dtype=np.float64)
        self.lengths = np.asarray(scores.value_lengths(), dtype=np.int64)
        self.starts = np.cumsum(self.lengths) - self.lengths
        n = len(about)
        self.k = np.asarray(about["k"], dtype=np.int64)
        self.held = {
            condition: np.bincount(self.i[self.condition == condition], minlength=n)
            for condition in SENSED
        }

    def predictions(
        self, run_key: str, layer: int, draws: int | None, features_layer: int | None
    ) -> Predictions:
        if (self.lengths != self.k[self.i]).any():
            raise CacheError(f"{self.what}: scores and options differ in number; rebuild the cache")
        keep = np.logical_and.reduce([self.held[c] > 0 for c in REQUIRED_CONDITIONS])
        if not keep.any():
            raise CacheError(
                f"{self.what}: no sample has all of {', '.join(REQUIRED_CONDITIONS)}; profile again"
            )
        common = min(int(self.held[c][keep].min()) for c in REQUIRED_CONDITIONS if c in NOISY)
        if draws is not None and not 0 < draws <= common:
            raise CacheError(
                f"{self.what}: {draws} draws were asked for and {common} are there for every "
                f"sample; profile with --draws {draws}"
            )
        width = common if draws is None else draws
        depth = {condition: width if condition in NOISY else 1 for condition in SENSED}
        there = [c for c in SENSED if (self.held[c][keep] >= depth[c]).all()]
        k: NDArray[np.int64] = self.k[keep]
        about = self.about.filter(keep)
        pooled_at = self._pooled_at(about, layer, features_layer)
        pooled = "input" if pooled_at == OUTPUT_LAYER else "inner"

        def numbers(name: str) -> NDArray[np.int64]:
            return np.asarray(about[name], dtype=np.int64)

        def texts(name: str) -> NDArray[np.str_]:
            return np.asarray(about[name].to_pylist(), dtype=np.str_)

        arrays = {condition: self._arrays(condition, keep, depth[condition]) for condition in there}
        return Predictions(
            run_key=run_key,
            layer=layer,
            sample_ids=texts("sample_id"),
            positions=numbers("position"),
            group_ids=texts("group_id"),
            subsets=texts("subset"),
            splits=texts("split"),
            answers=numbers("answer"),
            k=k,
            valid=np.arange(int(k.max())) < k[:, None],
            scores={condition: scores for condition, (scores, _) in arrays.items()},
            strict_choice={condition: strict for condition, (_, strict) in arrays.items()},
            text_tokens=numbers("text_tokens"),
            image_tokens=numbers("image_tokens"),
            features_1=_matrix(about, f"{pooled}_1"),
            features_2=_matrix(about, f"{pooled}_2"),
            features_layer=pooled_at,
            incomplete=int((~keep).sum()),
        )

    def _pooled_at(self, about: Table, layer: int, asked: int | None) -> int:
        """Return the layer whose features are handed out."""
        wanted = layer if asked is None else asked
        held = "inner_1" in about.schema.names and not about["inner_1"].null_count
        if wanted == OUTPUT_LAYER or held:
            return wanted
        if asked is None:
            return OUTPUT_LAYER
        raise CacheError(
            f"{self.what}: not every sample has features of layer {wanted}; "
            "profile with --layer-features"
        )

    def _arrays(
        self, condition: Condition, keep: NDArray[np.bool_], depth: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        chosen: NDArray[np.bool_] = (
            (self.condition == condition) & keep[self.i] & (self.draw < depth)
        )
        place = (np.cumsum(keep) - 1)[self.i[chosen]]
        draw: NDArray[np.int64] = self.draw[chosen]
        lengths: NDArray[np.int64] = self.lengths[chosen]
        scores = np.full((int(keep.sum()), depth, int(self.k[keep].max())), -np.inf)
        strict = np.full(scores.shape[:2], -1, dtype=np.int64)
        strict[place, draw] = self.strict[chosen]
        column = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        source = np.repeat(self.starts[chosen], lengths) + column
        scores[np.repeat(place, lengths), np.repeat(draw, lengths), column] = self.values[source]
        return scores, strict


def _matrix(table: Table, name: str) -> NDArray[np.float32] | None:
    if name not in table.schema.names or table[name].null_count:
        return None
    column = table[name].combine_chunks()
    return np.asarray(column.flatten(), dtype=np.float32).reshape(len(table), -1)
