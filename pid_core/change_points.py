"""Whether one quantity changes its course at some point of a sequence, and where.

With few points a criterion alone finds a cut in half of all straight lines with noise. So the gain
of the best cut is held to what it is by chance: in straight lines with independent normal noise of
one variance, whatever the line and the variance, because neither changes the gain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import nan

import numpy as np
from jaxtyping import Float

from pid_core.errors import PidError
from pid_core.segments import SHORTEST, best_cuts

BY_CHANCE = 0.05
"""Share of straight lines in which a cut as good as this one is found, below which it counts."""
STRAIGHT_LINES = 2000
"""So many are drawn to know what chance does."""
FEWEST = 2 * SHORTEST
"""Points, for two segments."""


@dataclass(frozen=True, kw_only=True)
class ChangePoint:
    """Where a quantity changes its course most."""

    at: int
    """The first point of the new course, from 0."""
    interval: tuple[float, float]
    """95 %, or as asked, of `at`, in points; nan where nothing was drawn anew."""
    p_value: float
    """Share of straight lines with noise whose best cut is as good, 0 to 1."""

    @property
    def is_there(self) -> bool:
        """Whether one straight line would hardly do."""
        return self.p_value < BY_CHANCE


def change_point(
    values: object, *, positions: object = None, drawn: object = None, level: float = 0.95
) -> ChangePoint:
    """Find the best place to cut a sequence into two straight lines, which bend or jump there.

    Parameters
    ----------
    values : (T,)
        One quantity, for example synergy in bits, at each of T points in their order.
    positions : (T,)
        Where the points lie, growing, for example steps of a training; None spaces them evenly.
    drawn : (B, T)
        The same drawn anew, as by a bootstrap over samples; each is cut once. None gives no
        interval.
    level : of the interval, strictly between 0 and 1.

    Returns
    -------
    ChangePoint
        The best place, also where `is_there` says that a straight line does as well.

    Raises
    ------
    PidError
        If there are fewer than six points, the shapes do not fit, or a value is not finite.
    """
    one = np.asarray(values, dtype=np.float64)
    more = None if drawn is None else np.asarray(drawn, dtype=np.float64)
    where = np.asarray(range(one.size) if positions is None else positions, dtype=np.float64)
    if one.ndim != 1 or (more is not None and more.shape[1:] != one.shape):
        raise PidError(
            f"a sequence has shape (T,) and its draws (B, T); these have {one.shape}"
            f"{'' if more is None else f' and {more.shape}'}"
        )
    if len(one) < FEWEST:
        raise PidError(f"{len(one)} points are too few for a change of course; take {FEWEST}")
    if not 0.0 < level < 1.0:
        raise PidError(f"a level of {level} was asked for; take one strictly between 0 and 1")
    if not np.isfinite(one).all() or (more is not None and not np.isfinite(more).all()):
        raise PidError("a sequence holds a value that is not finite; leave that point out")
    if where.shape != one.shape or not np.isfinite(where).all() or (np.diff(where) <= 0).any():
        raise PidError(f"the places of {len(one)} points must be as many and grow")
    places: tuple[float, ...] = tuple(where.tolist())
    cuts, criteria = best_cuts(one[None, :, None], SHORTEST, count=1, positions=places)
    gain = criteria[0, 0] - criteria[0, 1]
    by_chance = _gains_by_chance(places)
    interval = (nan, nan)
    if more is not None and len(more):
        again, _ = best_cuts(more[:, :, None], SHORTEST, count=1, positions=places)
        found = np.array(again, dtype=np.float64)
        low, high = np.quantile(found[:, 0], [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
        interval = (float(low), float(high))
    return ChangePoint(
        at=cuts[0][0],
        interval=interval,
        # The sequence itself counts as one of them: a p-value is never 0.
        p_value=float((1 + np.sum(by_chance >= gain - 1e-9)) / (1 + len(by_chance))),
    )


@cache
def _gains_by_chance(places: tuple[float, ...]) -> Float[np.ndarray, " S"]:
    noise = np.random.default_rng(len(places)).normal(size=(STRAIGHT_LINES, len(places), 1))
    _, criteria = best_cuts(noise, SHORTEST, count=1, positions=places)
    return criteria[:, 0] - criteria[:, 1]
