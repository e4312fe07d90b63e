"""One sentence on which modality carried an answer, from what the model says in each condition."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import NDArray

from data_cache.conditions import Condition
from data_cache.samples import letter_of

SURE = 0.5
"""A distribution names an option that stands at least half the way from chance to certainty."""


@dataclass(frozen=True, kw_only=True)
class Voice:
    """What one condition says."""

    option: int | None
    """The option that it names; None where it leaves the answer open."""
    probability: float
    """Of its most likely option."""
    entropy: float
    """Bits."""

    @property
    def is_open(self) -> bool:
        return self.option is None


def voice(probabilities: NDArray[np.float64]) -> Voice:
    """Read a distribution over two or more options.

    >>> voice(np.array([0.9, 0.1])).option, voice(np.array([0.7, 0.3])).option
    (0, None)
    """
    top = int(probabilities.argmax())
    chance = 1 / len(probabilities)
    probability = float(probabilities[top])
    named = (probability - chance) / (1 - chance) >= SURE
    entropy = float(-sum(p * log2(p) for p in probabilities if p > 0)) + 0.0
    return Voice(option=top if named else None, probability=probability, entropy=entropy)


def who_carried(distributions: Mapping[Condition, NDArray[np.float64]], answer: int) -> str:
    """Say which modality carried the model's answer.

    Parameters
    ----------
    distributions
        (K,) per condition; `full`, `only_1` and `only_2` must be there.
    answer
        The right option.
    """
    both = voice(distributions[Condition.FULL])
    vision = voice(distributions[Condition.ONLY_1])
    language = voice(distributions[Condition.ONLY_2])
    at_most = log2(len(distributions[Condition.FULL]))
    if both.option is None:
        return _left_open(both, vision, language, at_most)
    this = f"{'the right answer' if both.option == answer else 'this wrong answer'}"
    neither = distributions.get(Condition.NEITHER)
    if neither is not None and voice(neither).option == both.option:
        return (
            f"Neither is needed: with image and text masked the model still gives {this} "
            f"({voice(neither).probability:.0%})."
        )
    tells_1, tells_2 = vision.option == both.option, language.option == both.option
    if tells_1 and tells_2:
        return (
            f"Image and text each give {this} on their own "
            f"({vision.probability:.0%} and {language.probability:.0%})."
        )
    if tells_1:
        return (
            f"The image alone gives {this} ({vision.probability:.0%}); "
            f"the text alone {_other(language, at_most)}."
        )
    if tells_2:
        return (
            f"The text alone gives {this} ({language.probability:.0%}); "
            f"the image alone {_other(vision, at_most)}."
        )
    only = f"Only image and text together give {this}: "
    if vision.is_open and language.is_open:
        return (
            f"{only}alone, each leaves it open "
            f"(entropy {vision.entropy:.2f} and {language.entropy:.2f} of {at_most:.2f} bits)."
        )
    return (
        f"{only}the image alone {_other(vision, at_most)}, "
        f"the text alone {_other(language, at_most)}."
    )


def _left_open(both: Voice, vision: Voice, language: Voice, at_most: float) -> str:
    start = (
        f"Image and text together leave the answer open "
        f"(entropy {both.entropy:.2f} of {at_most:.2f} bits)"
    )
    named = [
        f"the {name} alone {_other(alone, at_most)}"
        for name, alone in (("image", vision), ("text", language))
        if not alone.is_open
    ]
    return (
        f"{start}, though {' and '.join(named)}." if named else f"{start}, and so does each alone."
    )


def _other(alone: Voice, at_most: float) -> str:
    if alone.option is None:
        return f"leaves it open (entropy {alone.entropy:.2f} of {at_most:.2f} bits)"
    return f"points to {letter_of(alone.option)} ({alone.probability:.0%})"
