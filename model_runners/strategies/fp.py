"""A control: the highest fusion potential weighs 3, whether the fusion is already used or not."""

import numpy as np

from model_runners.errors import NoGapSamples
from model_runners.strategies import GAP_WEIGHT, REST_WEIGHT, SampleScores, Weighting, highest


def weigh(scores: SampleScores, *, top: int, seed: int) -> Weighting:
    """Lift the highest fusion potentials; nothing is lowered.

    Raises
    ------
    NoGapSamples
        If every fusion potential is 0.
    """
    lifted = highest(scores.fusion_potential, top, scores)
    if not len(lifted):
        raise NoGapSamples(
            f"none of the {len(scores.sample_ids)} training samples has a fusion potential above "
            "0, so there is nothing for the strategy 'fp' to lift; take more or other samples, or "
            "--strategy uniform"
        )
    chosen = set(lifted.tolist())
    return Weighting(
        weights=np.where(
            np.isin(np.arange(len(scores.sample_ids)), lifted), GAP_WEIGHT, REST_WEIGHT
        ),
        roles=tuple("gap" if i in chosen else "rest" for i in range(len(scores.sample_ids))),
        warnings=(
            f"{len(lifted)} of {top} gap samples were found: the others have a fusion potential "
            "of 0",
        )
        if len(lifted) < top
        else (),
    )
