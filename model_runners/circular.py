"""CircularEval: a question is right only if it is right with its options in every order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data_cache.conditions import Condition

if TYPE_CHECKING:
    from data_cache.queries import Predictions


@dataclass(frozen=True, kw_only=True)
class CircularAccuracy:
    """How many questions are right in every pass."""

    questions: int
    """Questions of which every pass is there: as many as it has options."""
    right: float
    """Of these, those that are right in all of them; mean over draws."""
    left_out: int
    """Questions of which a pass is missing."""

    @property
    def accuracy(self) -> float | None:
        """Share of the questions, 0 to 1; None where no question is whole."""
        return self.right / self.questions if self.questions else None


def circular_accuracy(
    config: Mapping[str, Any], part: "Predictions", condition: Condition = Condition.FULL
) -> CircularAccuracy | None:
    """Count the questions whose first token is the right letter in every pass.

    Parameters
    ----------
    config
        The run's; None is returned unless its questions come in every order of their options.
    part
        Predictions whose groups are questions.
    condition
        Under which they were made.
    """
    if config.get("circular") != "all" or condition not in part.strict_choice:
        return None
    right = part.strict_choice[condition] == part.answers[:, None]
    _, question = np.unique(part.group_ids, return_inverse=True)
    passes = np.bincount(question)
    options = np.zeros(len(passes), dtype=int)
    np.maximum.at(options, question, part.k)
    right_passes = np.zeros((len(passes), right.shape[1]))
    np.add.at(right_passes, question, right)
    whole = passes >= options
    in_all = right_passes[whole] == passes[whole, None]
    return CircularAccuracy(
        questions=int(whole.sum()),
        right=float(in_all.mean(axis=1).sum()),
        left_out=int((~whole).sum()),
    )
