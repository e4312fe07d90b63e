"""Solves the same problem again with other weights of the samples, from where it was left.

A bootstrap asks for the atoms under hundreds of weights. Each is a small change of a problem that
has been solved: the potentials are nearly right and so are the multipliers, once they are scaled by
the new masses of their rows. The probes are aligned anew each time, since p(y) moves too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pid_core.broja import WarmStart, solve_broja
from pid_core.certified import Settings, prepare_group
from pid_core.channels import CandidateGroup, Channels, candidate_groups
from pid_core.errors import PidError
from pid_core.information import row_divergence, to_bits, to_nats

TOLERANCE_BITS = 4e-3
"""Gap of a replicate: a fraction of what atoms spread by at N = 1,000, and cheap."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ReweightedAtoms:
    """One solution under other weights. Bits."""

    atoms: Float[np.ndarray, " 4"]
    """In the order of `ATOMS`."""
    total: float
    """I(Y; X1, X2)."""
    gap_bits: float
    """Upper minus lower bound on I*; the atoms are those of the upper bound."""


class Reweighted:
    """The certified estimate of some channels, ready to be solved under other weights.

    Parameters
    ----------
    channels : three predictive distributions per sample.
    settings : as for `estimate`; `tolerance_bits` is replaced by the one below.
    tolerance_bits : largest certified gap of a replicate.

    Examples
    --------
    >>> copy = [[1.0, 0.0], [0.0, 1.0]] * 2
    >>> again = Reweighted(Channels(full=copy, only_1=copy, only_2=copy), Settings())
    >>> again.atoms(np.array([2, 1, 0, 1])).atoms.round(6).tolist()
    [1.0, 0.0, 0.0, 0.0]
    """

    def __init__(
        self,
        channels: Channels,
        settings: Settings,
        *,
        tolerance_bits: float = TOLERANCE_BITS,
    ) -> None:
        self._channels, self._settings = channels, settings
        self._tolerance = to_nats(tolerance_bits)
        self._groups = candidate_groups(
            channels.valid, pool=settings.pool_candidates, condition=channels.condition
        )
        self._warm = [self._first(group) for group in self._groups]

    def _first(self, group: CandidateGroup) -> WarmStart | None:
        problem = prepare_group(self._channels, group, self._settings.marginals)
        return solve_broja(
            *problem.joints, tolerance=self._tolerance, max_steps=self._settings.max_steps
        ).warm

    def atoms(self, weights: Int[np.ndarray, " samples"]) -> ReweightedAtoms:
        """Solve with sample i counted `weights[i]` times.

        Raises
        ------
        PidError
            If the weights are not one count of 0 or more per sample, or all 0.
        """
        if weights.shape != (self._channels.n_samples,) or (weights < 0).any() or not weights.any():
            raise PidError(
                f"weights are counts of 0 or more, one for each of {self._channels.n_samples} "
                f"samples and not all 0; got shape {weights.shape} with sum {weights.sum()}"
            )
        found = np.zeros(5)
        for group, warm in zip(self._groups, self._warm, strict=True):
            counts = weights[group.rows]
            if counts.any():
                places = np.repeat(np.arange(len(counts)), counts)
                found += len(places) * self._solve(group, places, warm)
        found /= float(weights.sum())
        i_1, i_2, star, total, gap = (to_bits(float(value)) for value in found)
        return ReweightedAtoms(
            atoms=np.array([i_1 + i_2 - star, star - i_2, star - i_1, total - star]),
            total=total,
            gap_bits=gap,
        )

    def _solve(
        self, group: CandidateGroup, places: Int[np.ndarray, " drawn"], warm: WarmStart | None
    ) -> Float[np.ndarray, " 5"]:
        drawn = CandidateGroup(rows=group.rows[places], columns=group.columns)
        problem = prepare_group(self._channels, drawn, self._settings.marginals)
        solution = solve_broja(
            *problem.joints,
            tolerance=self._tolerance,
            max_steps=self._settings.max_steps,
            warm=None if warm is None else warm.at(places),
        )
        first, second = problem.probes
        return np.array(
            [
                first.information,
                second.information,
                solution.information,
                float(row_divergence(problem.rows_12, problem.prior).mean()),
                solution.gap,
            ]
        )
