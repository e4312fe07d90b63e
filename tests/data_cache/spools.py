"""Real samples, runs and chunks in small numbers, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from data_cache.chunks import BLOCK_SIZE, OUTPUT_LAYER, ChunkPlan, write_chunk
from data_cache.conditions import PROBED, Condition
from data_cache.estimates import ATOMS, SCORES, SpectrumRecord, estimate_key
from data_cache.location import run_directory
from data_cache.runs import run_key, write_sidecar
from data_cache.sample_chunks import write_samples
from data_cache.samples import Benchmark, ImageFile, Sample

# A 1 x 1 PNG, as any encoder writes it.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c6360000000"
    "020001737501180000000049454e44ae426082"
)


def small_benchmark(count: int = 100, name: str = "small") -> Benchmark:
    samples = tuple(
        Sample(
            id=f"s{i:04d}",
            group_id=f"g{i // 2:04d}",
            question=f"Question {i}?",
            options=("yes", "no", "both", "none")[: 2 + i % 3],
            answer=i % 2,
            images=(ImageFile(data=PIXEL),),
            subset=("left", "right")[i % 2],
            split="train" if i % 4 == 0 else "test",
            system="Task." if i % 3 else None,
            meta={"i": i},
        )
        for i in range(count)
    )
    return Benchmark(name=name, samples=samples)


def config_of(benchmark: Benchmark, **more: object) -> dict[str, object]:
    return {
        "model": "demo/oracle",
        "family": "llava",
        "benchmark": benchmark.name,
        "benchmark_key": benchmark.key,
        "seed": 0,
        **more,
    }


def score_of(sample_id: str, condition: Condition, draw: int, layer: int, k: int) -> list[float]:
    """Log-likelihoods that anyone can compute again: a softmax of a hash, times a mass of 0.9."""
    number = (
        sum(map(ord, sample_id)) + 7 * list(Condition).index(condition) + 13 * draw + 17 * layer
    )
    logits = np.cos(number + np.arange(k))
    return list(np.log(0.9) + logits - np.log(np.exp(logits).sum()))


def rows_of(
    plan: ChunkPlan, options: dict[str, int] | None = None, *, features: bool = True
) -> pa.Table:
    rows = []
    for sample_id in plan.sample_ids:
        k = (options or {}).get(sample_id, 4)
        for layer in plan.layers:
            for condition in plan.conditions:
                for draw in range(plan.draws_of(condition)):
                    own = condition == Condition.FULL and layer == OUTPUT_LAYER
                    inner = plan.layer_features and condition == Condition.FULL and not own
                    state = [float(layer), float(len(sample_id)), float(k)] if inner else None
                    rows.append(
                        {
                            "sample_id": sample_id,
                            "condition": str(condition),
                            "draw": draw,
                            "layer": layer,
                            "scores": score_of(sample_id, condition, draw, layer, k),
                            "strict_choice": draw % 2 if layer == OUTPUT_LAYER else -1,
                            "top_token": 65 + draw,
                            "text_tokens": 20 if own else None,
                            "image_tokens": 16 if own else None,
                            "features_1": [1.0, float(k), 0.5] if own and features else state,
                            "features_2": [2.0, float(k)] if own and features else state,
                        }
                    )
    return pa.Table.from_pylist(rows)


def profile(
    cache: Path,
    benchmark: Benchmark,
    *,
    limit: int | None = None,
    draws: int = 2,
    layers: Sequence[int] = (OUTPUT_LAYER,),
    conditions: Sequence[Condition] = PROBED,
    layer_features: bool = False,
    **more: object,
) -> str:
    """Write what a runner writes: sidecar, samples, one chunk per block. Returns the run key."""
    config = config_of(benchmark, **more)
    key = run_key(config)
    write_sidecar(cache, key, config, self_test={"passed": True})
    chosen = benchmark.samples[:limit]
    write_samples(cache, benchmark, range(len(chosen)))
    options = {sample.id: len(sample.options) for sample in benchmark.samples}
    for start in range(0, len(chosen), BLOCK_SIZE):
        plan = ChunkPlan(
            run_key=key,
            index=start // BLOCK_SIZE,
            sample_ids=tuple(sample.id for sample in chosen[start : start + BLOCK_SIZE]),
            draws=draws,
            layers=tuple(layers),
            conditions=tuple(conditions),
            layer_features=layer_features,
        )
        write_chunk(run_directory(cache, key), plan, rows_of(plan, options))
    return key


def spectrum(
    key: str, *, subset: str = "all", layer: int = OUTPUT_LAYER, **more: object
) -> SpectrumRecord:
    settings = {"tau": 0.3, "draws": 2}
    fields: dict[str, object] = {
        "estimate_key": estimate_key(
            run_key=key,
            subset=subset,
            split="test",
            layer=layer,
            estimator="certified",
            settings=settings,
        ),
        "run_key": key,
        "model": "demo/oracle",
        "family": "llava",
        "benchmark": "small",
        "subset": subset,
        "split": "test",
        "layer": layer,
        "estimator": "certified",
        "n": 3,
        "candidates": 4,
        "redundancy": 0.25,
        "unique_1": 0.5,
        "unique_2": 0.0,
        "synergy": 1.125,
        "total": 1.875,
        "information_1": 0.75,
        "information_2": 0.25,
        "gap_bits": 1e-4,
        "interval": {"redundancy": (0.2, 0.3)},
        "accuracy": 0.98,
        "accuracy_forced": 0.99,
        "d_vision": None,
        "mean_confidence": 0.97,
        "calibration_error": 0.01,
        "accuracy_by_condition": {"full": 0.98},
        "fallback_rate": {"full": 0.0},
        "noise_floor_bits": 0.01,
        "settings": settings,
        "diagnostics": {"converged": True},
        "warnings": ("first", "second"),
        "created": "2026-01-02T03:04:05+00:00",
    }
    return SpectrumRecord(**{**fields, **more})  # type: ignore[arg-type]  # values of many types


def pointwise_rows(ids: Sequence[str] = ("s0001", "s0002", "s0003")) -> pa.Table:
    columns = {name: np.linspace(0.1, 1, len(ids)) for name in (*ATOMS, *SCORES)}
    return pa.table({"sample_id": list(ids), **columns})
