"""The control that MI26 misses: what only the sound tells weighs 3, where a model hears."""

import numpy as np

from model_runners.errors import BadOption, NoGapSamples
from model_runners.strategies import SampleScores, Weighting, highest, weighting


def weigh(scores: SampleScores, *, top: int, seed: int) -> Weighting:
    """Lift the samples with the most bits that only the audio tells; nothing is lowered.

    Raises
    ------
    BadOption
        If audio is no source of the base's runs.
    NoGapSamples
        If the audio alone tells nothing anywhere.
    """
    if scores.audio_unique is None:
        raise BadOption(
            "the strategy 'audio' ranks by what only the audio tells, and audio is no source of "
            "the runs of this model; take a model that sees and hears with a benchmark that has "
            "sound, or --strategy pid"
        )
    lifted = highest(scores.audio_unique, top, scores)
    if not len(lifted):
        raise NoGapSamples(
            f"in none of the {len(scores.sample_ids)} training samples does the audio alone tell "
            "anything, so there is nothing for the strategy 'audio' to lift; take --strategy "
            "uniform"
        )
    few = f"{len(lifted)} of {top} samples were found that need the sound"
    return weighting(
        len(scores.sample_ids),
        gap=lifted,
        shortcut=np.array([], int),
        warnings=(few,) if len(lifted) < top else (),
    )
