"""Patched answers that anyone can compute again: the further up, the more of FULL is back."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data_cache.conditions import Condition
from data_cache.patch_effects import UNPATCHED, patch_plan, write_patches

FULL = (0.9, 0.06, 0.04)
MASKED = (0.2, 0.3, 0.5)


def answer(layer: int, depth: int, *, strength: float = 1.0) -> list[float]:
    """Log-likelihoods after a patch at a layer: from the masked run's to the full run's."""
    share = strength * (layer + 1) / depth
    return [float(np.log(share * f + (1 - share) * m)) for f, m in zip(FULL, MASKED, strict=True)]


def patch_rows(
    sample_ids: Iterable[str], *, layers: Sequence[int], depth: int, draws: int = 1
) -> list[dict[str, Any]]:
    """Rows of a file; with even samples a patch brings all back, with odd ones half."""
    rows: list[dict[str, Any]] = []
    for one in sample_ids:
        strength = 1.0 if int(one[-1]) % 2 == 0 else 0.5
        full = answer(depth - 1, depth, strength=strength)
        rows.append(_row(one, Condition.FULL, 0, UNPATCHED, full))
        for draw in range(draws):
            for layer in (UNPATCHED, *layers):
                scores = answer(layer, depth, strength=strength)
                rows.append(_row(one, Condition.ONLY_2, draw, layer, scores))
    return rows


def write_block(
    cache: Path,
    run_key: str,
    sample_ids: Sequence[str],
    *,
    index: int = 0,
    layers: Sequence[int] = (2, 3),
    depth: int = 4,
    draws: int = 1,
) -> Path:
    plan = patch_plan(run_key, index, sample_ids, draws, layers)
    return write_patches(
        cache, plan, patch_rows(sample_ids, layers=layers, depth=depth, draws=draws)
    )


def _row(
    sample_id: str, condition: Condition, draw: int, layer: int, scores: list[float]
) -> dict[str, Any]:
    return {
        "sample_id": sample_id,
        "condition": str(condition),
        "draw": draw,
        "layer": layer,
        "scores": scores,
    }
