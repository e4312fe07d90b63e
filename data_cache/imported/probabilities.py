"""What a file may say about probabilities, and what of it a run stores."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from data_cache.formats.rows import Row

Scale = Literal["options", "vocabulary"]
"""Whether probabilities were made to sum to 1 over the options, or are those of the options among
all words, which sum to less."""

ROUNDING = 0.02
"""How far a sum may be from what it should be: four numbers of two decimals are off by as much."""
TIE = 1e-6
"""Probabilities closer than this are equal."""
NO_PROBABILITY = -104.0
"""The score of a probability of 0: its logarithm is less than that of the smallest number above 0
in single precision, and scores must be finite."""

Vector = NDArray[np.float64]


def vector_of(row: Row, column: str, values: Sequence[object]) -> Vector:
    """Return probabilities as numbers.

    Raises
    ------
    BadRow
        If one is no number from 0 to 1.
    """
    found: list[float] = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise row.bad(column, f"{value!r} is no probability")
        try:
            number = float(value)
        except ValueError:
            raise row.bad(column, f"{value!r} is no number") from None
        if not -TIE <= number <= 1 + ROUNDING:  # NaN too
            raise row.bad(
                column,
                f"{number:.6g} is no probability; give numbers from 0 to 1, neither percentages, "
                "logarithms nor logits",
            )
        found.append(min(max(number, 0.0), 1.0))
    return np.array(found, dtype=np.float64)


def checked(row: Row, column: str, given: Vector, count: int, scale: Scale) -> Vector:
    """Return the probabilities of a row's options.

    Parameters
    ----------
    row, column
        Where they stand.
    given
        At least `count` numbers; those behind are of options that the row does not have.
    count
        How many options it has.
    scale
        What they should sum to.

    Returns
    -------
    `count` numbers that sum to 1 (`options`) or to 1 at most (`vocabulary`), rounding undone.

    Raises
    ------
    BadRow
        If their number or their sum is wrong.
    """
    if len(given) < count:
        raise row.bad(column, f"it has {len(given)} numbers, and there are {count} options")
    offered, behind = given[:count], given[count:]
    total = float(offered.sum())
    if scale == "vocabulary":
        if total + behind.sum() > 1 + ROUNDING:
            raise row.bad(column, f"it sums to {total + behind.sum():.3f}, and may not exceed 1")
        return offered / max(1.0, total)
    if behind.any():
        raise row.bad(
            column, f"it gives {behind.sum():.3f} to options beyond the {count} of this row"
        )
    if abs(total - 1) > ROUNDING:
        raise row.bad(
            column,
            f"it sums to {total:.3f} and not to 1; probabilities among all words have a column of "
            "their own (see docs/importing-predictions.md)",
        )
    return offered / total


def refuse_contradiction(row: Row, column: str, forced: Vector, mass: Vector) -> None:
    """Refuse probabilities among the options that are not those among all words made to sum to 1.

    Uniform ones may be: whoever wrote the file may have put them where the options had too little
    mass, at a threshold that nobody knows here.

    Raises
    ------
    BadRow
        If they contradict each other.
    """
    total = float(mass.sum())
    uniform = np.full(len(forced), 1 / len(forced))
    same = total > 0 and bool(np.abs(mass / total - forced).max() <= ROUNDING)
    if not same and np.abs(forced - uniform).max() > ROUNDING:
        raise row.bad(
            column,
            "it is neither uniform nor what the probabilities among all words give when they are "
            "made to sum to 1",
        )


def certain_choice(given: Vector, count: int) -> int:
    """Return the option that must have been the likeliest word; -1 where none must.

    Words that are not listed share what the listed ones leave, so one of them may have been
    likelier than the best option. Two options that share the first place name none.

    Parameters
    ----------
    given
        Probabilities of the options, and of letters that are no options of this row behind them.
    count
        How many options there are.

    Examples
    --------
    >>> certain_choice(np.array([0.6, 0.2]), 2), certain_choice(np.array([0.4, 0.1]), 2)
    (0, -1)
    >>> certain_choice(np.array([0.5, 0.5]), 2), certain_choice(np.array([0.1, 0.2, 0.6]), 2)
    (-1, -1)
    """
    best = int(given.argmax())
    others = np.delete(given, best)
    rest = 1.0 - float(given.sum())
    if best >= count or given[best] <= rest + TIE or (others >= given[best] - TIE).any():
        return -1
    return best


def scores_of(probabilities: Vector) -> Vector:
    """Return natural-log likelihoods, all finite.

    >>> scores_of(np.array([1.0, 0.0])).tolist()
    [0.0, -104.0]
    """
    smallest = np.exp(NO_PROBABILITY)
    return np.log(np.maximum(probabilities, smallest))
