"""Estimators side by side on one problem: what each says, how wrong, how sure and how long it took.

Nothing here prints. The work is cut into tasks, one row each, so that whoever asks can show what is
done, do one at a time and keep the rows under a key that changes with anything they depend on.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache as remember
from importlib.util import find_spec
from typing import Any

import numpy as np

from pid_core import (
    ATOMS,
    ESTIMATORS,
    Channels,
    PidError,
    Spectrum,
    estimate,
)
from pid_core.advice import SMALL_LOSS_BITS
from pid_core.bank import Problem
from pid_core.certified import Settings
from pid_core.registry import ON_FEATURES, TRAINED
from pid_core.spectrum import TraceStep

SOLVER = "certified"
"""The estimator that solves the problem; where a truth is no formula, it is its tight bracket."""
TIGHT_BITS = 2e-4
"""Tolerance of that bracket."""

Four = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What the atoms of a problem are, and how well that is known. Bits."""

    atoms: Mapping[str, float]
    within: float
    """No atom is further from its exact value."""
    how: str
    """`closed form` or `certified bracket`."""


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """How to estimate; what an estimator does not use does not change its numbers."""

    tolerance_bits: float = 1e-3
    """Largest certified gap to accept."""
    seed: int = 0
    """Of estimators that draw random numbers."""
    clusters: int = 64
    """Codes per source, of estimators on embeddings."""
    policies: tuple[str, ...] = ("calibrate",)
    """Of `marginals`; the solver gets one row for each, the others the first."""

    def __post_init__(self) -> None:
        """Refuse what no estimator would take, before anything is computed."""
        for policy in self.policies:
            Settings(marginals=policy, tolerance_bits=self.tolerance_bits, clusters=self.clusters)


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """What one estimator says under one setting. Bits and seconds."""

    estimator: str
    label: str
    """The estimator, with what sets its row apart."""
    setting: str = ""
    """What was varied, where something was: `0.2` of tau."""
    atoms: Mapping[str, float] | None
    """None where the estimator refuses."""
    total: float | None = None
    information_1: float | None = None
    information_2: float | None = None
    interval: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, Any])
    """95 % interval of each atom, sampling only; empty where there are no samples."""
    error_bits: float | None = None
    """Largest distance of an atom from the truth; None without one."""
    gap_bits: float | None = None
    """Certified width; None where the method has no certificate."""
    prior_shift_bits: float = 0.0
    """How far the answer frequencies of a probe are from the joint run's, of the further one."""
    kept_share: float = 1.0
    """What aligning the margins left of a probe's information, of the probe that lost more."""
    converged: bool = False
    seconds: float | None = None
    """None for a published row."""
    iterations: int = 0
    method: str = ""
    samples: int = 0
    warnings: tuple[str, ...] = ()
    trace: tuple[TraceStep, ...] = ()
    refusal: str | None = None
    """The sentence with which the estimator refuses."""
    is_published: bool = False
    """Not computed here: measured by others on another draw."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"trace": [asdict(step) for step in self.trace]}


@dataclass(frozen=True, kw_only=True)
class AuditTask:
    """One row that is still to be computed."""

    key: str
    """Changes with everything that the row depends on."""
    label: str
    work: Callable[[], AuditRow]


Report = Callable[[int, int], None]
"""Called with rows done and in all."""


def side_by_side(
    problem: Problem | Channels,
    estimators: Sequence[str] | None = None,
    options: AuditOptions | None = None,
    *,
    progress: Report | None = None,
) -> list[AuditRow]:
    """Run estimators on one problem, one after the other.

    Parameters
    ----------
    problem
        A problem of the bank; or channels, whose truth nobody knows.
    estimators
        Names of `pid_core.ESTIMATORS`; None takes all of them.
    options
        How to estimate.
    progress
        Called with rows done and in all.

    Returns
    -------
    list of AuditRow
        One per estimator, and one more per further policy of the solver. An estimator that refuses
        has a row with its sentence.

    Raises
    ------
    UnknownName
        If there is no estimator of that name.

    Examples
    --------
    >>> from pid_core.bank import get
    >>> (row,) = side_by_side(get("gate/xor"), ["certified"])
    >>> round(row.atoms["synergy"], 6), round(row.error_bits, 6), row.refusal
    (1.0, 0.0, None)
    """
    return perform(problem_tasks(problem, estimators, options), progress=progress)


def perform(tasks: Sequence[AuditTask], *, progress: Report | None = None) -> list[AuditRow]:
    """Do the tasks in their order."""
    rows: list[AuditRow] = []
    for task in tasks:
        rows.append(task.work())
        if progress is not None:
            progress(len(rows), len(tasks))
    return rows


def problem_tasks(
    problem: Problem | Channels,
    estimators: Sequence[str] | None = None,
    options: AuditOptions | None = None,
) -> list[AuditTask]:
    """Cut `side_by_side` into tasks."""
    chosen = options or AuditOptions()
    names = known(estimators)
    channels = problem if isinstance(problem, Channels) else problem.make()
    train = None
    if isinstance(problem, Problem) and problem.make_train is not None:
        train = problem.make_train()
    print_of = {"channels": digest(channels), "train": None if train is None else digest(train)}

    @remember
    def truth() -> Truth | None:
        return truth_of(problem, channels) if isinstance(problem, Problem) else None

    def task(name: str, policy: str, several: bool) -> AuditTask:
        label = f"{name}, {policy}" if several else name

        def work() -> AuditRow:
            row = measure(
                lambda: estimate(
                    channels,
                    name,
                    seed=chosen.seed,
                    marginals=policy,
                    tolerance_bits=chosen.tolerance_bits,
                    clusters=chosen.clusters,
                    train=train,
                ),
                estimator=name,
                label=label,
                setting=policy if several else "",
            )
            return held_to(row, truth())

        about = asdict(chosen) | print_of | {"estimator": name, "policy": policy}
        about["truth"] = dict(problem.truth or {}) if isinstance(problem, Problem) else None
        return AuditTask(key=fingerprint(about), label=label, work=work)

    return [
        task(name, policy, len(chosen.policies) > 1 and name == SOLVER)
        for name in names
        for policy in (chosen.policies if name == SOLVER else chosen.policies[:1])
    ]


def measure(
    work: Callable[[], Spectrum], *, estimator: str, label: str, setting: str = ""
) -> AuditRow:
    """Do one estimate and put it into a row; a refusal in a sentence is a row too."""
    start = time.perf_counter()
    try:
        spectrum = work()
    except PidError as error:
        return AuditRow(
            estimator=estimator,
            label=label,
            setting=setting,
            atoms=None,
            seconds=time.perf_counter() - start,
            refusal=str(error),
        )
    seconds, found = time.perf_counter() - start, spectrum.diagnostics
    return AuditRow(
        estimator=estimator,
        label=label,
        setting=setting,
        atoms=spectrum.atoms,
        total=spectrum.total,
        information_1=spectrum.information_1,
        information_2=spectrum.information_2,
        interval=spectrum.interval(0.95) if len(spectrum.influence) else {},
        gap_bits=found.gap_bits if np.isfinite(found.gap_bits) else None,
        prior_shift_bits=max(found.prior_shift_1, found.prior_shift_2),
        kept_share=min(
            _share(found.kept_information_1, found.own_information_1),
            _share(found.kept_information_2, found.own_information_2),
        ),
        converged=found.converged,
        seconds=seconds,
        iterations=found.iterations,
        method=found.method,
        samples=len(spectrum.pointwise),
        warnings=found.warnings,
        trace=found.trace,
    )


def _share(kept: float, own: float) -> float:
    """Return the share that is left; who loses next to nothing has kept all."""
    return kept / own if own - kept > SMALL_LOSS_BITS else 1.0


def held_to(row: AuditRow, truth: Truth | None) -> AuditRow:
    """Return the row with its distance from the truth."""
    if truth is None or row.atoms is None:
        return row
    return replace(row, error_bits=max(abs(row.atoms[name] - truth.atoms[name]) for name in ATOMS))


def truth_of(problem: Problem, channels: Channels) -> Truth | None:
    """Return the truth of a problem, solving for it where it is not written down.

    None where no atoms are right: the margins of the probes contradict each other.
    """
    if problem.truth is not None:
        return Truth(atoms=problem.truth, within=problem.truth_within, how=problem.known)
    if problem.known != "certified bracket":
        return None
    solved = estimate(channels, SOLVER, tolerance_bits=TIGHT_BITS, max_steps=200)
    return Truth(atoms=solved.atoms, within=solved.diagnostics.gap_bits, how=problem.known)


def published_rows(problem: Problem) -> list[AuditRow]:
    """Return what others measured on their own draw of the same population."""
    rows: list[AuditRow] = []
    for name, values in problem.published.items():
        row = AuditRow(
            estimator=name,
            label=f"{name}, published",
            atoms=dict(zip(ATOMS, values, strict=True)),
            total=sum(values),
            is_published=True,
        )
        truth = problem.truth
        known = Truth(atoms=truth, within=0.0, how=problem.known) if truth is not None else None
        rows.append(held_to(row, known))
    return rows


def known(estimators: Sequence[str] | None) -> list[str]:
    """Return the names asked for, each once; all of them for None.

    Raises
    ------
    UnknownName
        The message has the nearest name.
    """
    names = list(dict.fromkeys(ESTIMATORS if estimators is None else estimators))
    for name in names:
        if name not in ESTIMATORS:
            ESTIMATORS[name]  # raises, with the nearest name
    return names


def why_not(estimator: str, *, has_features: bool) -> str | None:
    """Say why an estimator cannot run here; None where nothing is in its way."""
    if estimator in ON_FEATURES | TRAINED and not has_features:
        return "needs embeddings, and this run has stored none"
    if estimator in TRAINED and find_spec("torch") is None:
        return "trains a network and needs a package: pip install torch"
    return None


def fingerprint(about: Mapping[str, Any]) -> str:
    """Return a short key of JSON values.

    >>> fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    True
    """
    text = json.dumps(about, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest(channels: Channels) -> str:
    """Return a short key of everything that channels hold."""
    found = hashlib.sha256()
    parts = (
        channels.full,
        channels.only_1,
        channels.only_2,
        channels.features_1,
        channels.features_2,
        channels.valid,
        channels.group_id,
    )
    for part in parts:
        found.update(b"none" if part is None else np.ascontiguousarray(part).tobytes())
        found.update(repr(None if part is None else (part.shape, str(part.dtype))).encode())
    return found.hexdigest()[:16]
