"""Decomposition given a third variable: solve inside each of its values, average by their weights.

I(Y; X1, X2 | T) = sum over t of p(t) I(Y; X1, X2 | T = t), and so every atom. T is a condition, not
a source: each value has its own p(y | t). It is the instruction of a video and audio model (MI26,
"Sensory PID"), or anything else that both probes can read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Int

from pid_core.channels import Channels
from pid_core.errors import ChannelError, PidError
from pid_core.registry import estimate
from pid_core.spectrum import ATOMS, Diagnostics, Spectrum

SMALLEST = 64
"""Samples. Below it a group's information is mostly the bias of its small number."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Conditions:
    """Which value of the condition each sample has, after small groups were pooled."""

    labels: tuple[str, ...]
    """Names of the values that are solved for."""
    member: Int[np.ndarray, " samples"]
    """Index into `labels`."""
    warnings: tuple[str, ...]


def estimate_conditional(
    channels: Channels,
    groups: Sequence[object],
    estimator: str = "certified",
    *,
    coarser: Sequence[object] | None = None,
    smallest: int = SMALLEST,
    **settings: Any,
) -> Spectrum:
    """Decompose I(Y; X1, X2 | T).

    Parameters
    ----------
    channels : three predictive distributions per sample.
    groups : (N,) the value of T of each sample, for example its exact question.
    estimator : a name in `ESTIMATORS`.
    coarser : (N,) a coarser value, for example the question's template. Samples whose group is
        smaller than `smallest` are conditioned on this instead.
    smallest : samples that a group needs to stand for itself; what is small even so is solved as it
        is and named in a warning.
    settings : passed on to `estimate`.

    Returns
    -------
    Spectrum
        Averages over T, in bits. `diagnostics.conditions` has each value with its number of
        samples, and the gap is the average gap.

    References
    ----------
    MI26 section 2.2; BROJA inside each value. docs/method.md.

    Examples
    --------
    Y = X1 where T = 0 and Y = X2 where T = 1: unique information, half of the time each.

    >>> copy, half = [[1, 0], [0, 1]], [[0.5, 0.5]] * 2
    >>> channels = Channels(full=copy * 2, only_1=copy + half, only_2=half + copy)
    >>> given = estimate_conditional(channels, [0, 0, 1, 1], smallest=1)
    >>> {name: round(value, 6) for name, value in given.atoms.items()}
    {'redundancy': 0.0, 'unique_1': 0.5, 'unique_2': 0.5, 'synergy': 0.0}

    Not told T, either source is informative half of the time, and that looks shared.

    >>> {name: round(value, 6) for name, value in estimate(channels).atoms.items()}
    {'redundancy': 0.5, 'unique_1': 0.0, 'unique_2': 0.0, 'synergy': 0.5}
    """
    found = conditions(groups, coarser, n=channels.n_samples, smallest=smallest)
    spectra: list[Spectrum] = []
    rows_of: list[np.ndarray] = []
    for number in range(len(found.labels)):
        rows = np.flatnonzero(found.member == number)
        rows_of.append(rows)
        spectra.append(estimate(channels.at(rows), estimator, **settings))
    return _average(channels, found, rows_of, spectra)


def conditions(
    groups: Sequence[object], coarser: Sequence[object] | None, *, n: int, smallest: int
) -> Conditions:
    """Name the condition of each sample; small groups take the coarser value.

    >>> found = conditions(["a", "a", "b", "c"], ["q", "q", "q", "q"], n=4, smallest=2)
    >>> found.labels, found.member.tolist()
    (('a', 'q (pooled)'), [0, 0, 1, 1])
    """
    if smallest < 1:
        raise PidError(f"smallest must be at least 1 sample, got {smallest}")
    exact = _labels(groups, "groups", n)
    names, member, sizes = np.unique(exact, return_inverse=True, return_counts=True)
    is_small = sizes[member.reshape(-1)] < smallest
    warnings: list[str] = []
    chosen = exact.copy()
    if coarser is not None and is_small.any():
        wider = _labels(coarser, "coarser", n)
        chosen[is_small] = [f"{label} (pooled)" for label in wider[is_small]]
        warnings.append(
            f"{int(is_small.sum())} of {n} samples lie in {int((sizes < smallest).sum())} of "
            f"{len(names)} conditions with fewer than {smallest} samples and are conditioned on "
            "the coarser one instead"
        )
    labels, first, member, sizes = np.unique(
        chosen, return_index=True, return_inverse=True, return_counts=True
    )
    small = sizes < smallest
    if small.any():
        warnings.append(
            f"{int(sizes[small].sum())} of {n} samples lie in {int(small.sum())} conditions with "
            f"fewer than {smallest} samples, whose information is biased upward; leave them out or "
            "give a coarser condition"
        )
    order = np.argsort(first)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Conditions(
        labels=tuple(str(labels[k]) for k in order),
        member=place[member.reshape(-1)],
        warnings=tuple(warnings),
    )


def _labels(values: Sequence[object], name: str, n: int) -> np.ndarray:
    listed = [str(value) for value in values]
    if len(listed) != n:
        raise ChannelError(f"{name} needs one entry per sample ({n}), got {len(listed)}")
    return np.array(listed, dtype=object)


def _average(
    channels: Channels, found: Conditions, rows_of: list[np.ndarray], spectra: list[Spectrum]
) -> Spectrum:
    n = channels.n_samples
    share = [len(rows) / n for rows in rows_of]

    def mean(values: list[float]) -> float:
        return float(sum(s * value for s, value in zip(share, values, strict=True)))

    def of_each(name: str) -> float:
        return mean([float(getattr(s, name)) for s in spectra])

    def evidence(name: str) -> float:
        return mean([float(getattr(s.diagnostics, name)) for s in spectra])

    pointwise, influence = np.empty((n, 4)), np.empty((n, 4))
    for rows, spectrum in zip(rows_of, spectra, strict=True):
        pointwise[rows], influence[rows] = spectrum.pointwise, spectrum.influence
    first = spectra[0].diagnostics
    told: dict[str, int] = {}
    for spectrum in spectra:
        for sentence in spectrum.diagnostics.warnings:
            told[sentence] = told.get(sentence, 0) + 1
    several = len(spectra) > 1
    diagnostics = Diagnostics(
        method=", ".join(dict.fromkeys(s.diagnostics.method for s in spectra)),
        gap_bits=evidence("gap_bits"),
        plugin_gap_bits=evidence("plugin_gap_bits"),
        converged=all(s.diagnostics.converged for s in spectra),
        iterations=sum(s.diagnostics.iterations for s in spectra),
        residual=max(s.diagnostics.residual for s in spectra),
        prior_shift_1=evidence("prior_shift_1"),
        prior_shift_2=evidence("prior_shift_2"),
        own_information_1=evidence("own_information_1"),
        own_information_2=evidence("own_information_2"),
        kept_information_1=evidence("kept_information_1"),
        kept_information_2=evidence("kept_information_2"),
        draws=first.draws,
        n_groups=sum(s.diagnostics.n_groups for s in spectra),
        conditions=MappingProxyType(
            {label: len(rows) for label, rows in zip(found.labels, rows_of, strict=True)}
        ),
        warnings=(
            *found.warnings,
            *(
                f"in {count} of {len(spectra)} conditions: {sentence}" if several else sentence
                for sentence, count in told.items()
            ),
        ),
    )
    return replace(
        spectra[0],
        **{name: of_each(name) for name in (*ATOMS, "total", "information_1", "information_2")},
        pointwise=pointwise,
        influence=influence,
        clusters=channels.clusters,
        diagnostics=diagnostics,
    )
