"""Segmented regression: the best places to cut a trajectory into pieces that are straight lines.

All ways of making none, one or two cuts are tried, and the Bayesian information criterion says how
good each is (segmented regression with unknown change points, Bai and Perron 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations, pairwise, product
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

SHORTEST = 3
"""Points of a segment: a line through two of them fits always and tells nothing."""
MOST_CUTS = 2
AT_ONCE = 50
"""Trajectories that are cut at once; more would only take memory."""


def best_cuts(
    values: Float[np.ndarray, "B L A"],
    shortest: int,
    *,
    count: int | None = None,
    positions: Sequence[float] | None = None,
) -> tuple[list[tuple[int, ...]], Float[np.ndarray, "B 3"]]:
    """Return the best cuts of each trajectory, and how good none, one and two of them are.

    Parameters
    ----------
    values : (B, L, A)
        Trajectories; the A columns of one are cut in the same places.
    shortest : points of a segment at least.
    count : exactly so many cuts are made; None makes as many as the criterion asks for.
    positions : (L,)
        Where the points lie, growing, for example steps of a training; None spaces them evenly.

    Returns
    -------
    cuts : for each trajectory, the first point of every segment but the first one.
    criteria : (B, 3)
        The Bayesian information criterion without a cut, with one, with two; lower is better, and
        infinite where there is no room for so many.
    """
    many, length, width = values.shape
    points = length * width
    places_at = tuple(map(float, range(length) if positions is None else positions))
    centred = values - values.mean(axis=1, keepdims=True)
    whole = np.square(centred).sum(axis=(1, 2))
    # What rounding leaves of a perfect fit is no evidence for one more cut.
    smallest = 1e-12 * np.maximum(np.square(values).sum(axis=(1, 2)), 1e-300)
    scores = np.full((many, MOST_CUTS + 1), np.inf)
    chosen: list[list[tuple[int, ...]]] = []
    for cuts, (places, bases, columns) in enumerate(_candidates(places_at, shortest)):
        chosen.append([()] * many)
        if not places:
            continue
        flat = bases.reshape(-1, length)
        for start in range(0, many, AT_ONCE):
            part = slice(start, start + AT_ONCE)
            block = centred[part]
            explained = flat @ block.transpose(1, 0, 2).reshape(length, -1)
            explained = np.square(explained).reshape(len(places), -1, len(block), width)
            left = whole[part] - explained.sum(axis=(1, 3))
            left = np.maximum(left, smallest[part])
            free = (width * columns + cuts + 1)[:, None]
            criteria = points * np.log(left / points) + free * np.log(points)
            best = np.argmin(criteria, axis=0)
            scores[part, cuts] = criteria[best, np.arange(len(block))]
            chosen[cuts][part] = [places[at] for at in best]
    if count is not None:
        return chosen[count], scores
    best = np.argmin(scores, axis=1)
    return [chosen[cuts][row] for row, cuts in enumerate(best)], scores


@cache
def _candidates(
    positions: tuple[float, ...], shortest: int
) -> list[tuple[list[tuple[int, ...]], Any, Any]]:
    """Return, for no, one and two cuts: the places, a basis for each, and its columns.

    At a cut the lines bend, and keep their value at the point before it, or they jump; each way of
    doing so is a candidate of its own. The bases are (candidates, columns, L), padded with zeros.
    """
    length = len(positions)
    where = np.array(positions, dtype=np.float64)
    where = (where - where[0]) / max(where[-1] - where[0], 1.0)
    found: list[tuple[list[tuple[int, ...]], Any, Any]] = []
    for count in range(MOST_CUTS + 1):
        places: list[tuple[int, ...]] = []
        bases: list[NDArray[np.float64]] = []
        columns: list[int] = []
        for cuts in combinations(range(shortest, length - shortest + 1), count):
            if any(two - one < shortest for one, two in pairwise(cuts)):
                continue
            for jumps in product((False, True), repeat=count):
                design = [np.ones(length), where]
                for at, jump in zip(cuts, jumps, strict=True):
                    design.append(np.clip(where - where[at - 1], 0.0, None))
                    if jump:
                        design.append((where >= where[at]).astype(np.float64))
                basis = np.zeros((2 * (MOST_CUTS + 1), length))
                basis[: len(design)] = np.linalg.qr(np.stack(design, axis=1))[0].T
                places.append(cuts)
                bases.append(basis)
                columns.append(len(design))
        stacked = np.array(bases).reshape(len(places), 2 * (MOST_CUTS + 1), length)
        found.append((places, stacked, np.array(columns, dtype=np.float64)))
    return found
