"""Where along the layers a model's spectrum changes its course: phases, and where an atom emerges.

A trajectory is cut into segments, each of which is linear in the layer, all atoms at once. At a cut
the lines bend or jump. All cuts are tried, and the one with the lowest Bayesian information
criterion is taken, which also says how many there are (segmented regression with unknown change
points, Bai and Perron 1998). What MI26 describe as silent encoding, unimodal accumulation and late
fusion is then a claim that can fail: three segments, of which the first holds next to no
information, the second gains more unique information than synergy, and the third gains most of the
synergy. Intervals come from trajectories drawn anew: the same cut is made through each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, nan
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pid_core.errors import PidError
from pid_core.segments import MOST_CUTS, SHORTEST, best_cuts

ATOMS = 4
SILENT_BELOW = 0.1
"""Share of the largest total that a silent phase holds at most, on average."""
HALF = 0.5

Pattern = Literal["three phases", "other phases", "no change", "too few layers", "no information"]
SMALLEST_TOTAL = 0.05
"""Bits. A trajectory that never holds more than this has no course to describe."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Where one segment ends and the next begins."""

    layer: int
    """The first layer of the later segment, from 0."""
    depth: float
    """The share of layers before it, 0 to 1."""
    interval: tuple[float, float]
    """95 %, or as asked, of `depth`; nan where no trajectories were drawn."""


@dataclass(frozen=True, kw_only=True)
class Phases:
    """The segments of a trajectory."""

    cuts: tuple[Cut, ...]
    """None, one or two."""
    pattern: Pattern
    """Whether the segments are those that MI26 describe."""
    support: float
    """Share of the drawn trajectories with the same pattern; nan where none were drawn."""
    criterion: tuple[float, ...]
    """The Bayesian information criterion without a cut, with one, with two; lower is better."""
    note: str = ""
    """Why nothing was fitted, or why the pattern does not hold; empty where it does."""


@dataclass(frozen=True, kw_only=True)
class Emergence:
    """From which layer on an atom is there."""

    layer: int | None
    """The first layer from which on the atom stays above the level; None where it never does."""
    depth: float
    """The share of layers before it, 0 to 1; nan where the atom never emerges."""
    interval: tuple[float, float]
    """95 %, or as asked, of `depth`; nan where too few of the drawn trajectories emerge."""


def phases(
    atoms: object, *, drawn: object = None, level: float = 0.95, shortest: int = SHORTEST
) -> Phases:
    """Cut a trajectory where its course changes, and say whether the pieces are MI26's phases.

    Parameters
    ----------
    atoms : (L, 4) bits
        R, U1, U2 and S of each layer, from the first on.
    drawn : (B, L, 4) bits
        The same trajectory drawn anew, as by a bootstrap over samples that takes the same samples
        in all layers; None gives no intervals.
    level : of the intervals, strictly between 0 and 1.
    shortest : layers of a segment at least, 3 or more.

    Returns
    -------
    Phases
        With fewer than two segments' worth of layers, or less than 0.05 bits of total information
        in every layer, there are no cuts and `note` says why.

    Raises
    ------
    PidError
        If the shapes do not fit, or a value is not finite.
    """
    values, others = _checked(atoms, drawn, level)
    if shortest < SHORTEST:
        raise PidError(f"segments of {shortest} layers were asked for; take {SHORTEST} or more")
    length = len(values)
    total = values.sum(axis=1)
    if length < 2 * shortest:
        note = f"{length} layers are too few: two segments need {2 * shortest}."
        return Phases(cuts=(), pattern="too few layers", support=nan, criterion=(), note=note)
    if total.max() < SMALLEST_TOTAL:
        note = f"No layer holds more than {SMALLEST_TOTAL} bits."
        return Phases(cuts=(), pattern="no information", support=nan, criterion=(), note=note)
    cuts, criteria = best_cuts(values[None], shortest)
    pattern, note = _pattern(values, cuts[0])
    support, bounds = nan, [(nan, nan)] * len(cuts[0])
    if len(others):
        again, _ = best_cuts(others, shortest, count=len(cuts[0]))
        depths = np.array(again, dtype=np.float64).reshape(len(others), -1) / length
        tails = [(1.0 - level) / 2.0, (1.0 + level) / 2.0]
        bounds = [tuple(np.quantile(column, tails).tolist()) for column in depths.T]
        free, _ = best_cuts(others, shortest)
        same = [_pattern(one, at)[0] == pattern for one, at in zip(others, free, strict=True)]
        support = float(np.mean(same))
    return Phases(
        cuts=tuple(
            Cut(layer=at, depth=at / length, interval=bound)
            for at, bound in zip(cuts[0], bounds, strict=True)
        ),
        pattern=pattern,
        support=support,
        criterion=tuple(criteria[0].tolist()),
        note=note,
    )


def emergence(
    values: object, *, drawn: object = None, share: float = HALF, level: float = 0.95
) -> Emergence:
    """Say from which layer on an atom stays above a share of the most that it ever reaches.

    Parameters
    ----------
    values : (L,) bits
        One atom, from the first layer on.
    drawn : (B, L) bits
        The same drawn anew; each is held to its own largest value.
    share : of the largest value, strictly between 0 and 1; one half gives the layer of half rise.
    level : of the interval, strictly between 0 and 1.

    Returns
    -------
    Emergence
        None where the largest value is not positive, or where the atom has fallen below the share
        of it by the last layer.

    Raises
    ------
    PidError
        If the shapes do not fit, a value is not finite, or the share is none.
    """
    if not 0.0 < share < 1.0:
        raise PidError(f"a share of {share} was asked for; take one strictly between 0 and 1")
    one = np.asarray(values, dtype=np.float64)
    more = None if drawn is None else np.asarray(drawn, dtype=np.float64)
    if one.ndim != 1 or not one.size or (more is not None and more.shape[1:] != one.shape):
        raise PidError(
            f"an atom over layers has shape (L,) and its draws (B, L); these have {one.shape}"
            f"{'' if more is None else f' and {more.shape}'}"
        )
    _check_level(level)
    if not np.isfinite(one).all() or (more is not None and not np.isfinite(more).all()):
        raise PidError("an atom over layers holds a value that is not finite; leave that layer out")
    at = _emerged(one[None], share)[0]
    interval = (nan, nan)
    if more is not None and len(more):
        found = _emerged(more, share)
        if np.mean(found < len(one)) >= level:
            tails = [(1.0 - level) / 2.0, (1.0 + level) / 2.0]
            low, high = np.quantile(found[found < len(one)] / len(one), tails)
            interval = (float(low), float(high))
    if at == len(one):
        return Emergence(layer=None, depth=nan, interval=(nan, nan))
    return Emergence(layer=int(at), depth=float(at / len(one)), interval=interval)


def _emerged(values: NDArray[np.float64], share: float) -> Int[np.ndarray, " B"]:
    """Return the first layer from which on each row stays above; the number of layers if none."""
    peak = values.max(axis=1, keepdims=True)
    below = (values < share * peak) | (peak <= 0.0)
    length = values.shape[1]
    # The layer behind the last one that lies below.
    last = length - np.argmax(below[:, ::-1], axis=1)
    return np.where(below.any(axis=1), last, 0)


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise PidError(f"a level of {level} was asked for; take one strictly between 0 and 1")


def _checked(
    atoms: object, drawn: object, level: float
) -> tuple[Float[np.ndarray, "L 4"], Float[np.ndarray, "B L 4"]]:
    values = np.asarray(atoms, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != ATOMS or not len(values):
        raise PidError(f"a trajectory has shape (L, {ATOMS}); this one has {values.shape}")
    others = np.empty((0, *values.shape)) if drawn is None else np.asarray(drawn, dtype=np.float64)
    if others.shape[1:] != values.shape:
        raise PidError(
            f"the drawn trajectories have shape {others.shape}; it should be (B, {len(values)}, 4)"
        )
    if not (np.isfinite(values).all() and np.isfinite(others).all()):
        raise PidError("a trajectory holds a value that is not finite; leave that layer out")
    _check_level(level)
    return values, others


def _pattern(values: Float[np.ndarray, "L 4"], cuts: tuple[int, ...]) -> tuple[Pattern, str]:
    """Hold the segments to what MI26 say of them."""
    if not cuts:
        return "no change", "One line through all layers is enough."
    if len(cuts) < MOST_CUTS:
        return "other phases", "There are two phases."
    first, second = cuts
    total, synergy = values.sum(axis=1), values[:, 3]
    if total[:first].mean() > SILENT_BELOW * total.max():
        share = total[:first].mean() / total.max()
        return "other phases", f"The first phase is not silent: it holds {ceil(100 * share)} %."
    unique = values[:, 1] + values[:, 2]
    gained = [column[second - 1] - column[first - 1] for column in (unique, synergy)]
    if gained[0] <= gained[1]:
        return "other phases", "The second phase gains no more unique information than synergy."
    late = synergy[second:].max() - synergy[second - 1]
    early = synergy[second - 1] - synergy[first - 1]
    if late <= max(early, 0.0):
        return "other phases", "The last phase gains no more synergy than the second."
    return "three phases", ""
