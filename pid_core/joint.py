"""Decomposes a known joint distribution P(x1, x2, y) of any sizes."""

from __future__ import annotations

import numpy as np

from pid_core.advice import atom_warnings
from pid_core.broja import solve_broja
from pid_core.channels import as_float64
from pid_core.errors import ChannelError, NotConverged
from pid_core.information import mutual_information, to_bits, to_nats
from pid_core.spectrum import ATOMS, Diagnostics, Spectrum


def decompose_joint(
    joint: object, *, tolerance_bits: float = 1e-6, max_steps: int = 60, throw: bool = False
) -> Spectrum:
    """Exact BROJA atoms of P[x1, x2, y], with a certificate.

    Parameters
    ----------
    joint : array of shape (|X1|, |X2|, |Y|), non-negative, summing to 1 (tolerance 1e-5).
    tolerance_bits : largest certified gap to accept.
    max_steps : steps of the iterative solver (not used for a binary y, which is closed form).
    throw : raise `NotConverged` instead of reporting it in the diagnostics.

    Raises
    ------
    ChannelError
        Not a distribution over three variables.

    References
    ----------
    Bertschinger, Rauh, Olbrich, Jost, Ay 2014, eqs. 8-11.

    Examples
    --------
    >>> conjunction = np.zeros((2, 2, 2))
    >>> for x1 in (0, 1):
    ...     for x2 in (0, 1):
    ...         conjunction[x1, x2, x1 & x2] = 0.25
    >>> {name: round(value, 6) for name, value in decompose_joint(conjunction).atoms.items()}
    {'redundancy': 0.311278, 'unique_1': 0.0, 'unique_2': 0.0, 'synergy': 0.5}
    """
    p = as_float64(joint, "the joint distribution", 3)
    if p.size == 0 or not np.isfinite(p).all() or (p < 0.0).any():
        raise ChannelError(
            "a joint distribution needs finite, non-negative entries and at least one of them, got "
            + (f"a minimum of {p.min()}" if p.size else f"shape {p.shape}")
        )
    if abs(p.sum() - 1.0) > 1e-5:
        raise ChannelError(f"a joint distribution must sum to 1, this one sums to {p.sum():.6g}")
    p = p / p.sum()
    margin_1, margin_2 = p.sum(axis=1), p.sum(axis=0)
    solution = solve_broja(
        margin_1, margin_2, tolerance=to_nats(tolerance_bits), max_steps=max_steps
    )
    i_1, i_2, star, total = (
        to_bits(x)
        for x in (
            mutual_information(margin_1),
            mutual_information(margin_2),
            solution.information,
            mutual_information(p.reshape(-1, p.shape[2])),
        )
    )
    atoms: dict[str, float] = dict(
        zip(ATOMS, (i_1 + i_2 - star, star - i_2, star - i_1, total - star), strict=True)
    )
    gap = to_bits(solution.gap)
    warnings = atom_warnings(atoms, total, (i_1, i_2), gap, "calibrate")
    if not solution.converged:
        message = (
            f"the bounds on I* are {gap:.2g} bits apart after {max_steps} steps, wider than the "
            f"tolerance of {tolerance_bits:.2g}; allow more with max_steps"
        )
        if throw:
            raise NotConverged(message)
        warnings.append(message)
    return Spectrum(
        redundancy=i_1 + i_2 - star,
        unique_1=star - i_2,
        unique_2=star - i_1,
        synergy=total - star,
        total=total,
        information_1=i_1,
        information_2=i_2,
        pointwise=np.empty((0, 4)),
        influence=np.empty((0, 4)),
        diagnostics=Diagnostics(
            method=solution.method,
            gap_bits=gap,
            plugin_gap_bits=gap,
            converged=solution.converged,
            iterations=solution.iterations,
            residual=solution.residual,
            own_information_1=i_1,
            own_information_2=i_2,
            kept_information_1=i_1,
            kept_information_2=i_2,
            warnings=tuple(warnings),
        ),
    )
