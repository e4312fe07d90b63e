"""What a strategy calls the samples that it weighs, and which number decided it."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from model_runners.strategies import STRATEGIES, StrategyEntry
from pages.figures.gap_histogram import ROLES, Role
from pages.figures.scores import SCORES, Score

UNKNOWN = StrategyEntry(module="", summary="")
"""Of a strategy that this PIDscope does not have any more."""
OWN = {
    "answer": Score(
        field="difficulty",
        label="1 - p(right answer)",
        unit="",
        meaning="How little probability the right option has, with image and text.",
        help="Among the options, before any training; 0 to 1.",
    ),
    "answer_without_image": Score(
        field="image_drop",
        label="Drop of p(right answer) without the image",
        unit="",
        meaning="How much less probable the right option is where the image is taken away.",
        help="Among the options, before any training; -1 to 1.",
    ),
    "audio_unique": Score(
        field="audio_unique",
        label="Audio unique",
        unit="bits",
        meaning="What only the audio tells about the answer to this sample.",
        help="Pointwise atom of the base on the train split.",
    ),
}
"""Numbers that strategies rank by and that estimates of samples do not have, by what they are
ranked by."""


def entry_of(strategy: str) -> StrategyEntry:
    """Return the line of a strategy, or one that says as little as possible."""
    return STRATEGIES.get(strategy, UNKNOWN)


def roles_of(strategy: str) -> tuple[Role, ...]:
    """Return the roles of samples in the strategy's own words, without those that nobody has.

    >>> [role.label for role in roles_of("accuracy")]
    ['hard samples', 'easy samples', 'the rest']
    """
    entry = entry_of(strategy)
    labels = {"gap": entry.lifts, "shortcut": entry.lowers, "rest": "the rest"}
    if entry.lifts is None:
        labels["rest"] = "all samples"
    return tuple(
        replace(role, label=label) for role in ROLES if (label := labels[role.name]) is not None
    )


def rank_of(strategy: str) -> Score | None:
    """Return the number that a strategy ranks samples by; None where it ranks by none."""
    field = entry_of(strategy).ranks_by
    return OWN.get(field) or next((one for one in SCORES if one.field == field), None)


def with_ranks(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the numbers of `OWN` that follow from what is stored of train samples."""
    found = frame.copy()
    if {"answer", "answer_without_image"} <= set(frame.columns):
        found["difficulty"] = 1 - frame["answer"]
        found["image_drop"] = frame["answer"] - frame["answer_without_image"]
    return found


def role_table(frame: pd.DataFrame, roles: Sequence[Role]) -> pd.DataFrame:
    """Return one row per role: how many samples, and their weight."""
    rows = []
    for role in roles:
        here = frame[frame["role"] == role.name]
        weights = sorted({float(weight) for weight in here["weight"]})
        rows.append(
            {
                "Role": role.label,
                "Train samples": f"{len(here):,}",
                "Weight": ", ".join(f"{weight:g}" for weight in weights),
            }
        )
    return pd.DataFrame(rows)
