"""The overview on a large cache: its query, its matrix, and how large the figure is.

26 models on 6 benchmarks with 5 million rows of last-layer predictions, written straight into the
database. Expected: the query under 50 ms, because it does not read the predictions.

    python bench/bench_overview.py [--cache DIR] [--rows 5000000]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from data_cache import estimates, queries
from data_cache.cells import cells
from data_cache.coverage import coverage
from data_cache.disk import disk_use
from data_cache.estimates import SpectrumRecord, estimate_key
from data_cache.store import writer
from pages.figures.coverage_matrix import coverage_matrix

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
    samples = rows // (MODELS * len(BENCHMARKS) * ROWS_PER_SAMPLE)
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


def fill_run(connection, number: int, place: int, benchmark: str, samples: int) -> None:
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


def milliseconds(work: Callable[[], object], times: int = 9) -> dict[str, float]:
    """Return the first, the median and the slowest time."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return {
        "first": round(taken[0], 1),
        "median": round(median(taken), 1),
        "slowest": round(max(taken), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--rows", type=int, default=5_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cache = arguments.cache or Path(folder) / "cache"
        if queries.state(cache) != "ready":
            fill(cache, arguments.rows)
        runs, covered = queries.runs(cache), coverage(cache)
        spectra = estimates.load(cache)
        found = cells(runs, covered, spectra)
        results = {
            "runs": len(runs),
            "predictions": sum(run.n_samples for run in runs) * ROWS_PER_SAMPLE,
            "coverage_ms": milliseconds(lambda: coverage(cache)),
            "runs_ms": milliseconds(lambda: queries.runs(cache)),
            "estimates_ms": milliseconds(lambda: estimates.load(cache), 3),
            "disk_ms": milliseconds(lambda: disk_use(cache), 3),
            "cells_ms": milliseconds(lambda: cells(runs, covered, spectra)),
            "figure_ms": milliseconds(lambda: coverage_matrix(found), 5),
            "figure_bytes": len(coverage_matrix(found).to_json() or ""),
        }
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
