"""What a task asks of models: mean shares over models, and which atom leads, with intervals.

Where synergy's share of the total exceeds that of unique information of source 2 (the text), models
answer by combining the sources; where it is the other way round, from what the text alone tells.
Which of the two holds is a statement about a mean over models, so it is made only where the
interval of the difference lies on one side of zero; else it is undecided. The difference is taken
within each model: what inflates both shares of a model cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, cast

import numpy as np
from jaxtyping import Float

from pid_core.association import (
    FEWEST,
    RESAMPLES,
    Association,
    bootstrap_counts,
    expanded_interval,
    spearman,
)
from pid_core.errors import PidError

Statement = Literal["synergy-driven", "knowledge-driven", "undecided", "too few models"]


@dataclass(frozen=True, kw_only=True)
class MeanOver:
    """A mean over models."""

    mean: float
    """nan where there is no model."""
    interval: tuple[float, float]
    """95 %, or as asked; nan where fewer than four models or groups are there."""


@dataclass(frozen=True, kw_only=True)
class Regime:
    """Mean shares of synergy and of source 2's unique information, and which one leads."""

    synergy: MeanOver
    """Fraction of the total."""
    unique_2: MeanOver
    """Fraction of the total."""
    difference: MeanOver
    """Synergy's share minus unique information's, model by model."""
    statement: Statement
    n: int
    """Models."""


def mean_over(
    values: object,
    *,
    groups: object = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[MeanOver]:
    """Return the mean of each column over models, with a bootstrap interval.

    Parameters
    ----------
    values : (N, C), one row per model, finite.
    groups : (N,), whole groups of models are drawn; None draws models.
    level : coverage, strictly between 0 and 1.
    resamples, seed : of the bootstrap; every column sees the same models drawn.

    Raises
    ------
    PidError
        If the shape is another or a number is not finite.

    References
    ----------
    Efron and Tibshirani 1993, chapter 13; Hesterberg 2015 (quantiles for few units).

    Examples
    --------
    >>> found = mean_over([[0.2], [0.4], [0.6], [0.8]])[0]
    >>> round(found.mean, 6), [round(end, 1) for end in found.interval]
    (0.5, [0.2, 0.8])
    """
    rows = np.array(cast("Any", values), dtype=np.float64)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise PidError(f"values must be finite and of shape (N, C), got shape {rows.shape}")
    unknown = (float("nan"), float("nan"))
    if not len(rows):
        return [MeanOver(mean=float("nan"), interval=unknown)] * rows.shape[1]
    counts, units = bootstrap_counts(len(rows), groups, resamples=resamples, seed=seed)
    means = rows.mean(axis=0)
    # Centred, so that a constant column is exactly its constant.
    drawn = (counts @ (rows - means)) / counts.sum(axis=1, keepdims=True) + means
    return [
        MeanOver(
            mean=float(means[column]),
            interval=unknown
            if units < FEWEST
            else expanded_interval(drawn[:, column], level, units),
        )
        for column in range(rows.shape[1])
    ]


def regime(
    synergy: object,
    unique_2: object,
    *,
    groups: object = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Regime:
    """Say whether models answer a task by synergy or from what source 2 alone tells.

    Parameters
    ----------
    synergy, unique_2 : (N,), shares of the total per model, as fractions.
    groups, level, resamples, seed : as in `mean_over`.

    Raises
    ------
    PidError
        If the columns do not have one finite number per model.

    Examples
    --------
    >>> regime([0.6, 0.7, 0.5, 0.8], [0.1, 0.2, 0.1, 0.1]).statement
    'synergy-driven'
    >>> regime([0.6, 0.1, 0.5, 0.2], [0.1, 0.6, 0.2, 0.5]).statement
    'undecided'
    """
    one, two = (np.array(cast("Any", column), dtype=np.float64) for column in (synergy, unique_2))
    if one.ndim != 1 or one.shape != two.shape:
        raise PidError(f"shares are one number per model, got shapes {one.shape} and {two.shape}")
    columns = np.stack([one, two, one - two], axis=1)
    found = mean_over(columns, groups=groups, level=level, resamples=resamples, seed=seed)
    low, high = found[2].interval
    statement: Statement = "undecided"
    if np.isnan(low):
        statement = "too few models"
    elif low > 0:
        statement = "synergy-driven"
    elif high < 0:
        statement = "knowledge-driven"
    return Regime(
        synergy=found[0],
        unique_2=found[1],
        difference=found[2],
        statement=statement,
        n=len(one),
    )


def medians(values: object, labels: object) -> dict[str, Float[np.ndarray, " columns"]]:
    """Return the median of each column per label, by label.

    Parameters
    ----------
    values : (N, C).
    labels : (N,), the family of each row.

    Examples
    --------
    >>> found = medians([[1.0], [3.0], [5.0]], ["a", "a", "b"])
    >>> {family: row.tolist() for family, row in found.items()}
    {'a': [2.0], 'b': [5.0]}
    """
    rows = np.array(cast("Any", values), dtype=np.float64)
    names = [str(label) for label in cast("Any", labels)]
    if rows.ndim != 2 or len(names) != len(rows):
        raise PidError(f"values must be (N, C) with N labels, got {rows.shape}, {len(names)}")
    found: dict[str, Float[np.ndarray, " columns"]] = {}
    for name in sorted(set(names)):
        own = rows[[place for place, label in enumerate(names) if label == name]]
        found[name] = np.array([median(column) for column in own.T.tolist()], dtype=np.float64)
    return found


def stability(
    first: dict[str, float], second: dict[str, float], *, seed: int = 0, level: float = 0.95
) -> Association:
    """Correlate what families do under two regimes: 1 where all keep their places.

    Parameters
    ----------
    first, second : a number per family, such as its median synergy, under each of the two.
    seed, level : of the bootstrap over families.

    Returns
    -------
    Association
        Over the families that are in both; `n` says how many.

    Examples
    --------
    >>> one = {"a": 0.9, "b": 0.5, "c": 0.4, "d": 0.1}
    >>> two = {"a": 0.5, "b": 0.4, "c": 0.2, "d": 0.0, "e": 1.0}
    >>> found = stability(one, two)
    >>> round(found.rho, 6), round(found.p_value, 4), found.n
    (1.0, 0.0833, 4)
    """
    both = sorted(first.keys() & second.keys())
    return spearman(
        [first[name] for name in both], [second[name] for name in both], seed=seed, level=level
    )
