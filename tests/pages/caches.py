"""Real cache folders for the tests of pages, written through data_cache as a runner would."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_cache.checkpoints import Checkpoint
from data_cache.chunks import ChunkPlan, write_chunk
from data_cache.conditions import PROBED
from data_cache.estimates import ATOMS, SCORES, SpectrumRecord, estimate_key, save_all
from data_cache.location import run_directory
from data_cache.runs import run_key, write_sidecar
from tests.pages.built_once import built_once

SAMPLES = ("sample-0", "sample-1")


def write_run(
    cache: Path,
    model: str,
    benchmark: str = "digits_vqa",
    *,
    parameters: int | None = None,
    checkpoint: Checkpoint | None = None,
) -> str:
    """Write a run of two samples, all conditions; returns its key."""
    config: dict[str, Any] = {
        "model": model,
        "family": "llava",
        "benchmark": benchmark,
        "benchmark_key": "0" * 16,
    }
    if checkpoint is not None:
        config |= {"model": checkpoint.model, "checkpoint": checkpoint.to_dict()}
    key = run_key(config)
    environment: dict[str, Any] = {} if parameters is None else {"parameters": parameters}
    if checkpoint is not None:
        environment["slice"] = {"split": "test", "limit": 2}
    write_sidecar(cache, key, config, environment=environment)
    plan = ChunkPlan(run_key=key, index=0, sample_ids=SAMPLES)
    rows = [
        {
            "sample_id": sample,
            "condition": str(condition),
            "draw": 0,
            "layer": -1,
            "scores": [-0.2, -3.0, -3.5, -4.0],
            "strict_choice": 0,
            "top_token": 7,
        }
        for sample in SAMPLES
        for condition in PROBED
    ]
    write_chunk(run_directory(cache, key), plan, pa.Table.from_pylist(rows))
    return key


@built_once
def build_cache(
    cache: Path,
    records: Sequence[SpectrumRecord],
    *,
    parameters: Mapping[str, int] | None = None,
    checkpoints: Sequence[Checkpoint] = (),
) -> Path:
    """Write the records with their runs and ingest them; the sizes of models by their names.

    Records of a model that is called as one of the checkpoints are of runs of that checkpoint.
    """
    of = {checkpoint.model: checkpoint for checkpoint in checkpoints}
    keys: dict[tuple[str, str], str] = {}
    pairs: list[tuple[SpectrumRecord, pa.Table]] = []
    for record in records:
        name = (record.model, record.benchmark)
        if name not in keys:
            keys[name] = write_run(
                cache,
                *name,
                parameters=(parameters or {}).get(record.model),
                checkpoint=of.get(record.model),
            )
        pairs.append((named(record, keys[name]), pointwise(record)))
    save_all(cache, pairs)
    return cache


def named(record: SpectrumRecord, run: str) -> SpectrumRecord:
    """The record as an estimate of that run."""
    key = estimate_key(
        run_key=run,
        subset=record.subset,
        split=record.split,
        layer=record.layer,
        estimator=record.estimator,
        settings=record.settings,
    )
    return dataclasses.replace(record, run_key=run, estimate_key=key)


def pointwise(record: SpectrumRecord) -> pa.Table:
    """Rows whose mean is the record."""
    atoms = {atom: getattr(record, atom) for atom in ATOMS}
    return pa.Table.from_pylist(
        [{"sample_id": sample} | atoms | dict.fromkeys(SCORES, 0.5) for sample in SAMPLES]
    )
