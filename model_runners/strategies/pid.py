"""MI26's LoRA-PID: what could be fused and is not weighs 3, language shortcuts 1/2, the rest 1."""

from model_runners.errors import NoGapSamples
from model_runners.strategies import SampleScores, Weighting, highest, weighting


def weigh(scores: SampleScores, *, top: int, seed: int) -> Weighting:
    """Lift the highest gap scores, lower the highest shortcut scores of those that are not lifted.

    Raises
    ------
    NoGapSamples
        If every gap score is 0.
    """
    gap = highest(scores.gap_score, top, scores)
    if not len(gap):
        raise NoGapSamples(
            f"none of the {len(scores.sample_ids)} training samples has a gap score above 0: the "
            "model is nowhere surer with both modalities than with one, so there is nothing for "
            "the strategy 'pid' to lift; take more or other samples, or --strategy uniform"
        )
    others = scores.shortcut.copy()
    others[gap] = 0.0  # or fewer than `top` would be lowered, and the controls lower `top`
    shortcut = highest(others, top, scores)
    warnings = [
        f"{len(found)} of {top} {what} samples were found: the others have a score of 0"
        for what, found in (("gap", gap), ("shortcut", shortcut))
        if len(found) < top
    ]
    return weighting(len(scores.sample_ids), gap=gap, shortcut=shortcut, warnings=tuple(warnings))
