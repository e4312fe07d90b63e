"""Estimates from several noise draws per sample, with the bias of the noise taken out by jackknife.

A masked modality is noise, and the probe's answer varies with the draw. Averaging D draws leaves a
part of that variation in the probe; both probes have it, and it counts as redundancy taken from
synergy, falling like 1/D. The jackknife estimates the atoms from D draws (A_D) and from every D - 1
of them, and extrapolates: D A_D - (D - 1) mean A_(D-1) (Quenouille 1956).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from pid_core.advice import (
    atom_warnings,
    averaged_warnings,
    draw_warnings,
    fallback_warnings,
    noise_warnings,
)
from pid_core.channels import Channels, as_distributions, as_mask, candidate_groups, check_valid
from pid_core.errors import ChannelError, NotConverged
from pid_core.information import row_divergence, to_bits
from pid_core.predictive import DEFAULT_TAU, RawScores, fallback_information
from pid_core.registry import ON_FEATURES, TRAINED, estimate
from pid_core.spectrum import ATOMS, Spectrum

FEWEST_DRAWS = 3
"""Draws per sample from which on a jackknife is taken."""


def estimate_over_draws(
    full: object,
    only_1: object = None,
    only_2: object = None,
    neither: object = None,
    *,
    valid: object = None,
    group_id: object = None,
    condition: object = None,
    features_1: object = None,
    features_2: object = None,
    tau: float = DEFAULT_TAU,
    estimator: str = "certified",
    seed: int = 0,
    marginals: str = "calibrate",
    pool_candidates: bool = False,
    pointwise: str = "own",
    tolerance_bits: float = 1e-3,
    max_steps: int = 60,
    clusters: int = 64,
    train: Channels | None = None,
    throw: bool = False,
) -> Spectrum:
    """Decompose from D noise draws per sample; atoms and pointwise are jackknifed at D >= 3.

    Estimators that train a network get the mean over draws: a jackknife would extrapolate the
    differences between D + 1 trainings as well.

    Parameters
    ----------
    full : P-hat of the joint run, (N, K) or (N, D', K); or a `RawScores`, which stands for all
        conditions, `valid`, `group_id` and `condition`, and brings the fall-back into the
        diagnostics.
    only_1, only_2 : P-hat per draw, (N, D, K).
    neither : P-hat per draw with both sources masked, (N, D, K); gives the noise floor.
    valid, group_id, condition, features_1, features_2 : as in `Channels`.
    tau : used with `RawScores` only.
    tolerance_bits : largest propagated gap to accept; every single solution is asked for
        tolerance_bits / (2 D - 1).

    The other arguments are those of `estimate`.

    Returns
    -------
    Spectrum
        `diagnostics.plugin` holds the atoms of the plain average over draws, `gap_bits` bounds the
        error of the jackknifed atoms, `noise_floor_bits` is I(Y; NEITHER), jackknifed too.

    Examples
    --------
    >>> half = np.full((4, 3, 2), 0.5)  # three draws that agree
    >>> xor = [[1, 0], [0, 1], [0, 1], [1, 0]]
    >>> spectrum = estimate_over_draws(xor, half, half, neither=half)
    >>> found = spectrum.diagnostics
    >>> round(spectrum.synergy, 6), found.draws, found.noise_floor_bits
    (1.0, 3, 0.0)
    """
    rates: Mapping[str, float] = {}
    fallback_bits: Mapping[str, float] = {}
    if isinstance(full, RawScores):
        beside = (only_1, only_2, neither, valid, group_id, condition)
        if any(given is not None for given in beside):
            raise ChannelError("RawScores already holds every condition; hand in nothing beside it")
        scores, predicted = full, full.predict(tau)
        valid, group_id, condition = scores.valid, scores.group_id, scores.condition
        shape = predicted["full"].probabilities.shape
        mask = as_mask(valid, "valid", (shape[0], shape[-1]))
        rates = {name: float(p.fallback.mean()) for name, p in predicted.items()}
        fallback_bits = {
            name: fallback_information(
                p.probabilities.reshape(len(mask), -1, mask.shape[1]),
                p.fallback.reshape(len(mask), -1),
                mask,
            )
            for name, p in predicted.items()
        }
        full, only_1, only_2 = (
            predicted[name].probabilities for name in ("full", "only_1", "only_2")
        )
        neither = predicted["neither"].probabilities if "neither" in predicted else None

    joint = _per_draw(full, "full", valid).mean(axis=1)
    probe_1, probe_2 = _per_draw(only_1, "only_1", valid), _per_draw(only_2, "only_2", valid)
    masked = None if neither is None else _per_draw(neither, "neither", valid)
    draws = probe_1.shape[1]
    for name, values in (("only_2", probe_2), ("neither", masked)):
        if values is not None and values.shape != probe_1.shape:
            raise ChannelError(
                f"{name} must have the shape of only_1 {probe_1.shape}, got {values.shape}; "
                "every condition needs the same samples, draws and candidates"
            )
    jackknifed = draws >= FEWEST_DRAWS and estimator not in ON_FEATURES | TRAINED
    parts = 2 * draws - 1 if jackknifed else 1

    def solve(kept: list[int]) -> Spectrum:
        return estimate(
            Channels(
                full=joint,
                only_1=probe_1[:, kept].mean(axis=1),
                only_2=probe_2[:, kept].mean(axis=1),
                features_1=features_1,
                features_2=features_2,
                valid=valid,
                group_id=group_id,
                condition=condition,
            ),
            estimator,
            seed=seed,
            marginals=marginals,
            pool_candidates=pool_candidates,
            pointwise=pointwise,
            tolerance_bits=tolerance_bits / parts,
            max_steps=max_steps,
            clusters=clusters,
            train=train,
            throw=throw,
        )

    everything = list(range(draws))
    plain = solve(everything)
    left_out: list[Spectrum] = []
    if jackknifed:
        left_out = [solve([d for d in everything if d != out]) for out in everything]
    floor = None if masked is None else _noise_floor(masked, valid, condition, pool=pool_candidates)
    result = _extrapolate(plain, left_out, draws)
    found = plain.diagnostics
    gap = draws * found.gap_bits + (draws - 1) * _mean(s.diagnostics.gap_bits for s in left_out)
    gap = gap if left_out else found.gap_bits
    converged = gap <= tolerance_bits * (1.0 + 1e-9)
    if throw and not converged:
        raise NotConverged(
            f"the bounds on the jackknifed atoms are {gap:.2g} bits apart, wider than the "
            f"tolerance of {tolerance_bits:.2g}; allow more with max_steps"
        )
    about_plain = atom_warnings(
        plain.atoms,
        plain.total,
        (plain.information_1, plain.information_2),
        found.gap_bits,
        marginals,
    )
    warnings = [
        *(sentence for sentence in found.warnings if sentence not in about_plain),
        *atom_warnings(
            result.atoms,
            result.total,
            (result.information_1, result.information_2),
            gap,
            marginals,
            jackknifed=bool(left_out),
        ),
        *_about_draws(estimator, draws, floor),
        *fallback_warnings(fallback_bits),
    ]
    return replace(
        result,
        diagnostics=replace(
            found,
            gap_bits=gap,
            plugin_gap_bits=found.gap_bits,
            converged=converged,
            iterations=found.iterations + sum(s.diagnostics.iterations for s in left_out),
            residual=max(s.diagnostics.residual for s in (plain, *left_out)),
            fallback_rate=MappingProxyType(dict(rates)),
            fallback_bits=MappingProxyType(dict(fallback_bits)),
            noise_floor_bits=floor,
            draws=draws,
            plugin=MappingProxyType(plain.atoms) if left_out else found.plugin,
            warnings=tuple(warnings),
        ),
    )


def _about_draws(estimator: str, draws: int, floor: float | None) -> list[str]:
    """Say what the noise of the draws does to an estimator."""
    if estimator in ON_FEATURES:
        return []
    told = averaged_warnings(draws) if estimator in TRAINED else draw_warnings(draws)
    return [*told, *noise_warnings(floor)]


def _mean(values: Any) -> float:
    listed = list(values)
    return float(np.mean(listed)) if listed else 0.0


def _per_draw(values: object, name: str, valid: object) -> np.ndarray:
    """Check (N, D, K) distributions row by row; (N, K) counts as one draw."""
    if values is None:
        raise ChannelError(f"{name} is missing; hand in full, only_1 and only_2, or one RawScores")
    if hasattr(values, "detach"):
        values = cast("Any", values).detach().cpu().double().numpy()
    array = np.array(cast("Any", values), dtype=np.float64)
    if array.ndim == 2:
        array = array[:, None, :]
    if array.ndim != 3 or 0 in array.shape:
        raise ChannelError(
            f"{name} must have shape (N, K) or (N, D, K) with no axis empty, got {array.shape}"
        )
    mask = as_mask(valid, "valid", (array.shape[0], array.shape[2]))
    check_valid(mask)
    checked = [as_distributions(array[:, d], name, mask) for d in range(array.shape[1])]
    return np.stack(checked, axis=1)


def _extrapolate(plain: Spectrum, left_out: list[Spectrum], draws: int) -> Spectrum:
    """D A_D - (D - 1) mean A_(D-1), for every number and every row alike."""
    if not left_out:
        return plain

    def combine(name: str) -> Any:
        fewer = np.mean([getattr(s, name) for s in left_out], axis=0)
        return draws * getattr(plain, name) - (draws - 1) * fewer

    scalars = (*ATOMS, "information_1", "information_2")
    return replace(
        plain,
        **{name: float(combine(name)) for name in scalars},
        pointwise=combine("pointwise"),
        influence=combine("influence"),
    )


def _noise_floor(masked: np.ndarray, valid: object, condition: object, *, pool: bool) -> float:
    """I(Y; NEITHER) in bits, within each candidate set, jackknifed over draws where D >= 3."""
    mask = as_mask(valid, "valid", (masked.shape[0], masked.shape[2]))
    told = None if condition is None else np.asarray(condition)
    groups = candidate_groups(mask, pool=pool, condition=told)

    def information(kept: list[int]) -> float:
        bits = 0.0
        for group in groups:
            rows = masked[group.rows][:, kept].mean(axis=1)
            own = float(row_divergence(rows, rows.mean(axis=0)).mean())
            bits += to_bits(own) * len(group.rows) / len(masked)
        return bits

    draws = masked.shape[1]
    everything = list(range(draws))
    plain = information(everything)
    if draws < FEWEST_DRAWS:
        return plain
    fewer = _mean(information([d for d in everything if d != out]) for out in everything)
    return draws * plain - (draws - 1) * fewer
