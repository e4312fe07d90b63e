"""A choice of one's own: the samples of a tag weigh 3, whatever their scores are."""

import numpy as np

from model_runners.errors import NoGapSamples
from model_runners.strategies import GAP_WEIGHT, REST_WEIGHT, SampleScores, Weighting


def weigh(scores: SampleScores, *, top: int, seed: int) -> Weighting:
    """Lift every training sample that carries the tag; scores and `top` are not looked at.

    Raises
    ------
    NoGapSamples
        If none does.
    """
    lifted = np.array([one in scores.tagged for one in scores.sample_ids])
    if not lifted.any():
        raise NoGapSamples(
            f"none of the {len(scores.sample_ids)} training samples carries the tag, so there is "
            "nothing for the strategy 'tag' to lift; tag samples of the train split, or take "
            "--strategy pid"
        )
    return Weighting(
        weights=np.where(lifted, GAP_WEIGHT, REST_WEIGHT),
        roles=tuple("gap" if one else "rest" for one in lifted),
    )
