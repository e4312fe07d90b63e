"""One sentence on which modality carried an answer, from what the model says in each condition."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2
from typing import Literal

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


Carrier = Literal["neither", "either", "image", "text", "together", "open"]
IN_SHORT: dict[Carrier, str] = {
    "neither": "neither is needed",
    "either": "image or text, each alone",
    "image": "image alone",
    "text": "text alone",
    "together": "only both together",
    "open": "left open",
}
"""Who gives the model's answer on its own."""


def carrier(distributions: Mapping[Condition, NDArray[np.float64]]) -> Carrier:
    """Tell which modality carried the model's answer.

    Parameters
    ----------
    distributions
        (K,) per condition; `full`, `only_1` and `only_2` must be there.
    """
    both = voice(distributions[Condition.FULL]).option
    if both is None:
        return "open"
    neither = distributions.get(Condition.NEITHER)
    if neither is not None and voice(neither).option == both:
        return "neither"
    vision, language = (
        voice(distributions[condition]).option == both
        for condition in (Condition.ONLY_1, Condition.ONLY_2)
    )
    if vision and language:
        return "either"
    return "image" if vision else "text" if language else "together"


def who_carried(distributions: Mapping[Condition, NDArray[np.float64]], answer: int) -> str:
    """Say which modality carried the model's answer.

    Parameters
    ----------
    distributions
        (K,) per condition; `full`, `only_1` and `only_2` must be there.
    answer
        The right option.
    """
    who = carrier(distributions)
    both = voice(distributions[Condition.FULL])
    vision = voice(distributions[Condition.ONLY_1])
    language = voice(distributions[Condition.ONLY_2])
    at_most = log2(len(distributions[Condition.FULL]))
    if who == "open":
        return _left_open(both, vision, language, at_most)
    this = f"{'the right answer' if both.option == answer else 'this wrong answer'}"
    if who == "neither":
        return (
            f"Neither is needed: with image and text masked the model still gives {this} "
            f"({voice(distributions[Condition.NEITHER]).probability:.0%})."
        )
    if who == "either":
        return (
            f"Image and text each give {this} on their own "
            f"({vision.probability:.0%} and {language.probability:.0%})."
        )
    if who == "image":
        return (
            f"The image alone gives {this} ({vision.probability:.0%}); "
            f"the text alone {_other(language, at_most)}."
        )
    if who == "text":
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
