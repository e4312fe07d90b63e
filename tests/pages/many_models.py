"""Records of many models for statistics: synergy or unique language leads, accuracy follows it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from data_cache.estimates import SpectrumRecord
from tests.pages.spectra import record


def models(
    n: int = 12, *, seed: int = 0, lead: str = "synergy", subset: str = "all", **changes: Any
) -> list[SpectrumRecord]:
    """One record per model, of four families; `lead` has the larger share."""
    return list(_models(n, seed, lead, subset, changes))


def _models(
    n: int, seed: int, lead: str, subset: str, changes: dict[str, Any]
) -> Iterator[SpectrumRecord]:
    generator = np.random.default_rng(seed)
    for place in range(n):
        large, small, redundancy, unique_1, noise, forced = generator.random(6).tolist()
        large, small = 0.8 + 0.6 * large, 0.2 * small
        synergy, unique_2 = (large, small) if lead == "synergy" else (small, large)
        fields: dict[str, Any] = {
            "model": f"org/model-{place}",
            "family": f"family {place % 4}",
            "atoms": (0.1 * redundancy, 0.1 * unique_1, unique_2, synergy),
            "accuracy": 0.3 + 0.4 * synergy / 1.4 + 0.02 * noise,
            "accuracy_forced": 0.5 + 0.1 * forced,
            "d_vision": 0.3 * synergy,
        }
        yield record(subset, **(fields | changes))
