"""Scores that find the samples where fusion fails or a shortcut is taken (MI26)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pid_core.channels import Channels
from pid_core.errors import ChannelError
from pid_core.information import row_entropy, to_bits
from pid_core.spectrum import Spectrum

EPSILON_BITS = 1e-9
"""Keeps the ratios defined where a sample carries no information at all."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FusionScores:
    """One number per sample each."""

    synergy_ratio: Float[np.ndarray, " samples"]
    """SR: share of synergy among the positive atoms, 0..1."""
    shortcut: Float[np.ndarray, " samples"]
    """SC: share of what source 2 (language) alone brings, 0..1."""
    fusion_potential: Float[np.ndarray, " samples"]
    """FP: how much surer the joint run is than the surer probe, in bits."""
    gap_score: Float[np.ndarray, " samples"]
    """(1 - SR)(1 - SC) FP: room for fusion that is not used, in bits."""


def fusion_scores(spectrum: Spectrum, channels: Channels) -> FusionScores:
    """Score every sample.

    SR = [s]+ / (I+ + eps), SC = [u_2]+ / (I+ + eps) with I+ the sum of the positive parts of the
    four pointwise atoms, FP = [min(H(p_1), H(p_2)) - H(p_12)]+, GapScore = (1 - SR)(1 - SC) FP.

    References
    ----------
    MI26 (arXiv 2606.00959), section on sample selection.

    Examples
    --------
    >>> from pid_core.registry import estimate
    >>> half = [[0.5, 0.5]] * 2
    >>> channels = Channels(full=[[1, 0], [0, 1]], only_1=half, only_2=half)
    >>> scores = fusion_scores(estimate(channels), channels)
    >>> scores.synergy_ratio.round(6).tolist(), scores.fusion_potential.tolist()
    ([1.0, 1.0], [1.0, 1.0])
    """
    if len(spectrum.pointwise) != channels.n_samples:
        raise ChannelError(
            f"the spectrum has {len(spectrum.pointwise)} per-sample values but the channels have "
            f"{channels.n_samples} samples; hand in the channels it was estimated from"
        )
    positive = np.maximum(spectrum.pointwise, 0.0)
    everything = positive.sum(axis=1) + EPSILON_BITS
    synergy_ratio, shortcut = positive[:, 3] / everything, positive[:, 2] / everything
    unsure_alone = np.minimum(row_entropy(channels.only_1), row_entropy(channels.only_2))
    potential = to_bits(1.0) * np.maximum(unsure_alone - row_entropy(channels.full), 0.0)
    return FusionScores(
        synergy_ratio=synergy_ratio,
        shortcut=shortcut,
        fusion_potential=potential,
        gap_score=(1.0 - synergy_ratio) * (1.0 - shortcut) * potential,
    )
