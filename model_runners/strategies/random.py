"""A control: as many samples as of `pid` at most weigh 3 and 1/2, but they are drawn."""

from model_runners.strategies import SampleScores, Weighting, drawn, weighting


def weigh(scores: SampleScores, *, top: int, seed: int) -> Weighting:
    """Lift `top` samples and lower as many others, drawn from the seed; scores are not looked at.

    Where there are fewer than two times `top` samples, all that are not lifted are lowered.
    """
    order = drawn(len(scores.sample_ids), seed)
    return weighting(len(order), gap=order[:top], shortcut=order[top : 2 * top])
