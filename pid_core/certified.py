"""The certified estimator: solves the decomposition instead of training a network for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from jaxtyping import Float

from pid_core.advice import atom_warnings, margin_warnings
from pid_core.broja import BrojaSolution, solve_broja
from pid_core.channels import CandidateGroup, Channels, candidate_groups
from pid_core.errors import MarginError, NotConverged, PidError, UnknownName
from pid_core.influence import influence_on_atoms
from pid_core.information import to_bits, to_nats
from pid_core.margins import AlignedProbe, Marginals, align
from pid_core.pointwise import Pointwise, SampleValues, split_over_samples
from pid_core.spectrum import ATOMS, Diagnostics, Spectrum, TraceStep

SMALL_GROUP = 20
"""Candidate groups below this many samples are named in a warning: their information is biased."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to estimate; one record so that every estimator takes the same arguments."""

    seed: int = 0
    """For estimators that draw random numbers; the certified one does not."""
    marginals: str = "calibrate"
    """What to do when the probes' priors differ from the joint run's (pid_core.margins)."""
    pool_candidates: bool = False
    """Put samples with different candidate sets into one problem, as the papers do."""
    pointwise: str = "own"
    """How I* is shared out over samples (pid_core.pointwise)."""
    tolerance_bits: float = 1e-3
    """Largest certified gap to accept."""
    max_steps: int = 60
    """Proximal steps of the iterative solver."""
    clusters: int = 64
    """Codes per source, for the estimator that clusters embeddings (pid_core.ipfp)."""
    hard_answers: bool = False
    """Take the most likely answer of the joint run instead of its distribution (pid_core.ipfp)."""
    train: Channels | None = None
    """Samples to train on, for estimators that fit a network (pid_core.batch)."""
    throw: bool = False
    """Raise `NotConverged` instead of reporting it."""

    def __post_init__(self) -> None:
        if self.marginals not in get_args(Marginals):
            raise UnknownName.of("marginals policy", self.marginals, get_args(Marginals))
        if self.pointwise not in get_args(Pointwise):
            raise UnknownName.of("pointwise rule", self.pointwise, get_args(Pointwise))
        if not self.tolerance_bits > 0.0:
            raise PidError(f"tolerance_bits must be positive, got {self.tolerance_bits}")
        if self.max_steps < 1:
            raise PidError(f"max_steps must be at least 1, got {self.max_steps}")
        if self.clusters < 1:
            raise PidError(f"clusters must be at least 1, got {self.clusters}")


@dataclass(frozen=True, kw_only=True, eq=False)
class _GroupResult:
    group: CandidateGroup
    probes: tuple[AlignedProbe, AlignedProbe]
    solution: BrojaSolution
    values: SampleValues
    influence: np.ndarray


def estimate_certified(channels: Channels, settings: Settings) -> Spectrum:
    """Solve every candidate group and average by size."""
    groups = candidate_groups(
        channels.valid, pool=settings.pool_candidates, condition=channels.condition
    )
    results = [_solve_group(channels, group, settings) for group in groups]
    n = channels.n_samples
    pointwise, influence = np.empty((n, 4)), np.empty((n, 4))
    for result in results:
        pointwise[result.group.rows] = result.values.atoms
        influence[result.group.rows] = result.influence
    share = [len(result.group.rows) / n for result in results]

    def average(values: list[float]) -> float:
        return to_bits(sum(s * value for s, value in zip(share, values, strict=True)))

    means: list[float] = pointwise.mean(axis=0).tolist()
    atoms = {name: to_bits(mean) for name, mean in zip(ATOMS, means, strict=True)}
    total = average([float(r.values.information_12.mean()) for r in results])
    information = (
        average([float(r.values.information_1.mean()) for r in results]),
        average([float(r.values.information_2.mean()) for r in results]),
    )
    gap = average([r.solution.gap for r in results])
    converged = gap <= settings.tolerance_bits * (1.0 + 1e-9)
    shift, own, kept = (
        tuple(average([getattr(r.probes[m], name) for r in results]) for m in (0, 1))
        for name in ("prior_shift", "own_information", "information")
    )
    warnings = [
        *margin_warnings(shift, own, kept, settings.marginals),
        *atom_warnings(atoms, total, information, gap, settings.marginals),
    ]
    small = [len(r.group.rows) for r in results if len(r.group.rows) < SMALL_GROUP]
    if small and len(results) > 1:
        warnings.append(
            f"{sum(small)} of {n} samples lie in {len(small)} candidate sets with fewer than "
            f"{SMALL_GROUP} samples, whose information is biased; leave them out or pool them"
        )
    if settings.marginals == "reference" and settings.pointwise == "own":
        warnings.append(
            "per-sample values are anchored at source 1 (rule 'x1'): under marginals='reference' "
            "the two sources have no common margin for the rule 'own'"
        )
    if not converged:
        message = (
            f"the bounds on I* are {gap:.2g} bits apart, wider than the tolerance of "
            f"{settings.tolerance_bits:.2g}, "
        )
        if any(r.solution.merged for r in results):
            message += (
                "because rows that are nearly alike were merged: there are too many to solve for "
                "each; read no atom closer than this"
            )
        else:
            message += f"after {settings.max_steps} steps; allow more with max_steps"
        if settings.throw:
            raise NotConverged(message)
        warnings.append(message)
    return Spectrum(
        redundancy=atoms["redundancy"],
        unique_1=atoms["unique_1"],
        unique_2=atoms["unique_2"],
        synergy=atoms["synergy"],
        total=total,
        information_1=information[0],
        information_2=information[1],
        pointwise=to_bits(1.0) * pointwise,
        influence=to_bits(1.0) * (influence + (pointwise - influence).mean(axis=0)),
        clusters=channels.clusters,
        diagnostics=Diagnostics(
            method=", ".join(dict.fromkeys(r.solution.method for r in results)),
            gap_bits=gap,
            plugin_gap_bits=gap,
            converged=converged,
            iterations=sum(r.solution.iterations for r in results),
            residual=max(r.solution.residual for r in results),
            prior_shift_1=shift[0],
            prior_shift_2=shift[1],
            own_information_1=own[0],
            own_information_2=own[1],
            kept_information_1=kept[0],
            kept_information_2=kept[1],
            n_groups=len(results),
            warnings=tuple(warnings),
            trace=_trace(results[0].solution) if len(results) == 1 else (),
        ),
    )


def _trace(solution: BrojaSolution) -> tuple[TraceStep, ...]:
    return tuple(
        TraceStep(
            step=number + 1, seconds=seconds, upper_bits=to_bits(upper), lower_bits=to_bits(lower)
        )
        for number, (seconds, upper, lower) in enumerate(solution.steps)
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupProblem:
    """One candidate set, ready for the solver."""

    rows_12: Float[np.ndarray, "samples classes"]
    prior: Float[np.ndarray, " classes"]
    """Mean of `rows_12`: pi."""
    probes: tuple[AlignedProbe, AlignedProbe]
    joints: tuple[Float[np.ndarray, "samples classes"], Float[np.ndarray, "samples classes"]]
    """p(x_m, y), with equal class totals."""


def prepare_group(channels: Channels, group: CandidateGroup, policy: str) -> GroupProblem:
    """Align the probes of one candidate set to the prior of its joint run."""
    where = np.ix_(group.rows, group.columns)
    rows_12, offered = channels.full[where], channels.valid[where]
    prior = rows_12.mean(axis=0)
    probe_1 = align(channels.only_1[where], prior, offered, policy)
    probe_2 = align(channels.only_2[where], prior, offered, policy)
    n = len(group.rows)
    joint_1, joint_2 = probe_1.rows / n, probe_2.rows / n
    if policy == "reference":
        joint_2 = _anchor_at_first(joint_1, joint_2)
    return GroupProblem(
        rows_12=rows_12, prior=prior, probes=(probe_1, probe_2), joints=(joint_1, joint_2)
    )


def _solve_group(channels: Channels, group: CandidateGroup, settings: Settings) -> _GroupResult:
    problem = prepare_group(channels, group, settings.marginals)
    rows_12, prior, (probe_1, probe_2) = problem.rows_12, problem.prior, problem.probes
    rule = settings.pointwise
    if settings.marginals == "reference":
        rule = "x1" if rule == "own" else rule
    solution = solve_broja(
        *problem.joints,
        tolerance=to_nats(settings.tolerance_bits),
        max_steps=settings.max_steps,
    )
    return _GroupResult(
        group=group,
        probes=(probe_1, probe_2),
        solution=solution,
        values=split_over_samples(rule, solution, probe_1.rows, probe_2.rows, rows_12, prior),
        influence=influence_on_atoms(
            solution,
            probe_1,
            probe_2,
            rows_12,
            prior,
            settings.marginals,
        ),
    )


def _anchor_at_first(
    joint_1: Float[np.ndarray, "samples classes"], joint_2: Float[np.ndarray, "samples classes"]
) -> Float[np.ndarray, "samples classes"]:
    """Scale source 2 per class to the class totals of source 1.

    With unequal totals no Q has both margins; Sinkhorn scaling that ends on source 1, as in the
    papers' reference code, comes to rest at a Q with margins joint_1 and this.
    """
    totals, wanted = joint_2.sum(axis=0), joint_1.sum(axis=0)
    if np.any((totals <= 0.0) & (wanted > 0.0)):
        raise MarginError(
            "marginals='reference' has no solution here: source 1 predicts a class that source 2 "
            "never does; use marginals='calibrate'"
        )
    return joint_2 * np.divide(wanted, totals, out=np.zeros_like(totals), where=totals > 0.0)
