"""The spectra of the made-up runs of `large_cache`, with what each says of every sample."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_cache.conditions import PROBED, Condition
from data_cache.plan import OUTPUT_LAYER
from data_cache.records import ATOMS, INFLUENCES, SpectrumRecord, estimate_key
from tests.pages.large_runs import MadeRun

BY_BATCH = "pmc_vqa"
"""The benchmark whose spectra are estimated by `batch` as well."""
SYNERGISTIC = frozenset({"mmbench", "mmstar", "pope"})
DEPTH = 28


def estimate_tables(run: MadeRun, layers: tuple[int, ...]) -> Iterator[tuple[str, pa.Table]]:
    """Return the records of a run and the rows of its samples, as tables of the database."""
    records: list[SpectrumRecord] = []
    tables: list[pa.Table] = []
    benchmark = run.benchmark
    subsets = list(benchmark.subsets) + (["all"] if len(benchmark.subsets) > 1 else [])
    for layer in layers:
        for split in ("test", "all") if layer == OUTPUT_LAYER else ("test",):
            for subset in subsets:
                chosen = np.arange(run.measured)
                if split == "test":
                    chosen = chosen[benchmark.is_test[: run.measured]]
                if subset in benchmark.subsets:
                    chosen = chosen[benchmark.subset[chosen] == benchmark.subsets.index(subset)]
                if not len(chosen):
                    continue
                both = benchmark.name == BY_BATCH and split == "test"
                for estimator in ("certified", "batch") if both else ("certified",):
                    record, rows = _estimate(run, layer, split, subset, estimator, chosen)
                    records.append(record)
                    tables.append(rows)
    if not records:
        return
    yield (
        "estimates",
        pa.table(
            {
                name: [getattr(record, name) for record in records]
                for name in (
                    *("estimate_key", "run_key", "model", "benchmark", "subset", "split"),
                    *("layer", "estimator"),
                )
            }
            | {"record": [as_json(vars(record)) for record in records]}
        ),
    )
    yield "pointwise", pa.concat_tables(tables)


def as_json(value: object) -> str:
    """Return a value as JSON, as the database has it."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _estimate(
    run: MadeRun,
    layer: int,
    split: str,
    subset: str,
    estimator: str,
    chosen: NDArray[np.int64],
) -> tuple[SpectrumRecord, pa.Table]:
    settings = {"tau": 0.3, "draws": 4, "seed": 0, "marginals": "calibrate", "limit": None}
    settings |= {"mask_scope": "all", "dtype": "bfloat16"}
    question = {
        "run_key": run.key,
        "subset": subset,
        "split": split,
        "layer": layer,
        "estimator": estimator,
    }
    key = estimate_key(**question, settings=settings)
    random = np.random.default_rng([*key.encode()])
    towards = 1.0 if layer == OUTPUT_LAYER else (layer + 1) / DEPTH
    atoms = _centre(run) * towards + random.normal(scale=0.03, size=4)
    rows = atoms + random.normal(scale=0.35, size=(len(chosen), 4))
    means = rows.mean(axis=0)
    positive = np.maximum(rows, 0.0)
    everything = positive.sum(axis=1) + 1e-9
    ratio, shortcut = positive[:, 3] / everything, positive[:, 2] / everything
    potential = np.maximum(random.normal(0.6, 0.5, len(chosen)), 0.0)
    width = 1.96 * rows.std(axis=0) / np.sqrt(len(chosen))
    accuracy = {condition: _accuracy(run, condition, chosen) for condition in PROBED}
    total = float(means.sum())
    record = SpectrumRecord(
        **question,
        estimate_key=key,
        settings=settings,
        model=run.model,
        family=run.family,
        benchmark=run.benchmark.name,
        n=len(chosen),
        candidates=run.benchmark.options,
        **dict(zip(ATOMS, means.tolist(), strict=True)),
        total=total,
        information_1=float(means[0] + means[1]),
        information_2=float(means[0] + means[2]),
        gap_bits=4e-4 if estimator == "certified" else 0.05,
        interval={
            name: (float(value - by), float(value + by))
            for name, value, by in zip(ATOMS, means, width, strict=True)
        }
        | {
            f"{name}_share": (float((value - by) / total), float((value + by) / total))
            for name, value, by in zip(ATOMS, means, width, strict=True)
        }
        | {"total": (total - 0.02, total + 0.02)},
        accuracy=accuracy[Condition.FULL],
        accuracy_forced=min(accuracy[Condition.FULL] + 0.01, 1.0),
        d_vision=accuracy[Condition.FULL] - accuracy[Condition.NO_IMAGE],
        mean_confidence=min(accuracy[Condition.FULL] + 0.05, 1.0),
        calibration_error=0.05,
        accuracy_by_condition={str(name): value for name, value in accuracy.items()},
        fallback_rate={str(name): 0.02 for name in PROBED},
        noise_floor_bits=0.03,
        diagnostics=_diagnostics(len(chosen)),
        created="2026-11-21T10:00:00+00:00",
    )
    columns = {"estimate_key": [key] * len(chosen)}
    columns |= {"sample_id": [run.benchmark.ids[one] for one in chosen]}
    columns |= {name: rows[:, place] for place, name in enumerate(ATOMS)}
    columns |= {"synergy_ratio": ratio, "shortcut": shortcut, "fusion_potential": potential}
    columns |= {"gap_score": (1 - ratio) * (1 - shortcut) * potential}
    columns |= {
        name: (rows - means)[:, place].astype(np.float32) for place, name in enumerate(INFLUENCES)
    }
    return record, pa.table(columns)


def _centre(run: MadeRun) -> NDArray[np.float64]:
    """Return the atoms that the model's size and the benchmark suggest, bits."""
    most = np.log2(run.benchmark.options)
    fusion, language = (0.6, 0.15) if run.benchmark.name in SYNERGISTIC else (0.2, 0.45)
    shares = np.array([0.15, 0.1, language, fusion]) * (0.35 + 0.6 * run.skill)
    turn = int(run.key[:2], 16) / 255 - 0.5
    return most * (shares + 0.1 * turn * np.array([0.0, 0.3, -1.0, 1.0]))


def _accuracy(run: MadeRun, condition: Condition, chosen: NDArray[np.int64]) -> float:
    right = run.choices[condition][chosen] == run.benchmark.answer[chosen, None]
    return float(right.mean())


def _diagnostics(n: int) -> dict[str, object]:
    """Return as many numbers as a real estimate has."""
    deviation = {name: 0.01 for atom in ATOMS for name in (atom, f"{atom}_share")}
    return {
        "converged": True,
        "iterations": 394,
        "method": "exponential multipliers",
        "residual": 1e-3,
        "draws": 4,
        "plugin": dict.fromkeys(ATOMS, 0.5),
        "prior_shift_1": 0.01,
        "prior_shift_2": 0.01,
        "samples_needed": {"delta": 0.05, "level": 0.95, "power": 0.8, **dict.fromkeys(ATOMS, n)},
        "uncertainty": {
            "method": "first order",
            "groups": n // 4,
            "quarters": 4,
            "deviation": deviation,
            "bias": dict.fromkeys(deviation, 0.003),
        },
        "accuracy_forced": {str(name): 0.5 for name in PROBED},
        "confidence": {str(name): 0.7 for name in PROBED},
        "fallback_bits": {str(name): 0.001 for name in PROBED},
    }
