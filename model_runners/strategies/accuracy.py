"""A control: what the model gets wrong weighs 3, what is easy for it 1/2, whatever carries it."""

from model_runners.strategies import SampleScores, Weighting, ranked, weighting


def weigh(scores: SampleScores, *, top: int, seed: int) -> Weighting:
    """Lift the lowest probabilities of the right answer, lower the highest."""
    hard, easy = ranked(1.0 - scores.answer, top, scores)
    return weighting(len(scores.sample_ids), gap=hard, shortcut=easy)
