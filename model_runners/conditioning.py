"""Which condition the sources of a run are read under, and which value of it each sample has.

The instruction of a sensory run is a condition and no source (MI26 section 2.2): the atoms are
solved for within each template and averaged by their shares. Templates with few samples are pooled
with their question type, and the result says so.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from data_cache import instructions
from pid_core.conditional import SMALLEST, Conditions, conditions

if TYPE_CHECKING:
    from data_cache.queries import Predictions, RunRow

NOTHING = "nothing"
"""The condition of those who want none."""
SENSORY = "video-audio"
"""The sources beside which the text is read in every run."""


class Conditioned(Protocol):
    """Of an estimate's options."""

    @property
    def given(self) -> str | None:
        """What is conditioned on."""
        ...


def given_of(cache: Path, run: "RunRow", options: Conditioned) -> str | None:
    """Return the name of what an estimate is conditioned on; None where that is nothing.

    Where nobody says: the question's template in a sensory run, or its exact words where the
    benchmark names no templates.
    """
    if options.given == NOTHING:
        return None
    if options.given is None and run.config.get("sources") == SENSORY:
        found = instructions.has_templates(cache, run.benchmark_key)
        return instructions.TEMPLATE if found else instructions.QUESTION
    return options.given


def conditions_of(
    cache: Path, run: "RunRow", part: "Predictions", options: Conditioned
) -> Conditions | None:
    """Return the condition of each sample of a part; None where there is none.

    Raises
    ------
    CacheError
        If not every sample has what is conditioned on.
    """
    if options.given is None:
        return None
    told = instructions.instructions(
        cache, run.benchmark_key, part.sample_ids.tolist(), options.given
    )
    return conditions(told.exact, told.coarser, n=len(told.exact), smallest=SMALLEST)
