"""Spectrum records for tests of figures and pages: the ideal values of digits_vqa, or changed."""

from typing import Any

from data_cache.estimates import SpectrumRecord

ATOMS = ("redundancy", "unique_1", "unique_2", "synergy")

IDEAL = {
    "synergy": (0.0, 0.0, 0.0, 2.0),
    "vision": (0.0, 2.0, 0.0, 0.0),
    "language": (0.0, 0.0, 2.0, 0.0),
    "redundant": (2.0, 0.0, 0.0, 0.0),
}
"""Bits of the four atoms for a solver that knows the digit and reads the text."""


def record(
    subset: str = "synergy",
    *,
    model: str = "demo/oracle",
    atoms: tuple[float, float, float, float] | None = None,
    **changes: Any,
) -> SpectrumRecord:
    """One record: the ideal spectrum of the subset unless the atoms are given."""
    redundancy, unique_1, unique_2, synergy = atoms or IDEAL.get(subset, (0.5, 0.5, 0.5, 0.5))
    total = redundancy + unique_1 + unique_2 + synergy
    values = dict(zip(ATOMS, (redundancy, unique_1, unique_2, synergy), strict=True))
    fields: dict[str, Any] = {
        "estimate_key": f"{model}-{subset}".replace("/", "-"),
        "run_key": "0123456789abcdef",
        "model": model,
        "family": "llava",
        "benchmark": "digits_vqa",
        "subset": subset,
        "split": "test",
        "layer": -1,
        "estimator": "certified",
        "n": 352,
        "candidates": 4,
        **values,
        "total": total,
        "information_1": redundancy + unique_1,
        "information_2": redundancy + unique_2,
        "gap_bits": 0.0004,
        "interval": {name: (value - 0.05, value + 0.04) for name, value in values.items()},
        "accuracy": 0.99,
        "accuracy_forced": 1.0,
        "d_vision": 0.74,
        "mean_confidence": 0.985,
        "calibration_error": 0.011,
        "accuracy_by_condition": {
            "full": 0.99,
            "only_1": 0.25,
            "only_2": 0.26,
            "neither": 0.24,
            "no_image": 0.25,
        },
        "fallback_rate": {"full": 0.0, "only_1": 0.02, "only_2": 0.03, "neither": 0.05},
        "noise_floor_bits": 0.01,
        "settings": {
            "tau": 0.3,
            "draws": 4,
            "seed": 0,
            "marginals": "calibrate",
            "mask_scope": "all",
            "limit": None,
        },
        "diagnostics": {"converged": True},
        "warnings": (),
        "created": "2026-11-21T10:00:00+00:00",
    }
    return SpectrumRecord(**(fields | changes))


def ideal_records(models: tuple[str, ...] = ("demo/oracle",)) -> list[SpectrumRecord]:
    """The four subsets of each model."""
    return [record(subset, model=model) for subset in IDEAL for model in models]
