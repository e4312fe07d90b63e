"""Ordinary LoRA: every sample weighs the same."""

import numpy as np

from model_runners.strategies import REST_WEIGHT, SampleScores, Weighting


def weigh(scores: SampleScores, *, top: int, seed: int) -> Weighting:
    """Give every sample the weight 1; scores are not looked at."""
    n = len(scores.sample_ids)
    return Weighting(weights=np.full(n, REST_WEIGHT), roles=("rest",) * n)
