"""Which parts of a sample the model gets to see: the five conditions of a run."""

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


NOISY = (Condition.ONLY_1, Condition.ONLY_2, Condition.NEITHER)
"""The conditions that depend on a draw of noise; the others have one draw."""
