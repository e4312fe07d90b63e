"""A control: what the model cannot answer without the image weighs 3, what it can 1/2."""

import numpy as np

from model_runners.errors import BadOption
from model_runners.strategies import SampleScores, Weighting, ranked, weighting


def weigh(scores: SampleScores, *, top: int, seed: int) -> Weighting:
    """Lift the largest drops of the right answer's probability without the image, lower the least.

    Raises
    ------
    BadOption
        If some sample was not run without its image.
    """
    drop = scores.answer - scores.answer_without_image
    if np.isnan(drop).any():
        raise BadOption(
            f"{int(np.isnan(drop).sum())} of the {len(drop)} training samples were not run without "
            "their image, which the strategy 'ablation' ranks by; profile the train split with the "
            "condition no_image, or take --strategy accuracy"
        )
    needs, needs_not = ranked(drop, top, scores)
    return weighting(len(scores.sample_ids), gap=needs, shortcut=needs_not)
