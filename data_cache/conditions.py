"""Which parts of a sample the model gets to see: the conditions of a run."""

from enum import StrEnum


class Condition(StrEnum):
    """One way of showing a sample to the model.

    Source 1 is vision or video, source 2 language or audio.
    """

    FULL = "full"
    """Both sources as they are."""
    ONLY_1 = "only_1"
    """Source 2 masked by noise."""
    ONLY_2 = "only_2"
    """Source 1 masked by noise."""
    NEITHER = "neither"
    """Both sources masked by noise: what is left is the noise floor."""
    NO_IMAGE = "no_image"
    """The prompt built without source 1: the behavioural intervention behind D_vision."""
    NO_AUDIO = "no_audio"
    """The prompt built without source 2, where that is a sound: the intervention behind D_audio."""
    SWAP = "swap"
    """Source 1 as it is, with source 2 of another sample: the partner that its row names."""


NOISY = (Condition.ONLY_1, Condition.ONLY_2, Condition.NEITHER)
"""The conditions that depend on a draw of noise."""
PROBED = (Condition.FULL, *NOISY, Condition.NO_IMAGE)
"""The five conditions of a run that probes with noise, which is every run but one of swaps."""
SENSED = (*PROBED, Condition.NO_AUDIO)
"""The conditions of a run whose source 2 is a sound."""
SWAPPED = (Condition.FULL, Condition.SWAP)
"""The conditions of a run that swaps (docs/method.md, section 21)."""
DRAWN = (*NOISY, Condition.SWAP)
"""The conditions with several draws: of noise, or rounds of swaps; the others have one."""
