"""Real cache folders for the tests of pages, written through data_cache as a runner would."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from data_cache.chunks import ChunkPlan, write_chunk
from data_cache.conditions import Condition
from data_cache.estimates import SpectrumRecord
from data_cache.ingest import ingest
from data_cache.location import run_directory
from data_cache.records import estimate_key, write_estimate
from data_cache.runs import run_key, write_sidecar

SAMPLES = ("sample-0", "sample-1")


def write_run(cache: Path, model: str, benchmark: str = "digits_vqa") -> str:
    """Write a run of two samples, all conditions; returns its key."""
    config = {"model": model, "family": "llava", "benchmark": benchmark, "benchmark_key": "0" * 16}
    key = run_key(config)
    write_sidecar(cache, key, config)
    plan = ChunkPlan(run_key=key, index=0, sample_ids=SAMPLES)
    rows = [
        {
            "sample_id": sample,
            "condition": str(condition),
            "draw": 0,
            "layer": -1,
            "scores": [-0.1, -3.0, -3.5, -4.0],
            "strict_choice": 0,
            "top_token": 7,
        }
        for sample in SAMPLES
        for condition in Condition
    ]
    write_chunk(run_directory(cache, key), plan, pa.Table.from_pylist(rows))
    return key


def write_record(cache: Path, record: SpectrumRecord) -> None:
    """Write a record as the estimate of its model's run."""
    key = run_key(
        {
            "model": record.model,
            "family": record.family,
            "benchmark": record.benchmark,
            "benchmark_key": "0" * 16,
        }
    )
    named = estimate_key(
        run_key=key,
        subset=record.subset,
        split=record.split,
        layer=record.layer,
        estimator=record.estimator,
        settings=record.settings,
    )
    names = ("redundancy", "unique_1", "unique_2", "synergy")
    scores = ("synergy_ratio", "shortcut", "fusion_potential", "gap_score")
    pointwise = [
        {"sample_id": sample}
        | {name: getattr(record, name) for name in names}
        | dict.fromkeys(scores, 0.5)
        for sample in SAMPLES
    ]
    write_estimate(
        cache,
        dataclasses.replace(record, run_key=key, estimate_key=named),
        pa.Table.from_pylist(pointwise),
    )


def build_cache(cache: Path, records: Iterable[SpectrumRecord]) -> Path:
    """Write the records with their runs and ingest them."""
    listed = list(records)
    for model, benchmark in dict.fromkeys((one.model, one.benchmark) for one in listed):
        write_run(cache, model, benchmark)
    for record in listed:
        write_record(cache, record)
    report = ingest(cache)
    assert not report.quarantined, report.quarantined
    return cache
