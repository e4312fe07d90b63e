"""Runs whose right answers are known, with one estimate per subset, in a real cache."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from data_cache.chunks import BLOCK_SIZE, ChunkPlan, write_chunk
from data_cache.estimates import write_estimate
from data_cache.location import run_directory
from data_cache.runs import run_key, write_sidecar
from data_cache.sample_chunks import write_samples
from data_cache.samples import Benchmark, Sample
from tests.data_cache.spools import config_of, rows_of, spectrum
from tests.pages.sample_caches import numbers_of


def answer(
    cache: Path,
    benchmark: Benchmark,
    model: str,
    right: Callable[[Sample], bool],
    *,
    split: str = "test",
) -> str:
    """Write a run that has just these samples of a split right, to be ingested; returns its key."""
    config = config_of(benchmark, model=model)
    key = run_key(config)
    write_sidecar(cache, key, config)
    samples = [one for one in benchmark.samples if one.split == split]
    places = [place for place, one in enumerate(benchmark.samples) if one.split == split]
    write_samples(cache, benchmark, places)
    named = {one.id: one.answer if right(one) else 1 - one.answer for one in samples}
    options = {one.id: len(one.options) for one in samples}
    for start in range(0, len(samples), BLOCK_SIZE):
        ids = tuple(one.id for one in samples[start : start + BLOCK_SIZE])
        plan = ChunkPlan(run_key=key, index=start // BLOCK_SIZE, sample_ids=ids, draws=1)
        table = rows_of(plan, options)
        chosen = [named[one] for one in table["sample_id"].to_pylist()]
        place = table.schema.get_field_index("strict_choice")
        table = table.set_column(place, "strict_choice", pa.array(chosen))
        write_chunk(run_directory(cache, key), plan, table)
    for subset in sorted({one.subset for one in samples}):
        ids = [one.id for one in samples if one.subset == subset]
        accuracy = sum(right(one) for one in samples if one.subset == subset) / len(ids)
        record = spectrum(
            key, subset=subset, model=model, benchmark=benchmark.name, n=len(ids),
            accuracy=accuracy, split=split,
        )  # fmt: skip
        write_estimate(cache, record, numbers_of(ids))
    return key
