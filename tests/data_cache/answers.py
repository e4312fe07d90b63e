"""Runs whose answers a test chooses, with estimates whose pointwise numbers it chooses too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from data_cache.chunks import BLOCK_SIZE, ChunkPlan, write_chunk
from data_cache.conditions import Condition
from data_cache.estimates import ATOMS, SCORES, SpectrumRecord, estimate_key, save_all
from data_cache.location import run_directory
from data_cache.runs import run_key, write_sidecar
from data_cache.sample_chunks import write_samples
from data_cache.samples import Benchmark, Sample
from tests.data_cache.spools import config_of, rows_of, spectrum

Answers = Callable[[Sample], int]
"""The option that the model names, -1 for none."""


def right(sample: Sample) -> int:
    return sample.answer


def wrong(sample: Sample) -> int:
    return (sample.answer + 1) % len(sample.options)


def answered(
    cache: Path,
    benchmark: Benchmark,
    *,
    model: str,
    answers: Answers = right,
    environment: Mapping[str, object] | None = None,
) -> str:
    """Write a run in which the model gives these answers to the full prompt; returns its key."""
    config = config_of(benchmark, model=model)
    key = run_key(config)
    write_sidecar(cache, key, config, environment=dict(environment or {}))
    write_samples(cache, benchmark, range(len(benchmark.samples)))
    named = {sample.id: answers(sample) for sample in benchmark.samples}
    options = {sample.id: len(sample.options) for sample in benchmark.samples}
    ids = list(named)
    for start in range(0, len(ids), BLOCK_SIZE):
        plan = ChunkPlan(
            run_key=key,
            index=start // BLOCK_SIZE,
            sample_ids=tuple(ids[start : start + BLOCK_SIZE]),
            draws=2,
        )
        rows = rows_of(plan, options).to_pylist()
        for row in rows:
            if row["condition"] == Condition.FULL:
                row["strict_choice"] = named[row["sample_id"]]
        write_chunk(run_directory(cache, key), plan, pa.Table.from_pylist(rows))
    return key


def estimated(
    cache: Path,
    benchmark: Benchmark,
    *,
    model: str = "demo/a",
    answers: Answers = right,
    ids: Sequence[str] | None = None,
    environment: Mapping[str, object] | None = None,
    numbers: Mapping[str, Sequence[float]] | None = None,
    influences: bool = False,
    **changes: object,
) -> SpectrumRecord:
    """Write such a run with one estimate over its samples (or over those named), and ingest it.

    The record's atoms are the means of its pointwise ones, which are noise around a quarter of a
    bit unless they are given. With `influences`, what a sample adds is its pointwise value, as if
    the fit did not respond to it.
    """
    key = answered(cache, benchmark, model=model, answers=answers, environment=environment)
    ids = [sample.id for sample in benchmark.samples] if ids is None else list(ids)
    generator = np.random.default_rng(len(model) + sum(map(ord, model)))
    columns = {
        name: np.asarray((numbers or {}).get(name, generator.normal(0.25, 0.2, len(ids))))
        for name in (*ATOMS, *SCORES)
    }
    means = {name: float(columns[name].mean()) for name in ATOMS}
    half = {name: 2 * float(columns[name].std()) / len(ids) ** 0.5 for name in ATOMS}
    record = spectrum(
        key,
        model=model,
        benchmark=benchmark.name,
        n=len(ids),
        **{
            **means,
            "total": sum(means.values()),
            "interval": {
                name: (means[name] - half[name], means[name] + half[name]) for name in ATOMS
            },
            **changes,
        },
    )
    record_key = estimate_key(
        run_key=key,
        subset=record.subset,
        split=record.split,
        layer=record.layer,
        estimator=record.estimator,
        settings=record.settings,
    )
    record = SpectrumRecord.from_dict(record.to_dict() | {"estimate_key": record_key})
    if influences:
        columns |= {f"influence_{name}": columns[name] for name in ATOMS}
    save_all(cache, [(record, pa.table({"sample_id": ids} | columns))])
    return record
