"""How far a modality contribution C can be trusted: over k, over seeds, under noise, by chance.

C_m = U_m / (U_1 + U_2) comes from k-means codes of embeddings (QMC25), and the number of codes is
a choice. With many codes few samples share a cell, and a cell of one sample explains its answer
whatever the truth is. So each row here stands beside what the same embeddings give once the answers
are dealt out at random, where every atom is 0 in truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from jaxtyping import Float, Int

from pid_core.certified import Settings
from pid_core.channels import Channels, candidate_groups
from pid_core.errors import ChannelError, PidError
from pid_core.information import row_divergence, to_bits
from pid_core.ipfp import (
    LONELY,
    decompose_labels,
    hardened,
    labels_of,
    modality_contributions,
)
from pid_core.spectrum import ATOMS, Spectrum

__all__ = [
    "BY_CHANCE",
    "CLUSTERS",
    "NOISE_SCALES",
    "ContributionRow",
    "MeanAtoms",
    "contribution_table",
    "modality_contributions",
    "noise_stability",
]

CLUSTERS = (16, 64, 256)
"""Codes per source of the sensitivity table."""
NOISE_SCALES = (0.0, 0.05, 0.1, 0.2, 0.5)
"""Standard deviation of the added noise, as a share of that of each dimension."""
BY_CHANCE = 0.5
"""Share of U_1 + U_2 that random answers give too, from which a reader is told."""


@dataclass(frozen=True, kw_only=True)
class MeanAtoms:
    """Atoms and their sum, in bits, averaged over seeds or permutations."""

    redundancy: float
    unique_1: float
    unique_2: float
    synergy: float
    total: float


@dataclass(frozen=True, kw_only=True)
class ContributionRow:
    """C for one number of codes and one strength of noise, and what speaks for and against it."""

    clusters: int
    """Codes per source asked for."""
    codes_1: int
    """Codes of source 1 that there are, most over the seeds; fewer where embeddings repeat."""
    codes_2: int
    noise: float
    """Share of each dimension's standard deviation that was added as Gaussian noise."""
    contribution_1: float
    """C_1 of the mean atoms; nan where nothing is unique."""
    contribution_2: float
    spread: float
    """Largest minus smallest C_1 over the seeds; nan where a seed has none."""
    found: MeanAtoms
    """Mean over the seeds."""
    spread_bits: float
    """Largest minus smallest value over the seeds, of the atom that varies most."""
    chance: MeanAtoms | None
    """The same after permuting the answers: truly 0, so all of it comes from few samples per cell.
    None where no permutation was asked for."""
    ceiling_bits: float
    """The total once every sample has a cell of its own: nothing can be more, however many codes.
    With hard answers it is H(Y)."""
    alone: float
    """Share of samples that share their cell of codes with no other, mean over the seeds."""
    gap_bits: float
    """Largest certified gap of a solution."""
    seeds: int
    """Seeds of k-means (and of the noise) that were averaged."""

    @property
    def is_lonely(self) -> bool:
        """Whether too many samples have a cell for themselves."""
        return self.alone > LONELY

    @property
    def is_by_chance(self) -> bool:
        """Whether there is a C, and random answers give a large part of what it is a share of."""
        if self.chance is None or not isfinite(self.contribution_1):
            return False
        by_chance = self.chance.unique_1 + self.chance.unique_2
        return by_chance > BY_CHANCE * (self.found.unique_1 + self.found.unique_2)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Sentences for a person; empty when there is nothing to say."""
        said: list[str] = []
        if self.is_lonely:
            said.append(
                f"{self.alone:.0%} of the samples are alone in their cell of codes, so the total "
                f"of {self.found.total:.2f} bits tends to {self.ceiling_bits:.2f}, whatever the "
                f"embeddings say; use fewer clusters than {self.clusters} or more samples"
            )
        if self.is_by_chance and self.chance is not None:
            said.append(
                f"C comes from {self.found.unique_1 + self.found.unique_2:.2f} bits of unique "
                f"information, and random answers give "
                f"{self.chance.unique_1 + self.chance.unique_2:.2f} bits of it; do not read C here"
            )
        return tuple(said)


def contribution_table(
    channels: Channels,
    clusters: Sequence[int] = CLUSTERS,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    hard_answers: bool = False,
    permutations: int = 3,
) -> list[ContributionRow]:
    """Return C and the atoms for several numbers of codes, each with its reference by chance.

    Parameters
    ----------
    channels : N samples with features_1 (N, d1) and features_2 (N, d2); the probes are not read.
    clusters : codes per source, one row each.
    seeds : where k-means begins; atoms are averaged over them.
    hard_answers : most likely answers instead of distributions.
    permutations : how often answers are dealt out anew among samples with the same candidates for
        the reference; 0 leaves it out.

    Raises
    ------
    ChannelError
        If the channels carry no features.
    PidError
        If there is no seed, or fewer than 0 permutations are asked for.

    References
    ----------
    "Quantifying Modality Contributions via Disentangling Multimodal Representations" (QMC25),
    arXiv 2511.19470, for C; the reference by permutation is ours.

    Examples
    --------
    The answer is the first of two bits: U_1 = 1 with two codes. With a code for every sample,
    random answers are explained just as well.

    >>> rng = np.random.default_rng(0)
    >>> bits = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 50, axis=0)
    >>> clouds = bits + 0.01 * rng.normal(size=bits.shape)
    >>> rows = np.eye(2)[bits[:, 0]]
    >>> channels = Channels(full=rows, only_1=rows, only_2=rows,
    ...                     features_1=clouds[:, :1], features_2=clouds[:, 1:])
    >>> two, every = contribution_table(channels, (2, 200))
    >>> round(two.contribution_1, 6), round(two.found.unique_1, 6), round(two.chance.total, 1)
    (1.0, 1.0, 0.0)
    >>> every.alone, round(every.found.total, 6), round(every.chance.total, 6)
    (1.0, 1.0, 1.0)
    """
    _check(channels, seeds, permutations)
    return [
        _row(channels, k, 0.0, seeds, hard_answers=hard_answers, permutations=permutations)
        for k in clusters
    ]


def noise_stability(
    channels: Channels,
    scales: Sequence[float] = NOISE_SCALES,
    *,
    clusters: int = 64,
    seeds: Sequence[int] = (0, 1, 2),
    hard_answers: bool = False,
    permutations: int = 3,
) -> list[ContributionRow]:
    """Return C and the atoms with Gaussian noise added to the embeddings, a row per strength.

    Parameters
    ----------
    channels : as in `contribution_table`.
    scales : standard deviations of the noise, as a share of that of each dimension; 0 adds none.
    clusters : codes per source.
    seeds : of k-means and of the noise.
    hard_answers, permutations : as in `contribution_table`.

    Notes
    -----
    Each sample gets noise of its own, also where samples share an image or a prompt. So noise turns
    a few repeated embeddings into as many as there are samples, and the number of codes rises: look
    at `chance` before reading a change as instability of the model.

    Raises
    ------
    ChannelError
        If the channels carry no features.
    PidError
        If there is no seed, or a scale is negative or not finite.

    Examples
    --------
    >>> bits = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] * 16)
    >>> rows = np.eye(2)[bits[:, 1].astype(int)]
    >>> channels = Channels(
    ...     full=rows, only_1=rows, only_2=rows, features_1=bits[:, :1], features_2=bits[:, 1:]
    ... )
    >>> found = noise_stability(channels, (0.0, 0.1), clusters=2)
    >>> [(row.noise, round(row.contribution_2, 6)) for row in found]
    [(0.0, 1.0), (0.1, 1.0)]
    """
    _check(channels, seeds, permutations)
    for scale in scales:
        if not (isfinite(scale) and scale >= 0.0):
            raise PidError(f"a scale of noise is a finite number of 0 or more, not {scale}")
    return [
        _row(channels, clusters, s, seeds, hard_answers=hard_answers, permutations=permutations)
        for s in scales
    ]


def _check(channels: Channels, seeds: Sequence[int], permutations: int) -> None:
    if channels.features_1 is None or channels.features_2 is None:
        raise ChannelError("contributions come from embeddings: hand in features_1 and features_2")
    if len(seeds) == 0 or permutations < 0:
        raise PidError(
            f"at least one seed and no fewer than 0 permutations are needed, "
            f"not {len(seeds)} and {permutations}"
        )


def _row(
    channels: Channels,
    clusters: int,
    noise: float,
    seeds: Sequence[int],
    *,
    hard_answers: bool,
    permutations: int,
) -> ContributionRow:
    settings = Settings(clusters=clusters)
    answers = hardened(channels.full) if hard_answers else channels.full
    labels = [
        labels_of(_disturbed(channels, noise, seed), clusters=clusters, seed=seed) for seed in seeds
    ]
    spectra = [decompose_labels(channels, answers, one, settings) for one in labels]
    by_chance = [
        decompose_labels(
            channels, answers[_dealt_out(channels, number)], labels[number % len(labels)], settings
        )
        for number in range(permutations)
    ]
    found = _mean(spectra)
    gap = max(spectrum.diagnostics.gap_bits for spectrum in spectra)
    first = [modality_contributions(spectrum)[0] for spectrum in spectra]
    unique = found.unique_1 + found.unique_2
    share = found.unique_1 / unique if unique > gap else float("nan")
    return ContributionRow(
        clusters=clusters,
        codes_1=max(int(one.code_1.max()) + 1 for one in labels),
        codes_2=max(int(one.code_2.max()) + 1 for one in labels),
        noise=noise,
        contribution_1=share,
        contribution_2=1.0 - share,
        spread=float(np.max(first) - np.min(first)),
        found=found,
        spread_bits=max(
            float(np.ptp([spectrum.atoms[name] for spectrum in spectra])) for name in ATOMS
        ),
        chance=_mean(by_chance) if by_chance else None,
        ceiling_bits=_ceiling(channels, answers),
        alone=float(np.mean([one.alone for one in labels])),
        gap_bits=gap,
        seeds=len(seeds),
    )


def _mean(spectra: Sequence[Spectrum]) -> MeanAtoms:
    def mean(name: str) -> float:
        return float(np.mean([getattr(spectrum, name) for spectrum in spectra]))

    return MeanAtoms(
        redundancy=mean("redundancy"),
        unique_1=mean("unique_1"),
        unique_2=mean("unique_2"),
        synergy=mean("synergy"),
        total=mean("total"),
    )


def _disturbed(channels: Channels, noise: float, seed: int) -> Channels:
    """Add noise to the embeddings."""
    if noise == 0.0:
        return channels
    rng = np.random.default_rng((seed, 1))  # apart from the stream of k-means

    def noisy(
        features: Float[np.ndarray, "samples width"] | None,
    ) -> Float[np.ndarray, "samples width"] | None:
        if features is None:
            return None
        return features + noise * features.std(axis=0) * rng.normal(size=features.shape)

    return Channels(
        full=channels.full,
        only_1=channels.only_1,
        only_2=channels.only_2,
        features_1=noisy(channels.features_1),
        features_2=noisy(channels.features_2),
        valid=channels.valid,
        condition=channels.condition,
    )


def _dealt_out(channels: Channels, number: int) -> Int[np.ndarray, " samples"]:
    """Return an order of the samples that only swaps those with the same candidates."""
    rng = np.random.default_rng((number, 2))
    order = np.arange(channels.n_samples)
    for group in candidate_groups(channels.valid, pool=False):
        order[group.rows] = rng.permutation(group.rows)
    return order


def _ceiling(channels: Channels, answers: Float[np.ndarray, "samples classes"]) -> float:
    """Return the mean divergence of single answers from their candidate set's prior, in bits."""
    divergence = np.zeros(len(answers))
    for group in candidate_groups(channels.valid, pool=False):
        rows = answers[group.rows]
        divergence[group.rows] = row_divergence(rows, rows.mean(axis=0))
    return to_bits(float(divergence.mean()))
