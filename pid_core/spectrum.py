"""The result: four atoms in bits, per-sample values that average to them, and their evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Int

from pid_core.errors import PidError, UnknownName
from pid_core.interval import Uncertainty, clustered_deviation, hull_interval

ATOMS = ("redundancy", "unique_1", "unique_2", "synergy")
"""Order of the atoms everywhere: columns of `pointwise`, keys of `shares` and `interval`."""
COLUMNS = (*ATOMS, "total", *(f"{atom}_share" for atom in ATOMS))
"""Every number of a spectrum that has an interval."""


def _no_rates() -> Mapping[str, float]:
    return MappingProxyType({})


def _no_counts() -> Mapping[str, int]:
    return MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class TraceStep:
    """One step of a solver, for a convergence plot."""

    step: int
    """Counted from 1."""
    seconds: float
    """Wall time since the solver began."""
    upper_bits: float | None
    """Best upper bound on I* so far; for a trained estimator I_Q of its batches, which is one only
    if its margins are right."""
    lower_bits: float | None
    """Best rigorous lower bound on I* so far; None where the method has none."""


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """What was solved, how well, and what a reader should know before believing it. Bits."""

    method: str
    """How I* was found: "closed form", "exponential multipliers", "constant", or several."""
    gap_bits: float
    """Upper minus lower bound on I*; no atom is further from its exact value. Over draws: a bound
    on the error of the jackknifed atoms, (2 D - 1) times wider than that of one solution."""
    plugin_gap_bits: float
    """The gap of the plain estimate, before any jackknife."""
    converged: bool
    """The gap is within the tolerance asked for."""
    iterations: int = 0
    """Newton steps over all candidate groups (and draws)."""
    residual: float = 0.0
    """Largest margin error of a solution before it was rounded to feasibility."""
    prior_shift_1: float = 0.0
    """KL(mean p_1 || pi): how far the prior of probe 1 is from that of the joint run."""
    prior_shift_2: float = 0.0
    own_information_1: float = 0.0
    """Mean KL of probe 1 to its own mean, before the margins were aligned."""
    own_information_2: float = 0.0
    kept_information_1: float = 0.0
    """I(Y; X1) after alignment: what the decomposition works with."""
    kept_information_2: float = 0.0
    fallback_rate: Mapping[str, float] = field(default_factory=_no_rates)
    """Condition -> share of rows (and draws) that fell back to uniform under tau."""
    fallback_bits: Mapping[str, float] = field(default_factory=_no_rates)
    """Condition -> I(Y; fell back or not): information that is only the fall-back itself."""
    noise_floor_bits: float | None = None
    """I(Y; NEITHER): what the probe reads with both sources masked; None if not measured."""
    draws: int = 1
    """Noise draws per sample."""
    plugin: Mapping[str, float] = field(default_factory=_no_rates)
    """Atoms of the plain estimate from the mean over draws, where a jackknife replaced them."""
    n_groups: int = 1
    """Distinct candidate sets, each solved with its own p(y)."""
    conditions: Mapping[str, int] = field(default_factory=_no_counts)
    """Value of the condition -> samples, where the atoms are given a third variable."""
    warnings: tuple[str, ...] = ()
    """Sentences for a person; empty when there is nothing to say."""
    trace: tuple[TraceStep, ...] = ()
    """How the solver converged, where there is one candidate set; measured, so never stored."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Spectrum:
    """How the information of the answer splits over two sources. All values in bits.

    redundancy + unique_1 + unique_2 + synergy = total, to rounding.
    """

    redundancy: float
    """Found in either source."""
    unique_1: float
    """Found only in source 1."""
    unique_2: float
    """Found only in source 2."""
    synergy: float
    """Found only in both together. A residual: negative when the probes together carry more
    information than the joint run (see `diagnostics.warnings`)."""
    total: float
    """I(Y; X1, X2) of the joint run."""
    information_1: float
    """I(Y; X1) after the margins were aligned."""
    information_2: float
    """I(Y; X2) after the margins were aligned."""
    pointwise: Float[np.ndarray, "samples 4"]
    """Columns in the order of `ATOMS`; the mean over samples is the atoms. No rows for a joint."""
    influence: Float[np.ndarray, "samples 4"]
    """First-order contribution of each sample to each atom; same mean (pid_core.influence)."""
    clusters: Int[np.ndarray, " samples"] | None = None
    """Index of the group each sample belongs to, where samples are not independent."""
    uncertainty: Uncertainty | None = None
    """Bias and sampling error, where `pid_core.uncertainty` has measured them."""
    diagnostics: Diagnostics

    @property
    def synergy_max(self) -> float:
        """Largest synergy these three informations allow: total - max(I1, I2)."""
        return self.total - max(self.information_1, self.information_2)

    @property
    def atoms(self) -> dict[str, float]:
        """The four atoms by name."""
        return {name: float(getattr(self, name)) for name in ATOMS}

    @property
    def shares(self) -> dict[str, float]:
        """Each atom divided by the total; nan when the total is 0. Negative where the atom is."""
        if self.total == 0.0:
            return dict.fromkeys(ATOMS, float("nan"))
        return {name: value / self.total for name, value in self.atoms.items()}

    def interval(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Confidence interval of every atom, clustered by group_id.

        With `uncertainty`, it spans the atom and the atom without its small-sample bias, widened by
        the sampling error. Without, it is first order (delta method) and holds the sampling error
        only, which does not see that I* comes out too large: the unique atoms too large, redundancy
        and synergy too small, by about 0.65 / sqrt(N) for near-equal channels and four candidates.

        Parameters
        ----------
        level : coverage, strictly between 0 and 1.
        """
        return {name: self.interval_of(name, level) for name in ATOMS}

    def interval_of(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Confidence interval of an atom, of "total" or, as a fraction, of "<atom>_share".

        Raises
        ------
        UnknownName
            If there is no such number.
        PidError
            For a joint distribution, which has no samples, and an impossible level.
        """
        if len(self.influence) == 0:
            raise PidError("a joint distribution has no samples, so no sampling interval")
        if name not in COLUMNS:
            raise UnknownName.of("number of a spectrum", name, COLUMNS)
        if self.uncertainty is not None:
            return self.uncertainty.interval(level)[name]
        place = COLUMNS.index(name)
        deviation = clustered_deviation(self.influences[:, [place]], self.clusters)
        value = self.values[[place]]
        low, high = hull_interval(value, np.zeros(1), deviation, level)[0].tolist()
        return low, high

    @property
    def values(self) -> Float[np.ndarray, " columns"]:
        """The numbers of `COLUMNS`: four atoms and the total in bits, four shares."""
        return np.array([*self.atoms.values(), self.total, *self.shares.values()])

    @property
    def influences(self) -> Float[np.ndarray, "samples columns"]:
        """First-order contribution of each sample to each of `COLUMNS`."""
        return influences_of(self.influence, list(self.atoms.values()), self.total)


def influences_of(
    influence: Float[np.ndarray, "samples 4"], atoms: Sequence[float], total: float
) -> Float[np.ndarray, "samples columns"]:
    """Add the total and the shares to what each sample contributes to the atoms.

    A share a / T moves by (a' - share T') / T; nan where the total is 0.

    >>> added = np.array([[2.0, 0, 0, 0], [0, 0, 0, 2]])
    >>> influences_of(added, [1.0, 0.0, 0.0, 1.0], 2.0).tolist()[0]
    [2.0, 0.0, 0.0, 0.0, 2.0, 1.0, 0.0, 0.0, 0.0]
    """
    added = influence.sum(axis=1, keepdims=True)
    scale = total if total != 0.0 else float("nan")
    shares = np.array(atoms) / scale
    return np.hstack([influence, added, shares + (influence - shares * added) / scale])
