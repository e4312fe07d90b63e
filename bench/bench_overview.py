"""The overview on a large cache: its query, its cells, and how large the figure is.

    python bench/bench_overview.py                 # a table
    python bench/bench_overview.py --json          # one JSON object
    python bench/bench_overview.py --cache DIR     # keep the cache there for the next time

26 models on 6 benchmarks with 5 million rows of last-layer predictions, written straight into the
database. Every time is the median of several, in milliseconds; all but `open` and `figure` include
opening the database.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import duckdb

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
sys.path.insert(0, str(ROOT))

from bench_estimators import show, where  # noqa: E402

from data_cache import estimates, queries  # noqa: E402
from data_cache.cells import cells  # noqa: E402
from data_cache.coverage import coverage  # noqa: E402
from data_cache.disk import disk_use  # noqa: E402
from data_cache.estimates import SpectrumRecord, estimate_key  # noqa: E402
from data_cache.store import reader, writer  # noqa: E402
from pages.figures.coverage_matrix import coverage_matrix  # noqa: E402

PREDICTIONS = 5_000_000
FILLED = 0.78
"""Share of the cells' rows that are there: some cells are empty, others hold a third."""
BENCHMARKS = ("mmbench", "pope:popular", "pmc_vqa", "reefknot", "mmstar", "mmmu")
FAMILIES = ("llava", "llava_onevision", "qwen2_vl", "qwen2_5_vl", "internvl", "gemma3", "mllama")
MODELS = 26
CONDITIONS = ("full", "only_1", "only_2", "neither", "no_image")
DRAWS = {"full": 1, "no_image": 1}
ROWS_PER_SAMPLE = sum(DRAWS.get(condition, 4) for condition in CONDITIONS)


def model_of(number: int) -> str:
    family = FAMILIES[number % len(FAMILIES)]
    return f"organisation/{family}-with-a-long-name-{2 + number}b-instruct"


def fill(cache: Path, rows: int) -> None:
    """Write runs, samples, predictions and estimates of a cache of that many predictions."""
    samples = round(rows / FILLED / (MODELS * len(BENCHMARKS) * ROWS_PER_SAMPLE))
    with writer(cache) as connection:
        connection.execute(
            f"""INSERT INTO samples
                SELECT 'key-' || b, i // 64, i, 's' || i, 'g' || i // 2, 'subset-' || i % 4,
                       CASE WHEN i % 4 = 0 THEN 'test' ELSE 'train' END, NULL, 'What is it?',
                       ['one', 'two', 'three', 'four'], 0, '{{}}', ['digest'], NULL, NULL
                FROM range({len(BENCHMARKS)}) AS bs(b), range({samples * 4 // 3}) AS t(i)"""
        )
        for number in range(MODELS):
            for place, benchmark in enumerate(BENCHMARKS):
                if (number * 7 + place) % 11 == 0:
                    continue
                part = samples // 3 if (number + place) % 5 == 0 else samples
                fill_run(connection, number, place, benchmark, part)
        connection.execute(
            """INSERT INTO covered SELECT run_key, block, split, subset, count(*)
               FROM (SELECT DISTINCT run_key, block, sample_id FROM predictions)
               JOIN runs USING (run_key) JOIN samples USING (benchmark_key, block, sample_id)
               GROUP BY ALL ORDER BY ALL"""
        )


def fill_run(
    connection: duckdb.DuckDBPyConnection, number: int, place: int, benchmark: str, samples: int
) -> None:
    model, family = model_of(number), FAMILIES[number % len(FAMILIES)]
    key = f"{number:08x}{place:08x}"
    config = {"model": model, "family": family, "benchmark": benchmark}
    connection.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, '{}', '{}')",
        [key, model, family, benchmark, f"key-{place}", json.dumps(config)],
    )
    connection.execute(
        "INSERT INTO files VALUES (?, 'run', ?, NULL, '1-1', NULL, ?::TIMESTAMP)",
        [f"{key}/run.json", key, f"2026-11-{1 + number % 20:02} 10:{place:02}:00"],
    )
    connection.execute(
        f"""INSERT INTO blocks SELECT '{key}', i // 64, count(*), 4, '[-1]'
            FROM range({samples}) AS t(i) GROUP BY ALL"""
    )
    for condition in CONDITIONS:
        connection.execute(
            f"""INSERT INTO predictions
                SELECT '{key}', i // 64, 's' || i, '{condition}', d, -1,
                       [-0.2, -3.0, -3.5, -4.0]::FLOAT[], 0, 7
                FROM range({samples}) AS t(i), range({DRAWS.get(condition, 4)}) AS ds(d)"""
        )
    if (number + place) % 6:
        n = len(range(0, samples if (number + place) % 4 else samples // 2, 4))
        for subset in ("all", *(f"subset-{i}" for i in range(4))):
            record = record_of(key, model, family, benchmark, subset, n)
            connection.execute(
                "INSERT INTO estimates VALUES (?, ?, ?, ?, ?, 'test', -1, 'certified', ?)",
                [record.estimate_key, key, model, benchmark, subset, json.dumps(record.to_dict())],
            )


def record_of(
    key: str, model: str, family: str, benchmark: str, subset: str, n: int
) -> SpectrumRecord:
    settings = {"tau": 0.3, "draws": 4, "limit": None}
    return SpectrumRecord(
        estimate_key=estimate_key(
            run_key=key,
            subset=subset,
            split="test",
            layer=-1,
            estimator="certified",
            settings=settings,
        ),
        **{"run_key": key, "model": model, "family": family, "benchmark": benchmark},
        **{"subset": subset, "split": "test", "layer": -1, "estimator": "certified"},
        **{"n": n, "candidates": 4, "redundancy": 0.3, "unique_1": 0.1, "unique_2": 0.4},
        **{"synergy": 0.2, "total": 1.0, "information_1": 0.4, "information_2": 0.7},
        **{"gap_bits": 1e-4, "accuracy": 0.7, "accuracy_forced": 0.7, "mean_confidence": 0.8},
        **{"calibration_error": 0.05, "settings": settings},
        created="2026-11-21T10:00:00+00:00",
    )


def milliseconds(work: Callable[[], object], times: int = 11) -> float:
    """Return the median time of several."""
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return round(median(taken), 1)


def open_only(cache: Path) -> None:
    with reader(cache):
        pass


def measure(cache: Path) -> dict[str, object]:
    runs, covered, spectra = queries.runs(cache), coverage(cache), estimates.load(cache)
    found = cells(runs, covered, spectra)
    with reader(cache) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM predictions").fetchall()[0]
    return {
        "cells": len(found),
        "runs": len(runs),
        "predictions": rows,
        "open": milliseconds(lambda: open_only(cache)),
        "coverage": milliseconds(lambda: coverage(cache)),
        "list of runs": milliseconds(lambda: queries.runs(cache)),
        "estimates": milliseconds(lambda: estimates.load(cache)),
        "disk": milliseconds(lambda: disk_use(cache)),
        "cells of runs": milliseconds(lambda: cells(runs, covered, spectra)),
        "figure": milliseconds(lambda: coverage_matrix(found)),
        "figure kB": round(len(coverage_matrix(found).to_json() or "") / 1000),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cache = arguments.cache or Path(folder) / "cache"
        if queries.state(cache) != "ready":
            fill(cache, PREDICTIONS)
        measured = measure(cache)
    if arguments.json:
        print(json.dumps({**where(), "measured": measured}, indent=1))
    else:
        show("overview", [{"what": name, "value": value} for name, value in measured.items()])


if __name__ == "__main__":
    main()
