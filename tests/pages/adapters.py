"""Caches with trained adapters, written through data_cache, for the tests of the LoRA-PID page."""

import math
from pathlib import Path
from typing import Any

from data_cache import adapters
from data_cache.adapters import AdapterRecord, LossPoint, SampleWeight
from data_cache.estimates import save_all
from data_cache.ingest import ingest
from data_cache.samples import Benchmark
from tests.data_cache.spools import profile, small_benchmark, spectrum
from tests.pages.sample_caches import COUNT, numbers_of

BASE = "demo/fusion-small"
SUBSETS = ("left", "right")
BEFORE, AFTER = 0.2, 0.5
"""Synergy in bits."""


def adapter_name(strategy: str, key: str) -> str:
    return f"{BASE}+{strategy}-{key[:6]}"


def measure(cache: Path, benchmark: Benchmark, model: str, synergy: float) -> str:
    """Write a run and its estimates on the test split; returns the run's key."""
    key = profile(cache, benchmark, model=model)
    pairs = []
    for subset in SUBSETS:
        ids = [one.id for one in benchmark.samples if (one.subset, one.split) == (subset, "test")]
        record = spectrum(
            key,
            subset=subset,
            model=model,
            benchmark=benchmark.name,
            n=len(ids),
            synergy=synergy,
            interval={"synergy": (synergy - 0.05, synergy + 0.05)},
        )
        pairs.append((record, numbers_of(ids)))
    save_all(cache, pairs)
    ingest(cache)
    return key


def write_adapter(
    cache: Path,
    *,
    key: str = "0" * 16,
    strategy: str = "pid",
    base_run_key: str | None = None,
    run_key: str | None = None,
    losses: int = 4,
    **changes: Any,
) -> AdapterRecord:
    """Write an adapter with its losses and weights, as the job that trains it does."""
    options = {
        "model": BASE, "benchmark": "small", "strategy": strategy, "subset": None, "limit": None,
        "top": None, "epochs": 1, "rank": 8, "learning_rate": 1e-3, "batch_size": 4,
        "micro_batch": None, "draws": 2, "seed": 0, "device": "auto", "dtype": "auto",
    }  # fmt: skip
    fields: dict[str, Any] = {
        "key": key, "name": adapter_name(strategy, key), "base": BASE, "base_weights": "0" * 16,
        "benchmark": "small", "strategy": strategy, "options": options, "n_train": 15, "n_gap": 4,
        "n_shortcut": 3, "mean_weight": 1.4, "steps": losses, "total_steps": 4,
        "state": "profiled", "base_run_key": base_run_key, "run_key": run_key,
        "created": f"2026-11-21T10:00:{int(key, 16) % 60:02}+00:00",
    }  # fmt: skip
    record = AdapterRecord(**(fields | changes))
    adapters.write_record(cache, record)
    train = [one for one in small_benchmark(COUNT).samples if one.split == "train"]
    nothing = math.nan
    rows = [
        SampleWeight(
            sample_id=one.id,
            subset=one.subset,
            role=role,
            weight=weight,
            gap_score=score,
            shortcut=score,
            fusion_potential=score,
            synergy_ratio=score,
        )
        for place, one in enumerate(train)
        for role, weight in [
            ("rest", 1.0)
            if strategy == "uniform" or place > 6
            else (("gap", 3.0) if place < 4 else ("shortcut", 0.5))
        ]
        for score in [nothing if strategy == "uniform" else 1.0 - place / 20]
    ]
    adapters.write_sample_weights(cache, key, rows)
    for step in range(1, losses + 1):
        point = LossPoint(step=step, epoch=step / 4, loss=2.0 / step, rate=1e-3)
        adapters.append_loss(cache, key, point)
    return record


def build_adapters(cache: Path, *strategies: str) -> list[AdapterRecord]:
    """A base and one finished adapter of each strategy, the first of them the oldest."""
    benchmark = small_benchmark(COUNT)
    base = measure(cache, benchmark, BASE, BEFORE)
    return [
        write_adapter(
            cache,
            key=f"{place:x}" * 16,
            strategy=strategy,
            base_run_key=base,
            run_key=measure(
                cache, benchmark, adapter_name(strategy, f"{place:x}" * 16), AFTER + place / 10
            ),
        )
        for place, strategy in enumerate(strategies, start=1)
    ]
