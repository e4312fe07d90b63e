"""Caches with samples, predictions and estimates by subset, for the tests of the Samples page."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from data_cache.estimates import ATOMS, SCORES, save_all
from data_cache.ingest import ingest
from data_cache.samples import Benchmark
from tests.data_cache.spools import profile, small_benchmark, spectrum
from tests.pages.built_once import built_once

COUNT = 60
"""Samples, half of them in the subset `left`, half in `right`."""


def numbers_of(ids: Sequence[str]) -> pa.Table:
    """Numbers that fall with the place in the benchmark: the first sample is the hardest."""
    falling = [1.0 - int(one[1:]) / 1000 for one in ids]
    return pa.table({"sample_id": list(ids)} | dict.fromkeys((*ATOMS, *SCORES), falling))


@built_once
def build_samples(
    cache: Path,
    benchmark: Benchmark | None = None,
    *,
    model: str = "demo/oracle",
    subsets: Sequence[str] = ("left", "right"),
    **changes: object,
) -> Path:
    """Write a run and one estimate per subset (`all` is the pooled one), and ingest them."""
    benchmark = benchmark or small_benchmark(COUNT)
    key = profile(cache, benchmark, model=model)
    pairs = []
    for subset in subsets:
        ids = [one.id for one in benchmark.samples if subset in ("all", one.subset)]
        record = spectrum(
            key, subset=subset, model=model, benchmark=benchmark.name, n=len(ids), **changes
        )
        pairs.append((record, numbers_of(ids)))
    save_all(cache, pairs)
    ingest(cache)
    return cache


def hostile_benchmark() -> Benchmark:
    """Texts that would fetch or run something if they were taken for Markdown or HTML."""
    bad = "![x](http://example.org/x.png) <img src=http://example.org/y.png> $\\frac{1}{2}$"
    samples = tuple(
        dataclasses.replace(one, question=bad, options=(bad, "no"), answer=0, system=bad)
        for one in small_benchmark(2).samples
    )
    return Benchmark(name="hostile", samples=samples)
