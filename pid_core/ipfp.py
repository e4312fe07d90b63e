"""The estimator on clustered embeddings (QMC25): k-means codes of both sources, one discrete joint.

Each sample's embeddings X1 and X2 become codes, and P(code 1, code 2, y) is the mean of the joint
run's predictions in each cell. QMC25 decomposes P by iterative proportional fitting; this is the
same problem that `certified` solves exactly, so it is handed over, with p(y | code) as the probes.
No masked run enters. The margins agree by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from jaxtyping import Float, Int

from pid_core.certified import Settings, estimate_certified
from pid_core.channels import Channels
from pid_core.errors import ChannelError
from pid_core.spectrum import Spectrum

LONELY = 0.2
"""Share of samples alone in their cell from which a reader is told."""


def estimate_ipfp(channels: Channels, settings: Settings) -> Spectrum:
    """Cluster both embeddings into at most `settings.clusters` codes and solve the discrete joint.

    Raises
    ------
    ChannelError
        If the channels carry no features.

    Examples
    --------
    >>> bits = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] * 8)
    >>> xor = np.eye(2)[(bits.sum(1) % 2).astype(int)]
    >>> channels = Channels(
    ...     full=xor, only_1=xor, only_2=xor, features_1=bits[:, :1], features_2=bits[:, 1:]
    ... )
    >>> found = estimate_ipfp(channels, Settings(clusters=2))
    >>> {name: round(value, 6) for name, value in found.atoms.items()}
    {'redundancy': 0.0, 'unique_1': 0.0, 'unique_2': 0.0, 'synergy': 1.0}
    """
    answers = hardened(channels.full) if settings.hard_answers else channels.full
    labels = labels_of(channels, clusters=settings.clusters, seed=settings.seed)
    return decompose_labels(channels, answers, labels, settings)


@dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """What stands for the embeddings of N samples."""

    pattern: Int[np.ndarray, " samples"]
    """Which set of candidates a sample has: never mixed with another."""
    code_1: Int[np.ndarray, " samples"]
    code_2: Int[np.ndarray, " samples"]

    @property
    def cell(self) -> Int[np.ndarray, " samples"]:
        """One number per distinct combination of the three."""
        return cells(self.pattern, self.code_1, self.code_2)

    @property
    def alone(self) -> float:
        """Share of samples that share their cell with no other."""
        cell = self.cell
        return float((np.bincount(cell)[cell] == 1).mean())


def labels_of(channels: Channels, *, clusters: int, seed: int) -> Labels:
    """Return the k-means codes of both embeddings, beside the candidates of each sample.

    Raises
    ------
    ChannelError
        If the channels carry no features.
    """
    if channels.features_1 is None or channels.features_2 is None:
        raise ChannelError(
            "the estimator 'ipfp' works on embeddings: hand in features_1 and features_2"
        )
    return Labels(
        pattern=np.unique(channels.valid, axis=0, return_inverse=True)[1].reshape(-1),
        code_1=codes(channels.features_1, clusters, seed=seed),
        code_2=codes(channels.features_2, clusters, seed=seed),
    )


def decompose_labels(
    channels: Channels,
    answers: Float[np.ndarray, "samples classes"],
    labels: Labels,
    settings: Settings,
) -> Spectrum:
    """Solve the discrete joint of the labels and the answers.

    Parameters
    ----------
    channels : whose candidates and groups of dependent samples count.
    answers : p(y) of each sample.
    labels : what stands for its embeddings.
    settings : of `certified`.
    """
    quantised = Channels(
        full=means_within(answers, labels.cell),
        only_1=means_within(answers, cells(labels.pattern, labels.code_1)),
        only_2=means_within(answers, cells(labels.pattern, labels.code_2)),
        valid=channels.valid,
        group_id=channels.group_id,
        condition=channels.condition,
    )
    spectrum = estimate_certified(quantised, settings)
    warnings = list(spectrum.diagnostics.warnings)
    if labels.alone > LONELY:
        warnings.append(
            f"{labels.alone:.0%} of the samples are alone in their cell of codes, where the total "
            f"counts everything as explained; use fewer clusters than {settings.clusters} or more "
            "samples"
        )
    return replace(
        spectrum,
        diagnostics=replace(
            spectrum.diagnostics,
            method=f"{settings.clusters} clusters, {spectrum.diagnostics.method}",
            warnings=tuple(warnings),
        ),
    )


def modality_contributions(spectrum: Spectrum) -> tuple[float, float]:
    """Return C_1 and C_2, each source's share of the unique information (QMC25); nan where none.

    Notes
    -----
    C_m = U_m / (U_1 + U_2). It says nothing of redundancy and synergy: two spectra of very
    different kind can have the same C.
    """
    unique = np.array([spectrum.unique_1, spectrum.unique_2])
    total = float(unique.sum())
    if not total > spectrum.diagnostics.gap_bits:
        return float("nan"), float("nan")
    return float(unique[0] / total), float(unique[1] / total)


def codes(
    features: Float[np.ndarray, "samples width"], clusters: int, *, seed: int
) -> Int[np.ndarray, " samples"]:
    """Return the k-means cluster of each row, k-means++ from a seed; never more than distinct rows.

    Columns are scaled to unit variance, so that no dimension counts by its unit.
    """
    from scipy.cluster.vq import kmeans2

    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    distinct, member = np.unique(scaled, axis=0, return_inverse=True)
    if len(distinct) <= clusters:
        return member.reshape(-1).astype(np.int64)
    _, found = cast(
        "tuple[np.ndarray, np.ndarray]",
        kmeans2(scaled, clusters, iter=50, minit="++", missing="warn", rng=seed),
    )
    return np.unique(found, return_inverse=True)[1].reshape(-1).astype(np.int64)


def cells(*labels: Int[np.ndarray, " samples"]) -> Int[np.ndarray, " samples"]:
    """Return one number per distinct combination of labels."""
    stacked = np.stack(labels, axis=1)
    return np.unique(stacked, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def means_within(
    rows: Float[np.ndarray, "samples classes"], cell: Int[np.ndarray, " samples"]
) -> Float[np.ndarray, "samples classes"]:
    """Give each sample the mean row of its cell."""
    sums = np.zeros((int(cell.max()) + 1, rows.shape[1]))
    np.add.at(sums, cell, rows)
    return (sums / np.bincount(cell)[:, None])[cell]


def hardened(
    rows: Float[np.ndarray, "samples classes"],
) -> Float[np.ndarray, "samples classes"]:
    """Replace each row by certainty of its largest entry, the first of equal ones."""
    return np.eye(rows.shape[1])[rows.argmax(axis=1)]
