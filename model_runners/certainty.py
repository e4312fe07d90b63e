"""What is measured beside an estimate: its error, batches as published, nulls, how many samples."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np

from model_runners.errors import BadOption
from pid_core import PidError, RawScores, Spectrum
from pid_core.interval import Uncertainty
from pid_core.null import NOISE_DRAWS, NullSpectrum, noise_null, null_spectrum
from pid_core.power import samples_needed
from pid_core.problem import OfDraws
from pid_core.registry import TRAINED
from pid_core.resampling import BATCH_SIZE, resample_batches
from pid_core.spectrum import ATOMS, COLUMNS
from pid_core.uncertainty import uncertainty

DELTA = 0.05
"""Bits: the difference that `samples_needed` is asked for."""

Detail = Callable[[str, int, int], None]
"""Called with what is being repeated, how often it was, and how often it will be."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a person can ask for beside an estimate; 0 leaves it out."""

    bootstrap: int = 0
    """Replicates; without, sampling error is first order."""
    resamples: int = 0
    """Random batches, as in MI26."""
    batch_size: int = BATCH_SIZE
    """Samples per batch."""
    null: int = 0
    """Replicates of the null spectrum."""
    workers: int = 1
    """Processes for bootstrap and batches; changes no number."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense before anything is read."""
        for name in ("bootstrap", "resamples", "null"):
            if getattr(self, name) < 0:
                raise BadOption(f"{name} must be 0 or more, not {getattr(self, name)}")
        for name in ("bootstrap", "resamples"):
            if getattr(self, name) == 1:
                raise BadOption(f"{name} must be 2 or more: one says nothing about a spread")
        if self.batch_size < 1 or self.workers < 1:
            raise BadOption(
                f"batch_size and workers must be 1 or more, not {self.batch_size}, {self.workers}"
            )

    def settings(self) -> dict[str, Any]:
        """Return what was asked for; part of an estimate's key."""
        found: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("bootstrap", "resamples", "null")
            if getattr(self, name)
        }
        return found | ({"batch_size": self.batch_size} if self.resamples else {})


SETTINGS = frozenset({"bootstrap", "resamples", "batch_size", "null"})
"""Settings of an estimate that change its evidence and none of its atoms."""


def measure(
    spectrum: Spectrum,
    scores: RawScores,
    problem: OfDraws,
    evidence: Evidence,
    *,
    tau: float,
    seed: int,
    detail: Detail | None = None,
) -> tuple[Spectrum, dict[str, Any]]:
    """Return the spectrum with its uncertainty, and what else was measured as JSON values.

    Parameters
    ----------
    spectrum, scores, problem
        The estimate and what it was made of.
    evidence
        What to measure.
    tau
        Of the predictions.
    seed
        Of every part and draw.
    detail
        Told of repetitions.

    Raises
    ------
    PidError
        If something cannot be measured, such as batches larger than the benchmark.
    """

    def told(what: str) -> Callable[[int, int], None]:
        return lambda done, of: detail(what, done, of) if detail is not None else None

    found = uncertainty(
        problem,
        spectrum,
        # Four more networks would cost as much as the estimate itself.
        quarters=problem.estimator not in TRAINED,
        replicates=evidence.bootstrap,
        seed=seed,
        workers=evidence.workers,
        progress=told("bootstrap"),
    )
    measured: dict[str, Any] = {
        "uncertainty": plain_uncertainty(found),
        "samples_needed": _sample_sizes(spectrum),
    }
    if evidence.resamples:
        batches = resample_batches(
            problem,
            batches=evidence.resamples,
            batch_size=evidence.batch_size,
            seed=seed,
            workers=evidence.workers,
            progress=told("batches"),
        )
        measured["resampled"] = {
            "batches": batches.batches,
            "batch_size": batches.batch_size,
            "mean": _named(batches.names, batches.mean),
            "spread": _named(batches.names, batches.spread),
        }
    if evidence.null:
        measured["null"] = _nulls(scores, problem, evidence.null, tau, seed, told("null"))
    return replace(spectrum, uncertainty=found), measured


def intervals_of(spectrum: Spectrum, level: float = 0.95) -> dict[str, tuple[float, float]]:
    """Return the interval of every atom, of the total and of the shares, where they are known."""
    found = {name: spectrum.interval_of(name, level) for name in COLUMNS}
    return {name: ends for name, ends in found.items() if all(map(isfinite, ends))}


def plain_uncertainty(found: Uncertainty) -> dict[str, Any]:
    """Return bias and deviation by name as JSON values; None is unknown."""
    return {
        "method": found.method,
        "replicates": found.replicates,
        "groups": found.groups,
        "quarters": found.quarters,
        "note": found.note,
        "bias": _named(found.names, found.bias),
        "deviation": _named(found.names, found.deviation),
    }


def _sample_sizes(spectrum: Spectrum) -> dict[str, Any]:
    sizes: dict[str, Any] = {}
    assumption = ""
    for atom in ATOMS:
        try:
            answer = samples_needed(spectrum, delta=DELTA, atom=atom)
        except PidError:  # one group of samples says nothing about another
            sizes[atom] = None
        else:
            sizes[atom], assumption = answer.samples, answer.assumption
    return {"delta": DELTA, "level": 0.95, "power": 0.8, "assumption": assumption, **sizes}


def _nulls(
    scores: RawScores,
    problem: OfDraws,
    replicates: int,
    tau: float,
    seed: int,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    nulls = [null_spectrum(problem, replicates=replicates, seed=seed, progress=progress)]
    if scores.neither is not None and problem.estimator == "certified":
        masked = scores.predict(tau)["neither"].probabilities
        if masked.ndim == 3 and masked.shape[1] >= NOISE_DRAWS:
            nulls.append(
                noise_null(
                    problem.channels.full,
                    masked,
                    valid=problem.valid,
                    group_id=problem.channels.group_id,
                    condition=problem.channels.condition,
                    replicates=replicates,
                    seed=seed,
                    **{name: v for name, v in problem.settings.items() if name != "seed"},
                )
            )
    return {null.kind: _plain_null(null) for null in nulls}


def _plain_null(null: NullSpectrum) -> dict[str, Any]:
    return {
        "replicates": null.replicates,
        "zero": list(null.zero),
        "mean": _named(null.names, null.mean),
        "low": _named(null.names, null.low),
        "high": _named(null.names, null.high),
    }


def _named(names: tuple[str, ...], values: np.ndarray) -> dict[str, float | None]:
    listed: list[float] = values.tolist()
    return {
        name: value if isfinite(value) else None for name, value in zip(names, listed, strict=True)
    }
