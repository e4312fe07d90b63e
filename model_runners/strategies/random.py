"""A control: as many samples as of `pid` at most weigh 3 and 1/2, but they are drawn."""

import numpy as np

from model_runners.strategies import SampleScores, Weighting, weighting


def weigh(scores: SampleScores, *, top: int, seed: int) -> Weighting:
    """Lift `top` samples and lower as many others, drawn from the seed; scores are not looked at.

    Where there are fewer than two times `top` samples, all that are not lifted are lowered.
    """
    drawn = np.random.default_rng(seed).permutation(len(scores.sample_ids))
    return weighting(len(drawn), gap=drawn[:top], shortcut=drawn[top : 2 * top])
