"""A made-up cache as large as a whole study: 26 models on 6 benchmarks, and 6 of them by layer.

Names, families, sizes and depths are those of Xiu26's models, the benchmarks have as many samples
and subsets as the real ones; everything else is drawn at random, the same at every call. The rows
are written straight into the database, in the order in which an ingest leaves them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_cache.conditions import PROBED, Condition
from data_cache.plan import BLOCK_SIZE, OUTPUT_LAYER
from data_cache.store import writer
from model_runners.registry import ModelEntry, papers
from tests.pages.large_estimates import as_json, estimate_tables
from tests.pages.large_runs import SIZES, MadeBenchmark, MadeRun, make_benchmark, make_run
from tests.pages.large_samples import write_samples

STUDY = "Xiu26"
LAYERED_DEPTH = 28
"""Models of this depth are those that are read by layer."""
BENCHMARK_BY_LAYER = "mmstar"
ROWS_AT_ONCE = 300_000
NOT_MEASURED = ("fuyu-8b", "mmmu")
"""One model and the benchmark that it has not seen."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How large the cache is."""

    models: int = 26
    share: float = 1.0
    """Of each benchmark's samples."""
    draws: int = 4
    layered: int = 6
    """Models that are read by layer."""
    pictures: int = 2000
    """Different images."""


FULL = Scale()
"""5 million predictions of the last layer."""
SMALL = Scale(share=0.02, draws=1, layered=2, pictures=24)
"""As many models, benchmarks, subsets and layers of a model, in seconds."""


_TABLE_ORDER = sorted(PROBED)


def build_large_cache(cache: Path, scale: Scale = SMALL) -> Path:
    """Write the cache, in about a second per 100,000 rows; returns its folder."""
    benchmarks = [make_benchmark(name, scale.share) for name in SIZES]
    waiting: dict[str, list[pa.Table]] = defaultdict(list)
    with writer(cache) as connection:
        for table, rows in _all_rows(cache, benchmarks, scale):
            waiting[table].append(rows)
            if sum(map(len, waiting[table])) > ROWS_AT_ONCE:
                _insert(connection, table, waiting.pop(table))
        for table, parts in waiting.items():
            _insert(connection, table, parts)
    return cache


def _all_rows(
    cache: Path, benchmarks: Sequence[MadeBenchmark], scale: Scale
) -> Iterator[tuple[str, pa.Table]]:
    yield from write_samples(cache, benchmarks, scale.pictures)
    models = chosen_models(scale.models)
    layered = [name for name, one in models if one.layers == LAYERED_DEPTH][: scale.layered]
    for name, entry in models:
        for benchmark in benchmarks:
            if (name, benchmark.name) == NOT_MEASURED:
                continue
            run = make_run(name, entry, benchmark, scale.draws)
            by_layer = name in layered and benchmark.name == BENCHMARK_BY_LAYER
            layers = tuple(range(OUTPUT_LAYER, LAYERED_DEPTH if by_layer else 0))
            for layer in layers:
                yield "predictions", _predictions(run, layer)
            yield from _ledger(run, entry, layers)
            yield from estimate_tables(run, layers)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, parts: Sequence[pa.Table]) -> None:
    rows = pa.concat_tables(parts).unify_dictionaries()
    connection.register("incoming", rows)
    names = ", ".join(rows.column_names)
    connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming")
    connection.unregister("incoming")


def chosen_models(count: int) -> list[tuple[str, ModelEntry]]:
    """Return the models that the study names, then those that it may have used."""
    known = papers().items()
    named = [pair for pair in known if STUDY in pair[1].papers]
    named += [pair for pair in known if STUDY in pair[1].perhaps_in]
    return named[:count]


def _predictions(run: MadeRun, layer: int) -> pa.Table:
    """Return the rows of a layer by block, condition, sample and draw."""
    parts = [
        (np.repeat(np.arange(run.measured), scores.shape[1]), place, scores.shape[1])
        for place, scores in enumerate(run.scores[condition] for condition in _TABLE_ORDER)
    ]
    sample = np.concatenate([part[0] for part in parts])
    condition = np.repeat([part[1] for part in parts], [len(part[0]) for part in parts])
    draw = np.concatenate([np.tile(np.arange(held), run.measured) for _, _, held in parts])
    scores = np.concatenate(
        [run.scores[one].reshape(-1, run.benchmark.options) for one in _TABLE_ORDER]
    )
    choice = np.concatenate([run.choices[one].ravel() for one in _TABLE_ORDER])
    if layer != OUTPUT_LAYER:  # the deeper, the more like the output
        scores = scores * np.float32((layer + 1) / LAYERED_DEPTH)
        choice = np.full_like(choice, -1)
    order = np.lexsort((draw, sample, condition, sample // BLOCK_SIZE))
    options = run.benchmark.options
    offsets = pa.array(np.arange(len(order) + 1, dtype=np.int32) * options)
    names = pa.array([str(one) for one in _TABLE_ORDER])
    return pa.table(
        {
            "run_key": _constant(run.key, len(order)),
            "block": pa.array((sample // BLOCK_SIZE)[order].astype(np.int32)),
            "sample_id": _words(run.benchmark.ids, sample[order]),
            "condition": pa.DictionaryArray.from_arrays(pa.array(condition[order]), names),
            "draw": pa.array(draw[order].astype(np.int16)),
            "layer": pa.array(np.full(len(order), layer, np.int16)),
            "scores": pa.ListArray.from_arrays(offsets, pa.array(scores[order].ravel())),
            "strict_choice": pa.array(choice[order].astype(np.int16)),
            "top_token": pa.array(np.maximum(choice[order], 0).astype(np.int32) + 32),
        }
    )


def _ledger(
    run: MadeRun, entry: ModelEntry, layers: tuple[int, ...]
) -> Iterator[tuple[str, pa.Table]]:
    """Return what the database knows of a run beside its predictions."""
    benchmark, count = run.benchmark, run.measured
    config = {
        "model": run.model,
        "family": run.family,
        "benchmark": benchmark.name,
        "benchmark_key": benchmark.key,
        "dtype": "bfloat16",
        "mask_scope": "all",
        "seed": 0,
    }
    of = {"test": int(benchmark.is_test.sum()), "train": int((~benchmark.is_test).sum())}
    environment = {
        "parameters": round(run.parameters),
        "language_layers": entry.layers,
        "benchmark_samples": of,
        "device": "cuda",
        "torch": "2.13.0",
    }
    check = {"name": "replay", "passed": True, "value": 1e-7, "limit": 1e-4}
    self_test = {"passed": True, "model": run.model, "dtype": "bfloat16", "checks": [check]}
    yield (
        "runs",
        pa.table(
            {
                "run_key": [run.key],
                "model": [run.model],
                "family": [run.family],
                "benchmark": [benchmark.name],
                "benchmark_key": [benchmark.key],
                "config": [as_json(config)],
                "self_test": [as_json(self_test)],
                "environment": [as_json(environment)],
            }
        ),
    )
    day = datetime(2026, 11, 1, 10) + timedelta(minutes=int(run.key[:4], 16) % 20_000)
    yield (
        "files",
        pa.table(
            {
                "name": [f"{run.key}/run.json"],
                "kind": ["run"],
                "owner": [run.key],
                "fingerprint": ["made-up"],
                "ingested_at": pa.array([day], pa.timestamp("us")),
            }
        ),
    )
    blocks, sizes = np.unique(np.arange(count) // BLOCK_SIZE, return_counts=True)
    yield (
        "blocks",
        pa.table(
            {
                "run_key": _constant(run.key, len(blocks)),
                "block": pa.array(blocks.astype(np.int32)),
                "n_samples": pa.array(sizes.astype(np.int32)),
                "draws": [run.scores[Condition.ONLY_1].shape[1]] * len(blocks),
                "layers": [as_json(list(layers))] * len(blocks),
            }
        ),
    )
    part = 2 * benchmark.subset[:count] + benchmark.is_test[:count]
    keys, held = np.unique(
        np.stack([np.arange(count) // BLOCK_SIZE, part]), axis=1, return_counts=True
    )
    yield (
        "covered",
        pa.table(
            {
                "run_key": _constant(run.key, len(held)),
                "block": pa.array(keys[0].astype(np.int32)),
                "split": _words(("train", "test"), keys[1] % 2),
                "subset": _words(benchmark.subsets, keys[1] // 2),
                "n_samples": pa.array(held.astype(np.int32)),
            }
        ),
    )


def _constant(value: str, count: int) -> pa.DictionaryArray:
    return _words((value,), np.zeros(count, np.int64))


def _words(names: tuple[str, ...], places: NDArray[np.int64]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), pa.array(list(names)))
